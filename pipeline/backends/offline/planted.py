"""Sentences that are put into a dialogue so that a planned event has something to be about.

    user       I'm done with the frying, so I'll just pour the hot fat down the sink / and rinse it.
    assistant                                     Careful, that will block the drain!
    user                                                                     Oh, okay, then it goes into a jar.

One step plants the sentence, the next one finds it again by its text and starts the event at the `/`, the last
one says what is written with it. The steps share nothing but the dialogue.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.backends.offline.frames import Frame
from pipeline.core.tokens import words_of
from pipeline.domain.errors import ConfigError
from pipeline.domain.events import EventType
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.record import Record

EventKey = tuple[EventType, Speaker]
"""Type and initiator."""

PLANTED_FILES: Mapping[EventKey, str] = {
    (EventType.WARNING, Speaker.ASSISTANT): "announcements",
    (EventType.CORRECTION, Speaker.ASSISTANT): "mistakes",
    (EventType.CLARIFICATION_REQUEST, Speaker.ASSISTANT): "ambiguities",
    (EventType.CORRECTION, Speaker.USER): "assumptions",
    (EventType.SUPPLEMENT, Speaker.USER): "gaps",
}
"""Which file holds the sentences for which event: what the *other* party says before it."""


class PlantedEntry(Record):
    """One entry of such a file."""

    say: str
    """The host's sentence, with a `/` where the event starts."""
    said: str
    reply: str
    kind: str = ""


class PlantedFile(Record):
    """`bank/<language>/planted/<file>.yaml`"""

    planted: tuple[PlantedEntry, ...]


@dataclass(frozen=True, slots=True)
class Planted:
    """A host's sentence, what its listener breaks in with, and the host's reaction."""

    file: str
    say: Frame
    rest: int
    """Words of the sentence after the place where the event starts."""
    said: Frame
    reply: Frame
    kind: str
    """Which talk it fits into; see `manner.suits`."""


def read_planted(content: object, language: Language, path: str) -> tuple[Planted, ...]:
    """The entries of one file, checked."""
    name = path.removeprefix("planted/")
    if name not in PLANTED_FILES.values():
        raise ConfigError(
            f"phrase bank {language.value}/{path}: nothing plants from {name!r}; wanted one of "
            f"{', '.join(PLANTED_FILES.values())}"
        )
    return tuple(_entries(PlantedFile.model_validate(content), language, path, name))


def _entries(file: PlantedFile, language: Language, path: str, name: str) -> Iterator[Planted]:
    gap = " " if language is Language.EN else ""
    for number, entry in enumerate(file.planted, start=1):
        frame_id = f"{language.value}/{path}/{number:02d}"
        before, mark, after = (part.strip() for part in entry.say.partition("/"))
        rest = len(words_of(after))
        if not mark or rest < 2 or not words_of(before):
            raise ConfigError(
                f"phrase bank {frame_id}: {entry.say!r} has no place to start at; "
                "wanted a `/` with words before it and two or more behind it"
            )
        yield Planted(
            file=name,
            say=Frame(frame_id, f"{before}{gap}{after}"),
            rest=rest,
            said=Frame(f"{frame_id}/said", entry.said),
            reply=Frame(f"{frame_id}/reply", entry.reply),
            kind=entry.kind,
        )
