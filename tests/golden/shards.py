"""One small shard per stage, made anew from fixed input: what a change of code may not change in silence.

Nothing here depends on an engine, a phrase bank or the voice catalogue: those have versions of their own,
which are part of a stage's cache key. Numbers that hang on a machine's arithmetic are rounded.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from pipeline.core.emotional_plan import EmotionalConfig
from pipeline.core.reference import Reference
from pipeline.core.timing.dyad import dyad_law
from pipeline.domain.labels import Recipe
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene
from pipeline.domain.seed import SeedDialogue
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.timeline import Timeline
from pipeline.io.audio import RunAudio, read_pcm16
from pipeline.io.prompts import load_prompts
from pipeline.io.references import load_reference
from pipeline.io.store import Store
from pipeline.stages import render, script, seeds, speech, timing
from pipeline.stages.shard import Shard
from pipeline.stages.speaking import Ladder
from tests.spoken import ALL_SHAPES, hesitation, interruption, load_clip, speak
from tests.stages.doubles import VOICES, HumSynthesizer, PlainAuthor, plan_of, seed_of

HERE = Path(__file__).parent

_REFERENCE: Reference = load_reference("switchboard")
_EVERY = 499
"""Audio is kept thinned out: one sample of so many (a prime, so that no period of a signal hides)."""


class MadeUpClips(Store):
    """Clips that are computed from their addresses."""

    def load_clip(self, digest: str) -> npt.NDArray[np.int16]:
        return load_clip(digest)


def seeds_lines() -> Iterator[str]:
    """Twenty seeds over two sources, one of them drawn from, one seed twice."""
    source = seeds.SeedSource(reader="made-up", path="a", language="en", limit=8)
    sources = (source, source.model_copy(update={"path": "b", "limit": None}))
    content = {
        "a": [seed_of(f"a{i}", (f"Question {i}?", "Answer.")) for i in range(15)],
        "b": [seed_of(f"b{i}", (f"Question {i}?", "Answer.")) for i in range(14, 20)],
    }

    def read(one: seeds.SeedSource) -> Iterator[SeedDialogue]:
        return iter(content[one.path])

    shard = Shard(0, tuple(seeds.SourceContent(source=one, content_sha256="") for one in sources))
    done = seeds.run(
        shard,
        seeds.Config(sources=sources),
        seeds.Deps(root_seed=0, recipe=Recipe.FULL_DUPLEX, emotional=EmotionalConfig(), read=read),
    )
    return _lines(done)


def script_lines() -> Iterator[str]:
    """Every scene, by an author who writes the same few words."""
    with TemporaryDirectory() as store:
        deps = script.Deps(
            root_seed=0,
            author=PlainAuthor(),
            prompts=load_prompts(),
            prompts_sha256="",
            replies=Store(Path(store)),
        )
        done = script.run(Shard(0, tuple(plan_of(scene) for scene in Scene)), script.Config(), deps)
    # Without the prompts' names and hashes: those are versioned and locked by themselves.
    return _lines(Shard(0, tuple(one.model_copy(update={"author": ()}) for one in done.records)))


def speech_lines() -> Iterator[str]:
    """Who speaks what with which request: addresses and words, no samples."""
    with TemporaryDirectory() as store:
        deps = speech.Deps(
            root_seed=0,
            ladder=Ladder((HumSynthesizer(),), VOICES),
            voices=VOICES,
            clips=Store(Path(store)),
            sampling_rate=24_000,
        )
        done = speech.run(Shard(0, tuple(shape() for shape in ALL_SHAPES)), speech.Config(), deps)
    for spoken in done.records:
        yield json.dumps(
            {
                "dialogue_id": spoken.script.dialogue_id,
                "scene": spoken.script.scene,
                "voices": {v.speaker: [v.voice_id, round(v.gain_db, 1)] for v in spoken.voicing},
                "clips": {c.utterance_id: [c.clip.digest, c.clip.num_samples] for c in spoken.clips},
            }
        )


def timing_lines() -> Iterator[str]:
    """Every shape of a dialogue under a few dials and settings."""
    for config, dial in (
        (timing.Config(), 0.0),
        (timing.Config(), 1.5),
        (timing.Config(profile="human-assistant", lead_in_s=1.0), -1.5),
        (timing.Config(overlap_ratio=timing.OverlapSpread(min=0.02, max=0.06), response_latency=0.8), 0.0),
        (timing.Config(profile="humdial-dev"), 0.0),
    ):
        for timeline in _timed(config, dial).records:
            yield json.dumps(
                {
                    "config": config.model_dump(mode="json", exclude_defaults=True),
                    "dial": dial,
                    "scene": timeline.scene,
                    "spans": {s.supervision_id: [s.span.start, s.span.end] for s in timeline.supervisions},
                    "heard": [s.text for s in timeline.supervisions if s.truncated],
                    "events": [[e.type, e.onset, e.anchor_at, e.yielded_at] for e in timeline.events],
                    "distance": [s.distance.seed for s in timeline.supervisions if s.distance],
                    "num_samples": timeline.num_samples,
                }
            )


def render_lines() -> Iterator[str]:
    """Two dialogues as thinned out samples of both tracks."""
    with TemporaryDirectory() as directory:
        run = Path(directory)
        deps = render.Deps(clips=MadeUpClips(run), audio=RunAudio(run))
        timelines = _timed(timing.Config(), 0.0, (speak(interruption()), speak(hesitation()))).records
        done = render.run(Shard(0, timelines), render.Config(), deps)
        for dialogue in done.records:
            samples, rate = read_pcm16(run / dialogue.audio.path)
            yield json.dumps(
                {
                    "path": dialogue.audio.path,
                    "sampling_rate": rate,
                    "num_samples": len(samples),
                    "samples": samples[::_EVERY].T.tolist(),
                }
            )


def _timed(
    config: timing.Config, dial: float, spoken: tuple[SpokenScript, ...] | None = None
) -> Shard[Timeline]:
    deps = timing.Deps(
        root_seed=0,
        reference=_REFERENCE,
        dyads=dyad_law(_REFERENCE),
        stages=("timing-1",),
        dial=dial,
    )
    return timing.run(Shard(0, spoken or tuple(speak(shape()) for shape in ALL_SHAPES)), config, deps)


def _lines(shard: Shard[Record]) -> Iterator[str]:
    return iter([one.to_line() for one in (*shard.records, *shard.refusals)])


GOLDEN: dict[str, tuple[int, Callable[[], Iterator[str]]]] = {
    seeds.NAME: (seeds.VERSION, seeds_lines),
    script.NAME: (script.VERSION, script_lines),
    speech.NAME: (speech.VERSION, speech_lines),
    timing.NAME: (timing.VERSION, timing_lines),
    render.NAME: (render.VERSION, render_lines),
}
"""By stage: its version, and what makes its shard."""


def made(stage: str) -> str:
    """The golden file as it would be written now: a line with the version, then the shard."""
    version, lines = GOLDEN[stage]
    return "\n".join((json.dumps({"stage": stage, "version": version}), *lines())) + "\n"


def path_of(stage: str) -> Path:
    return HERE / f"{stage}.jsonl"
