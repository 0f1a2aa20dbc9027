"""What was found is held against references of every kind, and a perfect result scores perfectly."""

import json
from pathlib import Path

import pytest

from pipeline.core.mining.event_eval import Confusion
from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.declaration import Declaration
from pipeline.mining import Mine
from pipeline.mining_evaluation import evaluate
from tests.calls import TALK_A, TALK_B, call, write_call
from tests.cli.calling import humdial
from tests.test_mining import RIGHTS

TALK = sorted([(s, e, "A") for s, e in TALK_A] + [(s, e, "B") for s, e in TALK_B])


def rttm(names: dict[str, str], uri: str = "call") -> str:
    return "".join(
        f"SPEAKER {uri} 1 {s:.3f} {e - s:.3f} <NA> <NA> {names[n]} <NA> <NA>\n" for s, e, n in TALK
    )


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("evaluated")
    write_call(base / "call.wav", call())
    declaration = Declaration.model_validate(
        {"rights": RIGHTS, "workers": 1, "recordings": [{"recording_id": "call", "audio": ["call.wav"]}]}
    )
    Mine(declaration, base, base / "out").run(lambda heard, kept: None)
    return base / "out"


@pytest.mark.parametrize("names", [{"A": "A", "B": "B"}, {"A": "x", "B": "y"}, {"A": "y", "B": "x"}])
def test_speakers_are_found_again_under_other_names(tmp_path: Path, out: Path, names: dict[str, str]) -> None:
    (tmp_path / "ref.rttm").write_text(rttm(names))
    scores = evaluate(out, (tmp_path / "ref.rttm",))
    assert scores.detection is not None
    assert scores.detection.overlap.f1 == pytest.approx(1, abs=0.02)
    assert scores.events is not None
    assert scores.events.onsets.f1 == 1
    assert scores.diarization is not None
    assert scores.diarization.der == pytest.approx(0, abs=0.02)
    assert scores.diarization.cder == 0
    assert all(one.gold == one.found for one in scores.events.confusion)


def test_what_the_reference_lacks_is_a_false_alarm(tmp_path: Path, out: Path) -> None:
    kept = [line for line in rttm({"A": "A", "B": "B"}).splitlines() if " 8.000 " not in line]
    (tmp_path / "ref.rttm").write_text("\n".join(kept) + "\n")
    scores = evaluate(out, (tmp_path / "ref.rttm",))
    assert Confusion(gold="none", found="backchannel", count=1) in scores.events.confusion
    assert scores.detection is not None
    assert scores.detection.overlap.false_alarms == pytest.approx(0.6, abs=0.05)


def test_only_the_regions_of_a_uem_count(tmp_path: Path, out: Path) -> None:
    (tmp_path / "ref.rttm").write_text(rttm({"A": "A", "B": "B"}))
    (tmp_path / "part.uem").write_text("call NA 0.000 15.000\n")
    scores = evaluate(out, (tmp_path / "ref.rttm",), tmp_path / "part.uem")
    assert scores.detection is not None
    assert scores.detection.overlap.hits == pytest.approx(0.6, abs=0.05)
    assert scores.diarization is not None
    assert scores.diarization.reference_s == pytest.approx(3 + 9.5 + 0.4 + 0.6, abs=0.01)
    assert scores.events is not None
    assert scores.scored_s == 15
    assert [one.label for one in scores.events.classes] == ["backchannel"]  # what comes at 20 s is outside


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("other NA 0 15\n", r"part\.uem: .*no region for recording 'call'.*; add its line"),
        ("call NA 15 0\n", "correct the UEM"),
    ],
)
def test_a_uem_that_says_nothing_of_a_recording_is_refused(
    tmp_path: Path, out: Path, text: str, problem: str
) -> None:
    (tmp_path / "ref.rttm").write_text(rttm({"A": "A", "B": "B"}))
    (tmp_path / "part.uem").write_text(text)
    with pytest.raises(ConfigError, match=problem):
        evaluate(out, (tmp_path / "ref.rttm",), tmp_path / "part.uem")


