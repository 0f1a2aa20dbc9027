"""Switchboard-1: telephone calls, side A on channel 1, side B on channel 2, every word aligned by hand.

::

    swb1_d1/data/sw02001.sph                                     audio: five digits
    swb_ms98_transcriptions/20/2001/sw2001A-ms98-a-word.text     words: four digits, a file per side

The discs may lie anywhere below `path` (words below `text`, where they are elsewhere). Files with dialogue acts
(`sw2001A-word-da.csv`) are taken where the plain ones are missing. Neither names persons: `speaker_table` may.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.domain.labels import Language
from pipeline.domain.mining import Rights
from pipeline.io.recordings.layouts.source import Conversation, Folder, Source, audio_by_stem

_PLAIN, _TAGGED = "sw????A-ms98-a-word.text", "sw????A-word-da.csv"


class SwitchboardSource(Source):
    """`{layout: switchboard, path: swb1, text: swb_ms98_transcriptions}`."""

    terms: ClassVar[Rights | None] = Rights(
        corpus="switchboard",
        licence_id="LDC-User-Agreement",
        consent_basis="corpus-terms",
        attribution="Switchboard-1 Release 2, LDC97S62; transcriptions: ISIP, Mississippi State University",
    )
    wants: ClassVar[str] = f"Switchboard: sw0####.sph and {_PLAIN} or {_TAGGED}, at any depth"

    layout: Literal["switchboard"]
    language: Language | None = Language.EN
    text: str | None = None
    """Folder of words, where it is not inside `path`."""
    speech_from: Literal["words", "audio"] = "words"
    """What says who speaks when: the aligned words, or the two channels."""
    with_audio: bool = True
    """False: the words alone, for who has no audio."""

    def conversations(self, folder: Folder) -> Iterator[Conversation]:
        """One per call that has audio or words."""
        texts = Folder(folder.base, self.text or self.path)
        words = {Path(file).name[:6]: file for file in (*texts.find(_TAGGED), *texts.find(_PLAIN))}
        found = audio_by_stem(folder.find("sw0????.*"))
        audio = {f"sw{stem[3:]}": file for stem, file in found.items()}
        for name in sorted({*words, *audio} if self.with_audio else words):
            expected = f"{name}A-ms98-a-word.text"
            yield Conversation(
                name,
                (folder.named(audio.get(name, f"sw0{name[2:]}.sph")),) if self.with_audio else (),
                texts.named(words.get(name, expected)) if self._wants_words() else None,
            )

    def _wants_words(self) -> bool:
        return self.speech_from == "words" or not self.with_audio
