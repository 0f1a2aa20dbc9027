"""HumDial Track 1: emotional dialogues in the shapes of its train and dev packages, its test set and a submission.

==================  ===========  =====================  ===================
field of a turn     train, dev   test                   submission
==================  ===========  =====================  ===================
turn_id             yes          yes                    yes
text, emotion       yes          -                      -
split_audio_file    user audio   -                      -
input_audio         -            user audio             user audio
response_text       yes          -                      yes
response_audio      -            -                      response audio
==================  ===========  =====================  ===================

`turn_id` counts user turns from 1. Test lines of the generation task have `input_text` and `input_emotion` in the
place of audio, which is what is asked for (inferred). Audio is 16 kHz mono PCM16, `<id>_<turn>.wav`, and
`<id>_<turn>_response.wav` where responses are spoken.

Beside the official tree, never inside: `manifest.jsonl` (feelings, causes, conflicts, voices, provenance),
`LICENSES.md`, `responses/` (spoken responses of layouts that have no place for them), and for test and submission
`scoring/<language>/HD-Track1-T<n>.jsonl`: the lines with `input_text`, `input_emotion` and `response_text`
together, as the official judges want them; a submission's own lines leave them without a history.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.core.exports.clock import sample_at, seconds_at
from pipeline.core.exports.exchanges import Exchange, arc_of, exchanges_of
from pipeline.core.exports.files import TextFile, WavFile
from pipeline.core.exports.formats import Exported, gather_lines
from pipeline.core.exports.ids import assign_ids
from pipeline.core.exports.manifest import MANIFEST, licences_file
from pipeline.core.exports.track1_names import (
    RANKED,
    Place,
    Track1Layout,
    dialogue_name,
    place_of,
)
from pipeline.core.exports.track1_rows import (
    Track1Clip,
    Track1Dialogue,
    Track1File,
    Track1Line,
    Track1Row,
    Track1Turn,
)
from pipeline.domain.emotional import EmotionalArc, EmotionalTask
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Emotion, Language, Speaker, Track
from pipeline.domain.quarantine import Reason
from pipeline.domain.record import Record
from pipeline.domain.span import Span
from pipeline.domain.timeline import Dialogue, Supervision, Timeline

RATE_HZ = 16_000
MIN_USER_SAMPLES = 8_000
"""Half a second: OpenS2S drops a dialogue with a shorter user turn without a word."""


class Track1Options(Record):
    """Choices that the official packages leave open."""

    layout: Track1Layout | None = None
    """Write every dialogue in this layout; None: each in the layout of its own split."""
    generation: Literal[1, 2] = 2
    """Of the README: which numbers tasks have, and which tree (see `track1_names`)."""
    first_speaker: int = Field(default=1, ge=0, le=9_999)
    """First group of the first id: lets exports of several runs lie beside each other."""

    @model_validator(mode="after")
    def _published(self) -> Self:
        if self.generation == 1 and self.layout in (Track1Layout.TEST, Track1Layout.SUBMISSION):
            raise ValueError(f"generation 1 published no {self.layout.value} layout; leave generation at 2")
        return self


@dataclass(frozen=True, slots=True)
class _Item:
    """One dialogue on its way into the tree."""

    export_id: str
    timeline: Timeline
    arc: EmotionalArc
    layout: Track1Layout
    place: Place
    exchanges: tuple[Exchange, ...]

    def user_path(self, exchange: Exchange) -> str:
        return f"{self.place.audio}/{self.export_id}_{exchange.number}.wav"

    def response_path(self, exchange: Exchange) -> str:
        return f"{self.place.responses}/{self.export_id}_{exchange.number}_response.wav"

    @property
    def input_is_text(self) -> bool:
        """The generation task is given words and a feeling; its audio is what the system has to make."""
        return self.arc.task is EmotionalTask.GENERATION and self.layout is Track1Layout.TEST


@dataclass(frozen=True, slots=True)
class _Cut:
    """An audio file to be: these sentences, from the first to the end of the last."""

    path: str
    speaker: Speaker
    supervisions: tuple[Supervision, ...]
    span: Span


def assign_track1_ids(timelines: Iterable[Timeline], options: Track1Options) -> dict[str, str]:
    """Export id by dialogue id over the whole run: `task1_3_en_<speaker>_<number>`.

    Speakers and their dialogues are numbered as in `assign_ids`, so that no two dialogues of a run share the
    last eight digits. What is no emotional dialogue has an id without the head, and is refused later.
    """
    heads: dict[str, tuple[EmotionalTask, int, Language]] = {}

    def remembered() -> Iterator[Timeline]:
        for timeline in timelines:
            if timeline.arc is not None:
                arc = timeline.arc
                heads[timeline.dialogue_id] = (arc.task, len(arc.feelings), timeline.language)
            yield timeline

    numbers = assign_ids(remembered(), options.first_speaker)
    return {
        dialogue_id: dialogue_name(*heads[dialogue_id], number, options.generation)
        if dialogue_id in heads
        else number
        for dialogue_id, number in numbers.items()
    }


def export_track1(dialogue: Dialogue, export_id: str, options: Track1Options) -> Exported[Track1Row]:
    """The files of one dialogue and its lines. Raises RecordError where its layout cannot hold it."""
    timeline = dialogue.timeline
    layout = options.layout or Track1Layout(timeline.split.value)
    exchanges, arc = exchanges_of(timeline), arc_of(timeline)
    place = place_of(layout, arc.task, len(exchanges), timeline.language, options.generation)
    item = _Item(export_id, timeline, arc, layout, place, exchanges)
    _check_scorable(item)
    cuts = tuple(_cuts(item))
    official = Track1Line(dialogue_id=export_id, turns=tuple(_turn(item, one) for one in exchanges))
    files = [Track1File(path=place.lines, line=official.to_json())]
    if layout in (Track1Layout.TEST, Track1Layout.SUBMISSION) and arc.task in RANKED:
        scored = Track1Line(dialogue_id=export_id, turns=tuple(_scored(item, one) for one in exchanges))
        name = place.lines.rpartition("/")[2]
        path = f"scoring/{timeline.language.value}/{name}"
        files.append(Track1File(path=path, line=scored.to_json()))
    described = _describe(item, options.generation, cuts)
    return Exported(
        tuple(_wav(item, cut) for cut in cuts),
        Track1Row(export_id=export_id, described=described, lines=tuple(files)),
    )


def close_track1(rows: tuple[Track1Row, ...]) -> tuple[TextFile, ...]:
    """The JSONL files, the manifest and the licences."""
    lines = [(file.path, row.export_id, file.line) for row in rows for file in row.lines]
    manifest = "".join(f"{row.described.to_line()}\n" for row in sorted(rows, key=lambda row: row.export_id))
    return (
        *gather_lines(lines),
        TextFile(MANIFEST, manifest),
        licences_file(row.described.licence for row in rows),
    )


def _check_scorable(item: _Item) -> None:
    """What official readers drop or cannot score is refused by name."""
    name = f"{item.timeline.dialogue_id}: humdial-track1, {item.layout.value} layout"
    for exchange in item.exchanges:
        samples = _num_samples(exchange.span, item.timeline.sampling_rate)
        if samples < MIN_USER_SAMPLES:
            raise RecordError(
                Reason.NOT_EXPORTABLE,
                f"{name}: user turn {exchange.number} lasts {samples / RATE_HZ:.3f} s; readers drop less than "
                f"{MIN_USER_SAMPLES / RATE_HZ} s: write a longer turn",
            )
        response = exchange.response
        if item.layout is Track1Layout.SUBMISSION and (response is None or not response.supervisions):
            raise RecordError(
                Reason.NOT_EXPORTABLE,
                f"{name}: response {exchange.number} is not spoken, and a submission holds its audio; "
                "set script.emotional.response_audio and run again",
            )
    felt = sum(feeling.emotion is not Emotion.NEUTRAL for feeling in item.arc.feelings)
    if item.arc.task is EmotionalTask.EMPATHY and felt != 2:
        raise RecordError(
            Reason.NOT_EXPORTABLE,
            f"{name}: {felt} user turns are not neutral; wanted 2, as README and judge differ on which of more "
            "is scored",
        )


def _cuts(item: _Item) -> Iterator[_Cut]:
    """The audio files of a dialogue."""
    for exchange in item.exchanges:
        if not item.input_is_text:
            yield _Cut(item.user_path(exchange), Speaker.USER, exchange.supervisions, exchange.span)
        response = exchange.response
        if response is not None and response.span is not None:
            path = item.response_path(exchange)
            yield _Cut(path, Speaker.ASSISTANT, response.supervisions, response.span)


def _wav(item: _Item, cut: _Cut) -> WavFile:
    return WavFile(
        cut.path,
        item.timeline.dialogue_id,
        Track.of(cut.speaker),
        keep=tuple(supervision.span for supervision in cut.supervisions),
        sampling_rate=RATE_HZ,
        crop=cut.span,
    )


def _turn(item: _Item, exchange: Exchange) -> Track1Turn:
    """A turn of the official line."""
    user = item.user_path(exchange).removeprefix(item.place.base)
    response = exchange.response.text if exchange.response is not None else None
    if item.input_is_text:
        return Track1Turn(
            turn_id=exchange.number, input_text=exchange.text, input_emotion=exchange.feeling.emotion
        )
    if item.layout is Track1Layout.TEST:
        return Track1Turn(turn_id=exchange.number, input_audio=user)
    if item.layout is Track1Layout.SUBMISSION:
        return Track1Turn(
            turn_id=exchange.number,
            input_audio=user,
            response_text=response,
            response_audio=item.response_path(exchange),
        )
    return Track1Turn(
        turn_id=exchange.number,
        text=exchange.text,
        emotion=exchange.feeling.emotion,
        split_audio_file=user,
        response_text=response,
    )


def _scored(item: _Item, exchange: Exchange) -> Track1Turn:
    """A turn as the judges want it, with paths from the export's root."""
    response = exchange.response
    return Track1Turn(
        turn_id=exchange.number,
        input_audio=item.user_path(exchange),
        input_text=exchange.text,
        input_emotion=exchange.feeling.emotion,
        response_text=None if response is None else response.text,
        response_audio=item.response_path(exchange) if response and response.supervisions else None,
    )


def _describe(item: _Item, generation: Literal[1, 2], cuts: tuple[_Cut, ...]) -> Track1Dialogue:
    timeline = item.timeline
    return Track1Dialogue(
        export_id=item.export_id,
        dialogue_id=timeline.dialogue_id,
        layout=item.layout,
        generation=generation,
        lines=item.place.lines,
        split=timeline.split,
        language=timeline.language,
        topic=timeline.topic,
        arc=item.arc,
        texts=tuple(exchange.text for exchange in item.exchanges),
        responses=tuple(exchange.response.text for exchange in item.exchanges if exchange.response),
        clips=tuple(_clip(cut, timeline.sampling_rate) for cut in cuts),
        voices=timeline.voicing,
        licence=timeline.licence,
        provenance=timeline.provenance,
    )


def _clip(cut: _Cut, rate: int) -> Track1Clip:
    return Track1Clip(
        path=cut.path,
        speaker=cut.speaker,
        start_s=seconds_at(cut.span.start, rate),
        end_s=seconds_at(cut.span.end, rate),
        num_samples=_num_samples(cut.span, rate),
    )


def _num_samples(span: Span, rate: int) -> int:
    return sample_at(span.end, rate, RATE_HZ) - sample_at(span.start, rate, RATE_HZ)
