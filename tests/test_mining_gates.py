"""The gates and TurnBench's rule, through the command: Switchboard's layout and TurnBench's, with invented talk."""

import json
from pathlib import Path

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.declaration import Declaration
from pipeline.mining import Mine
from pipeline.mining_evaluation import evaluate
from tests.cli.calling import humdial
from tests.test_mining import RIGHTS

Said = tuple[tuple[float, float, str, str], ...]
"""start, end, word, act"""

A: Said = (
    (1, 14, "so", "sd"),
    (14.6, 21.5, "then", "sd"),
    (34, 38, "right", "sd"),
    (40, 45, "well", "sd"),
)
B: Said = (
    (8, 8.6, "uh-huh", "b"),
    (20, 33, "but", "sd"),
    (38.3, 38.7, "yeah", "b"),  # in A's silence
    (46, 50, "so", "sd"),
)


def words(folder: Path, a: Said = A, b: Said = B, number: int = 9990) -> Path:
    for side, said in (("A", a), ("B", b)):
        rows = (
            f"sw{number}{side}-ms98-a-{index:04},{start:.6f},{end:.6f},{word},B,{act},u-{index}-1\n"
            for index, (start, end, word, act) in enumerate(said, start=1)
        )
        (folder / f"sw{number}{side}-word-da.csv").write_text("".join(rows))
    return folder / f"sw{number}A-word-da.csv"


def mine(base: Path, *recordings: dict[str, object]) -> Path:
    declaration = Declaration.model_validate({"rights": RIGHTS, "workers": 1, "recordings": recordings})
    Mine(declaration, base, base / "out").run(lambda heard, kept: None)
    return base / "out"


def switchboard(name: str = "sw9990", **more: object) -> dict[str, object]:
    return {"recording_id": name, "words": f"{name}A-word-da.csv", "language": "en", **more}


def table(out: str) -> dict[tuple[str, str], list[str]]:
    """Rows of the table of gates: (gate, basis) -> wanted, measured, met."""
    lines = out[out.index("gate ") :].splitlines()[1:]
    cells = [line.split() for line in lines if line.strip() and not line[0].isdigit()]
    return {(row[0], row[1]): [" ".join(row[2:4]), row[4], row[5]] for row in cells}


def test_gates_are_measured_with_words_and_without(tmp_path: Path) -> None:
    side_a = words(tmp_path)
    answer = humdial("filter", "eval", mine(tmp_path, switchboard()), "--ref", side_a, "--gates")
    gates = table(answer.out)
    assert answer.code == 0
    for basis in ("timing", "words"):
        assert gates["backchannel_f1", basis][1:] == ["1.000", "yes"]
        assert gates["gap_backchannel_f1", basis][1:] == ["1.000", "yes"]
        assert gates["interruption_initiator_backchannel", basis][1:] == ["0.000", "yes"]
    assert gates["backchannel_f1", "words"][0] == ">= 0.86"
    assert gates["onset_f1_short_spurts_dropped", "timing"][1:] == ["1.000", "yes"]
    assert gates["turnbench_int_recall", "any"][1:] == ["-", "-"]


def test_a_listener_s_laughter_is_a_candidate_and_refused_for_what_it_is(tmp_path: Path) -> None:
    words(
        tmp_path,
        b=((5, 5.8, "[laughter]", ""), (11, 11.6, "[vocalized-noise]", ""), (12, 13, "[noise]", ""), *B),
    )
    out = mine(tmp_path, switchboard())
    rows = [json.loads(line) for line in (out / "audit.jsonl").read_text().splitlines()]
    known = {row["start_s"]: row["reasons"] for row in rows if row["level"] == "event"}
    assert (known[5.0][0], known[11.0][0]) == ("laughter_only", "nonspeech")
    assert 12.0 not in known
    (segment, *_) = [json.loads(line) for line in (out / "segments.jsonl").read_text().splitlines()]
    assert not {5.0, 11.0} & {event["onset"] for event in segment["events"]}
    scores = evaluate(out, (tmp_path,), gates=True)
    assert scores.gates is not None
    measured = {(one.gate.figure, one.gate.basis): one.measured for one in scores.gates}
    assert measured["backchannel_f1", "words"] == 1.0


def test_a_gate_that_does_not_hold_is_a_finding(tmp_path: Path) -> None:
    side_a = words(tmp_path, b=((8, 8.6, "uh-huh", "sd"), *B[1:]))
    answer = humdial("filter", "eval", mine(tmp_path, switchboard()), "--ref", side_a, "--gates")
    assert answer.code == 1
    assert table(answer.out)["backchannel_f1", "words"][1:] == ["0.000", "NO"]


