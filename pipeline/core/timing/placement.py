"""Placing the utterances of one dialogue on one clock.

The floor is held by one turn at a time. Each utterance is placed where its anchor says:

::

    follows, same turn      |== previous ==| pause |== this ==|
    follows, new turn       |== floor ==| gap |== this ==|         or, with a negative offset,
                            |== floor ==|
                                    |== this ==|
    follows, new turn of    |== own ==| gap |== this ==|           the reply in between is text only
    the same speaker
    after words, yields,    |== host ====~|                        host breaks off a reaction time after
    resumes                        |== this ==|                    the onset; this turn takes the floor
    after words, finishes   |== host ====|                         host says its sentence to the end, no more;
                                   |== this ==|                    this turn takes the floor
    after words, continues  |== host ==========|== more ==|        host goes on; the floor stays
                                   |= this =|
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from pipeline.core.timing.material import Material, anchor_offset
from pipeline.core.timing.profile import INTERRUPTER_DELAY_S, Profile
from pipeline.core.timing.stopping import plan_yield
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import AfterHesitation, AfterSeconds, AfterWords, ScriptedEvent, Utterance
from pipeline.domain.span import Span, to_samples
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
    `interrupter` | `finish`, offset)."""


def place(material: Material, profile: Profile, lead_in_s: float) -> Placement:
    """Give every utterance that is said a span, and every event its onset.

    Raises RecordError CANNOT_BE_TIMED where an anchor leaves no room for its event.
    """
    walk = _Walk(material, profile, to_samples(lead_in_s, material.rate))
    for utterance in material.said:
        walk.place(utterance)
    return Placement(placed=walk.placed, events=tuple(walk.events), offsets=tuple(walk.offsets))


