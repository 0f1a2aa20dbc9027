"""`humdial check --word-times`: a run's clips, aligned again."""

import asyncio
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner

from pipeline.cli.measure import check
from pipeline.core.tokens import words_of
from pipeline.core.word_times import ESTIMATOR
from pipeline.domain.errors import RecordError, TerminalBackendError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason
from pipeline.domain.span import Span
from pipeline.domain.timeline import Dialogue
from pipeline.domain.words import TimeSource, Word
from pipeline.io.references import load_reference
from pipeline.word_time_checking import check_word_times
from tests.core.timing.dialogues import made_up
from tests.made_run import write_run
from tests.timed import time_dialogues


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    timelines = time_dialogues([made_up(number) for number in (0, 2, 3, 4)], load_reference("switchboard"))
    write_run(directory, timelines)
    return directory


class Even:
    """Gives every word the same time; made-up clips have words of 0.3 s, so it is right."""

    name = "even-1"
    resolution_ms = 1.0

    def __init__(self, late_s: float = 0.0, error: Exception | None = None) -> None:
        self.late_s, self.error, self.asked = late_s, error, 0

    async def align(
        self, samples: npt.NDArray[np.float32], sampling_rate: int, text: str, language: Language
    ) -> tuple[Word, ...]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        assert np.abs(samples).max() > 0.01
        words = words_of(text)
        edges = np.linspace(0, len(samples), len(words) + 1) + self.late_s * sampling_rate
        edges[-1] = len(samples)
        return tuple(
            Word(word, Span(round(start), round(end)), TimeSource.ALIGNER)
            for word, start, end in zip(words, edges.tolist(), edges[1:].tolist(), strict=False)
        )


def test_an_aligner_that_is_late_is_seen_to_be(run: Path) -> None:
    summary = check_word_times(run, 6, [Even(late_s=0.05)])
    assert summary.rungs == ("recorded", "even-1", ESTIMATOR)
    assert summary.clips == 6
    assert summary.failures == ()
    pair = summary.disagreements[0]
    assert (pair.one, pair.other, pair.clips) == ("recorded", "even-1", 6)
    assert pair.mean_ms == pytest.approx(50, abs=0.1)
    assert pair.p95_ms == pytest.approx(50, abs=0.1)


def test_a_rung_that_fails_is_counted_and_the_others_are_compared(run: Path) -> None:
    broken = Even(error=RecordError(Reason.BAD_AUDIO, "no way through"))
    summary = check_word_times(run, 3, [broken])
    assert broken.asked == 3
    assert summary.rungs == ("recorded", ESTIMATOR)
    (failed,) = summary.failures
    assert (failed.rung, failed.clips) == ("even-1", 3)
    assert failed.first.endswith("bad_audio: no way through")
    assert [(pair.one, pair.other) for pair in summary.disagreements] == [("recorded", ESTIMATOR)]


def test_an_aligner_that_cannot_work_is_an_error(run: Path) -> None:
    with pytest.raises(TerminalBackendError, match="no such model"):
        check_word_times(run, 3, [Even(error=TerminalBackendError("no such model"))])


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(check, arguments)
    return result.exit_code, result.output


def test_records_and_estimate_are_compared_without_any_aligner(run: Path) -> None:
    code, output = invoke(str(run), "--word-times", "4")
    assert code == 0
    assert f"{ESTIMATOR} - recorded" in output
    assert "records and audio agree" in output
    code, output = invoke(str(run), "--word-times", "4", "--json")
    told = [json.loads(line) for line in output.splitlines()]
    assert list(told[-2]) == ["word_times"]
    assert told[-2]["word_times"]["clips"] == 4
    assert list(told[-1]) == ["summary"]


def test_a_run_of_estimates_alone_says_what_is_missing(run: Path, tmp_path: Path) -> None:
    lines = (run / "dialogues.jsonl").read_text(encoding="utf-8")
    lines = lines.replace('"source":"engine"', '"source":"estimate"')
    for name in ("run.json", "audio"):
        (tmp_path / name).symlink_to(run / name)
    (tmp_path / "dialogues.jsonl").write_text(lines, encoding="utf-8")
    assert all(
        word.source is TimeSource.ESTIMATE
        for line in lines.splitlines()
        for one in Dialogue.from_line(line).timeline.supervisions
        for word in one.words
    )
    code, output = invoke(str(tmp_path), "--word-times", "4")
    assert code == 0
    assert "those of all 4 clips are estimates, and nobody else was asked" in output
    assert "remedy: --aligner whisper=DIRECTORY or --aligner qwen3" in output


def test_a_runs_own_aligner_is_asked_too_or_said_to_be_gone(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason="the extra `align` is not installed")
    from tests.backends.aligners.tiny_whisper import write_tiny_whisper

    model = write_tiny_whisper(tmp_path / "tiny")
    described = json.loads((run / "run.json").read_text(encoding="utf-8"))
    described["config"]["speech"]["aligners"] = [f"whisper={model}", "whisper=gone"]
    (tmp_path / "run.json").write_text(json.dumps(described), encoding="utf-8")
    for name in ("dialogues.jsonl", "audio"):
        (tmp_path / name).symlink_to(run / name)
    result = CliRunner().invoke(check, [str(tmp_path), "--word-times", "2"])
    assert "the run's aligner whisper=gone is left out" in result.output
    assert "whisper-tiny@" in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--aligner", "qwen3"], "--aligner is for --word-times N"),
        (["--word-times", "0"], "0 is not in the range"),
        (["--word-times", "2", "--aligner", "mfa"], "aligner 'mfa': unknown; wanted one of: qwen3, whisper="),
        (["--word-times", "2", "--aligner", "whisper=nowhere"], "not there; remedy"),
    ],
)
def test_what_cannot_be_asked_for_is_said(run: Path, options: list[str], message: str) -> None:
    result = CliRunner().invoke(check, [str(run), *options])
    assert result.exit_code != 0
    assert message in f"{result.output} {result.exception}"
