"""Folders of files that are nobody's corpus: two-channel audio, pairs of files, RTTM with audio.

::

    {layout: two_channel, path: calls}                                         every audio file, two channels each
    {layout: two_channel, path: calls, pair: ["{id}-agent.wav", "{id}-caller.wav"]}       a file per side
    {layout: two_channel, path: calls, words: "{id}.jsonl"}                    and words that say who speaks
    {layout: rttm, path: rttm, audio: wav, audio_name: "{id}/{id}.Mix.wav"}    a recording per uri, found by it

What may be done with them is for their owner to say: `rights` here, or of the whole declaration. Labels of RTTM name
nobody outside their recording, so persons come from a `speaker_table`, or are not known.
"""

import re
from collections.abc import Iterator
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.layouts.source import AUDIO_SUFFIXES, Conversation, Folder, Source, id_part
from pipeline.io.rttm import DiarizedRecording, read_rttm

_ID = "{id}"


class TwoChannelSource(Source):
    """`{layout: two_channel, path: calls, rights: {...}}`."""

    wants: ClassVar[str] = "audio files of two channels, or pairs of files that fit `pair`, at any depth"

    layout: Literal["two_channel"]
    pair: tuple[str, str] | None = None
    """Names of the two sides' files below `path`, with `{id}` where the conversation's own name stands."""
    words: str | None = None
    """Name of a conversation's words below `path`, likewise; it is they, then, that say who speaks when."""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.words is not None and _ID not in self.words:
            raise ValueError('words: wanted a name with {id} in it, as "{id}.jsonl"')
        if self.pair is not None and (any(_ID not in name for name in self.pair) or len(set(self.pair)) < 2):
            raise ValueError('pair: wanted two different names with {id} in each, as "{id}-agent.wav"')
        return self

    def conversations(self, folder: Folder) -> Iterator[Conversation]:
        """One per file, or one per id of which either side is there."""
        files = [file for file in folder.find("*.*") if file[file.rindex(".") :].lower() in AUDIO_SUFFIXES]
        if self.pair is None:
            for file in files:
                name = file.rpartition(".")[0]
                yield Conversation(name, (folder.named(file),), self._words_of(name, folder))
            return
        patterns = [_pattern(name) for name in self.pair]
        ids = {found["id"] for file in files for p in patterns if (found := p.fullmatch(file))}
        for name in sorted(ids):
            sides = tuple(folder.named(side.replace(_ID, name)) for side in self.pair)
            yield Conversation(name, sides, self._words_of(name, folder))

    def _words_of(self, name: str, folder: Folder) -> str | None:
        return None if self.words is None else folder.named(self.words.replace(_ID, name))


class RttmSource(Source):
    """`{layout: rttm, path: rttm, audio: wav, rights: {...}}`."""

    wants: ClassVar[str] = "RTTM files, at any depth"

    layout: Literal["rttm"]
    audio: str | None = None
    """Folder of the audio; without one there are only times."""
    audio_name: str = "{id}.wav"
    """Name of a recording's file below `audio`, with `{id}` where its uri stands."""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if _ID not in self.audio_name:
            raise ValueError('audio_name: wanted a name with {id} in it, as "{id}.wav"')
        return self

    def conversations(self, folder: Folder) -> Iterator[Conversation]:
        """One per uri of every file."""
        for file in folder.find("*.rttm"):
            try:
                found = read_rttm(folder.path / file)
            except ConfigError as error:
                yield Conversation(file.rpartition(".")[0], problem=str(error))
                continue
            if not found.recordings:
                refused = (
                    f"; {found.refusals[0].record_id}: {found.refusals[0].detail}" if found.refusals else ""
                )
                yield Conversation(
                    file.rpartition(".")[0], problem=f"{folder.path / file}: names nobody who speaks{refused}"
                )
            for recording in found.recordings:
                yield self._conversation(folder, file, recording)

    def _conversation(self, folder: Folder, file: str, recording: DiarizedRecording) -> Conversation:
        uri = recording.uri
        audio = () if self.audio is None else (f"{self.audio}/{self.audio_name.replace(_ID, uri)}",)
        unfit = f"uri {uri!r}: wanted letters, digits, '.', '_' and '-' only, as it is the recording's id"
        return Conversation(
            uri,
            audio,
            rttm=folder.named(file),
            dyadic=len(recording.speakers) == 2,
            problem=None if id_part(uri) == uri else unfit,
        )


def _pattern(name: str) -> re.Pattern[str]:
    """The first `{id}` is the name, others repeat it; a name does not cross folders."""
    first, *rest = (re.escape(part) for part in name.split(_ID))
    return re.compile(first + "(?P<id>[^/]+)" + "(?P=id)".join(rest))
