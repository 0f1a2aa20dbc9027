"""What results are held against: files of every kind that says who speaks when, or what happens there.

    RTTM                             who speaks when
    words with times                 the same; Switchboard's with dialogue acts tell backchannels too (the gates)
    a generated run                  the same: what really happens on its timelines, not what was planned to
    events, one per line of JSON     {"recording_id": "c1", "initiator": "B", "onset": 4.1, "type": "interruption"}
    TurnBench's gold                 the .json that its own `turnbench.gold export` prints
    TurnBench's annotations          {"recording_id": "c1", "annotator": "a", "speaker": 1, "start": 4.1, "end": 5.0,
                                      "label": "Channel Bleed"}, one per line, three annotators

A directory that is no generated run holds files of these kinds.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.core.mining.event_eval import EventMark
from pipeline.core.mining.turnbench import KINDS, Interval, Kind, Prediction, TurnBenchGold, gold_of
from pipeline.core.turntaking import activity_of
from pipeline.core.turntaking.activity import ipus
from pipeline.domain.errors import ConfigError
from pipeline.domain.mining import MinedType, RecordedActivity, SpeakerActivity
from pipeline.domain.record import Record
from pipeline.io.dialogue_acts import SpeakerActs, has_acts, read_acts
from pipeline.io.jsonl import read_records
from pipeline.io.recordings.given import as_given, given_activity
from pipeline.io.recordings.words import read_words
from pipeline.io.rttm import read_rttm
from pipeline.io.run_directory import RunDirectory


class GoldEvent(Record):
    """A line of a reference of events, e.g. what annotators wrote down."""

    recording_id: str
    initiator: str
    onset: float = Field(ge=0)
    """In seconds."""
    type: MinedType
    overlap: float | None = Field(default=None, ge=0)
    """Its length in seconds, for figures by length."""


class TurnBenchAnnotation(Record):
    """A line of TurnBench's annotations."""

    recording_id: str
    annotator: str
    speaker: Literal[1, 2]
    start: float = Field(ge=0)
    end: float = Field(ge=0)
    label: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The truth about one recording; each kind of it may be missing."""

    recording_id: str
    spoken: RecordedActivity | None = None
    words: Path | None = None
    """Read when they are asked for: those of a whole corpus are a gigabyte."""
    events: tuple[EventMark, ...] | None = None
    turnbench: TurnBenchGold | None = None
    """Its speakers are called `1` and `2`, by channel."""
    path: Path | None = None
    """Of the file of events, for who corrects it."""

    def activity(self) -> RecordedActivity | None:
        """Who speaks when. Raises ConfigError where the words cannot be read, or there are none."""
        if self.words is None:
            return self.spoken
        given = as_given(read_words(self.words))
        if not given.num_samples:
            raise ConfigError(f"{self.words}: holds no speech; wanted words with times, or RTTM")
        return given_activity(self.recording_id, given, None)

    def check_initiators(self, activity: RecordedActivity) -> None:
        """Nothing that an unknown name starts can be found. Raises ConfigError naming it and those that are known.

        Of speakers that a diarizer told apart some may be missing; there only strangers alone are refused.
        """
        known = {speaker.speaker for speaker in activity.speakers}
        named = {mark.initiator for mark in self.events or ()}
        strange = sorted(named - known)
        if strange and (activity.mode != "mono_diarized" or not named & known):
            raise ConfigError(
                f"{self.path}: {self.recording_id}: initiator {strange[0]!r}; wanted {' or '.join(sorted(known))}; "
                "rename it, or name the `speakers` of the declaration so"
            )

    def acts(self) -> SpeakerActs | None:
        """The dialogue acts of the words; None where they have none."""
        return read_acts(self.words) if self.words is not None and has_acts(self.words) else None


def read_references(paths: Iterable[Path], mined: tuple[str, ...]) -> Iterator[Reference]:
    """References of all files, one per recording and file; `mined` are the ids that a file may be named after.

    Raises ConfigError where a file is no reference.
    """
    for path in paths:
        if path.is_dir() and not _is_run(path):
            yield from _of_folder(path, mined)
        else:
            yield from _of_file(path, mined)


def _of_file(path: Path, mined: tuple[str, ...]) -> Iterator[Reference]:
    """By its name; lines of JSON by what their first one holds."""
    if path.is_dir():
        return _of_run(path)
    if path.suffix == ".rttm":
        return _of_rttm(path)
    if path.suffix == ".json":
        return _of_turnbench(path)
    first = _text(path).partition("\n")[0] if path.suffix == ".jsonl" else ""
    if '"onset"' in first:
        return _of_events(path)
    if '"annotator"' in first:
        return _of_annotations(path)
    return _of_words(path, mined)


def _is_run(path: Path) -> bool:
    return (path / "dialogues.jsonl").exists() or (path / "run.json").exists()


def _of_folder(path: Path, mined: tuple[str, ...]) -> Iterator[Reference]:
    """Side B of Switchboard's words comes with side A."""
    patterns = ("*.rttm", "*A-word-da.csv", "*A-ms98-a-word.text", "*.jsonl")
    files = sorted({file for pattern in patterns for file in path.glob(pattern)})
    if not files:
        raise ConfigError(
            f"{path}: no reference here; wanted a generated run, or files {', '.join(patterns)}"
        )
    for file in files:
        yield from _of_file(file, mined)


