"""Fisher English: telephone calls, side A on channel 1, side B on channel 2.

::

    .../audio/000/fe_03_00001.sph              two channels, 8 kHz, mostly shorten-compressed: convert with sph2pipe
    .../data/trans/000/fe_03_00001.txt         turns of both sides; no word has a time
    .../doc/fe_03_p1_calldata.tbl              comma-separated: call in column 0, speakers in 5 (A) and 10 (B)

The discs may lie anywhere below `path` (text below `text`, where it is elsewhere). Converted audio keeps its name,
whatever its suffix, and goes before the original.
"""

import csv
from collections.abc import Iterator
from typing import ClassVar, Literal

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language
from pipeline.domain.mining import Rights
from pipeline.io.recordings.layouts.source import (
    Conversation,
    Folder,
    Source,
    audio_by_stem,
    by_stem,
)

_CALL, _SPEAKER_A, _SPEAKER_B = 0, 5, 10


class FisherSource(Source):
    """`{layout: fisher, path: fisher}`."""

    terms: ClassVar[Rights | None] = Rights(
        corpus="fisher",
        licence_id="LDC-User-Agreement",
        consent_basis="corpus-terms",
        attribution="Fisher English Training, LDC2004S13, LDC2004T19, LDC2005S13, LDC2005T19",
    )
    wants: ClassVar[str] = "Fisher: fe_03_#####.sph and fe_03_#####.txt, at any depth"

    layout: Literal["fisher"]
    language: Language | None = Language.EN
    text: str | None = None
    """Folder of transcripts and tables, where it is not inside `path`."""
    speech_from: Literal["audio", "turns"] = "audio"
    """What says who speaks when: the two channels, or the turns."""
    with_audio: bool = True
    """False: the turns alone, for who has no audio."""

    def conversations(self, folder: Folder) -> Iterator[Conversation]:
        """One per call that has audio or text."""
        texts = Folder(folder.base, self.text or self.path)
        audio = audio_by_stem(folder.find("fe_03_*"))
        turns = by_stem(texts.find("fe_03_?????.txt"))
        speakers = _read_calls(texts)
        for name in sorted({*turns, *audio} if self.with_audio else turns):
            number = name.removeprefix("fe_03_")
            yield Conversation(
                name,
                (folder.named(audio.get(name, f"{name}.sph")),) if self.with_audio else (),
                texts.named(turns.get(name, f"{name}.txt")) if self._wants_turns() else None,
                speakers=speakers.get(number, ()),
            )

    def _wants_turns(self) -> bool:
        return self.speech_from == "turns" or not self.with_audio


def _read_calls(texts: Folder) -> dict[str, tuple[str, ...]]:
    """Speakers by call, of every table that there is."""
    found: dict[str, tuple[str, ...]] = {}
    for table in texts.find("fe_03_*calldata.tbl"):
        path = texts.path / table
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = list(csv.reader(file))[1:]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ConfigError(f"{path}: cannot be read ({error})") from error
        for number, row in enumerate(rows, start=2):
            if row and len(row) <= _SPEAKER_B:
                raise ConfigError(f"{path}:{number}: {len(row)} columns, wanted {_SPEAKER_B + 1} or more")
            if row:
                found[row[_CALL].strip()] = (row[_SPEAKER_A].strip(), row[_SPEAKER_B].strip())
    return found
