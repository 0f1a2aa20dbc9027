"""Easy-Turn: what a user says up to a point, and whether the turn is over there.

The raw JSONL of the turn detector that the baseline of HumDial Track 2 is built on: a clip of the user's microphone
per line, its `txt` a transcript with one label right behind it. HumDial's rule for the label, by scene:

=======================================  ==============================  ==================
what is said                             clip                            label
=======================================  ==============================  ==================
first query, in any scene but pauses     the whole turn                  ``<COMPLETE>``
interruption, a wish for silence too     the whole turn                  ``<COMPLETE>``
backchannel                              the whole turn                  ``<BACKCHANNEL>``
query with a hesitation                  up to the hesitation            ``<INCOMPLETE>``
third party, speech directed at others   none (a label was given up)     -
=======================================  ==============================  ==================

Of recorded talk nobody planned the turns, and the clip shows what became of one:

=======================================  ==============================  ==================
what is said                             clip                            label
=======================================  ==============================  ==================
backchannel                              the whole turn                  ``<BACKCHANNEL>``
the other side speaks next, after it     the whole turn                  ``<COMPLETE>``
the other side starts before its end     none (it may have had more)     -
no transcript, or nobody speaks next     none                            -
=======================================  ==============================  ==================

Our reading, as the rule does not name it: the second query, where speech is directed at others later on, is an
ordinary query and complete. `<WAIT>` is never used, as HumDial has dropped it.

Lines carry all the fields that the packer indexes, metadata in ASCII because it counts their sizes in characters,
and keys without a dot because members of a shard are named after them. Audio is 16 kHz PCM16. Paths count from the
export's root.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from string import ascii_lowercase

from pydantic import Field, JsonValue

from pipeline.core.exports.clock import sample_at, seconds_at
from pipeline.core.exports.files import TextFile, WavFile
from pipeline.core.exports.formats import Exported, gather_lines
from pipeline.core.exports.ids import assign_ids
from pipeline.core.exports.manifest import MANIFEST, ExportRow, Layout, describe, licences_file
from pipeline.core.exports.segments import Segment, segments_of
from pipeline.core.exports.track2_names import names_of
from pipeline.core.mining.timeline import UNTRANSCRIBED
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType
from pipeline.domain.labels import Language, Recipe, Speaker, Track
from pipeline.domain.quarantine import Reason
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene
from pipeline.domain.span import Span
from pipeline.domain.timeline import Dialogue, Supervision, Timeline

RATE_HZ = 16_000
TASK = "<TRANSCRIBE> <BACKCHANNEL> <COMPLETE>"
DATASET = "humdial-pipeline"
_LANGUAGES = {Language.ZH: "<CN>", Language.EN: "<EN>"}


class TurnState(StrEnum):
    """Labels of Easy-Turn that HumDial's rule gives, upper case as in its data."""

    COMPLETE = "<COMPLETE>"
    INCOMPLETE = "<INCOMPLETE>"
    BACKCHANNEL = "<BACKCHANNEL>"


class EasyTurnOptions(Record):
    """Choices of the export."""

    first_speaker: int = Field(default=1, ge=0, le=9_999)
    """First group of the first id: lets exports of several runs lie beside each other."""


class EasyTurnClip(Record):
    """One labelled clip, as the manifest tells of it."""

    key: str
    path: str
    turn: int
    start_s: float
    end_s: float
    num_samples: int = Field(gt=0)
    """At the file's own rate of 16 kHz."""
    state: TurnState
    text: str


class EasyTurnDialogue(ExportRow):
    """A line of `manifest.jsonl`: a dialogue as in `humdial-track2`, and its clips."""

    lines: str
    """The JSONL file that holds the lines of its clips."""
    clips: tuple[EasyTurnClip, ...]


class EasyTurnRow(Record):
    """What closing the export has to know of one dialogue."""

    described: EasyTurnDialogue
    lines: tuple[str, ...]
    """One per clip."""


