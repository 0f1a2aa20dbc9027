"""InteractSpeech: one folder per dialogue, a track per speaker, a text with its interruptions marked.

::

    HUMDIAL_EN--train--12/
        dialogue_speakera.wav    the user: 22,050 Hz, mono, float32, zero outside its intervals
        dialogue_speakerb.wav    the assistant, equally long
        information.json         the text, and the intervals in samples, [start, end)

    speakera   |== 0: how do I get to ==|            |== 2: the second one? ==|
    speakerb            |= 1: mhm =|    |== 3: take the third left, th- ==|

A line of the text per turn, lines by onset, an interval per line. Intervals of both speakers sorted by time are the
lines in order: where two turns begin on one sample, or one speaker's turns lie inside each other, this would not
hold and the dialogue is refused.

` [interrupt] ` stands where a turn lost the floor with words left to say; what follows it is not voiced, a word that
was broken off is written before it as far as it is heard (`th-`) and after it as a whole. A host that finishes all
it had to say has no mark. The demos have two marks at most; here there are as many as happened, and the manifest
has `more_than_published` where that is more.

What the format has no word for, by rule: a backchannel is a line of its own, whose interval lies in its host's; so
is what a user says to others, both named in the manifest. Third parties are silenced, as there are two speakers, and
named there too; where one speaks into a user's turn, which silencing would damage, the dialogue is refused. The mixed
`test.wav` of the demos is not written: it is both tracks side by side.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from pydantic import Field

from pipeline.core.exports.clock import sample_at
from pipeline.core.exports.files import ExportFile, TextFile, WavFile
from pipeline.core.exports.formats import Exported
from pipeline.core.exports.manifest import MANIFEST, ExportRow, Layout, describe, licences_file
from pipeline.core.mining.timeline import UNTRANSCRIBED
from pipeline.core.tokens import tokenize
from pipeline.domain.errors import ConfigError, RecordError
from pipeline.domain.events import EventType
from pipeline.domain.labels import Language, Speaker, Track
from pipeline.domain.quarantine import Reason
from pipeline.domain.record import Record
from pipeline.domain.span import Span
from pipeline.domain.timeline import Dialogue, Supervision, Timeline

RATE_HZ = 22_050
MARK = "[interrupt]"
MOST_PUBLISHED = 2
"""Interruptions of a dialogue in the demos and their paper."""
_SIDES = {Speaker.USER: "A", Speaker.ASSISTANT: "B"}
_FILES = {Speaker.USER: "dialogue_speakera.wav", Speaker.ASSISTANT: "dialogue_speakerb.wav"}


class InteractSpeechOptions(Record):
    """Choices of the export."""

    first_index: int = Field(default=1, ge=0)
    """Number of the first dialogue: lets exports of several runs lie beside each other."""


class Information(Record):
    """`information.json`, fields in the order of the demos."""

    original_dialog_id: str
    """Empty, as in the demos: the seed is in the manifest."""
    dialog_index: int
    """The number at the end of the folder's name."""
    processed_dialogue: str
    speakerA_time: tuple[tuple[int, int], ...]  # noqa: N815 - the format's own name
    speakerB_time: tuple[tuple[int, int], ...]  # noqa: N815


class InteractSpeechDialogue(ExportRow):
    """A line of `manifest.jsonl`: a dialogue with all it holds, and what the format has no word for.

    Lines are counted from 0.
    """

    interruptions: int = Field(ge=0)
    """Of the timeline, marked or not."""
    marked_lines: tuple[int, ...]
    more_than_published: bool
    """Whether there are more marks than in any demo."""
    backchannel_lines: tuple[int, ...]
    aside_lines: tuple[int, ...]
    """Said by the user to others."""
    silenced: tuple[str, ...]
    """Supervisions of third parties, which are heard on no track."""


class InteractSpeechRow(Record):
    """What closing the export has to know of one dialogue."""

    described: InteractSpeechDialogue


