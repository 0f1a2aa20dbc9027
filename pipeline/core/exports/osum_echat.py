"""OSUM-EChat: multi-turn emotional dialogues as the raw JSONL that its packer reads.

One line per dialogue of N user turns: the LAST user audio with the final response, and before it the history::

    user turn   1          2          3 = N
    audio       wav_1      wav_2      wav
    response    txt_1      txt_2      txt

What is met by construction, because readers drop it or break on it without a word: the history is numbered
1...N-1 without a gap (a gap discards all of it); `key` has no dot (members of the shards are named after it) and
metadata are ASCII (their sizes are counted in characters); audio is 16 kHz PCM16, which nothing resamples.
Only the tar reader builds a history, so pack the shards, from the export's root: paths count from there.

`speech_token` and its numbered kin are empty lists: ids of the responses in their S3 tokenizer, which is no part of
this package. With spoken responses (`script.emotional.response_audio`) the audio to make them from is beside the
lines, `extra.a_wav_path` names that of the final one; without, train on the text.

The published converter of HumDial writes another form, of which nothing is left but an empty file.
"""

import json
from collections.abc import Iterable

from pydantic import Field, JsonValue

from pipeline.core.exports.exchange_clips import (
    AnsweredRow,
    AnsweredTurn,
    answered_turns,
    describe_answered,
    user_gender,
)
from pipeline.core.exports.formats import Exported
from pipeline.core.exports.humdial_track1 import Track1Options, assign_track1_ids
from pipeline.domain.labels import Language
from pipeline.domain.record import Record
from pipeline.domain.timeline import Dialogue, Timeline

MULTI_TURN = "<S2TCHAT> <TEXT2TOKEN> <HISTORY>"
SINGLE_TURN = "<S2TCHAT> <TEXT2TOKEN>"
DATASET = "humdial-pipeline"
_LANGUAGES = {Language.ZH: "<CN>", Language.EN: "<EN>"}


class OsumEchatOptions(Record):
    """Choices of the export."""

    first_speaker: int = Field(default=1, ge=0, le=9_999)
    """First group of the first id: lets exports of several runs lie beside each other."""


def assign_osum_ids(timelines: Iterable[Timeline], options: OsumEchatOptions) -> dict[str, str]:
    """Export id by dialogue id: that of `humdial-track1`."""
    return assign_track1_ids(timelines, Track1Options(first_speaker=options.first_speaker))


def export_osum_echat(dialogue: Dialogue, export_id: str) -> Exported[AnsweredRow]:
    """The audio of one dialogue and its line. Raises RecordError where it is no dialogue of turns and replies."""
    timeline = dialogue.timeline
    turns = answered_turns(timeline, export_id, "osum-echat")
    row = AnsweredRow(
        described=describe_answered(timeline, export_id, turns), line=_line(timeline, export_id, turns)
    )
    return Exported(tuple(audio.wav() for turn in turns for audio in turn.audio()), row)


def _line(timeline: Timeline, export_id: str, turns: tuple[AnsweredTurn, ...]) -> str:
    *history, last = turns
    line: dict[str, JsonValue] = {
        "key": export_id,
        "task": MULTI_TURN if history else SINGLE_TURN,
        "wav": last.user_audio.path,
        "txt": last.response.text,
    }
    tokens: dict[str, JsonValue] = {"speech_token": []}
    for number, turn in enumerate(history, start=1):
        line[f"wav_{number}"] = turn.user_audio.path
        line[f"txt_{number}"] = turn.response.text
        tokens[f"speech_token_{number}"] = []
    line["extra"] = tokens | _extra(timeline, last)
    line["lang"] = _LANGUAGES[timeline.language]
    line["speaker"] = _speaker_of(export_id)
    line["emotion"] = last.exchange.feeling.emotion.value
    gender = user_gender(timeline)
    if gender is not None:
        line["gender"] = gender.value
    return json.dumps(line, ensure_ascii=False)


def _extra(timeline: Timeline, last: AnsweredTurn) -> dict[str, JsonValue]:
    """Documented keys beside the tokens; what is not known here (age, reasoning) is left out."""
    extra: dict[str, JsonValue] = {
        "dataset": DATASET,
        "duration": last.user_audio.duration_s,
        "question": last.exchange.text,
    }
    gender = user_gender(timeline)
    if gender is not None:
        extra["gender"] = f"<{gender.name}>"
    if last.response_audio is not None:
        extra["a_wav_path"] = last.response_audio.path
    return extra


def _speaker_of(export_id: str) -> str:
    """The group of the id: a number, because names of voices need not be ASCII.

    >>> _speaker_of("task1_3_en_0042_0007")
    '0042'
    """
    return export_id.split("_")[-2]
