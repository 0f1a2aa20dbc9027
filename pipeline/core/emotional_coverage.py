"""How evenly a run of emotional dialogues covers what it was to cover."""

from collections import Counter
from dataclasses import dataclass, field
from statistics import mean

from pydantic import Field

from pipeline.core.emotional_plan import TRANSITIONS
from pipeline.domain.emotional import EmotionalTask, Topic, agreement, first_change
from pipeline.domain.labels import Emotion, Gender, Language, Speaker
from pipeline.domain.record import Record
from pipeline.domain.timeline import Timeline

Table = tuple[tuple[str, ...], ...]


class TaskCount(Record):
    """Dialogues of one task, language and number of user turns, and how long their users are heard."""

    task: EmotionalTask
    language: Language
    turns: int = Field(ge=1)
    dialogues: int = Field(gt=0)
    user_hours: float = Field(ge=0)


class EmotionalCoverage(Record):
    """What a run's emotional dialogues hold, in counts."""

    tasks: tuple[TaskCount, ...]
    labels: dict[Emotion, int]
    """User turns by what is felt in them, the neutral questions included."""
    transitions: dict[str, int]
    """First changes of feeling, `anger -> surprise`; all 42, also those that do not occur."""
    topics: dict[Topic, int]
    genders: dict[Gender, int]
    """Of the users' voices."""
    conflicts: int = Field(ge=0)
    """Turns whose words say another feeling than their voice."""
    agreement: float | None
    """Mean share of feelings that a judge found in the bare words; None where nobody judged."""

    @property
    def worst_transition(self) -> tuple[str, float] | None:
        """The most frequent change and how often it occurs relative to an even share; None without dialogues."""
        total = sum(self.transitions.values())
        if not total:
            return None
        name = max(self.transitions, key=lambda key: self.transitions[key])
        return name, self.transitions[name] * len(self.transitions) / total


@dataclass(slots=True)
class CoverageTally:
    """Counts dialogue by dialogue; holds numbers, never dialogues."""

    _tasks: Counter[tuple[EmotionalTask, Language, int]] = field(default_factory=Counter)
    _seconds: Counter[tuple[EmotionalTask, Language, int]] = field(default_factory=Counter)
    _labels: Counter[Emotion] = field(default_factory=Counter)
    _transitions: Counter[str] = field(default_factory=Counter)
    _topics: Counter[Topic] = field(default_factory=Counter)
    _genders: Counter[Gender] = field(default_factory=Counter)
    _conflicts: int = 0
    _agreements: list[float] = field(default_factory=list)

    def add(self, timeline: Timeline) -> None:
        """Count one dialogue; one of another recipe changes nothing."""
        arc = timeline.arc
        if arc is None:
            return
        key = (arc.task, timeline.language, len(arc.feelings))
        user = [s for s in timeline.supervisions if s.speaker is Speaker.USER]
        self._tasks[key] += 1
        self._seconds[key] += round(sum(len(s.span) for s in user) / timeline.sampling_rate * 1000)
        self._labels.update(feeling.emotion for feeling in arc.feelings)
        change = first_change(feeling.emotion for feeling in arc.feelings)
        if change is not None:
            self._transitions[_spell(*change)] += 1
        self._topics[arc.topic] += 1
        self._genders.update(v.gender for v in timeline.voicing if v.speaker is Speaker.USER and v.gender)
        self._conflicts += sum(feeling.said_as is not None for feeling in arc.feelings)
        found = agreement(arc)
        if found is not None:
            self._agreements.append(found)

    def coverage(self) -> EmotionalCoverage | None:
        """The counts; None where no emotional dialogue was among them."""
        if not self._tasks:
            return None
        order = sorted(self._tasks, key=lambda k: (k[0].number, k[1].value, k[2]))
        return EmotionalCoverage(
            tasks=tuple(
                TaskCount(
                    task=key[0],
                    language=key[1],
                    turns=key[2],
                    dialogues=self._tasks[key],
                    user_hours=self._seconds[key] / 3_600_000,
                )
                for key in order
            ),
            labels={emotion: self._labels[emotion] for emotion in Emotion},
            transitions={_spell(*pair): self._transitions[_spell(*pair)] for pair in TRANSITIONS},
            topics={topic: self._topics[topic] for topic in Topic},
            genders={gender: self._genders[gender] for gender in Gender},
            conflicts=self._conflicts,
            agreement=mean(self._agreements) if self._agreements else None,
        )


def _spell(first: Emotion, then: Emotion) -> str:
    return f"{first.value} -> {then.value}"


def coverage_tables(coverage: EmotionalCoverage) -> tuple[Table, ...]:
    """Tasks, and what is in them, as text for plain tables."""
    tasks: list[tuple[str, ...]] = [("task", "language", "turns", "dialogues", "user hours")]
    tasks += [
        (row.task.value, row.language.value, str(row.turns), f"{row.dialogues:,}", f"{row.user_hours:.2f}")
        for row in coverage.tasks
    ]
    total = sum(row.dialogues for row in coverage.tasks)
    tasks.append(("total", "", "", f"{total:,}", f"{sum(row.user_hours for row in coverage.tasks):.2f}"))
    return (
        tuple(tasks),
        _counts("user turns felt", {emotion.value: n for emotion, n in coverage.labels.items()}),
        _counts("topic", {topic.value: n for topic, n in coverage.topics.items()}),
        _counts("user's voice", {gender.value: n for gender, n in coverage.genders.items()}),
        _matrix(coverage),
    )


def _counts(title: str, counts: dict[str, int]) -> Table:
    return ((title, *counts), ("", *(f"{count:,}" for count in counts.values())))


def _matrix(coverage: EmotionalCoverage) -> Table:
    """First changes of feeling: from the row's to the column's."""
    names = [emotion.value for emotion in Emotion]
    rows = [
        (row, *("" if row == column else str(coverage.transitions[f"{row} -> {column}"]) for column in names))
        for row in names
    ]
    return (("first change", *names), *rows)


def coverage_note(coverage: EmotionalCoverage) -> str:
    """One line on the balance of changes, on conflicts and the judge."""
    worst = coverage.worst_transition
    balance = f"most frequent change {worst[0]} at {worst[1]:.2f} of an even share; " if worst else ""
    judged = (
        "nobody judged the words" if coverage.agreement is None else f"a judge found {coverage.agreement:.0%}"
    )
    return f"{balance}{coverage.conflicts} turns in conflict with their words; {judged}"
