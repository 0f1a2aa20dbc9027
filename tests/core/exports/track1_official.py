"""What readers of the HumDial Track 1 files do, written anew from their described behaviour.

The official scripts carry no licence and are not copied. Where one drops something without a word, the function
here raises: nothing of ours may be dropped.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Line = Mapping[str, object]

LABELS = {"happy", "sad", "anger", "fear", "neutral", "surprise", "disgust"}
ID = re.compile(r"^task[12]_[345]_(zh|en)_\d{4}_\d{4}$")
USER_WAV = re.compile(r"^task\d_\d_(zh|en)_\d{4}_\d{4}_\d\.wav$")

FIELDS = {
    "train": ["turn_id", "text", "emotion", "split_audio_file", "response_text"],
    "test": ["turn_id", "input_audio"],
    "submission": ["turn_id", "input_audio", "response_text", "response_audio"],
}


class DroppedError(AssertionError):
    """An official reader would go on without this."""


def turns_of(line: Line) -> list[dict[str, str]]:
    """The turns in the order of the converter, which sorts on `turn_id`."""
    turns = line["turns"]
    assert isinstance(turns, list)
    return sorted(turns, key=lambda turn: turn["turn_id"])


def strict_line(line: Line, layout: str, count: range = range(3, 6)) -> list[dict[str, str]]:
    """A line with the documented fields and no other, in order, its turns numbered from 1."""
    assert list(line) == ["dialogue_id", "turns"]
    turns = turns_of(line)
    assert len(turns) in count
    assert [turn["turn_id"] for turn in turns] == list(range(1, len(turns) + 1))
    for turn in turns:
        assert list(turn) == FIELDS[layout]
        assert all(isinstance(turn[name], str) and turn[name] for name in FIELDS[layout][1:])
        if layout == "train":
            assert turn["emotion"] in LABELS
    return turns


@dataclass(frozen=True)
class JudgePrompt:
    """What fills the three places of the templates of tasks 1 and 2."""

    history: str
    question: str
    answer: str


def _either(turn: Mapping[str, str], first: str, second: str) -> str:
    found = turn.get(first) or turn.get(second)
    if not found:
        raise DroppedError(f"turn {turn.get('turn_id')} has no {first} and leaves the history")
    return found


def judge_prompt(line: Line) -> JudgePrompt:
    """Tasks 1 and 2: the history is every turn's feeling, words and reply; the last turn is the question."""
    turns = turns_of(line)
    history = [
        f"[{_either(turn, 'input_emotion', 'emotion')}] user: {_either(turn, 'input_text', 'text')}\n"
        f"assistant: {turn['response_text']}"
        for turn in turns
    ]
    return JudgePrompt(
        "\n".join(history), _either(turns[-1], "input_text", "text"), turns[-1]["response_text"]
    )


@dataclass(frozen=True)
class EmpathyPrompt:
    context: str
    target: int
    answer: str
    audio: str


def empathy_prompt(line: Line) -> EmpathyPrompt:
    """Task 3: the target is the second user turn that is not neutral, the context all turns up to it."""
    turns = turns_of(line)
    for turn in turns:
        if not (turn.get("input_emotion") or turn.get("emotion")):
            raise DroppedError(f"turn {turn['turn_id']} has no feeling and counts as not neutral")
    felt = [i for i, turn in enumerate(turns) if _either(turn, "input_emotion", "emotion") != "neutral"]
    if len(felt) < 2:
        raise DroppedError("evaluated: false")
    target = turns[felt[1]]
    context = [
        f"[{_either(turn, 'input_emotion', 'emotion')}] {_either(turn, 'input_text', 'text')}"
        f" -> {turn['response_text']}"
        for turn in turns[: felt[1] + 1]
    ]
    return EmpathyPrompt(
        "\n".join(context), felt[1] + 1, target["response_text"], target.get("response_audio", "")
    )


def last_felt(turns: Sequence[Mapping[str, str]]) -> int:
    """The target as the README has it: the last turn that is not neutral."""
    return max(i for i, t in enumerate(turns, start=1) if _either(t, "input_emotion", "emotion") != "neutral")


def opens2s_keeps(num_samples: int) -> bool:
    """Audio of less than 8,000 samples at 16 kHz takes its whole dialogue with it."""
    return num_samples >= 8_000