@dataclass(frozen=True, slots=True)
class _Labelled:
    """What of a turn is given to the detector."""

    turn: int
    supervisions: tuple[Supervision, ...]
    text: str
    state: TurnState

    @property
    def span(self) -> Span:
        return Span(start=self.supervisions[0].span.start, end=max(s.span.end for s in self.supervisions))


def assign_easy_turn_ids(timelines: Iterable[Timeline], options: EasyTurnOptions) -> dict[str, str]:
    """Export id by dialogue id: that of `humdial-track2`."""
    return assign_ids(timelines, options.first_speaker)


def export_easy_turn(dialogue: Dialogue, export_id: str) -> Exported[EasyTurnRow]:
    """The clips of one dialogue and their lines. Raises RecordError where it has no label to give."""
    timeline = dialogue.timeline
    category = category_of(timeline.recipe, timeline.scene)
    if category is None:
        raise _unfit(
            timeline,
            f"a dialogue of recipe {timeline.recipe.value}; wanted one with a HumDial scene, or recorded talk",
        )
    labelled = tuple(_labelled(timeline) if timeline.scene else _of_recorded(timeline))
    if not 0 < len(labelled) <= len(ascii_lowercase):
        raise _unfit(
            timeline,
            f"{len(labelled)} clips have a label; wanted 1 to {len(ascii_lowercase)}, each of a turn of the user that "
            "is known in words",
        )
    root = f"{timeline.split.value}/{timeline.language.value}"
    keys = [f"{category}_{export_id}_{letter}" for letter in ascii_lowercase[: len(labelled)]]
    clips = tuple(
        _clip(timeline, key, f"{root}/clips/{key}.wav", one) for key, one in zip(keys, labelled, strict=True)
    )
    described = describe(timeline, export_id, Layout(timeline.split.value), f"{root}/clips", ())
    row = EasyTurnRow(
        described=EasyTurnDialogue.model_validate(
            {**described.model_dump(), "lines": f"{root}.jsonl", "clips": clips}
        ),
        lines=tuple(_line(timeline, export_id, clip) for clip in clips),
    )
    wavs = (_wav(timeline, clip.path, one) for clip, one in zip(clips, labelled, strict=True))
    return Exported(tuple(wavs), row)


def close_easy_turn(rows: tuple[EasyTurnRow, ...]) -> tuple[TextFile, ...]:
    """The JSONL files, the manifest and the licences."""
    ordered = sorted(rows, key=lambda row: row.described.export_id)
    lines = [
        (row.described.lines, clip.key, line)
        for row in ordered
        for clip, line in zip(row.described.clips, row.lines, strict=True)
    ]
    manifest = "".join(f"{row.described.to_line()}\n" for row in ordered)
    return (
        *gather_lines(lines),
        TextFile(MANIFEST, manifest),
        licences_file(row.described.licence for row in ordered),
    )


def category_of(recipe: Recipe, scene: Scene | None) -> str | None:
    """What keys begin with; None for dialogues that the format has no rule for.

    >>> category_of(Recipe.MINED, None)
    'mined'
    """
    if scene is not None:
        return names_of(scene).test
    return recipe.value if recipe is Recipe.MINED else None


def _of_recorded(timeline: Timeline) -> Iterator[_Labelled]:
    """The clips of recorded talk, in order."""
    nods = {timeline.supervision(e.supervision_id).turn for e in timeline.events if e.type.is_backchannel}
    floor = [segment for segment in segments_of(timeline) if segment.turn not in nods]
    for segment in segments_of(timeline):
        silent = any(supervision.text == UNTRANSCRIBED for supervision in segment.supervisions)
        if segment.speaker is not Speaker.USER or silent:
            continue
        _check_alone(timeline, segment)
        following = next((s for s in floor if s.span.start > segment.span.start), None)
        if segment.turn in nods:
            yield _Labelled(segment.turn, segment.supervisions, segment.text, TurnState.BACKCHANNEL)
        elif following and following.speaker is not Speaker.USER and following.span.start >= segment.span.end:
            yield _Labelled(segment.turn, segment.supervisions, segment.text, TurnState.COMPLETE)