@dataclass(frozen=True, slots=True)
class _Line:
    """One turn as a line of the text."""

    turn: int
    speaker: Speaker
    supervisions: tuple[Supervision, ...]
    interval: Span
    """At `RATE_HZ`."""
    text: str
    marked: bool


def assign_interactspeech_ids(
    timelines: Iterable[Timeline], options: InteractSpeechOptions
) -> dict[str, str]:
    """Folder by dialogue id over the whole run: dialogues are numbered by their sorted ids.

    >>> assign_interactspeech_ids([], InteractSpeechOptions())
    {}
    """
    heads: dict[str, str] = {}
    for timeline in timelines:
        if timeline.dialogue_id in heads:
            raise ConfigError(
                f"export ids: two dialogues are called {timeline.dialogue_id!r}; export one run at a time"
            )
        heads[timeline.dialogue_id] = f"HUMDIAL_{timeline.language.name}--{timeline.split.value}"
    return {
        dialogue_id: f"{heads[dialogue_id]}--{index}"
        for index, dialogue_id in enumerate(sorted(heads), start=options.first_index)
    }


def export_interactspeech(dialogue: Dialogue, export_id: str) -> Exported[InteractSpeechRow]:
    """The folder of one dialogue. Raises RecordError where its text could not be told from its intervals."""
    timeline = dialogue.timeline
    lines = _lines(timeline)
    information = Information(
        original_dialog_id="",
        dialog_index=int(export_id.rpartition("--")[2]),
        processed_dialogue="\n".join(f"{_SIDES[line.speaker]}: {line.text}" for line in lines),
        speakerA_time=_intervals(lines, Speaker.USER),
        speakerB_time=_intervals(lines, Speaker.ASSISTANT),
    )
    files: list[ExportFile] = [_wav(timeline, export_id, speaker, lines) for speaker in _SIDES]
    files.append(TextFile(f"{export_id}/information.json", information.model_dump_json(indent=4)))
    return Exported(tuple(files), InteractSpeechRow(described=_describe(timeline, export_id, lines)))


def close_interactspeech(rows: tuple[InteractSpeechRow, ...]) -> tuple[TextFile, ...]:
    """The manifest and the licences."""
    ordered = sorted((row.described for row in rows), key=lambda row: row.export_id)
    manifest = "".join(f"{row.to_line()}\n" for row in ordered)
    return TextFile(MANIFEST, manifest), licences_file(row.licence for row in ordered)


def _lines(timeline: Timeline) -> tuple[_Line, ...]:
    """The turns of both speakers by onset, which their intervals have to tell again."""
    turns = (turn for turn in timeline.turns() if turn[0].speaker is not Speaker.THIRD_PARTY)
    lines = sorted((_line(timeline, turn) for turn in turns), key=lambda line: line.interval.start)
    for speaker in _SIDES:
        own = [line.interval for line in lines if line.speaker is speaker]
        if not own:
            raise _unfit(timeline, f"the {speaker.value} says nothing; wanted two speakers")
        for before, after in pairwise(own):
            if after.start < before.end:
                raise _unfit(timeline, f"a turn of the {speaker.value} begins inside another of its turns")
    for line, following in pairwise(lines):
        if line.interval.start == following.interval.start:
            raise _unfit(timeline, f"two turns begin at sample {line.interval.start}; wanted distinct onsets")
    _check_third_parties(timeline)
    return tuple(lines)


