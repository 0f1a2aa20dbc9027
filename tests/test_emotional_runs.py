"""Runs of emotional dialogues whose assistant is text only: measured, described and reported like any other."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.checking import RunCheck
from pipeline.core.checks import Code, Limits, check_dialogue
from pipeline.core.turntaking import Quantity
from pipeline.describing import Material, describe
from pipeline.domain.emotional import Tag
from pipeline.domain.labels import Emotion, Recipe, Track
from pipeline.domain.timeline import Dialogue, Timeline
from pipeline.io.audio import read_pcm16
from pipeline.io.references import load_reference
from pipeline.reporting import report_run
from pipeline.stages import timing
from pipeline.stages.shard import Shard
from tests.cli.calling import humdial
from tests.core.timing.dialogues import DYADS, REFERENCE
from tests.emotional import emotional_script
from tests.made_run import LOUDNESS_LUFS, write_run
from tests.spoken import speak

ARCS = (
    (Emotion.ANGER, Emotion.SURPRISE, Emotion.NEUTRAL),
    (Emotion.HAPPY, Emotion.SAD, Emotion.FEAR, Emotion.NEUTRAL),
    (Emotion.DISGUST, Emotion.HAPPY, Emotion.HAPPY, Emotion.ANGER, Emotion.NEUTRAL),
)

LIMITS = Limits(loudness_lufs=LOUDNESS_LUFS)


def timelines(response_audio: bool) -> tuple[Timeline, ...]:
    spoken = tuple(
        speak(emotional_script(f"en-emotional-{i}", emotions=arc, response_audio=response_audio))
        for i, arc in enumerate(ARCS)
    )
    deps = timing.Deps(root_seed=3, reference=REFERENCE, dyads=DYADS, stages=("timing-3",), dial=0.0)
    return timing.run(Shard(0, spoken), timing.Config(), deps).records


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("emotional")
    write_run(directory, timelines(response_audio=False))
    return directory


def refuse(refusal: object) -> None:
    raise AssertionError(refusal)


@pytest.mark.parametrize("response_audio", [False, True], ids=["text only", "spoken"])
def test_a_sound_run_has_no_findings(response_audio: bool, tmp_path: Path) -> None:
    write_run(tmp_path, timelines(response_audio))
    checked = RunCheck(tmp_path)
    assert [finding.detail for finding in checked.findings()] == []
    summary = checked.summary()
    assert summary.onsets.n >= 15
    assert (summary.recorded_overlap_ratio == 0.0) is not response_audio


def spoil(run: Path, noise_on: Track | None, swap: bool) -> set[Code]:
    line = (run / "dialogues.jsonl").read_text("utf-8").splitlines()[0]
    dialogue = Dialogue.from_line(line)
    samples, sampling_rate = read_pcm16(run / dialogue.audio.path)
    samples = samples[:, ::-1].copy() if swap else samples.copy()
    if noise_on is not None:
        gap = np.flatnonzero(~samples.any(axis=1))[:2_000]
        samples[gap, noise_on.channel] = np.random.default_rng(0).integers(-3_000, 3_000, len(gap))
    return {finding.code for finding in check_dialogue(dialogue, samples, sampling_rate, LIMITS)}


def test_sound_on_the_silent_track_and_swapped_tracks_are_still_found(run: Path) -> None:
    assert Code.TRACKS_SWAPPED in spoil(run, None, swap=True)
    assert spoil(run, None, swap=False) == set()
    assert Code.SOUND_OUTSIDE_SPANS in spoil(run, Track.ASSISTANT, swap=False)
    assert Code.SOUND_OUTSIDE_SPANS in spoil(run, Track.USER, swap=False)


@pytest.mark.parametrize("from_audio", [False, True], ids=["by record", "by ear"])
def test_a_user_alone_is_described_without_floor_transfers_and_told_why(run: Path, from_audio: bool) -> None:
    described = describe(Material((run,), from_audio=from_audio), load_reference("switchboard"), refuse)
    assert described.left_out is not None
    assert "3 of 3 conversations are not between two speakers ('en-emotional-0' has 1" in described.left_out
    assert set(described.statistics.samples) == {Quantity.IPU_DURATION}
    assert described.statistics.overlap_over_speech_time == 0.0
    assert described.statistics.dominant_speech_share == 1.0
    (pauses,) = described.drawn_rows  # between the sentences of a turn; gaps between turns are none
    assert pauses.n == sum(len(turn) - 1 for timeline in timelines(False) for turn in timeline.turns())


def test_spoken_replies_are_described_as_a_conversation(tmp_path: Path) -> None:
    write_run(tmp_path, timelines(response_audio=True))
    described = describe(Material((tmp_path,)), load_reference("switchboard"), refuse)
    assert described.left_out is None
    assert len(described.statistics.sample(Quantity.FTO)) == sum(2 * len(arc) - 1 for arc in ARCS)


def test_commands_say_it_in_words(run: Path) -> None:
    shown = humdial("describe", run)
    assert shown.code == 0
    assert "not between two speakers" in " ".join((shown.out + shown.err).split())
    assert humdial("check", run).code == 0


def test_the_report_has_no_response_offsets_and_shows_every_dialogue(run: Path) -> None:
    report = report_run(run)
    (row,) = report.rows
    assert row.scene is Recipe.EMOTIONAL
    assert row.measures.dialogues == len(ARCS)
    assert row.measures.overlap_ratio == 0.0
    assert row.measures.median_response_offset_s is None
    page = (run / "report" / "index.html").read_text("utf-8")
    assert "Losing that money after two clean years is infuriating." in page


def test_the_report_counts_sounds_that_the_engine_could_not_make(run: Path) -> None:
    sounds = {row.tag: (row.written, row.left_out) for row in report_run(run).sounds}
    assert sounds == {Tag.SIGH: (3, 3), Tag.LAUGHTER: (3, 3), Tag.GASP: (1, 1)}
    assert '"left_out":3' in "".join((run / "report" / "stats.json").read_text("utf-8").split())