def test_speakers_who_were_confused_show_in_the_rates(tmp_path: Path, out: Path) -> None:
    """The reference gives B's long turn to A; the filter heard it from B."""
    swapped = rttm({"A": "A", "B": "B"}).replace("20.000 13.000 <NA> <NA> B", "21.500 11.500 <NA> <NA> A")
    (tmp_path / "ref.rttm").write_text(swapped)
    rates = evaluate(out, (tmp_path / "ref.rttm",)).diarization
    assert rates is not None
    assert rates.confused_s == pytest.approx(11.5, abs=0.1)
    assert rates.der == pytest.approx((11.5 + 1.5) / rates.reference_s, abs=0.02)
    assert rates.cder is not None
    assert rates.cder > 0


def test_strata_are_by_mode_language_overlap_and_what_else_is_known(tmp_path: Path, out: Path) -> None:
    (tmp_path / "ref.rttm").write_text(rttm({"A": "A", "B": "B"}))
    (tmp_path / "about.jsonl").write_text('{"recording_id": "call", "gender": "F-M"}\n')
    options = ("--about", tmp_path / "about.jsonl", "--strata")
    answer = humdial("filter", "eval", out, "--ref", tmp_path / "ref.rttm", *options)
    lines = answer.out[answer.out.index("stratum") :].splitlines()
    rows = [" ".join(line.split()) for line in lines if line]
    assert "mode two_channel 1 2 1.000 1.000 1.000" in rows
    assert "language not stated 1 2 1.000 1.000 1.000" in rows
    assert "gender F-M 1 2 1.000 1.000 1.000" in rows
    assert "overlap 0.5-1 s 1 1 1.000 1.000 -" in rows


@pytest.mark.parametrize("line", ["[]", '{"gender": "F-M"}', '{"recording_id": "call", "age": 3}', "half"])
def test_what_is_known_of_a_recording_is_text_by_its_id(tmp_path: Path, out: Path, line: str) -> None:
    (tmp_path / "ref.rttm").write_text(rttm({"A": "A", "B": "B"}))
    (tmp_path / "about.jsonl").write_text(line + "\n")
    with pytest.raises(ConfigError, match=r"about.jsonl:1: wanted an object of texts with a recording_id"):
        evaluate(out, (tmp_path / "ref.rttm",), about=tmp_path / "about.jsonl")


def test_a_reference_names_the_conversation_and_the_filter_its_corpus_too(tmp_path: Path) -> None:
    (tmp_path / "ref.rttm").write_text(rttm({"A": "A", "B": "B"}))
    declaration = Declaration.model_validate(
        {
            "rights": RIGHTS,
            "workers": 1,
            "recordings": [{"recording_id": "made-up:call", "rttm": "ref.rttm"}],
        }
    )
    Mine(declaration, tmp_path, tmp_path / "out").run(lambda heard, kept: None)
    (tmp_path / "ref.uem").write_text("call NA 0 46\n")
    scores = evaluate(tmp_path / "out", (tmp_path / "ref.rttm",), tmp_path / "ref.uem")
    assert scores.missing == ()
    assert scores.diarization is not None
    assert scores.diarization.der == pytest.approx(0)


def test_words_are_a_reference_too(tmp_path: Path, out: Path) -> None:
    rows = ({"speaker": n, "start": s, "end": e, "text": "so"} for s, e, n in TALK)
    (tmp_path / "call.jsonl").write_text("\n".join(map(json.dumps, rows)))
    scores = evaluate(out, (tmp_path / "call.jsonl",))
    assert scores.events.macro_f1 == 1


