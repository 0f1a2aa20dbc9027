"""What mining found against a reference: who speaks when, and which events there are.

A reference says who speaks when (RTTM, words, the records of a generated run), and its events are those that the same
tree finds in it with the same thresholds; or it names events itself. Of a generated run the words' times are the
truth: what really happens on the timeline decides on an event's class, not what was planned to happen.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from pydantic import Field, ValidationError

from pipeline.core.heard import Heard
from pipeline.core.mining.detection_eval import DetectionScores, pool_detection, score_detection
from pipeline.core.mining.event_eval import Conversation, EventMark, EventScores, marks_of, score_events
from pipeline.core.mining.events import find_events
from pipeline.core.turntaking import Activity, activity_of
from pipeline.core.turntaking.activity import ipus, talk_times
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language
from pipeline.domain.mining import MinedType, RecordedActivity, SpeakerActivity
from pipeline.domain.record import Record
from pipeline.domain.span import Span
from pipeline.io.jsonl import read_records
from pipeline.io.mining_cache import MiningCache
from pipeline.io.recordings.declaration import Declaration
from pipeline.io.recordings.given import as_given, given_activity
from pipeline.io.recordings.words import read_words
from pipeline.io.rttm import Uem, read_rttm, read_uem
from pipeline.io.run_directory import RunDirectory
from pipeline.mining import candidates_of


class GoldEvent(Record):
    """A line of a reference of events, e.g. what annotators wrote down."""

    recording_id: str
    initiator: str
    onset: float = Field(ge=0)
    """In seconds."""
    type: MinedType


class MiningScores(Record):
    """What `humdial filter eval` prints."""

    detection: DetectionScores | None
    """None where the reference names events only."""
    events: EventScores
    missing: tuple[str, ...]
    """Recordings of the reference that were not mined."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The truth about one recording."""

    recording_id: str
    activity: RecordedActivity | None
    events: tuple[EventMark, ...] = ()


def evaluate(out: Path, references: Iterable[Path], uem: Path | None = None) -> MiningScores:
    """Score the results in `out`. Raises ConfigError where there are none, or the reference is none."""
    declaration = _declaration(out)
    languages = {declared.recording_id: declared.language for declared in declaration.recordings}
    cache = MiningCache(out / "activity")
    heard = {one.recording_id: one for one in cache.entries() if one.recording_id in languages}
    regions = read_uem(uem) if uem is not None else None
    detections, conversations, missing = [], [], []
    for reference in _references(tuple(references), tuple(sorted(heard))):
        found = heard.get(reference.recording_id)
        if found is None:
            missing.append(reference.recording_id)
            continue
        language = languages[reference.recording_id]
        marks = _found_marks(found, cache, declaration, language)
        truth, names = reference.activity, {}
        if truth is not None:
            names = _same_names(found.activity, truth)
            detections.append(_detection(found, truth, regions))
        gold = reference.events
        if truth is not None:
            gold = marks_of(find_events(truth, declaration.events, language), truth.sampling_rate)
        named = tuple(m.model_copy(update={"initiator": names.get(m.initiator, m.initiator)}) for m in marks)
        conversations.append(
            Conversation(
                conversation_id=reference.recording_id,
                duration_s=_duration_s(found, truth),
                gold=gold,
                found=named,
            )
        )
    if not conversations:
        raise ConfigError(
            f"{out}: none of the reference's recordings was mined ({', '.join(missing[:5]) or 'it holds none'}); "
            f"mined are: {', '.join(sorted(heard)[:5]) or 'none'}; wanted the same recording ids"
        )
    pooled = pool_detection(detections) if detections else None
    return MiningScores(detection=pooled, events=score_events(conversations), missing=tuple(missing))


def _declaration(out: Path) -> Declaration:
    path = out / "filter.json"
    try:
        return Declaration.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise ConfigError(
            f"{path}: no results of humdial filter here; wanted the directory of its --out"
        ) from error


def _found_marks(
    heard: Heard, cache: MiningCache, declaration: Declaration, language: Language | None
) -> tuple[EventMark, ...]:
    """Nothing was found in what was refused."""
    if heard.activity is None:
        return ()
    frames = cache.load_frames(heard)
    candidates = candidates_of(declaration, heard.activity, frames, heard.voices, language)
    return marks_of(candidates, heard.activity.sampling_rate)