def _line(timeline: Timeline, turn: tuple[Supervision, ...]) -> _Line:
    first, *_ = turn
    if len({supervision.speaker for supervision in turn}) != 1:
        raise _unfit(timeline, f"turn {first.turn} has several speakers; wanted one")
    if any(supervision.truncated for supervision in turn[:-1]):
        raise _unfit(timeline, f"turn {first.turn} goes on after it broke off; wanted a turn of its own")
    space = "" if timeline.language is Language.ZH else " "
    said = space.join(_said(supervision) for supervision in turn)
    never_begun = (u.text for u in timeline.unsaid if u.turn == first.turn and u.why == "interrupted")
    unsaid = [_rest(turn[-1]), *never_begun]
    left = space.join(" ".join(text.split()) for text in unsaid if text)
    if any(supervision.text == UNTRANSCRIBED for supervision in turn):
        raise _unfit(timeline, f"turn {first.turn} is not known in words; wanted a transcript of all of it")
    if any(bracket in said + left for bracket in "[]"):
        raise _unfit(timeline, f"turn {first.turn} holds brackets, which readers take for marks")
    end = max(supervision.span.end for supervision in turn)
    interval = Span(
        start=sample_at(first.span.start, timeline.sampling_rate, RATE_HZ),
        end=sample_at(end, timeline.sampling_rate, RATE_HZ),
    )
    text = f"{said} {MARK} {left}" if left else said
    return _Line(first.turn, first.speaker, turn, interval, text, bool(left))


def _said(supervision: Supervision) -> str:
    """What is heard, on one line; of a word broken off before its first letter nothing is."""
    text = " ".join(supervision.text.split())
    last = supervision.words[-1]
    return text.removesuffix("-").rstrip() if last.cut and not last.text else text


def _rest(supervision: Supervision) -> str:
    """The planned words that were not said to their end.

    ::

        planned  get up in between, because
        heard    get up in bet-
        rest               between, because
    """
    if not supervision.truncated:
        return ""
    whole = sum(not word.cut for word in supervision.words)
    tokens = tokenize(supervision.planned_text)
    return supervision.planned_text[tokens[whole][1] :] if whole < len(tokens) else ""


def _check_third_parties(timeline: Timeline) -> None:
    users = [s for s in timeline.supervisions if s.speaker is Speaker.USER]
    for other in timeline.supervisions:
        if other.speaker is not Speaker.THIRD_PARTY:
            continue
        if any(other.span.overlap(user.span) is not None for user in users):
            raise _unfit(
                timeline, f"{other.supervision_id} of a third party falls into what the user says; drop it"
            )


def _intervals(lines: tuple[_Line, ...], speaker: Speaker) -> tuple[tuple[int, int], ...]:
    return tuple((line.interval.start, line.interval.end) for line in lines if line.speaker is speaker)


def _wav(timeline: Timeline, export_id: str, speaker: Speaker, lines: tuple[_Line, ...]) -> WavFile:
    keep = tuple(s.span for line in lines if line.speaker is speaker for s in line.supervisions)
    path = f"{export_id}/{_FILES[speaker]}"
    return WavFile(path, timeline.dialogue_id, Track.of(speaker), keep, sampling_rate=RATE_HZ, float32=True)


def _describe(timeline: Timeline, export_id: str, lines: tuple[_Line, ...]) -> InteractSpeechDialogue:
    def lines_of(*events: EventType) -> tuple[int, ...]:
        turns = {timeline.supervision(e.supervision_id).turn for e in timeline.events if e.type in events}
        return tuple(index for index, line in enumerate(lines) if line.turn in turns)

    marked = tuple(index for index, line in enumerate(lines) if line.marked)
    third = (s.supervision_id for s in timeline.supervisions if s.speaker is Speaker.THIRD_PARTY)
    described = describe(timeline, export_id, Layout(timeline.split.value), export_id, ())
    return InteractSpeechDialogue.model_validate(
        {
            **described.model_dump(),
            "interruptions": sum(event.type.is_interruption for event in timeline.events),
            "marked_lines": marked,
            "more_than_published": len(marked) > MOST_PUBLISHED,
            "backchannel_lines": lines_of(*(event for event in EventType if event.is_backchannel)),
            "aside_lines": lines_of(EventType.SPEECH_DIRECTED_AT_OTHERS),
            "silenced": tuple(third),
        }
    )


def _unfit(timeline: Timeline, problem: str) -> RecordError:
    return RecordError(Reason.NOT_EXPORTABLE, f"{timeline.dialogue_id}: interactspeech: {problem}")
