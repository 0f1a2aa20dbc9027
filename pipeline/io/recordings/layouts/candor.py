"""CANDOR: video calls of strangers, one folder each, one speaker per channel.

::

    <36 characters>/processed/<same>.mp3                     left and right: the two speakers
    <36 characters>/processed/channel_map.json               who is left, who is right
    <36 characters>/transcription/transcribe_output.json     words;  transcript_cliffhanger.csv  turns by sentence

Speech is found in the two channels unless the transcripts are asked for: their times are a recogniser's, and mp3
decoders shift audio against them by some milliseconds. Nothing derived from it may leave the user's machine.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language
from pipeline.domain.mining import Rights
from pipeline.io.recordings.layouts.source import Conversation, Folder, Source
from pipeline.io.recordings.transcripts.candor import read_channel_map

_ID_LENGTH = 36
_TRANSCRIPTS = {"words": "transcribe_output.json", "turns": "transcript_cliffhanger.csv"}


class CandorSource(Source):
    """`{layout: candor, path: candor}`."""

    terms: ClassVar[Rights | None] = Rights(
        corpus="candor",
        licence_id="CANDOR-2.1",
        consent_basis="corpus-terms",
        attribution="Reece et al., The CANDOR corpus, Science Advances 9 (2023)",
    )
    wants: ClassVar[str] = (
        "CANDOR: folders with names of 36 characters that hold processed/ and transcription/"
    )

    layout: Literal["candor"]
    language: Language | None = Language.EN
    speech_from: Literal["audio", "words", "turns"] = "audio"
    """What says who speaks when: the two channels, or a transcript."""

    def conversations(self, folder: Folder) -> Iterator[Conversation]:
        """One per folder."""
        for directory in sorted(folder.path.iterdir()):
            if directory.is_dir() and len(directory.name) == _ID_LENGTH:
                yield self._conversation(folder, directory)

    def _conversation(self, folder: Folder, directory: Path) -> Conversation:
        name = directory.name
        audio = (folder.named(f"{name}/processed/{name}.mp3"),)
        try:
            channels = read_channel_map(directory / "processed" / "channel_map.json")
        except ConfigError as error:
            return Conversation(name, audio, problem=f"{error}; it says who is on which channel")
        transcript = _TRANSCRIPTS.get(self.speech_from)
        words = folder.named(f"{name}/transcription/{transcript}") if transcript else None
        return Conversation(name, audio, words, speakers=(channels.L, channels.R))
