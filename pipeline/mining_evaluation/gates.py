"""The gates of Switchboard, from what was mined of it and the dialogue acts of its words.

Each figure is taken with the words and without them (`timing`), so that one directory serves both columns. The test
half are the recordings that the declaration puts into the split `test`; where it splits nothing, all.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pipeline.core.mining.events import find_events
from pipeline.core.mining.gates import (
    Basis,
    Figure,
    GateResult,
    TaggedRecording,
    TaggedWord,
    check_gates,
    switchboard_figures,
)
from pipeline.core.mining.segments import find_segments
from pipeline.core.mining.sensitivity import jittered, onsets_kept, without_short
from pipeline.domain.labels import Language, Split
from pipeline.domain.mining import RecordedActivity
from pipeline.domain.span import Span
from pipeline.io.dialogue_acts import SpeakerActs
from pipeline.io.recordings.declaration import Declaration
from pipeline.mining_evaluation.results import MinedRecording

_JITTER_S = 0.03
_SHORTEST_S = 0.25

Figures = dict[tuple[Figure, Basis], float | None]


@dataclass(frozen=True, slots=True)
class ActedRecording:
    """A mined recording whose words have dialogue acts."""

    mined: MinedRecording
    acts: SpeakerActs


def measure_gates(
    recordings: Sequence[ActedRecording], declaration: Declaration, others: Figures
) -> tuple[GateResult, ...]:
    """Every gate, with `others` (figures that were measured elsewhere) among them."""
    known = [one for one in recordings if one.mined.activity is not None]
    measured: Figures = dict(others)
    if known:
        measured.update(_switchboard(known, declaration, "timing"))
        if all(any(speaker.words for speaker in _activity(one).speakers) for one in known):
            measured.update(_switchboard(known, declaration, "words"))
        measured.update(_sensitivity(known, declaration))
    return check_gates(measured)


def _switchboard(
    recordings: Sequence[ActedRecording], declaration: Declaration, basis: Literal["timing", "words"]
) -> Figures:
    tagged = [_tagged(one, declaration, basis) for one in recordings]
    half = [
        one for one, acted in zip(tagged, recordings, strict=True) if acted.mined.declared.split is Split.TEST
    ]
    whole = switchboard_figures(tagged, basis, declaration.events, declaration.segments)
    tested = switchboard_figures(half or tagged, basis, declaration.events, declaration.segments)
    on_half: tuple[Figure, ...] = ("backchannel_f1", "gap_backchannel_f1")
    return {**whole, **{(figure, basis): tested[figure, basis] for figure in on_half}}


def _tagged(
    recording: ActedRecording, declaration: Declaration, basis: Literal["timing", "words"]
) -> TaggedRecording:
    activity = _activity(recording)
    if basis == "timing":
        activity = _without_words(activity)
    limits = declaration.events
    candidates = find_events(activity, limits, recording.mined.declared.language)
    return TaggedRecording(
        activity=activity,
        candidates=candidates,
        segments=find_segments(activity, candidates, declaration.segments, limits).segments,
        acts={name: _timed(words, activity.sampling_rate) for name, words in recording.acts},
    )


def _timed(words: Iterable[tuple[Decimal, Decimal, str | None]], rate: int) -> tuple[TaggedWord, ...]:
    timed = ((round(start_s * rate), round(end_s * rate), act) for start_s, end_s, act in words)
    return tuple(TaggedWord(Span(start, end), act) for start, end, act in timed if end > start)


def _sensitivity(recordings: Sequence[ActedRecording], declaration: Declaration) -> Figures:
    limits = declaration.events
    changes: dict[Figure, Callable[[RecordedActivity], RecordedActivity]] = {
        "onset_f1_jitter_30_ms": lambda one: jittered(one, _JITTER_S, limits),
        "onset_f1_short_spurts_dropped": lambda one: without_short(one, _SHORTEST_S, limits),
    }
    activities = [_without_words(_activity(one)) for one in recordings]
    return {
        (figure, "timing"): onsets_kept(activities, change, limits, Language.EN).f1
        for figure, change in changes.items()
    }


def _activity(recording: ActedRecording) -> RecordedActivity:
    activity = recording.mined.activity
    assert activity is not None  # `measure_gates` left the others out
    return activity


def _without_words(activity: RecordedActivity) -> RecordedActivity:
    speakers = tuple(speaker.model_copy(update={"words": ()}) for speaker in activity.speakers)
    return activity.model_copy(update={"speakers": speakers})
