"""Who feels what, over a whole dataset: tasks, numbers of turns, changes of feeling, topics and genders in balance.

Each is dealt to whoever has had least of it so far, so that every prefix of a dataset is balanced and a seed
appended at the end changes no other. Where a seed brings labels of its own, its feeling is where a dialogue
starts and its topic is kept, as long as that leaves the balance within `SLACK`.
"""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from itertools import product
from typing import Self, TypeVar

from pydantic import Field, model_validator

from pipeline.core.emotion_labels import emotion_of
from pipeline.core.emotional_topics import topic_of
from pipeline.core.seeding import derive_seed
from pipeline.domain.emotional import EmotionalAssignment, EmotionalTask, Topic
from pipeline.domain.labels import Emotion, Gender, Language
from pipeline.domain.record import Record
from pipeline.domain.seed import SeedDialogue

K = TypeVar("K")

SLACK = 0.25
"""A choice that a seed suggests may have had so much more than the least dealt one, relative to the mean."""

Transition = tuple[Emotion, Emotion]
TRANSITIONS: tuple[Transition, ...] = tuple((a, b) for a, b in product(Emotion, Emotion) if a is not b)
"""The 42 changes from one label to another."""


class EmotionalConfig(Record):
    """What emotional dialogues are made of (`recipe: emotional`)."""

    tasks: dict[EmotionalTask, float] = Field(
        default_factory=lambda: {EmotionalTask.TRAJECTORY: 1.0, EmotionalTask.REASONING: 1.0}
    )
    """Relative weights of HumDial's tasks: trajectory (1), reasoning (2), empathy (3), recognition (4),
    generation (5)."""
    turns: dict[int, float] = Field(default_factory=lambda: {3: 1.0, 4: 1.0, 5: 1.0})
    """Relative weights of the numbers of user turns: 3, 4, 5. Tasks 4 and 5 have one."""
    conflict_share: float = Field(default=0.1, ge=0, le=1)
    """Dialogues in which the words of one turn say another feeling than the voice, marked as such."""
    tag_share: float = Field(default=0.4, ge=0, le=1)
    """Turns with feeling that hold a sound beside the words, such as `[sigh]`."""
    response_audio: bool = False
    """Whether responses are spoken, too. HumDial ships them as text."""
    max_label_share: float = Field(default=0.1, ge=0, le=1)
    """Turns that may name their feeling outright: `I am so angry` is a cliche."""
    min_agreement: float = Field(default=0.6, ge=0, le=1)
    """Share of turns whose feeling a judge must find in the bare text; turns in conflict do not count."""

    @model_validator(mode="after")
    def _weights(self) -> Self:
        for name, weights in (("tasks", self.tasks), ("turns", self.turns)):
            if any(weight < 0 for weight in weights.values()) or not sum(weights.values()) > 0:
                raise ValueError(f"{name}: weights must be >= 0 and not all 0, got {dict(weights)}")
        wrong = sorted(set(self.turns) - {3, 4, 5})
        if wrong:
            raise ValueError(f"turns: dialogues of Track 1 have 3, 4 or 5 user turns, got {wrong}")
        return self


class EmotionalDealer:
    """Deals out assignments to the seeds of one dataset, in their order."""

    def __init__(self, config: EmotionalConfig) -> None:
        self._config = config
        self._counts: dict[tuple[Language, str], Counter[object]] = {}

    def deal(self, seed: SeedDialogue) -> EmotionalAssignment:
        """What this seed becomes."""
        language = seed.language
        task = self._least(language, "task", self._config.tasks)
        turns = 1 if task.single_turn else self._least(language, f"turns/{task.value}", self._config.turns)
        felt = [emotion for emotion in map(emotion_of, _user_labels(seed)) if emotion is not None]
        topic = self._least(language, "topic", dict.fromkeys(Topic, 1.0), topic_of(seed))
        genders = [speaker.gender for speaker in seed.speakers if speaker.gender is not None]
        gender = self._least(language, "gender", dict.fromkeys(Gender, 1.0), genders[0] if genders else None)
        wanted = next((emotion for emotion in felt if emotion is not Emotion.NEUTRAL), None)
        if task.single_turn:
            emotions: tuple[Emotion, ...] = (
                self._least(language, "single", dict.fromkeys(Emotion, 1.0), wanted),
            )
        else:
            first, then = self._transition(language, task, turns, wanted)
            emotions = emotions_of(task, turns, first, then)
        return EmotionalAssignment(task=task, topic=topic, gender=gender, emotions=emotions)

    def _transition(
        self, language: Language, task: EmotionalTask, turns: int, wanted: Emotion | None
    ) -> Transition:
        """The least dealt change that a dialogue of this length can hold; one that starts as the seed does,
        where the balance allows."""
        able = {pair: 1.0 for pair in _shuffled(language) if _has_room(task, turns, pair)}
        counts = self._counts.setdefault((language, "transition"), Counter())
        limit = min(counts[pair] for pair in able) + SLACK * counts.total() / len(TRANSITIONS)
        fitting = {pair: 1.0 for pair in able if pair[0] is wanted and counts[pair] <= limit}
        return self._least(language, "transition", fitting or able)

    def _least(
        self, language: Language, what: str, weights: Mapping[K, float], suggested: K | None = None
    ) -> K:
        """Whatever has had the least of its share so far; the suggestion if it is within the slack."""
        counts = self._counts.setdefault((language, what), Counter())
        shares = {key: weight for key, weight in weights.items() if weight > 0}
        key = min(shares, key=lambda k: counts[k] / shares[k])
        mean = counts.total() / sum(shares.values())
        if suggested in shares and counts[suggested] / shares[suggested] <= (
            counts[key] / shares[key] + SLACK * mean
        ):
            key = suggested
        counts[key] += 1
        return key


def emotions_of(task: EmotionalTask, turns: int, first: Emotion, then: Emotion) -> tuple[Emotion, ...]:
    """The feelings of `turns` user turns that change once, from `first` to `then`.

    Longer dialogues stay longer with what is not neutral. Tasks 1 and 2 end in the neutral question; the
    empathy task has exactly two turns that are not neutral, with neutral ones around them.

    >>> [e.value for e in emotions_of(EmotionalTask.TRAJECTORY, 4, Emotion.NEUTRAL, Emotion.ANGER)]
    ['neutral', 'anger', 'anger', 'neutral']
    """
    if task is EmotionalTask.EMPATHY:
        before = (Emotion.NEUTRAL,) * (turns >= 4)
        return (*before, first, then, *(Emotion.NEUTRAL,) * (turns - 2 - len(before)))
    middle = turns - 1
    hold_first = middle // 2 if then is not Emotion.NEUTRAL else middle - 1
    if first is Emotion.NEUTRAL:
        hold_first = 1
    return (*(first,) * hold_first, *(then,) * (middle - hold_first), Emotion.NEUTRAL)


@cache
def _shuffled(language: Language) -> tuple[Transition, ...]:
    """An order of its own per language: a small dataset, too, begins with all sorts of changes."""
    return tuple(sorted(TRANSITIONS, key=lambda pair: derive_seed(0, language.value, f"{pair[0]}/{pair[1]}")))


def _has_room(task: EmotionalTask, turns: int, pair: Transition) -> bool:
    """A change from or to neutral needs a second turn with feeling."""
    if Emotion.NEUTRAL not in pair:
        return True
    return turns >= 4 and task is not EmotionalTask.EMPATHY


def _user_labels(seed: SeedDialogue) -> tuple[str, ...]:
    return tuple(turn.emotion for turn in seed.turns if turn.emotion is not None)
