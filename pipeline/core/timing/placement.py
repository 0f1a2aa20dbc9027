"""Placing the utterances of one dialogue on one clock.

The floor is held by one turn at a time. Each utterance is placed where its anchor says:

::

    follows, same turn      |== previous ==| pause |== this ==|
    follows, new turn       |== floor ==| gap |== this ==|         or, with a negative offset,
                            |== floor ==|
                                    |== this ==|
    after words, yields     |== host ====~|                        host breaks off a reaction time after
                                   |== this ==|                    the onset; this turn takes the floor
    after words, continues  |== host ==========|== more ==|        host goes on; the floor stays
                                   |= this =|
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from pipeline.core.timing.profile import INTERRUPTER_DELAY_S, Profile
from pipeline.core.timing.stopping import plan_yield
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import EventType, FloorEffect
from pipeline.domain.script import AfterHesitation, AfterSeconds, AfterWords, ScriptedEvent, Utterance
from pipeline.domain.span import Span, to_samples
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.words import Word

MIN_HEARD_SHARE = 0.25
"""At a floor transfer each side is heard alone for at least this share of its turn, so that an overlap stays
an overlap of two turns and does not swallow one of them."""
MAX_INTERRUPTED_SHARE = 0.8
"""A host that yields falls silent before this share of the interrupting turn has been spoken: one that lasts
longer has not yielded."""
MIN_OVERLAP_S = 0.05
"""An interrupter starts at least this long before its host's utterance would end."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An utterance on the clock; `words` still count from the start of the clip."""

    utterance: Utterance
    span: Span
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Realised:
    """What became of a scripted event."""

    event: ScriptedEvent
    onset: int
    anchor_at: int | None
    yielded_at: int | None
    hosted: bool
    """Whether the host is on this timeline."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A dialogue on its clock."""

    placed: Mapping[str, Placed]
    """By utterance id."""
    events: tuple[Realised, ...]
    offsets: tuple[tuple[str, int], ...]
    """What was drawn and how it came out, in samples: (`transfer` | `reaction` | `backchannel` | `bystander` |
    `interrupter`, offset)."""


@dataclass(slots=True)
class _Clock:
    """State of the walk over a script."""

    placed: dict[str, Placed] = field(default_factory=dict)
    events: list[Realised] = field(default_factory=list)
    offsets: list[tuple[str, int]] = field(default_factory=list)
    floor: str | None = None
    own_end: dict[Speaker, int] = field(default_factory=dict)

    def put(self, utterance: Utterance, start: int, num_samples: int, words: tuple[Word, ...]) -> None:
        span = Span(start=start, end=start + num_samples)
        self.placed[utterance.utterance_id] = Placed(utterance=utterance, span=span, words=words)
        self.own_end[utterance.speaker] = max(self.own_end.get(utterance.speaker, 0), span.end)

    def last_of_turn(self, turn: int) -> Placed | None:
        found = [placed for placed in self.placed.values() if placed.utterance.turn == turn]
        return found[-1] if found else None

    def turn_start(self, turn: int) -> int:
        return min(placed.span.start for placed in self.placed.values() if placed.utterance.turn == turn)

    def turn_end(self, turn: int) -> int:
        return max(placed.span.end for placed in self.placed.values() if placed.utterance.turn == turn)


def place(spoken: SpokenScript, profile: Profile, lead_in_s: float) -> Placement:
    """Give every utterance that is said a span, and every event its onset.

    Raises RecordError CANNOT_BE_TIMED where an anchor leaves no room for its event.
    """
    script, clock = spoken.script, _Clock()
    unsaid = script.unsaid()
    events = {event.utterance_id: event for event in script.events}
    for utterance in script.utterances:
        if utterance.utterance_id in unsaid:
            continue
        clip = spoken.clip(utterance.utterance_id)
        event = events.get(utterance.utterance_id)
        if isinstance(utterance.anchor, AfterWords | AfterSeconds):
            if event is None:
                raise RecordError(
                    Reason.CANNOT_BE_TIMED, f"{utterance.utterance_id} is anchored, but no event says why"
                )
            start = _place_event(clock, spoken, profile, utterance, event)
        else:
            start = _place_following(clock, spoken, profile, utterance, event, lead_in_s)
        clock.put(utterance, start, clip.num_samples, clip.words)
        if not _is_overlay(utterance, events, script.utterances):
            clock.floor = utterance.utterance_id
    return Placement(placed=clock.placed, events=tuple(clock.events), offsets=tuple(clock.offsets))


