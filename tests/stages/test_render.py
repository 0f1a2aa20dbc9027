from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from pipeline.core.assembly import assemble
from pipeline.domain.errors import BackendError
from pipeline.domain.timeline import Dialogue, Timeline
from pipeline.io.audio import RunAudio
from pipeline.io.files import audio_file_digest
from pipeline.io.store import Store
from pipeline.stages import render
from pipeline.stages.render import Config, Deps
from pipeline.stages.shard import Shard
from tests.core.timing.test_placement import timeline_of
from tests.spoken import ALL_SHAPES, load_clip


class MadeUpClips(Store):
    """Clips that are computed from their addresses."""

    def load_clip(self, digest: str) -> npt.NDArray[np.int16]:
        return load_clip(digest)


TIMELINES = tuple(
    timeline_of(shape().model_copy(update={"dialogue_id": f"en-{i}"})) for i, shape in enumerate(ALL_SHAPES)
)


DEFAULT = Config()


def run(directory: Path, config: Config = DEFAULT) -> Shard[Dialogue]:
    deps = Deps(clips=MadeUpClips(directory), audio=RunAudio(directory))
    return render.run(Shard(5, TIMELINES), config, deps)


@pytest.mark.parametrize("file_format", ["flac", "wav"])
def test_the_files_hold_what_the_timelines_say_sample_by_sample(file_format: str, tmp_path: Path) -> None:
    done = run(tmp_path, Config.model_validate({"format": file_format}))
    assert [dialogue.timeline for dialogue in done.records] == list(TIMELINES)
    assert (done.index, done.refusals) == (5, ())
    for dialogue in done.records:
        path = tmp_path / dialogue.audio.path
        assert path.name == f"{dialogue.timeline.dialogue_id}.{file_format}"
        samples, rate = soundfile.read(path, dtype="int16")
        assert rate == dialogue.timeline.sampling_rate == dialogue.audio.sampling_rate
        assert samples.shape == (dialogue.audio.num_samples, 2)
        np.testing.assert_array_equal(samples, assemble(dialogue.timeline, load_clip))
        assert (path.stat().st_size, audio_file_digest(path)) == (
            dialogue.audio.num_bytes,
            dialogue.audio.digest,
        )


def test_a_track_is_digital_silence_where_its_party_says_nothing(tmp_path: Path) -> None:
    for dialogue in run(tmp_path).records:
        samples, _ = soundfile.read(tmp_path / dialogue.audio.path, dtype="int16")
        for supervision in dialogue.timeline.supervisions:
            span = supervision.span
            assert samples[span.start : span.end, supervision.track.channel].any()
            samples[span.start : span.end, supervision.track.channel] = 0
        assert not samples.any()


def test_rendering_again_gives_the_same_bytes(tmp_path: Path) -> None:
    assert run(tmp_path / "a") == run(tmp_path / "b")
    for path in (tmp_path / "a").rglob("*.flac"):
        assert path.read_bytes() == (tmp_path / "b" / "audio" / path.name).read_bytes()


def test_a_timeline_whose_clip_is_gone_stops_the_stage_and_says_what_to_do(tmp_path: Path) -> None:
    deps = Deps(clips=Store(tmp_path), audio=RunAudio(tmp_path))
    with pytest.raises(BackendError, match=r"is not there .*remedy: run the speech stage again"):
        render.run(Shard(0, TIMELINES[:1]), Config(), deps)
    assert not (tmp_path / "audio").exists()


def test_made_up_timelines_cover_every_shape() -> None:
    assert len({tuple(event.type for event in timeline.events) for timeline in TIMELINES}) == len(ALL_SHAPES)
    assert all(isinstance(timeline, Timeline) for timeline in TIMELINES)