def _labelled(timeline: Timeline) -> Iterator[_Labelled]:
    """The clips by HumDial's rule, in order."""
    aside = {
        timeline.supervision(e.supervision_id).turn
        for e in timeline.events
        if e.type is EventType.SPEECH_DIRECTED_AT_OTHERS
    }
    nods = {timeline.supervision(e.supervision_id).turn for e in timeline.events if e.type.is_backchannel}
    for segment in segments_of(timeline):
        if segment.speaker is not Speaker.USER or segment.turn in aside:
            continue
        _check_alone(timeline, segment)
        said, separator, _ = segment.text.partition("[break]")
        if separator:
            before = _before_hesitation(timeline, segment)
            yield _Labelled(segment.turn, before, said.strip(), TurnState.INCOMPLETE)
        else:
            state = TurnState.BACKCHANNEL if segment.turn in nods else TurnState.COMPLETE
            yield _Labelled(segment.turn, segment.supervisions, said, state)


def _before_hesitation(timeline: Timeline, segment: Segment) -> tuple[Supervision, ...]:
    """The sentences before the first hesitation::

    |== please remind me to ==|   (pause)   |== water the tomatoes ==|
    |== please remind me to ==|                                          the clip
    """
    after = {e.supervision_id for e in timeline.events if e.type is EventType.HESITATION_PAUSE}
    first = next(i for i, s in enumerate(segment.supervisions) if i and s.supervision_id in after)
    return segment.supervisions[:first]


def _check_alone(timeline: Timeline, segment: Segment) -> None:
    """A clip has to be what its label says: one voice, not broken off."""
    if any(supervision.truncated for supervision in segment.supervisions):
        raise _unfit(
            timeline, f"the user breaks off in turn {segment.turn}, which no label stands for; drop it"
        )
    for other in timeline.supervisions:
        if other.speaker is Speaker.THIRD_PARTY and other.span.overlap(segment.span) is not None:
            raise _unfit(
                timeline, f"a third party speaks into user turn {segment.turn}; wanted the user's voice alone"
            )


def _clip(timeline: Timeline, key: str, path: str, one: _Labelled) -> EasyTurnClip:
    rate = timeline.sampling_rate
    return EasyTurnClip(
        key=key,
        path=path,
        turn=one.turn,
        start_s=seconds_at(one.span.start, rate),
        end_s=seconds_at(one.span.end, rate),
        num_samples=sample_at(one.span.end, rate, RATE_HZ) - sample_at(one.span.start, rate, RATE_HZ),
        state=one.state,
        text=one.text,
    )


def _wav(timeline: Timeline, path: str, one: _Labelled) -> WavFile:
    keep = tuple(supervision.span for supervision in one.supervisions)
    return WavFile(path, timeline.dialogue_id, Track.USER, keep, sampling_rate=RATE_HZ, crop=one.span)


def _line(timeline: Timeline, export_id: str, clip: EasyTurnClip) -> str:
    line: dict[str, JsonValue] = {
        "task": TASK,
        "key": clip.key,
        "wav": clip.path,
        "txt": f"{clip.text}{clip.state.value}",
        "lang": _LANGUAGES[timeline.language],
        "speaker": export_id.partition("_")[0],
        "emotion": "<NONE>",
        "gender": _gender(timeline),
        "duration": seconds_at(clip.num_samples, RATE_HZ),
        "state": "0",
        "extra": {"dataset": DATASET},
    }
    return json.dumps(line, ensure_ascii=False)


def _gender(timeline: Timeline) -> str:
    """As the voice's catalogue says; of recorded people nobody does."""
    gender = next(v.gender for v in timeline.voicing if v.speaker is Speaker.USER)
    return gender.value if gender is not None else "<NONE>"


def _unfit(timeline: Timeline, problem: str) -> RecordError:
    return RecordError(Reason.NOT_EXPORTABLE, f"{timeline.dialogue_id}: easy-turn: {problem}")
