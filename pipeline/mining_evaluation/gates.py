"""The gates of Switchboard, from what was mined of it and the dialogue acts of its words.

Each figure is taken with the words and without them (`timing`), so that one directory serves both columns. The test
half are the recordings that the declaration puts into the split `test`; where it puts none there, all.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Literal

from pipeline.core.mining.events import find_events
from pipeline.core.mining.gates import (
    Basis,
    Figure,
    GateResult,
    SwitchboardTally,
    TaggedRecording,
    TaggedWord,
    check_gates,
)
from pipeline.core.mining.scoring import Score, total
from pipeline.core.mining.segments import find_segments
from pipeline.core.mining.sensitivity import Change, jittered, onsets_kept, without_short
from pipeline.domain.labels import Split
from pipeline.domain.mining import RecordedActivity
from pipeline.domain.span import Span
from pipeline.io.dialogue_acts import SpeakerActs
from pipeline.io.recordings.declaration import Declaration, DeclaredRecording

_JITTER_S = 0.03
_SHORTEST_S = 0.25
_TIMING: Literal["timing"] = "timing"
_WORDS: Literal["words"] = "words"


class GateMeasure:
    """Counts, recording by recording: a corpus of hours leaves a handful of numbers."""

    def __init__(self, declaration: Declaration) -> None:
        self._declaration = declaration
        limits, segments = declaration.events, declaration.segments
        self._tallies = {basis: SwitchboardTally(basis, limits, segments) for basis in (_TIMING, _WORDS)}
        self._changes: dict[Figure, Change] = {
            "onset_f1_jitter_30_ms": partial(jittered, deviation_s=_JITTER_S, limits=limits),
            "onset_f1_short_spurts_dropped": partial(without_short, shortest_s=_SHORTEST_S, limits=limits),
        }
        self._kept: list[Sequence[Score]] = []

    def add(self, declared: DeclaredRecording, activity: RecordedActivity, acts: SpeakerActs) -> None:
        """One recording, as it was heard or given, and the dialogue acts of what was said in it."""
        bare = _without_words(activity)
        tested = declared.split is Split.TEST
        self._tallies[_TIMING].add(self._tagged(declared, bare, acts), tested)
        if any(speaker.words for speaker in activity.speakers):
            self._tallies[_WORDS].add(self._tagged(declared, activity, acts), tested)
        self._kept.append(onsets_kept(bare, tuple(self._changes.values()), self._declaration.events))

    def results(self, turnbench_recall: float | None) -> tuple[GateResult, ...]:
        """Every gate."""
        measured: dict[tuple[Figure, Basis], float | None] = {
            ("turnbench_int_recall", "any"): turnbench_recall
        }
        for basis in (_TIMING, _WORDS):
            figures = self._tallies[basis].figures()
            measured.update({place: value for place, value in figures.items() if value is not None})
        for figure, scores in zip(self._changes, zip(*self._kept, strict=True), strict=False):
            measured[figure, "timing"] = total(scores).f1
        return check_gates(measured)

    def _tagged(
        self, declared: DeclaredRecording, activity: RecordedActivity, acts: SpeakerActs
    ) -> TaggedRecording:
        limits = self._declaration.events
        candidates = find_events(activity, limits, declared.language)
        return TaggedRecording(
            activity=activity,
            candidates=candidates,
            segments=find_segments(activity, candidates, self._declaration.segments, limits).segments,
            acts={name: _timed(words, activity.sampling_rate) for name, words in acts},
        )


def _timed(words: Iterable[tuple[Decimal, Decimal, str | None]], rate: int) -> tuple[TaggedWord, ...]:
    timed = ((round(start_s * rate), round(end_s * rate), act) for start_s, end_s, act in words)
    return tuple(TaggedWord(Span(start, end), act) for start, end, act in timed if end > start)


def _without_words(activity: RecordedActivity) -> RecordedActivity:
    speakers = tuple(speaker.model_copy(update={"words": ()}) for speaker in activity.speakers)
    return activity.model_copy(update={"speakers": speakers})
