"""OpenS2S: emotional dialogues as `messages`, user audio and response text by turns.

A line has the key `messages` and nothing else, and a message's content all four keys, as strings::

    user        text ""            audio "<id>_1.wav"    speech_units ""    spk_emb ""
    assistant   text "<response>"  audio ""              speech_units ""    spk_emb ""

Its reader drops a record, without a word, whose audio is missing or shorter than half a second: here that dialogue
is refused by name. Audio is legal for the user alone, and wins over text: the user's words, and spoken responses,
are in the manifest and beside the lines. Paths count from the export's root.

`speech_units` are empty: ids of the responses in the tokenizer of GLM-4-Voice, which is no part of this package.
They can be made from the spoken responses (`script.emotional.response_audio`); lines without them train replies in
text.
"""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from pipeline.core.exports.exchange_clips import (
    AnsweredRow,
    AnsweredTurn,
    answered_turns,
    describe_answered,
)
from pipeline.core.exports.formats import Exported
from pipeline.core.exports.humdial_track1 import Track1Options, assign_track1_ids
from pipeline.domain.record import Record
from pipeline.domain.timeline import Dialogue, Timeline


class OpenS2SOptions(Record):
    """Choices of the export."""

    first_speaker: int = Field(default=1, ge=0, le=9_999)
    """First group of the first id: lets exports of several runs lie beside each other."""


class Content(Record):
    """The one content item of a message."""

    text: str = ""
    audio: str = ""
    speech_units: str = ""
    spk_emb: str = ""


class Message(Record):
    """What one party says in one turn."""

    role: Literal["user", "assistant"]
    content: tuple[Content]


class Messages(Record):
    """A line."""

    messages: tuple[Message, ...]


def assign_opens2s_ids(timelines: Iterable[Timeline], options: OpenS2SOptions) -> dict[str, str]:
    """Export id by dialogue id: that of `humdial-track1`. Lines have none, file names and the manifest do."""
    return assign_track1_ids(timelines, Track1Options(first_speaker=options.first_speaker))


def export_opens2s(dialogue: Dialogue, export_id: str) -> Exported[AnsweredRow]:
    """The audio of one dialogue and its line. Raises RecordError for what the reader would drop."""
    timeline = dialogue.timeline
    turns = answered_turns(timeline, export_id, "opens2s")
    line = Messages(messages=tuple(message for turn in turns for message in _messages(turn)))
    row = AnsweredRow(described=describe_answered(timeline, export_id, turns), line=line.to_line())
    return Exported(tuple(audio.wav() for turn in turns for audio in turn.audio()), row)


def _messages(turn: AnsweredTurn) -> tuple[Message, Message]:
    return (
        Message(role="user", content=(Content(audio=turn.user_audio.path),)),
        Message(role="assistant", content=(Content(text=turn.response.text),)),
    )
