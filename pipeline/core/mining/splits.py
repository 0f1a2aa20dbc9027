"""Splits of recorded talk: by who speaks, or by conversation, never by segment; the same audio is never in two.

::

    call 1   ann  bob          one group: whoever ann talks to is where ann is
    call 2   ann  cleo         one group with call 1
    call 3   dan  eve          a group of its own; so is every call whose speakers nobody named
    call 4   A    B            one group with call 3 where its audio is that of call 3, under whatever name

A group goes into one split as a whole, by a hash of its speakers' names: neither the order of the recordings nor those
of other groups matter. Where everybody talked to everybody (Switchboard, Fisher) there is one group only, and so one
split: parts of such a corpus are apart only where a declaration says which recordings to leave out.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from pipeline.core.seeding import draw_uniform
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Split
from pipeline.domain.mining import Recording
from pipeline.domain.record import Record

_KEY_DIGITS = 16


class SplitRule(Record):
    """Section `splits`: how recordings that declare no split get one."""

    by: Literal["speaker", "conversation"] = "speaker"
    """`conversation` where the names under `speakers` are roles (agent, caller) and not people."""
    shares: dict[Split, float] = Field(
        default={Split.TRAIN: 0.8, Split.DEV: 0.1, Split.TEST: 0.1}, min_length=1
    )
    """Of the groups, not of the hours."""
    seed: int = 0

    @model_validator(mode="after")
    def _weights(self) -> Self:
        if min(self.shares.values()) < 0 or not sum(self.shares.values()) > 0:
            raise ValueError(f"shares must be >= 0 and not all 0, got {dict(self.shares)}")
        return self


class Assigned(NamedTuple):
    """Where a recording went, and the hash of what decided it."""

    split: Split
    key: str


def person_of(recording: Recording, name: str, rule: SplitRule) -> str:
    """Who a speaker is across recordings: a declared name is a person of its corpus, any other is of its recording.

    Diarized labels and `A` and `B` come back in every recording, and are somebody else in each.
    """
    if rule.by == "speaker" and name in recording.speakers:
        return f"{recording.rights.corpus}/{name}"
    return f"{recording.recording_id}/{name}"


def assign_splits(
    recordings: Sequence[Recording],
    rule: SplitRule | None = None,
    contents: Mapping[str, Sequence[str]] | None = None,
) -> Mapping[str, Assigned]:
    """A split for every recording, by id; one that is declared holds for its whole group.

    `contents` says what the files of each recording hold: recordings that share any of it are one group.
    Raises ConfigError where two recordings of one group declare different splits.
    """
    rule = rule or SplitRule()
    assigned: dict[str, Assigned] = {}
    for group in _groups(recordings, rule, contents or {}):
        people = sorted({person for one in group for person in _people(one, rule)})
        key = hashlib.sha256("\x1f".join(people).encode()).hexdigest()[:_KEY_DIGITS]
        split = _declared(group) or _drawn(key, rule)
        assigned |= {one.recording_id: Assigned(split, key) for one in group}
    return assigned


def _people(recording: Recording, rule: SplitRule) -> tuple[str, ...]:
    """Who is known to speak; the conversation itself where nobody is."""
    if rule.by == "speaker" and recording.speakers:
        return tuple(person_of(recording, name, rule) for name in recording.speakers)
    return (recording.recording_id,)


def _groups(
    recordings: Sequence[Recording], rule: SplitRule, contents: Mapping[str, Sequence[str]]
) -> Iterable[tuple[Recording, ...]]:
    """Recordings that share people or audio, directly or through others."""
    leader: dict[str, str] = {}

    def find(shared: str) -> str:
        while leader.setdefault(shared, shared) != shared:
            leader[shared] = leader[leader[shared]]
            shared = leader[shared]
        return shared

    for recording in recordings:
        first, *others = _people(recording, rule)
        held = (f"content\x1f{content}" for content in contents.get(recording.recording_id, ()))
        for other in (*others, *held):
            leader[find(other)] = find(first)
    groups: dict[str, list[Recording]] = {}
    for recording in recordings:
        groups.setdefault(find(_people(recording, rule)[0]), []).append(recording)
    return tuple(tuple(group) for group in groups.values())


def _declared(group: tuple[Recording, ...]) -> Split | None:
    by_split = {one.split: one.recording_id for one in group if one.split is not None}
    if len(by_split) > 1:
        named = " and ".join(f"{name!r} in {split.value}" for split, name in sorted(by_split.items()))
        raise ConfigError(
            f"splits: recordings {named} share speakers or audio, directly or through others; wanted one split "
            "for all of them, or `splits: {by: conversation}` where `speakers` names roles"
        )
    return next(iter(by_split), None)


def _drawn(key: str, rule: SplitRule) -> Split:
    """The split in whose share of [0, 1) the key's number lies."""
    total = sum(rule.shares.values())
    left = draw_uniform(rule.seed, "splits", key, "split") * total
    wanted = [split for split in Split if rule.shares.get(split, 0) > 0]
    for split in wanted[:-1]:
        left -= rule.shares[split]
        if left < 0:
            return split
    return wanted[-1]
