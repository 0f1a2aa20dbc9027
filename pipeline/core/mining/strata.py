"""Events by kind of conversation and of overlap: one figure for a corpus hides where it comes from.

Conversations fall into strata by what is known of them (`mode two_channel`, `language en`, `gender F-M`), events by
the length of the overlap that the reference has there; an invented one by its own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise

from pydantic import Field

from pipeline.core.mining.activity import TIME_EQUALITY_S
from pipeline.core.mining.detection_eval import DURATION_EDGES_S, length_name
from pipeline.core.mining.event_eval import (
    ONSET_TOLERANCE_S,
    Conversation,
    EventMark,
    match_onsets,
    score_events,
)
from pipeline.core.mining.scoring import Score
from pipeline.domain.record import Record

OVERLAP = "overlap"


class StratumScore(Record):
    """Events of one stratum."""

    name: str
    value: str
    conversations: int = Field(ge=0)
    onsets: Score
    """Whatever the class."""
    agreed: Score
    """Onset and class."""
    macro_f1: float | None
    """None for strata of overlaps: a class has few of each length."""


def strata_of(
    conversations: Iterable[Conversation], known: Mapping[str, Mapping[str, str]]
) -> tuple[StratumScore, ...]:
    """Every stratum with something in it; `known` says of conversations by id what they are."""
    everything = tuple(conversations)
    groups: dict[tuple[str, str], list[Conversation]] = {}
    for conversation in everything:
        for name, value in known.get(conversation.conversation_id, {}).items():
            groups.setdefault((name, value), []).append(conversation)
    by_kind = (_of_conversations(name, value, groups[name, value]) for name, value in sorted(groups))
    return (*by_kind, *_by_overlap(everything))


def _of_conversations(name: str, value: str, members: list[Conversation]) -> StratumScore:
    scores = score_events(members)
    classes = [one.score for one in scores.classes]
    return StratumScore(
        name=name,
        value=value,
        conversations=len(members),
        onsets=scores.onsets,
        agreed=Score.of(
            hits=sum(score.hits for score in classes),
            misses=sum(score.misses for score in classes),
            false_alarms=sum(score.false_alarms for score in classes),
        ),
        macro_f1=scores.macro_f1,
    )


def _by_overlap(conversations: tuple[Conversation, ...]) -> Iterable[StratumScore]:
    onsets: Counter[tuple[str, str]] = Counter()
    members: Counter[str] = Counter()
    for conversation in conversations:
        counts = _counts(conversation)
        onsets.update(counts)
        members.update({label for label, _ in counts})
    for label in _LABELS:
        if members[label]:
            gold, found = onsets[label, "gold"], onsets[label, "found"]
            met, agreed = onsets[label, "met"], onsets[label, "agreed"]
            yield StratumScore(
                name=OVERLAP,
                value=label,
                conversations=members[label],
                onsets=Score.of(hits=met, misses=gold - met, false_alarms=found - met),
                agreed=Score.of(hits=agreed, misses=gold - agreed, false_alarms=found - agreed),
                macro_f1=None,
            )


def _counts(conversation: Conversation) -> Counter[tuple[str, str]]:
    """How many gold, found, met and agreed events there are of each length."""
    gold, found = conversation.gold, conversation.found
    counts: Counter[tuple[str, str]] = Counter()
    pairs = match_onsets(gold, found, ONSET_TOLERANCE_S)
    for one, other in pairs:
        # A reference of bare onsets states no overlap: then that of what was found there is all there is.
        label = _length(gold[one] if gold[one].overlap_s is not None else found[other])
        kinds = ["gold", "found", "met"] + ["agreed"] * (gold[one].label == found[other].label)
        counts.update((label, kind) for kind in kinds)
    for kind, marks, used in (("gold", gold, {g for g, _ in pairs}), ("found", found, {f for _, f in pairs})):
        counts.update((_length(mark), kind) for index, mark in enumerate(marks) if index not in used)
    return counts


_NONE = "none"
_LABELS = (_NONE, *(length_name(low, high) for low, high in pairwise((None, *DURATION_EDGES_S, None))))


def _length(mark: EventMark) -> str:
    if mark.overlap_s is None:
        return _NONE
    reached = sum(mark.overlap_s >= edge - TIME_EQUALITY_S for edge in DURATION_EDGES_S)
    return _LABELS[reached + 1]
