"""What placing a dialogue looks up again and again, gathered once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import AfterHesitation, AfterSeconds, AfterWords, ScriptedEvent, Utterance
from pipeline.domain.span import to_samples
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.voice import ClipRef
from pipeline.domain.words import Word

Turn = tuple[Utterance, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """A spoken script, indexed. `said` leaves out what is never spoken."""

    language: Language
    rate: int
    said: tuple[Utterance, ...]
    clips: Mapping[str, ClipRef]
    anchored: tuple[tuple[Speaker, AfterWords | AfterSeconds], ...]
    """Who comes in during another utterance, and where."""
    events: Mapping[str, ScriptedEvent]
    """By the utterance that realises it."""
    turns: Mapping[int, Turn]
    """What is said of each turn."""
    turn_samples: Mapping[int, int]
    """Length of each turn's clips, without the pauses between them."""
    overlays: frozenset[int]
    """Turns that lie on top of another one, whose speaker keeps the floor."""
    waited_for: frozenset[int]
    """Turns whose end the next speaker awaits: those with a hesitation in them, and bystanders'."""

    def lead_to_anchor(self, turn: int, speaker: Speaker) -> float:
        """Samples from a turn's start to the first place in it where `speaker` comes in, at the least.

        That speaker must have ended by then: who still speaks cannot interrupt.
        """
        anchors: dict[str, list[AfterWords | AfterSeconds]] = {}
        for incoming, anchor in self.anchored:
            if incoming is speaker:
                anchors.setdefault(anchor.host, []).append(anchor)
        before = 0
        for utterance in self.turns[turn]:
            clip = self.clips[utterance.utterance_id]
            if utterance.utterance_id in anchors:
                here = anchors[utterance.utterance_id]
                return before + min(anchor_offset(anchor, clip.words, self.rate) for anchor in here)
            before += clip.num_samples
        return math.inf


def gather(spoken: SpokenScript) -> Material:
    """Index a spoken script for placing."""
    unspoken = spoken.script.unspoken()
    said = tuple(u for u in spoken.script.utterances if u.utterance_id not in unspoken)
    clips = {entry.utterance_id: entry.clip for entry in spoken.clips}
    events = {event.utterance_id: event for event in spoken.script.events}
    turns: dict[int, list[Utterance]] = {}
    for utterance in said:
        turns.setdefault(utterance.turn, []).append(utterance)
    return Material(
        language=spoken.script.language,
        rate=spoken.clips[0].clip.sampling_rate,
        said=said,
        clips=clips,
        anchored=tuple(
            (u.speaker, u.anchor) for u in said if isinstance(u.anchor, AfterWords | AfterSeconds)
        ),
        events=events,
        turns={turn: tuple(parts) for turn, parts in turns.items()},
        turn_samples={
            turn: sum(clips[u.utterance_id].num_samples for u in parts) for turn, parts in turns.items()
        },
        waited_for=frozenset(turn for turn, parts in turns.items() if _is_waited_for(parts)),
        overlays=frozenset(turn for turn, parts in turns.items() if _lies_on_top(parts[0], events)),
    )


def _is_waited_for(parts: Sequence[Utterance]) -> bool:
    return any(u.speaker is Speaker.THIRD_PARTY or isinstance(u.anchor, AfterHesitation) for u in parts)


def _lies_on_top(opening: Utterance, events: Mapping[str, ScriptedEvent]) -> bool:
    event = events.get(opening.utterance_id)
    anchored = isinstance(opening.anchor, AfterWords | AfterSeconds)
    return anchored and event is not None and not event.effect.takes_floor


def anchor_offset(anchor: AfterWords | AfterSeconds, words: tuple[Word, ...], rate: int) -> int:
    """Samples from the host's start to the point where the anchor's condition is met."""
    if isinstance(anchor, AfterSeconds):
        offset, spoken = to_samples(anchor.seconds, rate), words[-1].span.end
        if offset > spoken:
            raise RecordError(
                Reason.CANNOT_BE_TIMED,
                f"anchored {anchor.seconds:g} s into {anchor.host}, which has been said after {spoken / rate:.3g} s",
            )
        return offset
    if anchor.words > len(words):
        raise RecordError(
            Reason.CANNOT_BE_TIMED,
            f"anchored after word {anchor.words} of {anchor.host}, which has {len(words)}",
        )
    return words[anchor.words - 1].span.end
