"""Emotional dialogues for the trainers of replies: what `osum-echat` and `opens2s` share.

Both want the audio of every user turn and the text of every response; they differ in how a line says so. Files of
one dialogue, with paths from the export's root::

    train/en.jsonl                                  its line, among others
    train/en/wav/task1_3_en_0001_0001_1.wav         user turn 1
    train/en/response/task1_3_en_0001_0001_1_response.wav    where the run renders responses
    manifest.jsonl                                  feelings, causes, texts, voices, licence, provenance

Ids are those of `humdial-track1`, so that the exports of one run can be told to be of the same dialogues.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.core.exports.clock import sample_at, seconds_at
from pipeline.core.exports.exchanges import Exchange, Response, arc_of, exchanges_of
from pipeline.core.exports.files import TextFile, WavFile
from pipeline.core.exports.formats import gather_lines
from pipeline.core.exports.humdial_track1 import MIN_USER_SAMPLES, RATE_HZ
from pipeline.core.exports.manifest import MANIFEST, licences_file
from pipeline.core.exports.track1_rows import Track1Clip
from pipeline.domain.emotional import EmotionalArc
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Gender, Language, Speaker, Split, Track
from pipeline.domain.licence import Licence
from pipeline.domain.quarantine import Reason
from pipeline.domain.record import Record
from pipeline.domain.span import Span
from pipeline.domain.timeline import Provenance, Supervision, Timeline, Voicing


@dataclass(frozen=True, slots=True)
class ExchangeAudio:
    """An audio file of one turn: its sentences, from the first to the end of the last."""

    path: str
    dialogue_id: str
    sampling_rate: int
    """Of the dialogue; the file's own is `RATE_HZ`."""
    speaker: Speaker
    supervisions: tuple[Supervision, ...]
    span: Span

    @property
    def num_samples(self) -> int:
        """Of the file."""
        rate = self.sampling_rate
        return sample_at(self.span.end, rate, RATE_HZ) - sample_at(self.span.start, rate, RATE_HZ)

    @property
    def duration_s(self) -> float:
        """Of the file."""
        return seconds_at(self.num_samples, RATE_HZ)

    def wav(self) -> WavFile:
        """What is written: the pauses between its sentences are digital silence."""
        return WavFile(
            self.path,
            self.dialogue_id,
            Track.of(self.speaker),
            keep=tuple(supervision.span for supervision in self.supervisions),
            sampling_rate=RATE_HZ,
            crop=self.span,
        )

    def describe(self) -> Track1Clip:
        """What the manifest says of it."""
        return Track1Clip(
            path=self.path,
            speaker=self.speaker,
            start_s=seconds_at(self.span.start, self.sampling_rate),
            end_s=seconds_at(self.span.end, self.sampling_rate),
            num_samples=self.num_samples,
        )


@dataclass(frozen=True, slots=True)
class AnsweredTurn:
    """A user turn with its audio, and the response to it."""

    exchange: Exchange
    response: Response
    user_audio: ExchangeAudio
    response_audio: ExchangeAudio | None
    """None where the run renders no responses."""

    def audio(self) -> Iterator[ExchangeAudio]:
        """The audio that there is."""
        yield self.user_audio
        if self.response_audio is not None:
            yield self.response_audio


class AnsweredDialogue(Record):
    """A line of `manifest.jsonl`: what one exported dialogue is and where it comes from.

    The n-th of those that name the same file is about the n-th line of it.
    """

    export_id: str
    dialogue_id: str
    lines: str
    """The JSONL file that holds its line."""
    split: Split
    language: Language
    topic: str
    arc: EmotionalArc
    texts: tuple[str, ...]
    """Of the user turns, with tags: the lines have their audio alone."""
    responses: tuple[str, ...]
    clips: tuple[Track1Clip, ...]
    voices: tuple[Voicing, ...]
    licence: Licence
    provenance: Provenance


class AnsweredRow(Record):
    """What closing the export has to know of one dialogue."""

    described: AnsweredDialogue
    line: str


def answered_turns(timeline: Timeline, export_id: str, who: str) -> tuple[AnsweredTurn, ...]:
    """The exchanges with their audio. Raises RecordError, naming the format `who`, where one has no response
    or a user turn is too short to answer."""
    root = _root(timeline)
    turns = []
    for exchange in exchanges_of(timeline):
        if exchange.response is None:
            raise RecordError(
                Reason.NOT_EXPORTABLE,
                f"{timeline.dialogue_id}: {who}: user turn {exchange.number} has no response, and lines are about "
                "replies; leave single-turn tasks out",
            )
        name = f"{export_id}_{exchange.number}"
        said = _audio(timeline, f"{root}/wav/{name}.wav", Speaker.USER, exchange.supervisions, exchange.span)
        if said.num_samples < MIN_USER_SAMPLES:
            raise RecordError(
                Reason.NOT_EXPORTABLE,
                f"{timeline.dialogue_id}: {who}: user turn {exchange.number} lasts {said.num_samples / RATE_HZ:.3f} s, "
                f"and readers drop less than {MIN_USER_SAMPLES / RATE_HZ} s: write a longer turn",
            )
        turns.append(
            AnsweredTurn(
                exchange,
                exchange.response,
                said,
                _response_audio(timeline, f"{root}/response/{name}_response.wav", exchange.response),
            )
        )
    return tuple(turns)


def describe_answered(
    timeline: Timeline, export_id: str, turns: tuple[AnsweredTurn, ...]
) -> AnsweredDialogue:
    """The manifest line of a dialogue."""
    return AnsweredDialogue(
        export_id=export_id,
        dialogue_id=timeline.dialogue_id,
        lines=f"{_root(timeline)}.jsonl",
        split=timeline.split,
        language=timeline.language,
        topic=timeline.topic,
        arc=arc_of(timeline),
        texts=tuple(turn.exchange.text for turn in turns),
        responses=tuple(turn.response.text for turn in turns),
        clips=tuple(audio.describe() for turn in turns for audio in turn.audio()),
        voices=timeline.voicing,
        licence=timeline.licence,
        provenance=timeline.provenance,
    )


def close_answered(rows: tuple[AnsweredRow, ...]) -> tuple[TextFile, ...]:
    """The JSONL files, the manifest in their order, and the licences."""
    ordered = sorted(rows, key=lambda row: row.described.export_id)
    lines = [(row.described.lines, row.described.export_id, row.line) for row in ordered]
    manifest = "".join(f"{row.described.to_line()}\n" for row in ordered)
    return (
        *gather_lines(lines),
        TextFile(MANIFEST, manifest),
        licences_file(row.described.licence for row in ordered),
    )


def user_gender(timeline: Timeline) -> Gender | None:
    """Of the user's voice; None where no user is heard."""
    return next((v.gender for v in timeline.voicing if v.speaker is Speaker.USER), None)


def _root(timeline: Timeline) -> str:
    return f"{timeline.split.value}/{timeline.language.value}"


def _audio(
    timeline: Timeline, path: str, speaker: Speaker, supervisions: tuple[Supervision, ...], span: Span
) -> ExchangeAudio:
    return ExchangeAudio(path, timeline.dialogue_id, timeline.sampling_rate, speaker, supervisions, span)


def _response_audio(timeline: Timeline, path: str, response: Response) -> ExchangeAudio | None:
    if response.span is None:
        return None
    return _audio(timeline, path, Speaker.ASSISTANT, response.supervisions, response.span)
