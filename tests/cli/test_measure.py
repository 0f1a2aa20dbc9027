"""What `fit` prints of recordings."""

import json
from pathlib import Path

import pytest

from tests.cli.calling import humdial


def write_calls(path: Path, count: int) -> Path:
    """Calls of 40 turns with a pause in each; the pairs differ in their gaps."""
    lines = []
    for call in range(count):
        position_ms = 0
        for sentence in range(80):
            who = "AB"[sentence // 2 % 2]
            lines.append(f"SPEAKER c{call} 1 {position_ms / 1000:.3f} 1.000 <NA> <NA> {who} <NA> <NA>")
            position_ms += 1000 + (300 if sentence % 2 == 0 else 200 + 50 * call)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("count", [19, 20])
def test_fit_says_what_it_borrowed_and_why(count: int, tmp_path: Path) -> None:
    out = tmp_path / "mine.json"
    calls = write_calls(tmp_path / "calls.rttm", count)
    answer = humdial("fit", calls, "--out", out, "--base", "switchboard")
    assert answer.code == 0, answer.err
    said = answer.out.splitlines()
    silent = "who spoke when does not tell which words are backchannels"
    assert f"borrowed from switchboard: backchannel_since_partner_word_end: {silent}" in said
    assert "borrowed from switchboard: overlap_between: 0 values, wanted 30" in said
    spread = json.loads(out.read_text(encoding="utf-8"))["per_conversation"]
    if count < 20:
        assert "borrowed from switchboard: per_conversation: 19 conversations, wanted 20" in said
        assert spread["n"] > 1000
    else:
        assert not any("per_conversation:" in line for line in said)
        assert f"missing: per_conversation.backchannels_per_min: {silent}" in said
        assert spread["n"] == 20


def test_fit_without_a_base_borrows_nothing(tmp_path: Path) -> None:
    answer = humdial("fit", write_calls(tmp_path / "calls.rttm", 20), "--out", tmp_path / "mine.json")
    assert answer.code == 0, answer.err
    assert "borrowed" not in answer.out
    assert "missing: overlap_between: 0 values, wanted 30" in answer.out.splitlines()