def _is_overlay(
    utterance: Utterance, events: Mapping[str, ScriptedEvent], utterances: tuple[Utterance, ...]
) -> bool:
    """Whether an utterance belongs to a turn that lies on top of another one, whose speaker keeps the floor."""
    opening = next(u for u in utterances if u.turn == utterance.turn)
    event = events.get(opening.utterance_id)
    anchored = isinstance(opening.anchor, AfterWords | AfterSeconds)
    return anchored and event is not None and event.effect is FloorEffect.CONTINUES


def _place_following(
    clock: _Clock,
    spoken: SpokenScript,
    profile: Profile,
    utterance: Utterance,
    event: ScriptedEvent | None,
    lead_in_s: float,
) -> int:
    """Start of an utterance that follows its own turn, or the turn that holds the floor."""
    rate = spoken.clip(utterance.utterance_id).sampling_rate
    name = utterance.utterance_id
    before = clock.last_of_turn(utterance.turn)
    if before is not None:
        if isinstance(utterance.anchor, AfterHesitation):
            wait_s = profile.hesitation_s(f"hesitation/{name}", spoken.script.language)
        else:
            wait_s = profile.pause_s(f"pause/{name}")
        start = before.span.end + to_samples(wait_s, rate)
        onset = before.span.end
    else:
        start = onset = _start_of_turn(clock, spoken, profile, utterance, lead_in_s)
    start = max(start, clock.own_end.get(utterance.speaker, 0))
    if event is not None:
        clock.events.append(
            Realised(event=event, onset=onset, anchor_at=None, yielded_at=None, hosted=event.host is not None)
        )
    return start


def _start_of_turn(
    clock: _Clock, spoken: SpokenScript, profile: Profile, utterance: Utterance, lead_in_s: float
) -> int:
    clip = spoken.clip(utterance.utterance_id)
    if clock.floor is None:
        return to_samples(lead_in_s, clip.sampling_rate)
    floor = clock.placed[clock.floor]
    own_end = clock.own_end.get(utterance.speaker, 0)
    if floor.utterance.speaker is Speaker.THIRD_PARTY:
        # The user speaks to the assistant when the bystander is done.
        offset_s = profile.gap_s(f"gap/{utterance.utterance_id}")
    else:
        outgoing = floor.span.end - clock.turn_start(floor.utterance.turn)
        incoming = _spoken_samples(spoken, utterance.turn)
        most = (1 - MIN_HEARD_SHARE) * min(outgoing, incoming)
        most = min(most, _lead_to_anchor(spoken, utterance.turn, floor.utterance.speaker))
        lower = max(own_end - floor.span.end, -most)
        draw = profile.response_s if utterance.speaker is Speaker.ASSISTANT else profile.transfer_s
        offset_s = draw(f"transfer/{utterance.utterance_id}", lower / clip.sampling_rate)
    offset = to_samples(offset_s, clip.sampling_rate)
    clock.offsets.append(("transfer", offset))
    return floor.span.end + offset


def _place_event(
    clock: _Clock, spoken: SpokenScript, profile: Profile, utterance: Utterance, event: ScriptedEvent
) -> int:
    """Start of an anchored utterance; a host that yields is cut short."""
    anchor = utterance.anchor
    if not isinstance(anchor, AfterWords | AfterSeconds):
        raise TypeError(f"{utterance.utterance_id} has no place inside a host")
    rate = spoken.clip(utterance.utterance_id).sampling_rate
    host = clock.placed[anchor.host]
    anchor_at = host.span.start + _anchor_offset(anchor, host.words, rate)
    label = f"onset/{utterance.utterance_id}"
    yields = event.effect is FloorEffect.YIELDS
    limit = host.span.end - to_samples(MIN_OVERLAP_S, rate) if yields else clock.turn_end(host.utterance.turn)
    # Where the host came in early, the speaker may still be busy with what the host answers.
    earliest = max(anchor_at, clock.own_end.get(utterance.speaker, 0))
    room_s = (limit - earliest) / rate
    if room_s < 0:
        raise RecordError(
            Reason.CANNOT_BE_TIMED,
            f"{utterance.utterance_id} would start {-room_s:.2f} s after its host's last chance to be interrupted",
        )
    if yields:
        longest = round(MAX_INTERRUPTED_SHARE * _spoken_samples(spoken, utterance.turn))
        return _interrupt(clock, profile, event, host, (anchor_at, limit), longest, rate)
    if event.type is EventType.BACKCHANNEL:
        kind, onset = "backchannel", _listen(clock, profile, label, host, (anchor_at, limit), rate)
    else:
        kind = "bystander"
        onset = anchor_at + min(to_samples(profile.bystander_delay_s(label, room_s), rate), limit - anchor_at)
    clock.offsets.append((kind, onset - anchor_at))
    clock.events.append(Realised(event=event, onset=onset, anchor_at=anchor_at, yielded_at=None, hosted=True))
    return onset