def _of_run(path: Path) -> Iterator[Reference]:
    """Channel 0, the user, is A: what a two-channel file of a run is called by where nothing else is said."""
    for dialogue in RunDirectory(path).read_dialogues():
        timeline = dialogue.timeline
        spoken = zip("AB", activity_of(timeline).speakers, strict=True)
        speakers = tuple(
            SpeakerActivity(speaker=name, channel=channel, talkspurts=ipus(spans, 1))
            for channel, (name, spans) in enumerate(spoken)
        )
        activity = RecordedActivity(
            recording_id=timeline.dialogue_id,
            sampling_rate=timeline.sampling_rate,
            num_samples=timeline.num_samples,
            mode="given_words",
            speakers=speakers,
        )
        yield Reference(timeline.dialogue_id, activity)


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


def _of_words(path: Path, mined: tuple[str, ...]) -> Iterator[Reference]:
    """Its recording is the one that the file is named after, or the only one."""
    stem = path.stem
    named = [name for name in mined if name == stem or stem.startswith(name.rpartition(":")[2])]
    if not named and len(mined) == 1 and not has_acts(path):
        named = list(mined)
    if not named and not has_acts(path):
        raise ConfigError(
            f"{path}: whose words are these? wanted a file named after its recording; mined are: "
            f"{', '.join(mined[:5]) or 'none'}"
        )
    # Of Switchboard's conversations only some may have been mined; the others are missing, as in an RTTM.
    recording_id = max(named, key=len) if named else stem.partition("A-")[0]
    yield Reference(recording_id, words=path)


def _of_events(path: Path) -> Iterator[Reference]:
    by_recording: dict[str, list[EventMark]] = {}
    for event in read_records(path, GoldEvent):
        mark = EventMark(
            initiator=event.initiator, onset_s=event.onset, label=event.type.value, overlap_s=event.overlap
        )
        by_recording.setdefault(event.recording_id, []).append(mark)
    for recording_id, marks in by_recording.items():
        yield Reference(recording_id, events=tuple(sorted(marks, key=lambda m: m.onset_s)), path=path)


def _of_annotations(path: Path) -> Iterator[Reference]:
    by_recording: dict[str, dict[str, dict[Kind, list[Interval]]]] = {}
    for line in read_records(path, TurnBenchAnnotation):
        given = by_recording.setdefault(line.recording_id, {}).setdefault(line.annotator, {})
        kind = KINDS.get(line.label)
        if kind is not None:
            mark = Interval(speaker=str(line.speaker), start_s=line.start, end_s=line.end)
            given.setdefault(kind, []).append(mark)
    for recording_id, annotators in by_recording.items():
        if len(annotators) < 3:
            raise ConfigError(
                f"{path}: {recording_id} has {len(annotators)} annotators; wanted three, two of whom agree"
            )
        yield Reference(recording_id, turnbench=gold_of([annotators[name] for name in sorted(annotators)]))


class _Exported(BaseModel):
    """Others write these files, and may add to them."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Anchor(_Exported):
    speaker: Literal[1, 2]
    time_s: float = Field(ge=0)


class _Stretch(_Exported):
    speaker: Literal[1, 2]
    start: float = Field(ge=0)
    end: float = Field(ge=0)

    def interval(self) -> Interval:
        return Interval(speaker=str(self.speaker), start_s=self.start, end_s=self.end)


class _Dialogue(_Exported):
    int_positive_events: tuple[_Anchor, ...]
    int_negative_spans: tuple[_Stretch, ...]
    int_excluded: tuple[_Stretch, ...] = ()


class _Gold(_Exported):
    conversations: Mapping[str, _Dialogue]


def _of_turnbench(path: Path) -> Iterator[Reference]:
    try:
        gold = _Gold.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ConfigError(
            f"{path}: not TurnBench's gold ({_first_problem(error)}); wanted what `turnbench.gold export` prints"
        ) from error
    for recording_id, one in gold.conversations.items():
        yield Reference(
            recording_id,
            turnbench=TurnBenchGold(
                tuple(Prediction(speaker=str(p.speaker), at_s=p.time_s) for p in one.int_positive_events),
                tuple(span.interval() for span in one.int_negative_spans),
                tuple(span.interval() for span in one.int_excluded),
            ),
        )


def _first_problem(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"


def read_about(path: Path) -> dict[str, dict[str, str]]:
    """What is known of recordings, by id: `{"recording_id": "sw2005", "gender": "F-M"}`, one per line of JSON."""
    known: dict[str, dict[str, str]] = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        texts = isinstance(row, dict) and all(isinstance(value, str) for value in row.values())
        if not texts or "recording_id" not in row:
            raise ConfigError(
                f"{path}:{number}: wanted an object of texts with a recording_id, got {line[:60]!r}"
            )
        known[row.pop("recording_id")] = row
    return known


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text ({error})") from error
