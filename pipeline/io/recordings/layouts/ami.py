"""AMI: meetings of three to five people, a headset each, and all headsets mixed.

::

    amicorpus/ES2002a/audio/ES2002a.Mix-Headset.wav      everybody
    amicorpus/ES2002a/audio/ES2002a.Headset-0.wav        one person (and, quietly, all others)
    annotations/words/ES2002a.A.words.xml                words; annotations/corpusResources/meetings.xml: who A is
    rttms/dev/ES2002a.rttm                               or who speaks when, as RTTM

With words or RTTM the mix is used. With `pair: [A, C]` two headsets are the two channels of a conversation whose
other participants are only heard from afar: cross-talk is strong in them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language
from pipeline.domain.mining import Rights
from pipeline.io.recordings.layouts.source import Conversation, Folder, Source, by_stem
from pipeline.io.recordings.transcripts.ami import Participant, read_participants

Known = dict[str, tuple[Participant, ...]]
"""Participants by meeting."""


class AmiSource(Source):
    """`{layout: ami, path: amicorpus, text: annotations}`."""

    terms: ClassVar[Rights | None] = Rights(
        corpus="ami",
        licence_id="CC-BY-4.0",
        redistribution_allowed=True,
        commercial_allowed=True,
        derivative_allowed=True,
        manifest_publishable=True,
        consent_basis="corpus-terms",
        attribution="AMI Meeting Corpus, https://groups.inf.ed.ac.uk/ami/corpus/, CC BY 4.0",
    )
    wants: ClassVar[str] = "AMI: <meeting>/audio/<meeting>.Mix-Headset.wav, and words/<meeting>.A.words.xml"

    layout: Literal["ami"]
    language: Language | None = Language.EN
    text: str | None = None
    """Folder of the annotations (it holds words/ and corpusResources/), where it is not `path`."""
    rttm: str | None = None
    """Folder of RTTM files, one per meeting, for `speech_from: rttm`."""
    speech_from: Literal["words", "rttm", "audio"] = "words"
    """What says who speaks when; `audio` is two headsets."""
    pair: tuple[str, str] | None = Field(default=None)
    """Letters of the two agents whose headsets are the channels."""
    with_audio: bool = True
    """False: words or RTTM alone, for who has no audio."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.pair is not None) != (self.speech_from == "audio"):
            raise ValueError("pair: wanted two agents, as [A, C], with speech_from: audio, and only there")
        if (self.rttm is not None) != (self.speech_from == "rttm"):
            raise ValueError("rttm: wanted a folder with speech_from: rttm, and only there")
        if self.pair is not None and (not self.with_audio or self.pair[0] == self.pair[1]):
            raise ValueError("pair: wanted the audio of two different headsets")
        return self

    def conversations(self, folder: Folder) -> Iterator[Conversation]:
        """One per meeting that has audio or whatever says who speaks."""
        texts = Folder(folder.base, self.text or self.path)
        known = _known(texts)
        said = self._said(texts)
        headsets = folder.find("*.*Headset*.wav") if self.with_audio else ()
        audio = {file.split("/")[0] for file in headsets if file.split("/")[1:-1] == ["audio"]}
        for meeting in sorted({*said, *audio}):
            if self.pair is not None:
                yield _headsets(folder, meeting, self.pair, known.get(meeting, ()))
                continue
            speakers = tuple(person.name for person in known.get(meeting, ()))
            expected = f"words/{meeting}.A.words.xml"
            yield Conversation(
                meeting,
                (folder.named(f"{meeting}/audio/{meeting}.Mix-Headset.wav"),) if self.with_audio else (),
                words=said.get(meeting, texts.named(expected)) if self.rttm is None else None,
                rttm=None if self.rttm is None else said.get(meeting, f"{self.rttm}/{meeting}.rttm"),
                speakers=speakers,
                dyadic=False,
            )

    def _said(self, texts: Folder) -> dict[str, str]:
        """Files of words or RTTM by meeting."""
        if self.speech_from == "audio":
            return {}
        if self.rttm is not None:
            rttms = Folder(texts.base, self.rttm)
            return {name: rttms.named(file) for name, file in _one_each(rttms).items()}
        first: dict[str, str] = {}
        for file in texts.find("*.words.xml"):
            first.setdefault(file.rpartition("/")[2].partition(".")[0], texts.named(file))
        return first


def _one_each(rttms: Folder) -> dict[str, str]:
    """RTTM by meeting. Raises ConfigError where there are two: with laughter and without are not to be mixed."""
    files = rttms.find("*.rttm")
    found = by_stem(files)
    again = [file for file in files if file not in found.values()]
    if again:
        raise ConfigError(
            f"sources: {rttms.path}: {found[Path(again[0]).stem]} and {again[0]} are of one meeting; wanted the folder "
            "of one kind, only_words or word_and_vocalsounds"
        )
    return found


def _known(texts: Folder) -> Known:
    resources = texts.path / "corpusResources" / "meetings.xml"
    return read_participants(resources) if resources.is_file() else {}


def _headsets(
    folder: Folder, meeting: str, pair: tuple[str, str], people: tuple[Participant, ...]
) -> Conversation:
    """The letter is not the number of the headset."""
    by_letter = {person.agent: person for person in people}
    name = f"{meeting}-{'-'.join(pair)}"
    unknown = [letter for letter in pair if letter not in by_letter]
    if unknown:
        known = ", ".join(by_letter) or "nobody"
        return Conversation(
            name,
            problem=f"{meeting}: corpusResources/meetings.xml does not say whose headset agent {unknown[0]} wears; "
            f"it knows {known}",
        )
    return Conversation(
        name,
        tuple(
            folder.named(f"{meeting}/audio/{meeting}.Headset-{by_letter[letter].headset}.wav")
            for letter in pair
        ),
        speakers=tuple(by_letter[letter].name for letter in pair),
        dyadic=False,
    )