@dataclass(slots=True)
class _Walk:
    """A walk over a script, with what has been placed so far."""

    material: Material
    profile: Profile
    lead_in: int
    placed: dict[str, Placed] = field(default_factory=dict)
    events: list[Realised] = field(default_factory=list)
    offsets: list[tuple[str, int]] = field(default_factory=list)
    floor: str | None = None
    """The latest utterance of the turn that holds the floor."""
    turns: dict[int, list[str]] = field(default_factory=dict)
    own_end: dict[Speaker, int] = field(default_factory=dict)

    def place(self, utterance: Utterance) -> None:
        """Place the next utterance."""
        name, clip = utterance.utterance_id, self.material.clips[utterance.utterance_id]
        event = self.material.events.get(name)
        if not isinstance(utterance.anchor, AfterWords | AfterSeconds):
            start = self._follow(utterance, event)
        elif event is not None:
            start = self._come_in(utterance, utterance.anchor, event)
        else:
            raise RecordError(Reason.CANNOT_BE_TIMED, f"{name} is anchored, but no event says why")
        span = Span(start=start, end=start + clip.num_samples)
        self.placed[name] = Placed(utterance=utterance, span=span, words=clip.words)
        self.turns.setdefault(utterance.turn, []).append(name)
        self.own_end[utterance.speaker] = max(self.own_end.get(utterance.speaker, 0), span.end)
        if utterance.turn not in self.material.overlays:
            self.floor = name

    def _of_turn(self, turn: int) -> list[Placed]:
        return [self.placed[name] for name in self.turns.get(turn, ())]

    def _samples(self, seconds: float) -> int:
        return to_samples(seconds, self.material.rate)

    def _follow(self, utterance: Utterance, event: ScriptedEvent | None) -> int:
        """Start of an utterance that follows its own turn, or the turn that holds the floor."""
        name, before = utterance.utterance_id, self._of_turn(utterance.turn)
        if before:
            onset = before[-1].span.end
            if isinstance(utterance.anchor, AfterHesitation):
                wait_s = self.profile.hesitation_s(f"hesitation/{name}", self.material.language)
            else:
                wait_s = self.profile.pause_s(f"pause/{name}")
            start = onset + self._samples(wait_s)
        else:
            start = onset = self._take_floor(utterance)
        if event is not None:
            self.events.append(
                Realised(
                    event=event, onset=onset, anchor_at=None, yielded_at=None, hosted=event.host is not None
                )
            )
        return max(start, self.own_end.get(utterance.speaker, 0))

    def _take_floor(self, utterance: Utterance) -> int:
        """Start of a turn after the one that holds the floor."""
        if self.floor is None:
            return self.lead_in
        floor, name = self.placed[self.floor], utterance.utterance_id
        if floor.utterance.speaker is utterance.speaker:
            # What came in between is text that nobody speaks; it takes no time but the gap.
            offset = self._samples(self.profile.own_gap_s(f"gap/{name}"))
        elif floor.utterance.turn in self.material.waited_for:
            # Whoever hesitates is waited for; the user speaks to the assistant when the bystander is done.
            assistant = utterance.speaker is Speaker.ASSISTANT
            wait = self.profile.awaited_response_s if assistant else self.profile.gap_s
            offset = self._samples(wait(f"gap/{name}"))
        else:
            outgoing = floor.span.end - self._of_turn(floor.utterance.turn)[0].span.start
            incoming = self.material.turn_samples[utterance.turn]
            most = min(
                (1 - MIN_HEARD_SHARE) * min(outgoing, incoming),
                self.material.lead_to_anchor(utterance.turn, floor.utterance.speaker),
            )
            lower = max(self.own_end.get(utterance.speaker, 0) - floor.span.end, -most)
            assistant = utterance.speaker is Speaker.ASSISTANT
            draw = self.profile.response_s if assistant else self.profile.transfer_s
            offset = self._samples(draw(f"transfer/{name}", lower / self.material.rate))
            self.offsets.append(("transfer", offset))
        return floor.span.end + offset

    def _come_in(self, utterance: Utterance, anchor: AfterWords | AfterSeconds, event: ScriptedEvent) -> int:
        """Start of an anchored utterance; a host that yields is cut short."""
        host, name = self.placed[anchor.host], utterance.utterance_id
        anchor_at = host.span.start + anchor_offset(anchor, host.words, self.material.rate)
        takes_floor = event.effect.takes_floor
        # What answers the host's words stays in the utterance that holds them, whatever the dial says; a
        # bystander or an aside has nothing to do with them and may come later in the turn.
        turn_end = self._undisturbed_end(utterance, host.utterance.turn)
        if takes_floor:
            latest = host.span.end - self._samples(MIN_OVERLAP_S)
        else:
            latest = max(anchor_at, min(host.span.end, turn_end) if event.type.is_backchannel else turn_end)
        # Where the host came in early, the speaker may still be busy with what the host answers.
        earliest = max(anchor_at, self.own_end.get(utterance.speaker, 0))
        if latest < earliest:
            late_s = (earliest - latest) / self.material.rate
            raise RecordError(
                Reason.CANNOT_BE_TIMED,
                f"{name} would start {late_s:.2f} s after its host's last chance to be interrupted",
            )
        yielded_at: int | None = None
        if event.effect.cuts_host:
            onset, yielded_at = self._interrupt(utterance, host, earliest, latest)
            self.offsets += [("interrupter", onset - anchor_at), ("reaction", yielded_at - onset)]
        elif takes_floor:
            onset, yielded_at = self._talk_down(utterance, host, earliest, latest), host.span.end
            self.offsets.append(("finish", yielded_at - onset))
        else:
            kind, onset = self._accompany(event, host, earliest, latest, max(turn_end, earliest))
            self.offsets.append((kind, onset - anchor_at))
        self.events.append(
            Realised(
                event=event,
                onset=onset,
                anchor_at=anchor_at,
                yielded_at=yielded_at,
                hosted=True,
            )
        )
        return onset

    def _accompany(
        self, event: ScriptedEvent, host: Placed, earliest: int, latest: int, turn_end: int
    ) -> tuple[str, int]:
        """Onset of something that leaves its host the floor."""
        name = event.utterance_id
        if event.type.is_backchannel:
            return "backchannel", self._listen(host, f"onset/{name}", earliest, latest, turn_end)
        delay_s = self.profile.bystander_delay_s(f"onset/{name}", (latest - earliest) / self.material.rate)
        return "bystander", earliest + min(self._samples(delay_s), latest - earliest)

    def _listen(self, host: Placed, label: str, earliest: int, latest: int, turn_end: int) -> int:
        """Onset of a backchannel: a drawn delay after a word of the host's turn, before another one ends.

        The reference counts from the latest word that had ended. Words follow each other closely, so a delay
        fits only behind a word whose successor ends later: a long one, or the first after a pause. The first
        such place from the anchor on is taken::

            host      |= anchor =|= up =|= longer =|
            onset                       |-delay-|
        """
        first = earliest + round(self.profile.lateness * (latest - earliest))
        ends = [
            heard
            for placed in self._of_turn(host.utterance.turn)
            for word in placed.words
            if (heard := placed.span.start + word.span.end) <= turn_end
        ]
        places = [(end, after) for end, after in pairwise(ends) if end >= first]
        if not places:
            return turn_end
        roomiest = max(after - end for end, after in places)
        delay = self._samples(self.profile.backchannel_delay_s(label, roomiest / self.material.rate))
        end = next((end for end, after in places if after - end > delay), None)
        if end is None:  # as long as the roomiest place itself
            end = max(places, key=lambda place: place[1] - place[0])[0]
        return min(end + delay, turn_end)

    def _undisturbed_end(self, incoming: Utterance, turn: int) -> int:
        """Up to where an utterance can start that leaves a turn the floor: the turn's end, where something
        takes the floor from it, or so early that its speaker has done before coming in there again."""
        length = self.material.turn_samples[incoming.turn]
        limits = [max(part.span.end for part in self._of_turn(turn))]
        for later in self.material.said:
            anchor, event = later.anchor, self.material.events.get(later.utterance_id)
            if later.turn <= incoming.turn or not isinstance(anchor, AfterWords | AfterSeconds):
                continue
            host = self.placed.get(anchor.host)
            if host is None or host.utterance.turn != turn or event is None:
                continue
            at = host.span.start + anchor_offset(anchor, host.words, self.material.rate)
            if later.speaker is incoming.speaker:
                limits.append(at - length)
            elif event.effect.takes_floor:
                limits.append(at)
        return min(limits)

    def _talk_down(self, utterance: Utterance, host: Placed, earliest: int, latest: int) -> int:
        """Onset of an interruption against which the host says its sentence to the end.

        Both speak for about as long as between an onset and a yield; an anchor further from the end of the
        sentence leaves the start of the interruption later::

            host       |== anchor =|== to the end ==|
            onset                        |-reaction-|
        """
        longest = round(MAX_INTERRUPTED_SHARE * self.material.turn_samples[utterance.turn])
        name = host.utterance.utterance_id
        overlap = min(self._samples(self.profile.reaction_s(f"reaction/{name}")), longest)
        return min(max(host.span.end - overlap, earliest), latest)

    def _interrupt(self, utterance: Utterance, host: Placed, earliest: int, latest: int) -> tuple[int, int]:
        """(onset, end of the host): the host falls silent a reaction time after the onset, or finishes."""
        name, start = host.utterance.utterance_id, host.span.start
        latest = min(latest, earliest + self._samples(INTERRUPTER_DELAY_S[1]))
        room_s = (latest - earliest) / self.material.rate
        delay = self._samples(self.profile.interrupter_delay_s(f"onset/{utterance.utterance_id}", room_s))
        longest = round(MAX_INTERRUPTED_SHARE * self.material.turn_samples[utterance.turn])
        planned = plan_yield(
            host.words,
            earliest=earliest - start,
            latest=latest - start,
            wanted=earliest + delay - start,
            reaction=min(self._samples(self.profile.reaction_s(f"reaction/{name}")), longest),
        )
        if planned is None:
            raise RecordError(Reason.CANNOT_BE_TIMED, f"nothing of {name} is left behind its anchor")
        if planned.stop is not None:
            span = Span(start=start, end=start + planned.stop.sample)
            self.placed[name] = Placed(utterance=host.utterance, span=span, words=planned.stop.words)
            self.own_end[host.utterance.speaker] = span.end
        return start + planned.onset, self.placed[name].span.end