def test_named_events_judge_the_tree_as_well(tmp_path: Path, out: Path) -> None:
    gold = [("B", 8.1, "backchannel"), ("B", 20.0, "failed_interruption"), ("A", 40.0, "interruption")]
    rows = ({"recording_id": "call", "initiator": w, "onset": t, "type": k} for w, t, k in gold)
    (tmp_path / "gold.jsonl").write_text("\n".join(map(json.dumps, rows)))
    scores = evaluate(out, (tmp_path / "gold.jsonl",))
    assert scores.detection is None
    pairs = {(one.gold, one.found) for one in scores.events.confusion}
    assert {
        ("backchannel", "backchannel"),
        ("failed_interruption", "interruption"),
        ("interruption", "none"),
    } <= pairs


@pytest.mark.parametrize("initiator", ["b", "Bob"])
def test_an_event_of_somebody_whom_the_filter_does_not_know_is_refused(
    tmp_path: Path, out: Path, initiator: str
) -> None:
    line = {"recording_id": "call", "initiator": initiator, "onset": 8.1, "type": "backchannel"}
    (tmp_path / "gold.jsonl").write_text(json.dumps(line))
    with pytest.raises(
        ConfigError, match=rf"gold\.jsonl: call: initiator '{initiator}'; wanted A or B; rename"
    ):
        evaluate(out, (tmp_path / "gold.jsonl",))


def test_an_empty_reference_is_misuse_and_is_named(tmp_path: Path, out: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    answer = humdial("filter", "eval", out, "--ref", tmp_path / "empty.jsonl")
    assert answer.code == 2
    assert f"{tmp_path / 'empty.jsonl'}: holds no speech" in answer.problem


def test_results_of_another_version_are_told_from_none(tmp_path: Path, out: Path) -> None:
    results = json.loads((out / "filter.json").read_text())
    results["quality"]["loudness_min"] = 1
    (tmp_path / "filter.json").write_text(json.dumps(results))
    with pytest.raises(
        ConfigError, match=r"filter\.json: quality\.loudness_min: .*another version.*; mine again"
    ):
        evaluate(tmp_path, (tmp_path / "ref.rttm",))


def test_recordings_that_were_not_mined_are_named(tmp_path: Path, out: Path) -> None:
    both = rttm({"A": "A", "B": "B"}) + rttm({"A": "A", "B": "B"}, "other")
    (tmp_path / "ref.rttm").write_text(both)
    assert evaluate(out, (tmp_path / "ref.rttm",)).missing == ("other",)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("ref.rttm", rttm({"A": "A", "B": "B"}, "other"), "none of the reference's recordings was mined"),
        ("ref.rttm", "SPEAKER call 1 x 1 <NA> <NA> A <NA> <NA>\n", "correct the reference"),
        ("ref.jsonl", '{"onset": 1}\n', "not a GoldEvent"),
        ("call.txt", "words", "no word file that is known"),
        ("gone.jsonl", None, "cannot be read"),
        ("empty.jsonl", "", r"empty\.jsonl: holds no speech; wanted words with times"),
        ("dots.jsonl", "\n\n", r"dots\.jsonl: holds no speech; wanted words with times"),
    ],
)
def test_what_is_no_reference_is_refused(
    tmp_path: Path, out: Path, name: str, text: str | None, problem: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=problem):
        evaluate(out, (tmp_path / name,))


def test_a_directory_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no results of humdial filter here"):
        evaluate(tmp_path, (tmp_path / "ref.rttm",))


def test_the_command_prints_a_table_or_json(tmp_path: Path, out: Path) -> None:
    (tmp_path / "ref.rttm").write_text(rttm({"A": "A", "B": "B"}))
    table = humdial("filter", "eval", out, "--ref", tmp_path / "ref.rttm")
    assert table.code == 0
    assert "1 conversations, 0.013 h, onsets F1 1.000, macro F1 1.000" in table.out
    as_json = humdial("filter", "eval", out, "--ref", tmp_path / "ref.rttm", "--json")
    assert json.loads(as_json.out)["events"]["macro_f1"] == 1
