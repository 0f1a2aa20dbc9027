"""CANDOR's transcripts: words of the recogniser, or turns.

::

    processed/channel_map.json             {"L": "<user>", "R": "<user>"}
    transcription/transcribe_output.json   Amazon Transcribe's own: words by channel, ch_0 left and ch_1 right
    transcription/transcript_*.csv         turn_id,speaker,start,stop,utterance,...

Columns are found by name, and an utterance may be the word `None`. Of the three csv files `backbiter` is not read:
several backchannels inside a turn share one start and one stop there.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.transcripts.json_rows import Row, read_json
from pipeline.io.recordings.transcripts.spoken import (
    SpeakerWords,
    SpokenWord,
    by_speaker,
    read_text,
    spoken_word,
)

_COLUMNS = ("speaker", "start", "stop", "utterance")


class _Alternative(Row):
    content: str


class _Item(Row):
    type: str
    start_time: str | None = None
    end_time: str | None = None
    alternatives: tuple[_Alternative, ...] = ()


class _Channel(Row):
    channel_label: str
    items: tuple[_Item, ...]


class _ChannelLabels(Row):
    channels: tuple[_Channel, ...]


class _Results(Row):
    channel_labels: _ChannelLabels | None = None


class _Transcribed(Row):
    results: _Results


class ChannelMap(Row):
    """Who is on which channel."""

    L: str
    R: str


_TRANSCRIBED = TypeAdapter(_Transcribed)
_CHANNEL_MAP = TypeAdapter(ChannelMap)


def read_channel_map(path: Path) -> ChannelMap:
    """Read a `channel_map.json`. Raises ConfigError."""
    return read_json(path, _CHANNEL_MAP)


def read_candor_words(path: Path) -> SpeakerWords:
    """Words of `transcribe_output.json`, under the ids that `channel_map.json` gives the channels."""
    labels = read_json(path, _TRANSCRIBED).results.channel_labels
    if labels is None:
        raise ConfigError(
            f"{path}: results.channel_labels: is missing, so it does not say which channel a word is on; wanted a "
            "transcription by channels: mine the audio, or the turns of transcript_cliffhanger.csv"
        )
    users = read_channel_map(_channel_map(path))
    speakers = {"ch_0": users.L, "ch_1": users.R}
    return by_speaker(row for channel in labels.channels for row in _words(channel, speakers, path))


def candor_files(path: Path) -> tuple[Path, ...]:
    """Everything that `read_candor_words` reads for a `transcribe_output.json`."""
    return path, _channel_map(path)


def read_candor_turns(path: Path) -> SpeakerWords:
    """Turns of a `transcript_*.csv`. Raises ConfigError naming the row."""
    return by_speaker(_turns(path), keep_sounds=False)


def _channel_map(path: Path) -> Path:
    return path.parents[1] / "processed" / "channel_map.json"


def _words(channel: _Channel, speakers: dict[str, str], path: Path) -> Iterator[tuple[str, SpokenWord]]:
    if channel.channel_label not in speakers:
        raise ConfigError(f"{path}: channel {channel.channel_label!r}; wanted {' and '.join(speakers)}")
    speaker, last = speakers[channel.channel_label], None
    for number, item in enumerate(channel.items):
        place = f"{path}: {channel.channel_label} item {number}"
        if not item.alternatives:
            raise ConfigError(f"{place}: alternatives: is empty, wanted what was said")
        text = item.alternatives[0].content
        if item.type == "punctuation":  # has no times: it belongs to the word before
            last = last and last._replace(text=last.text + text)
            continue
        if item.start_time is None or item.end_time is None:
            raise ConfigError(f"{place}: {text!r} has no start_time or no end_time")
        if last is not None:
            yield speaker, last
        last = spoken_word(item.start_time, item.end_time, text, place)
    if last is not None:
        yield speaker, last


def _turns(path: Path) -> Iterator[tuple[str, SpokenWord]]:
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""), restval="")
    try:
        missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise ConfigError(f"{path}:1: no column {', '.join(missing)}; wanted {', '.join(_COLUMNS)}")
        for row in rows:
            speaker, start, stop, text = (row[name] for name in _COLUMNS)
            place = f"{path}:{rows.line_num}"
            if not speaker:
                raise ConfigError(f"{place}: names no speaker")
            yield speaker, spoken_word(start, stop, text or "(( ))", place)
    except csv.Error as error:
        raise ConfigError(f"{path}:{rows.line_num}: cannot be read as CSV ({error})") from error
