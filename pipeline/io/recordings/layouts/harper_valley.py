"""Harper Valley: acted calls to a bank, a file per side.

::

    data/audio/caller/<sid>.wav     channel 0
    data/audio/agent/<sid>.wav      channel 1; begins about two seconds before the conversation
    data/transcript/<sid>.json      words of a recogniser, and where either file begins
    data/metadata/<sid>.json        who they are

The two files are not aligned; the transcript says by how much, and they are read on the conversation's clock.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import TypeAdapter

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language
from pipeline.domain.mining import Rights
from pipeline.io.recordings.layouts.source import Conversation, Folder, Source, by_stem
from pipeline.io.recordings.transcripts.json_rows import Row, read_json

_ROLES = ("caller", "agent")


class _Person(Row):
    speaker_id: str


class _Metadata(Row):
    caller: _Person
    agent: _Person


_METADATA = TypeAdapter(_Metadata)


class HarperValleySource(Source):
    """`{layout: harper_valley, path: gridspace-stanford-harper-valley/data}`."""

    terms: ClassVar[Rights | None] = Rights(
        corpus="harper_valley",
        licence_id="Apache-2.0",
        redistribution_allowed=True,
        commercial_allowed=True,
        derivative_allowed=True,
        manifest_publishable=True,
        consent_basis="corpus-terms",
        attribution="Gridspace-Stanford Harper Valley dataset, Apache-2.0",
    )
    wants: ClassVar[str] = "Harper Valley: audio/{caller,agent}/, transcript/ and metadata/"

    layout: Literal["harper_valley"]
    language: Language | None = Language.EN
    speech_from: Literal["words", "audio"] = "words"
    """What says who speaks when: the recogniser's words, or the two channels."""

    def conversations(self, folder: Folder) -> Iterator[Conversation]:
        """One per call of which any file is there."""
        files = (*folder.find("*.wav"), *folder.find("*.json"))
        inside = [file for file in files if file.partition("/")[0] in ("audio", "transcript", "metadata")]
        for name in sorted(by_stem(inside)):
            audio = tuple(folder.named(f"audio/{role}/{name}.wav") for role in _ROLES)
            transcript = f"transcript/{name}.json"
            try:
                people = read_json(folder.path / "metadata" / f"{name}.json", _METADATA)
            except ConfigError as error:
                yield Conversation(name, audio, problem=f"{error}; it says who the speakers are")
                continue
            yield Conversation(
                name,
                audio,
                words=folder.named(transcript) if self.speech_from == "words" else None,
                speakers=(people.caller.speaker_id, people.agent.speaker_id),
                problem=_missing(folder.path / transcript),
            )


def _missing(transcript: Path) -> str | None:
    if transcript.is_file():
        return None
    return f"{transcript}: is missing; without it the two sides cannot be aligned"
