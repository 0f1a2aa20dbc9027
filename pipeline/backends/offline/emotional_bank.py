"""What the embedded author knows about feelings: situations whose events follow one another in any order.

    bank/en/emotional/work.yaml      situations: an opening, what is at stake, two beats for each of the seven
    bank/en/emotional/shared.yaml    what fits any situation: joins, bursts, questions, answers

A beat is one event with the words that show its feeling. The plan dictates the feelings, so every beat of a
situation has to be possible before and after every other one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeVar

import yaml
from pydantic import Field, ValidationError

from pipeline.backends.offline.frames import Frame
from pipeline.domain.emotional import EmotionalTask, Intensity, Topic
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Emotion, Language
from pipeline.domain.record import Record

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
R = TypeVar("R", bound=Record)


class _BeatEntry(Record):
    cause: str = Field(min_length=1)
    say: str = Field(min_length=1)
    reply: str = Field(min_length=1)
    mild: bool = False


class _SituationEntry(Record):
    matter: str = Field(min_length=1)
    cues: str
    personas: tuple[str, ...] = Field(min_length=2)
    openings: tuple[str, ...] = Field(min_length=2)
    stake: str = Field(min_length=1)
    beats: dict[Emotion, tuple[_BeatEntry, ...]]


class _TopicFile(Record):
    situations: tuple[_SituationEntry, ...] = Field(min_length=4)


class _SharedFile(Record):
    labels: dict[Emotion, dict[str, str]]
    frames: dict[str, tuple[str, ...]]
    dwell: dict[Emotion, tuple[_BeatEntry, ...]]
    cues: dict[Emotion, str]


@dataclass(frozen=True, slots=True)
class Beat:
    """One event and what is said of it."""

    cause: str
    """A clause about the event that fits after `when`: "the landlord kept the deposit"."""
    say: Frame
    """The user's words, which show the feeling and do not name it."""
    reply: str
    """One or two sentences that take it in."""
    mild: bool = False
    """Of fear: whether it can be felt mildly. An exam can, a fire in the kitchen cannot."""


@dataclass(frozen=True, slots=True)
class Situation:
    """A stretch of somebody's life in which something can happen for every feeling."""

    matter: str
    cues: frozenset[str]
    """Words of a seed that point to it."""
    personas: tuple[str, ...]
    """Who the user may be; `{woman/man}` goes by the voice's gender."""
    openings: tuple[Frame, ...]
    """What the user says first, so that one knows what it is about."""
    stake: str
    """Why it matters so much, told to the user: "this is the first place that is really yours"."""
    beats: Mapping[Emotion, tuple[Beat, ...]]


@dataclass(frozen=True, slots=True)
class EmotionalBank:
    """Everything about feelings that is written in one language."""

    language: Language
    situations: Mapping[Topic, tuple[Situation, ...]]
    labels: Mapping[Emotion, Mapping[str, str]]
    """Each of the seven in the forms that answers need: `label`, `state`, `became`."""
    frames: Mapping[str, tuple[Frame, ...]]
    """By section, such as `join/anger`, `question/trajectory`, `answer/start`."""
    dwell: Mapping[Emotion, tuple[Beat, ...]]
    """A feeling that goes on without a new event."""
    cues: Mapping[Emotion, frozenset[str]]
    """Words that give a feeling away in somebody else's sentence."""

    def situation(self, matter: str) -> Situation | None:
        """The one that a matter names; None for another author's."""
        return next((s for group in self.situations.values() for s in group if s.matter == matter), None)


@cache
def load_emotional_bank(language: Language) -> EmotionalBank:
    """Read and check one language's part; once per process. Raises ConfigError that names the file."""
    shared = _read(language, "shared", _SharedFile)
    prefix = f"{language.value}/emotional"
    bank = EmotionalBank(
        language=language,
        situations={topic: _situations(language, topic) for topic in Topic},
        labels=shared.labels,
        frames={
            name: tuple(Frame(f"{prefix}/{name}/{i:02d}", text) for i, text in enumerate(texts, start=1))
            for name, texts in shared.frames.items()
        },
        dwell={emotion: _beats(rows, f"{prefix}/dwell", emotion) for emotion, rows in shared.dwell.items()},
        cues={emotion: frozenset(words.split()) for emotion, words in shared.cues.items()},
    )
    _check_complete(bank)
    return bank


def wanted_sections() -> tuple[str, ...]:
    """The sections of frames that a language must have."""
    felt = [emotion.value for emotion in Emotion if emotion is not Emotion.NEUTRAL]
    levels = (Intensity.MILD.value, Intensity.STRONG.value)
    return (
        *(f"join/{emotion.value}" for emotion in Emotion),
        *(f"more/{emotion.value}" for emotion in Emotion),
        *(f"burst/{level}/{emotion}" for level in levels for emotion in felt),
        *(f"{section}/{emotion}" for section in ("name", "own") for emotion in felt),
        *(f"echo/{way}" for way in ("up", "down", "more")),
        *(f"question/{task.value}" for task in (EmotionalTask.TRAJECTORY, EmotionalTask.REASONING)),
        *(f"answer/{part}" for part in ("start", "hold", "shift", "calm", "course", "conflict", "own")),
        *(f"answer/{part}" for part in ("clue", "pile", "turn", "root")),
        "aside/own",
    )


def _check_complete(bank: EmotionalBank) -> None:
    """Refuse a bank in which a feeling or a section is missing, or two matters are the same."""
    missing = [name for name in wanted_sections() if not bank.frames.get(name)]
    missing += [f"labels of {e.value}" for e in Emotion if e not in bank.labels or e not in bank.dwell]
    matters: list[str] = []
    for topic, group in bank.situations.items():
        for situation in group:
            matters.append(situation.matter)
            missing += [
                f"two beats of {e.value} in {topic.value}, {situation.matter!r}"
                for e in Emotion
                if len(situation.beats.get(e, ())) < 2
            ]
    missing += [f"another matter than {m!r}" for m in sorted(set(matters)) if matters.count(m) > 1]
    if missing:
        raise ConfigError(f"phrase bank {bank.language.value}/emotional lacks {'; '.join(missing)}; add them")


def _situations(language: Language, topic: Topic) -> tuple[Situation, ...]:
    prefix = f"{language.value}/emotional/{topic.value}"
    return tuple(
        Situation(
            matter=entry.matter,
            cues=frozenset(entry.cues.split()),
            personas=entry.personas,
            openings=tuple(
                Frame(f"{prefix}/{number:02d}/opening/{i:02d}", text)
                for i, text in enumerate(entry.openings, start=1)
            ),
            stake=entry.stake,
            beats={
                emotion: _beats(rows, f"{prefix}/{number:02d}", emotion)
                for emotion, rows in entry.beats.items()
            },
        )
        for number, entry in enumerate(_read(language, topic.value, _TopicFile).situations, start=1)
    )


def _beats(rows: tuple[_BeatEntry, ...], prefix: str, emotion: Emotion) -> tuple[Beat, ...]:
    return tuple(
        Beat(row.cause, Frame(f"{prefix}/{emotion.value}/{i:02d}", row.say), row.reply, row.mild)
        for i, row in enumerate(rows, start=1)
    )


def _read(language: Language, name: str, form: type[R]) -> R:
    path = f"{language.value}/emotional/{name}.yaml"
    text = files("pipeline.backends.offline").joinpath("bank", path).read_text("utf-8")
    try:
        return form.model_validate(yaml.load(text, _LOADER))
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigError(f"phrase bank {path}: {error}; correct the entry named above") from error
