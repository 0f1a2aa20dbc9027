"""HumDial Track 2 ids: `<speaker>_<number>`, four digits each."""

from collections.abc import Iterable

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Speaker
from pipeline.domain.timeline import Timeline

_MOST = 9_999


def user_person(timeline: Timeline) -> str | None:
    """Who the user is; None where no user is heard."""
    return next((v.person for v in timeline.voicing if v.speaker is Speaker.USER), None)


def assign_ids(timelines: Iterable[Timeline], first_speaker: int = 1) -> dict[str, str]:
    """Export id by dialogue id, over the whole run: unique across splits, languages and layouts.

    Speakers are numbered by the sorted names of the persons who are the user, dialogues of one person by
    their sorted ids, so that neither shards nor the order of reading matter. A dialogue without a user gets
    none. A second run that is to lie beside the first one starts at another `first_speaker`.

    >>> assign_ids([])
    {}
    """
    spoken_by: dict[str, list[str]] = {}
    seen: set[str] = set()
    for timeline in timelines:
        if timeline.dialogue_id in seen:
            raise ConfigError(
                f"export ids: two dialogues are called {timeline.dialogue_id!r}; export one run at a time"
            )
        seen.add(timeline.dialogue_id)
        person = user_person(timeline)
        if person is not None:
            spoken_by.setdefault(person, []).append(timeline.dialogue_id)
    ids: dict[str, str] = {}
    for speaker, person in enumerate(sorted(spoken_by), start=first_speaker):
        dialogues = sorted(spoken_by[person])
        if speaker > _MOST or len(dialogues) > _MOST:
            raise ConfigError(
                f"export ids: user {person!r} is number {speaker} with {len(dialogues)} dialogues, ids have "
                f"room for {_MOST} of each; lower first_speaker, use more voices or make smaller runs"
            )
        for number, dialogue_id in enumerate(dialogues, start=1):
            ids[dialogue_id] = f"{speaker:04d}_{number:04d}"
    return ids