def _detection(heard: Heard, truth: RecordedActivity, uem: Uem | None) -> DetectionScores:
    rate = truth.sampling_rate
    reference = Activity(tuple(s.talkspurts for s in truth.speakers), rate)
    found = heard.activity.speakers if heard.activity is not None else ()
    own_rate = heard.activity.sampling_rate if heard.activity is not None else rate
    hypothesis = Activity(tuple(_at(s.talkspurts, own_rate, rate) for s in found), rate)
    if uem is None:
        return score_detection(reference, hypothesis, (Span(0, round(_duration_s(heard, truth) * rate)),))
    regions = _at(uem.of(truth.recording_id), 16_000, rate)
    return score_detection(reference, hypothesis, regions)


def _at(spans: Iterable[Span], own_rate: int, rate: int) -> tuple[Span, ...]:
    scaled = ((round(s.start * rate / own_rate), round(s.end * rate / own_rate)) for s in spans)
    return tuple(Span(start, end) for start, end in scaled if start < end)


def _duration_s(heard: Heard, truth: RecordedActivity | None) -> float:
    """The longest that anything says: nothing that was found lies outside."""
    known = [heard.probed.duration_s] if heard.probed is not None else []
    known.extend(a.num_samples / a.sampling_rate for a in (heard.activity, truth) if a is not None)
    return max(known, default=0.0)


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


def _references(paths: tuple[Path, ...], mined: tuple[str, ...]) -> Iterator[Reference]:
    for path in paths:
        if path.is_dir():
            yield from _of_run(path)
        elif path.suffix == ".rttm":
            yield from _of_rttm(path)
        elif path.suffix == ".jsonl" and _names_events(path):
            yield from _of_events(path)
        else:
            yield _of_words(path, mined)


def _of_run(path: Path) -> Iterator[Reference]:
    """Channel 0, the user, is A: what a two-channel file of a run is called by where nothing else is said."""
    for dialogue in RunDirectory(path).read_dialogues():
        timeline = dialogue.timeline
        speakers = activity_of(timeline).speakers
        yield Reference(
            timeline.dialogue_id,
            RecordedActivity(
                recording_id=timeline.dialogue_id,
                sampling_rate=timeline.sampling_rate,
                num_samples=timeline.num_samples,
                mode="given_words",
                speakers=tuple(
                    SpeakerActivity(speaker=name, channel=channel, talkspurts=ipus(spans, 1))
                    for channel, (name, spans) in enumerate(zip("AB", speakers, strict=True))
                ),
            ),
        )


def _of_rttm(path: Path) -> Iterator[Reference]:
    found = read_rttm(path)
    if found.refusals:
        raise ConfigError(f"{found.refusals[0].record_id}: {found.refusals[0].detail}; correct the reference")
    for one in found.recordings:
        speakers = zip(one.speakers, one.activity.speakers, strict=True)
        activity = RecordedActivity(
            recording_id=one.uri,
            sampling_rate=one.activity.sampling_rate,
            num_samples=max(span.end for spans in one.activity.speakers for span in spans),
            mode="given_rttm",
            speakers=tuple(
                SpeakerActivity(speaker=name, channel=None, talkspurts=ipus(spans, 1))
                for name, spans in speakers
            ),
        )
        yield Reference(one.uri, activity)


def _of_words(path: Path, mined: tuple[str, ...]) -> Reference:
    """Its recording is the one that the file is named after, or the only one."""
    stem = path.stem
    named = [name for name in mined if name == stem or stem.startswith(name.rpartition(":")[2])]
    if not named and len(mined) != 1:
        raise ConfigError(
            f"{path}: whose words are these? wanted a file named after its recording; mined are: {', '.join(mined[:5])}"
        )
    recording_id = (named or list(mined))[0]
    return Reference(recording_id, given_activity(recording_id, as_given(read_words(path)), None))


def _names_events(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            return '"onset"' in file.readline()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text ({error})") from error


def _of_events(path: Path) -> Iterator[Reference]:
    by_recording: dict[str, list[EventMark]] = {}
    for event in read_records(path, GoldEvent):
        mark = EventMark(initiator=event.initiator, onset_s=event.onset, label=event.type.value)
        by_recording.setdefault(event.recording_id, []).append(mark)
    for recording_id, marks in by_recording.items():
        yield Reference(recording_id, None, tuple(sorted(marks, key=lambda m: m.onset_s)))
