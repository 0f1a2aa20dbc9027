"""What mining found against a reference: who speaks when, which events there are, and whether the gates hold.

::

    reference (RTTM, words, run) --> speech, overlap, speakers --> detection, diarization
                        '-> the same tree -> its events  \\
    reference of events ------------------> its events   --> events: matched by onset, then by class, by stratum
    TurnBench's gold -----------------------------------------> interruptions: recall, false positives
    Switchboard's dialogue acts ------------------------------> gates

Where the reference says who speaks when, its events are those that the same tree finds in it with the same
thresholds, so that only hearing is judged. Of a generated run the words' times are the truth: what really happens on
the timeline decides on an event's class, not what was planned to happen.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path

from pydantic import Field

from pipeline.core.mining.detection_eval import (
    DetectionScores,
    activity_of_recording,
    pool_detection,
    score_detection,
)
from pipeline.core.mining.diarization_eval import DiarizationScore, pool_diarization, score_diarization
from pipeline.core.mining.event_eval import Conversation, EventMark, EventScores, marks_of, score_events
from pipeline.core.mining.events import find_events
from pipeline.core.mining.gates import GateResult
from pipeline.core.mining.strata import StratumScore, strata_of
from pipeline.core.mining.turnbench import Prediction, TurnBenchScore, pool_turnbench, score_turnbench
from pipeline.core.turntaking import Activity
from pipeline.core.turntaking.activity import talk_times
from pipeline.domain.errors import ConfigError
from pipeline.domain.mining import MinedType, RecordedActivity
from pipeline.domain.record import Record
from pipeline.domain.span import Span
from pipeline.io.recordings.declaration import Declaration
from pipeline.io.rttm import RTTM_SAMPLING_RATE, Uem, read_uem
from pipeline.mining_evaluation.gates import GateMeasure
from pipeline.mining_evaluation.references import Reference, read_about, read_references
from pipeline.mining_evaluation.results import MinedRecording, Results


class MiningScores(Record):
    """What `humdial filter eval` prints. None: the references say nothing about it."""

    detection: DetectionScores | None
    diarization: DiarizationScore | None
    events: EventScores | None
    strata: tuple[StratumScore, ...]
    turnbench: TurnBenchScore | None
    gates: tuple[GateResult, ...] | None
    """None where nobody asked."""
    scored_s: float = Field(ge=0)
    """Inside the regions, over all recordings whose speech or events were compared."""
    missing: tuple[str, ...]
    """Recordings of the reference that were not mined."""


@dataclass(slots=True)
class _Scored:
    """What is gathered, recording by recording."""

    detections: list[DetectionScores] = field(default_factory=list)
    diarizations: list[DiarizationScore] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    turnbench: list[TurnBenchScore] = field(default_factory=list)
    known: dict[str, dict[str, str]] = field(default_factory=dict)
    """What is known of recordings, for the strata."""
    gates: GateMeasure | None = None


def evaluate(
    out: Path,
    references: Iterable[Path],
    uem: Path | None = None,
    about: Path | None = None,
    gates: bool = False,
) -> MiningScores:
    """Score the results in `out`. Raises ConfigError where there are none, or the reference is none.

    Without a UEM the whole of every recording counts. `about` says what is known of recordings, for the strata.
    """
    results = Results(out)
    regions, told = _Regions.read(uem), read_about(about) if about is not None else {}
    scored = _Scored(gates=GateMeasure(results.declaration) if gates else None)
    waiting: dict[str, list[Reference]] = {}
    for reference in read_references(references, results.recording_ids):
        waiting.setdefault(reference.recording_id, []).append(reference)
    for mined in results.recordings():
        known = waiting.pop(mined.names[0], None) or waiting.pop(mined.names[1], None) or ()
        for reference in known:
            _score(scored, mined, reference, regions, results.declaration)
        scored.known[mined.names[0]] = mined.known | told.get(mined.names[0], told.get(mined.names[1], {}))
    if not (scored.conversations or scored.turnbench):
        raise ConfigError(
            f"{out}: none of the reference's recordings was mined ({', '.join([*waiting][:5]) or 'it holds none'}); "
            f"mined are: {', '.join([*scored.known][:5]) or 'none'}; wanted the same recording ids"
        )
    return _summed(scored, tuple(waiting))


@dataclass(frozen=True, slots=True)
class _Regions:
    """Which parts count: those of a UEM, or the whole of every recording."""

    path: Path | None
    found: Uem | None

    @classmethod
    def read(cls, path: Path | None) -> "_Regions":
        if path is None:
            return cls(None, None)
        found = read_uem(path)
        if found.refusals:
            raise ConfigError(
                f"{path}: {found.refusals[0].record_id}: {found.refusals[0].detail}; correct the UEM"
            )
        return cls(path, found)

    def of(self, mined: MinedRecording, truth: RecordedActivity | None) -> tuple[Span, ...]:
        """At 16 kHz."""
        if self.found is None:
            return (Span(0, max(round(mined.duration_s(truth) * RTTM_SAMPLING_RATE), 1)),)
        name, short = mined.names
        listed = {uri for uri, _ in self.found.regions}
        try:
            return self.found.of(name if name in listed else short)
        except ConfigError as error:
            raise ConfigError(
                f"{self.path}: {error}; add its line, or leave it out of the reference"
            ) from error


def _summed(scored: _Scored, missing: tuple[str, ...]) -> MiningScores:
    conversations = scored.conversations
    turnbench = pool_turnbench(scored.turnbench) if scored.turnbench else None
    recall = turnbench.recall_in_budget if turnbench is not None else None
    return MiningScores(
        detection=pool_detection(scored.detections) if scored.detections else None,
        diarization=pool_diarization(scored.diarizations) if scored.diarizations else None,
        events=score_events(conversations) if conversations else None,
        strata=strata_of(conversations, scored.known),
        turnbench=turnbench,
        gates=scored.gates.results(recall) if scored.gates is not None else None,
        scored_s=sum(conversation.duration_s for conversation in conversations),
        missing=missing,
    )


def _score(
    scored: _Scored, mined: MinedRecording, reference: Reference, parts: _Regions, declaration: Declaration
) -> None:
    """Add all that one reference says about one recording."""
    truth, activity = reference.activity(), mined.activity
    rate = activity.sampling_rate if activity is not None else 1
    marks = marks_of(mined.candidates, rate)
    if reference.turnbench is not None:
        scored.turnbench.append(score_turnbench(reference.turnbench, _predictions(mined, marks)))
    acts = reference.acts() if scored.gates is not None else None
    if scored.gates is not None and acts is not None and activity is not None:
        scored.gates.add(mined.declared, activity, acts)
    gold, names = reference.events, dict[str, str]()
    regions = parts.of(mined, truth)
    if truth is not None:
        names = _same_names(activity, truth)
        sides = _sides(activity, truth)
        spans = _at(regions, RTTM_SAMPLING_RATE, truth.sampling_rate)
        scored.detections.append(score_detection(*sides, spans))
        scored.diarizations.append(score_diarization(*sides, spans))
        found = find_events(truth, declaration.events, mined.declared.language)
        gold = marks_of(found, truth.sampling_rate)
    elif activity is not None:
        reference.check_initiators(activity)
    if gold is not None:
        renamed = (m.model_copy(update={"initiator": names.get(m.initiator, m.initiator)}) for m in marks)
        scored.conversations.append(
            Conversation(
                conversation_id=mined.declared.recording_id,
                duration_s=sum(map(len, regions)) / RTTM_SAMPLING_RATE,
                gold=_inside(gold, regions),
                found=_inside(renamed, regions),
            )
        )


def _predictions(mined: MinedRecording, marks: Iterable[EventMark]) -> tuple[Prediction, ...]:
    """Who takes the floor, under the benchmark's names: 1 and 2, by channel."""
    speakers = mined.activity.speakers if mined.activity is not None else ()
    names = {speaker.speaker: str(index) for index, speaker in enumerate(speakers, start=1)}
    return tuple(
        Prediction(speaker=names[mark.initiator], at_s=mark.onset_s)
        for mark in marks
        if mark.label == MinedType.INTERRUPTION.value
    )