def test_backchannels_are_judged_on_the_test_half_and_interruptions_on_all(tmp_path: Path) -> None:
    words(tmp_path)
    words(tmp_path, b=((8, 8.6, "uh-huh", "sd"), (20, 33, "but", "b"), *B[2:]), number=9991)
    out = mine(tmp_path, switchboard(split="test"), switchboard("sw9991", split="dev"))
    scores = evaluate(out, (tmp_path,), gates=True)
    assert scores.gates is not None
    measured = {(one.gate.figure, one.gate.basis): one.measured for one in scores.gates}
    assert measured["backchannel_f1", "timing"] == 1.0
    assert measured["interruption_initiator_backchannel", "timing"] == 0.5


def test_without_words_only_timing_is_measured(tmp_path: Path) -> None:
    side_a = words(tmp_path)
    rttm = "".join(
        f"SPEAKER sw9990 1 {start} {end - start} <NA> <NA> {side} <NA> <NA>\n"
        for side, said in (("A", A), ("B", B))
        for start, end, _, _ in said
    )
    (tmp_path / "sw9990.rttm").write_text(rttm)
    out = mine(tmp_path, {"recording_id": "sw9990", "rttm": "sw9990.rttm"})
    gates = table(humdial("filter", "eval", out, "--ref", side_a, "--gates").out)
    assert gates["backchannel_f1", "timing"][1:] == ["1.000", "yes"]
    assert gates["backchannel_f1", "words"][1:] == ["-", "-"]


def test_conversations_of_a_folder_that_were_not_mined_are_missing(tmp_path: Path) -> None:
    words(tmp_path)
    words(tmp_path, number=9991)
    answer = humdial("filter", "eval", mine(tmp_path, switchboard()), "--ref", tmp_path)
    assert "1 not mined: sw9991" in answer.out


GOLD = {
    "scorer_sha": "abc",
    "conversations": {
        "sw9990": {
            "duration_s": 60,
            "int_positive_events": [{"speaker": 2, "time_s": 20.1}, {"speaker": 1, "time_s": 34.0}],
            "int_negative_spans": [{"speaker": 2, "start": 8.0, "end": 8.6}],
            "int_excluded": [],
        }
    },
}


def test_turnbench_s_gold_is_scored_by_its_rule(tmp_path: Path) -> None:
    words(tmp_path)
    (tmp_path / "gold.json").write_text(json.dumps(GOLD))
    out = mine(tmp_path, switchboard())
    answer = humdial("filter", "eval", out, "--ref", tmp_path / "gold.json", "--gates")
    row = next(line.split() for line in answer.out.splitlines() if line.startswith("interruption "))
    assert row == ["interruption", "2", "1", "1", "0", "0.500", "0.000"]
    assert table(answer.out)["turnbench_int_recall", "any"][1:] == ["0.500", "NO"]
    assert answer.code == 1


def annotation(annotator: str, speaker: int, start: float, label: str) -> str:
    row = {
        "recording_id": "sw9990",
        "annotator": annotator,
        "speaker": speaker,
        "start": start,
        "end": start + 0.6,
    }
    return json.dumps({**row, "label": label}) + "\n"


def test_turnbench_s_annotators_are_believed_two_at_a_time(tmp_path: Path) -> None:
    words(tmp_path)
    lines = [
        *(annotation(who, 2, 20.0, "Floor-taking Competitive Interruption") for who in "ab"),
        annotation("c", 2, 20.0, "Overlap"),
        *(annotation(who, 2, 8.0, "Continuer Backchannel") for who in "abc"),
        annotation("a", 1, 34.0, "Floor-taking Cooperative Interruption"),
    ]
    (tmp_path / "marks.jsonl").write_text("".join(lines))
    scores = evaluate(mine(tmp_path, switchboard()), (tmp_path / "marks.jsonl",))
    assert scores.turnbench is not None
    assert (scores.turnbench.positives, scores.turnbench.negatives) == (1, 1)
    assert (scores.turnbench.recall, scores.turnbench.false_positive_rate) == (1.0, 0.0)
    assert scores.events is None


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("gold.json", "{}", "not TurnBench's gold .conversations: Field required"),
        ("gold.json", "half", "wanted what `turnbench.gold export` prints"),
        ("marks.jsonl", annotation("a", 2, 8.0, "Overlap"), "sw9990 has 1 annotators; wanted three"),
        ("marks.jsonl", annotation("a", 3, 8.0, "Overlap"), "not a TurnBenchAnnotation: speaker"),
        ("empty", None, "no reference here; wanted a generated run, or files"),
    ],
)
def test_labels_that_cannot_be_meant_are_refused(
    tmp_path: Path, name: str, text: str | None, problem: str
) -> None:
    words(tmp_path)
    out = mine(tmp_path, switchboard())
    if text is None:
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=problem):
        evaluate(out, (tmp_path / name,))