def _listen(
    clock: _Clock, profile: Profile, label: str, host: Placed, window: tuple[int, int], rate: int
) -> int:
    """Onset of a backchannel: the drawn delay after a word of the host's turn, with no other word ending between.

    The reference counts from the latest word that had ended. Words follow each other closely, so a delay
    fits only behind a word whose successor ends later: a long one, or the first after a pause. The first
    such place from the anchor on is taken::

        host      |= anchor =|= up =|= longer =|
        onset                       |-delay-|
    """
    anchor_at, limit = window
    earliest = anchor_at + round(profile.lateness * (limit - anchor_at))
    words = [
        (placed.span.start + word.span.start, placed.span.start + word.span.end)
        for placed in clock.placed.values()
        if placed.utterance.turn == host.utterance.turn
        for word in placed.words
    ]
    ends = [(end, after_end) for (_, end), (_, after_end) in pairwise(words) if end >= earliest]
    if not ends:
        return limit
    roomiest = max(after - end for end, after in ends)
    delay = to_samples(profile.backchannel_delay_s(label, roomiest / rate), rate)
    end = next((end for end, after in ends if after - end > delay), None)
    if end is None:  # as long as the roomiest place itself
        end = max(ends, key=lambda pair: pair[1] - pair[0])[0]
    return min(end + delay, limit)


def _interrupt(
    clock: _Clock,
    profile: Profile,
    event: ScriptedEvent,
    host: Placed,
    window: tuple[int, int],
    longest: int,
    rate: int,
) -> int:
    """Start of an interruption in `window`; its host falls silent a reaction time later, or finishes.

    `longest` bounds the reaction, in samples.
    """
    anchor_at, limit = window
    latest = min(limit, anchor_at + to_samples(INTERRUPTER_DELAY_S[1], rate))
    delay = to_samples(
        profile.interrupter_delay_s(f"onset/{event.utterance_id}", (latest - anchor_at) / rate), rate
    )
    reaction = to_samples(profile.reaction_s(f"reaction/{host.utterance.utterance_id}"), rate)
    start = host.span.start
    planned = plan_yield(
        host.words,
        earliest=anchor_at - start,
        latest=latest - start,
        wanted=anchor_at + delay - start,
        reaction=min(reaction, longest),
    )
    if planned is None:
        raise RecordError(
            Reason.CANNOT_BE_TIMED, f"nothing of {host.utterance.utterance_id} is left behind its anchor"
        )
    onset = start + planned.onset
    if planned.stop is not None:
        span = Span(start=start, end=start + planned.stop.sample)
        name = host.utterance.utterance_id
        clock.placed[name] = Placed(utterance=host.utterance, span=span, words=planned.stop.words)
        clock.own_end[host.utterance.speaker] = span.end
    yielded_at = clock.placed[host.utterance.utterance_id].span.end
    clock.offsets += [("interrupter", onset - anchor_at), ("reaction", yielded_at - onset)]
    clock.events.append(
        Realised(event=event, onset=onset, anchor_at=anchor_at, yielded_at=yielded_at, hosted=True)
    )
    return onset


def _anchor_offset(anchor: AfterWords | AfterSeconds, words: tuple[Word, ...], rate: int) -> int:
    """Samples from the host's start to the point where the anchor's condition is met."""
    if isinstance(anchor, AfterSeconds):
        return to_samples(anchor.seconds, rate)
    if anchor.words > len(words):
        raise RecordError(
            Reason.CANNOT_BE_TIMED,
            f"anchored after word {anchor.words} of {anchor.host}, which has {len(words)}",
        )
    return words[anchor.words - 1].span.end


def _lead_to_anchor(spoken: SpokenScript, turn: int, speaker: Speaker) -> float:
    """Samples from the start of a turn to the first place in it where `speaker` comes in, at the least.

    That speaker must have ended by then: who still speaks cannot interrupt.
    """
    anchors = [
        u.anchor
        for u in spoken.script.utterances
        if u.speaker is speaker and isinstance(u.anchor, AfterWords | AfterSeconds)
    ]
    before = 0
    for utterance in spoken.script.utterances:
        if utterance.turn != turn or utterance.utterance_id in spoken.script.unsaid():
            continue
        clip = spoken.clip(utterance.utterance_id)
        for anchor in anchors:
            if anchor.host == utterance.utterance_id:
                return before + _anchor_offset(anchor, clip.words, clip.sampling_rate)
        before += clip.num_samples
    return math.inf


def _spoken_samples(spoken: SpokenScript, turn: int) -> int:
    """Length of a turn's clips, without the pauses between them."""
    unsaid = spoken.script.unsaid()
    return sum(
        spoken.clip(u.utterance_id).num_samples
        for u in spoken.script.utterances
        if u.turn == turn and u.utterance_id not in unsaid
    )
