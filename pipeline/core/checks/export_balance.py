"""How evenly feelings, changes of feeling and numbers of turns are spread over an export."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from pipeline.core.checks.export_findings import ExportCode, ExportFinding, ExportLimits
from pipeline.domain.emotional import EmotionalArc, EmotionalTask
from pipeline.domain.labels import Emotion, Language, Split

Group = tuple[Split, Language]
Rows = tuple[tuple[str, ...], ...]
"""A table; the first row is its head."""


@dataclass(slots=True)
class Balance:
    """Counts per split and language."""

    emotions: dict[Group, Counter[Emotion]] = field(default_factory=dict)
    transitions: dict[Group, Counter[tuple[Emotion, Emotion]]] = field(default_factory=dict)
    turns: dict[tuple[Split, Language, EmotionalTask], Counter[int]] = field(default_factory=dict)

    def add(self, split: Split, language: Language, arc: EmotionalArc) -> None:
        """One more dialogue."""
        felt = [feeling.emotion for feeling in arc.feelings]
        group = (split, language)
        self.emotions.setdefault(group, Counter()).update(felt)
        changes = [pair for pair in pairwise(felt) if pair[0] is not pair[1]]
        self.transitions.setdefault(group, Counter()).update(changes[:1])
        self.turns.setdefault((*group, arc.task), Counter())[len(felt)] += 1

    def emotion_table(self) -> Rows:
        """User turns by feeling."""
        head = ("split", "language", *(emotion.value for emotion in Emotion), "user turns")
        return (
            head,
            *(
                (split.value, language.value, *(str(counts[e]) for e in Emotion), str(counts.total()))
                for (split, language), counts in sorted(self.emotions.items())
            ),
        )

    def turn_table(self) -> Rows:
        """Dialogues by task and number of user turns."""
        lengths = sorted({length for counts in self.turns.values() for length in counts})
        head = ("split", "language", "task", *(f"{length} turns" for length in lengths), "dialogues")
        return (
            head,
            *(
                (*(part.value for part in group), *(str(counts[n]) for n in lengths), str(counts.total()))
                for group, counts in sorted(self.turns.items())
            ),
        )

    def findings(self, limits: ExportLimits) -> Iterator[ExportFinding]:
        """Whatever has far more than its share. The neutral feeling is left out: every question is neutral."""
        for (split, language), emotions in sorted(self.emotions.items()):
            where = f"{split.value}, {language.value}"
            shares = {e.value: emotions[e] for e in Emotion if e is not Emotion.NEUTRAL}
            yield from _unbalanced(f"{where}: user turns that feel", shares, limits.max_share, limits)
            pairs = {f"{a.value} -> {b.value}": n for (a, b), n in self.transitions[split, language].items()}
            yield from _unbalanced(
                f"{where}: dialogues that change", pairs, limits.max_transition_share, limits
            )
        for (split, language, task), lengths in sorted(self.turns.items()):
            where = f"{split.value}, {language.value}, {task.value}"
            counts = {f"{length} turns": n for length, n in lengths.items()}
            yield from _unbalanced(f"{where}: dialogues of", counts, limits.max_share, limits)


def _unbalanced(
    what: str, counts: dict[str, int], most: float, limits: ExportLimits
) -> Iterator[ExportFinding]:
    total = sum(counts.values())
    if len(counts) < 2 or total < limits.min_per_kind * len(counts):
        return
    mean = total / len(counts)
    for name, count in counts.items():
        if count > most * mean:
            detail = (
                f"{what} {name}: {count} of {total}, {count / mean:.1f} times the mean; wanted {most} times "
                "at most: write more of the others"
            )
            yield ExportFinding(code=ExportCode.UNBALANCED, path=None, export_id=None, detail=detail)