def _inside(marks: Iterable[EventMark], regions: tuple[Span, ...]) -> tuple[EventMark, ...]:
    inside = (
        mark
        for mark in marks
        if any(region.start <= mark.onset_s * RTTM_SAMPLING_RATE < region.end for region in regions)
    )
    return tuple(inside)


def _sides(found: RecordedActivity | None, truth: RecordedActivity) -> tuple[Activity, Activity]:
    """The reference's activity, and what was heard, at the reference's rate."""
    rate = truth.sampling_rate
    speakers = found.speakers if found is not None else ()
    own_rate = found.sampling_rate if found is not None else rate
    return activity_of_recording(truth), Activity(
        tuple(_at(s.talkspurts, own_rate, rate) for s in speakers), rate
    )


def _at(spans: Iterable[Span], own_rate: int, rate: int) -> tuple[Span, ...]:
    scaled = ((round(s.start * rate / own_rate), round(s.end * rate / own_rate)) for s in spans)
    return tuple(Span(start, end) for start, end in scaled if start < end)


def _same_names(found: RecordedActivity | None, truth: RecordedActivity) -> dict[str, str]:
    """Which found speaker is which of the reference: by name, else by whom most is said together."""
    if found is None:
        return {}
    names = [s.speaker for s in found.speakers]
    wanted = [s.speaker for s in truth.speakers]
    if set(names) & set(wanted) or len(names) > len(wanted) or len(wanted) > 6:
        return {name: name for name in names}
    own = {s.speaker: _at(s.talkspurts, found.sampling_rate, truth.sampling_rate) for s in found.speakers}
    gold = {s.speaker: s.talkspurts for s in truth.speakers}
    together = {
        (a, b): talk_times((own[a], gold[b])).overlap if own[a] and gold[b] else 0
        for a in names
        for b in wanted
    }
    best = max(
        permutations(wanted, len(names)),
        key=lambda order: sum(together[pair] for pair in zip(names, order, strict=True)),
    )
    return dict(zip(names, best, strict=True))
