"""AMI's words (NXT release 1.6.2): one XML file per person, and who that person is.

    words/ES9999a.A.words.xml          <w starttime="7.44" endtime="7.70">Hi</w> <w punc="true" ...>,</w>
    words/ES9999a.B.words.xml          <w trunc="true" ...>bec</w> <vocalsound type="laugh"/>
    corpusResources/meetings.xml       <meeting observation="ES9999a"> <speaker nxt_agent="A" channel="0"
                                                                               global_name="FEO001"/>

Name the file of one agent; those of the others lie beside it. A stop belongs to the word before it, a word that is
broken off gets a hyphen. Laughter and other sounds are no words. Words without times (a few) cannot be placed and are
left out. The letter of an agent is not the number of the headset: `meetings.xml` knows both.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.transcripts.spoken import SpeakerWords, SpokenWord, by_speaker, spoken_word


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody in a meeting. The first letter of `name` is the sex."""

    agent: str
    name: str
    headset: int


def read_ami(path: Path) -> SpeakerWords:
    """Words of everybody in the meeting, under their global names where these are known, else under their letters."""
    meeting = path.name.partition(".")[0]
    resources = _resources(path)
    known = read_participants(resources).get(meeting, ()) if resources.is_file() else ()
    names = {participant.agent: participant.name for participant in known}
    return by_speaker(
        (names.get(_agent(file), _agent(file)), w) for file in _agents(path) for w in _words(file)
    )


def ami_files(path: Path) -> tuple[Path, ...]:
    """Everything that `read_ami` reads for the file of one agent."""
    return (*_agents(path), *filter(Path.is_file, (_resources(path),)))


def _agents(path: Path) -> list[Path]:
    """Files of everybody in the meeting; the one that was named in any case."""
    beside = path.parent.glob(f"{path.name.partition('.')[0]}.*.words.xml")
    return sorted({path, *beside})


def _agent(path: Path) -> str:
    return path.name.split(".")[1]


def _resources(path: Path) -> Path:
    return path.parents[1] / "corpusResources" / "meetings.xml"


def read_participants(path: Path) -> dict[str, tuple[Participant, ...]]:
    """By meeting, from `meetings.xml`. Raises ConfigError."""
    found: dict[str, tuple[Participant, ...]] = {}
    for meeting in _parse(path).iter("meeting"):
        found[meeting.get("observation", "")] = tuple(
            _participant(speaker, path) for speaker in meeting.iter("speaker")
        )
    return found


def _participant(speaker: ElementTree.Element, path: Path) -> Participant:
    agent, name, channel = (speaker.get(key) for key in ("nxt_agent", "global_name", "channel"))
    if agent is None or name is None or channel is None or not channel.isdecimal():
        raise ConfigError(
            f"{path}: a speaker with nxt_agent {agent!r}, global_name {name!r}, channel {channel!r}; wanted all three"
        )
    return Participant(agent, name, int(channel))


def _words(path: Path) -> Iterator[SpokenWord]:
    last: SpokenWord | None = None
    for number, element in enumerate(_parse(path).iter("w")):
        place, text = f"{path}: w {number}", (element.text or "").strip()
        start, end = element.get("starttime"), element.get("endtime")
        if element.get("punc") == "true":
            last = last and last._replace(text=last.text + text)
        elif text and start is not None and end is not None:
            if last is not None:
                yield last
            broken_off = "-" if element.get("trunc") == "true" and not text.endswith("-") else ""
            last = spoken_word(start, end, text + broken_off, place)
    if last is not None:
        yield last


def _parse(path: Path) -> ElementTree.Element:
    """From bytes: the files declare ISO-8859-1 themselves."""
    try:
        return ElementTree.fromstring(path.read_bytes())
    except (OSError, ElementTree.ParseError, LookupError) as error:
        raise ConfigError(f"{path}: cannot be read as XML ({error})") from error
