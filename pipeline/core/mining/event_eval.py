"""Events against a reference: one-to-one by onset, then whether the class agrees.

::

    gold     B  interruption 4.10        A  backchannel 9.00
    found    B  terminal_overlap 4.22    A  backchannel 8.90    B  interruption 15.0
             matched, confused           matched, agrees        invented ("none" in gold)
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.core.intervals import Estimate
from pipeline.core.mining.activity import TIME_EQUALITY_S
from pipeline.core.mining.candidates import Candidate
from pipeline.core.mining.scoring import Score
from pipeline.core.seeding import derive_rng
from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record

NONE = "none"
ONSET_TOLERANCE_S = 0.25
_RESAMPLES = 1000

Counts = npt.NDArray[np.float64]


class EventMark(Record):
    """An event as it is scored: who came in when, and what it was."""

    initiator: str
    onset_s: float
    label: str
    overlap_s: float | None = None
    """Its length; None for an event in a silence, and where nobody says."""


class Conversation(Record):
    """What is there and what was found in one conversation."""

    conversation_id: str
    duration_s: float
    gold: tuple[EventMark, ...]
    found: tuple[EventMark, ...]


class ClassScore(Record):
    """One class over all conversations, with its 95 % interval where there are two conversations or more."""

    label: str
    score: Score
    f1_interval: Estimate | None
    gold_per_hour: float | None
    found_per_hour: float | None


class Confusion(Record):
    """How often gold `gold` was found as `found`; `none` on either side is missed or invented."""

    gold: str
    found: str
    count: int


class EventScores(Record):
    """Everything about the events of a corpus."""

    conversations: int
    onsets: Score
    """Whatever the class."""
    onset_f1_interval: Estimate | None
    classes: tuple[ClassScore, ...]
    macro_f1: float | None
    """Mean F1 of the classes that the reference holds."""
    macro_f1_interval: Estimate | None
    confusion: tuple[Confusion, ...]


def marks_of(candidates: Iterable[Candidate], sampling_rate: int) -> tuple[EventMark, ...]:
    """Accepted and ambiguous candidates as marks."""
    return tuple(
        EventMark(
            initiator=c.event.initiator,
            onset_s=c.event.onset / sampling_rate,
            label=c.event.type.value,
            overlap_s=len(c.event.overlap) / sampling_rate if c.event.overlap else None,
        )
        for c in candidates
        if c.decision != "reject"
    )


def match_onsets(
    gold: Sequence[EventMark], found: Sequence[EventMark], tolerance_s: float = ONSET_TOLERANCE_S
) -> tuple[tuple[int, int], ...]:
    """Pairs of indices: gold events in order of time each take the nearest unused one of the same initiator.

    At equal distance the earlier one; of one initiator's events at one instant, one of the same class.
    """
    order = sorted(range(len(found)), key=lambda i: found[i].onset_s)
    onsets = [found[i].onset_s for i in order]
    reach = tolerance_s + TIME_EQUALITY_S
    used: set[int] = set()
    pairs = []
    for index in sorted(range(len(gold)), key=lambda i: (gold[i].onset_s, gold[i].initiator, gold[i].label)):
        mark = gold[index]
        first, last = bisect_left(onsets, mark.onset_s - reach), bisect_right(onsets, mark.onset_s + reach)
        near = [i for i in order[first:last] if i not in used and found[i].initiator == mark.initiator]
        if near:
            best = min(near, key=lambda other: _closeness(mark, found[other], other))
            used.add(best)
            pairs.append((index, best))
    return tuple(pairs)


def _closeness(gold: EventMark, found: EventMark, index: int) -> tuple[float, float, bool, int]:
    distance = round(abs(found.onset_s - gold.onset_s), 9)
    return distance, found.onset_s, found.label != gold.label, index


def score_events(
    conversations: Sequence[Conversation],
    seed: int = 0,
    tolerance_s: float = ONSET_TOLERANCE_S,
) -> EventScores:
    """Class-wise scores, macro-F1 and confusion; intervals by a bootstrap over conversations."""
    if not conversations:
        raise ConfigError(
            "eval: no conversation to score; wanted one that reference and hypothesis both have"
        )
    tables = [_confusions(conversation, tolerance_s) for conversation in conversations]
    confusion = Counter[tuple[str, str]]()
    for table in tables:
        confusion.update(table)
    labels = sorted({label for pair in confusion for label in pair} - {NONE})
    per_conversation = np.array([_tally(table, labels) for table in tables])
    resampled = _resample(per_conversation, seed)
    totals = per_conversation.sum(axis=0)
    in_gold = [index for index, label in enumerate(labels) if totals[index + 1, 1] > 0]
    hours = sum(conversation.duration_s for conversation in conversations) / 3600
    macro = _macro(totals[None], in_gold)
    return EventScores(
        conversations=len(conversations),
        onsets=_score(totals[0]),
        onset_f1_interval=_interval(_f1(totals[None, 0]), _f1(resampled[:, 0])),
        classes=tuple(
            ClassScore(
                label=label,
                score=_score(totals[row]),
                f1_interval=_interval(_f1(totals[None, row]), _f1(resampled[:, row])),
                gold_per_hour=float(totals[row, 1]) / hours if hours else None,
                found_per_hour=float(totals[row, 2]) / hours if hours else None,
            )
            for row, label in enumerate(labels, start=1)
        ),
        macro_f1=float(macro[0]) if in_gold else None,
        macro_f1_interval=_interval(macro, _macro(resampled, in_gold)) if in_gold else None,
        confusion=tuple(
            Confusion(gold=gold, found=found, count=count)
            for (gold, found), count in sorted(confusion.items())
        ),
    )


def _confusions(conversation: Conversation, tolerance_s: float) -> Counter[tuple[str, str]]:
    pairs = match_onsets(conversation.gold, conversation.found, tolerance_s)
    taken_gold, taken_found = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    table = Counter((conversation.gold[g].label, conversation.found[f].label) for g, f in pairs)
    table.update((m.label, NONE) for i, m in enumerate(conversation.gold) if i not in taken_gold)
    table.update((NONE, m.label) for i, m in enumerate(conversation.found) if i not in taken_found)
    return table


def _tally(table: Mapping[tuple[str, str], int], labels: list[str]) -> Counts:
    """`[1 + labels, 3]`: hits, gold, found; row 0 for onsets whatever their class."""
    rows = np.zeros((1 + len(labels), 3))
    place = {label: row for row, label in enumerate(labels, start=1)}
    for (gold, found), count in table.items():
        if gold != NONE:
            rows[(0, place[gold]), 1] += count
        if found != NONE:
            rows[(0, place[found]), 2] += count
        if NONE not in (gold, found):
            rows[0, 0] += count
        if gold == found:
            rows[place[gold], 0] += count
    return rows


def _resample(per_conversation: Counts, seed: int) -> Counts:
    """`[resamples, 1 + labels, 3]`: conversations drawn with replacement, which is drawing how often each comes."""
    n = len(per_conversation)
    drawn = derive_rng(seed, "eval", "bootstrap").multinomial(n, np.full(n, 1 / n), size=_RESAMPLES)
    sums: Counts = np.tensordot(drawn.astype(np.float64), per_conversation, axes=1)
    return sums if n > 1 else sums[:0]


def _f1(tallies: Counts) -> Counts:
    """`[n]` from `[n, 3]`; NaN where there is nothing."""
    whole = tallies[:, 1] + tallies[:, 2]
    shares: Counts = np.divide(2 * tallies[:, 0], whole, out=np.full(len(tallies), np.nan), where=whole > 0)
    return shares


def _macro(tallies: Counts, rows: list[int]) -> Counts:
    """Mean F1 of the classes in gold; a class that a resample lacks on both sides counts for nothing there."""
    each = np.stack([_f1(tallies[:, row + 1]) for row in rows]) if rows else np.empty((0, len(tallies)))
    known = ~np.isnan(each)
    total = np.where(known, each, 0.0).sum(axis=0)
    count = known.sum(axis=0)
    means: Counts = np.divide(total, count, out=np.full(len(tallies), np.nan), where=count > 0)
    return means


def _interval(value: Counts, resampled: Counts) -> Estimate | None:
    known = resampled[~np.isnan(resampled)]
    if not len(known) or np.isnan(value[0]):
        return None
    low, high = np.quantile(known, (0.025, 0.975))
    return Estimate(value=float(value[0]), low=float(low), high=float(high))


def _score(tally: Counts) -> Score:
    hits, gold, found = tally.tolist()
    return Score.of(hits=hits, misses=gold - hits, false_alarms=found - hits)
