"""What timing drew from a reference, measured on its own: the durations that no event fixes.

A generated dialogue is full of planned interruptions, so its floor-transfer offsets as a whole are not
those of everyday talk and are not meant to be. What is drawn from the reference's tables is:

::

    user       |== query ==|        |= interruption =|        |= reply =|
    assistant               |= a1 =|  |= a2 ==~|        |= b ========|
                           <>       ..          (fixed)<>            <>    transfers of turns without an anchor
                                    <> pause    <->yield                   pause within a turn, yield after an onset

Whoever hesitates is waited for, and so is a bystander: what follows such a turn follows it after a gap, never
into it, so that transfer is the event's and no draw from the law of transfers::

    user       |= Which tram goes to =|  ...  |= the harbour? =|
    assistant                                                       |= a1 =|
                                      (hesitation)              (gap)
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from pipeline.core.distances import emd_s, ks_distance
from pipeline.core.reference import KsNoise, Reference
from pipeline.core.turntaking import ComparisonRow
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Speaker
from pipeline.domain.record import Record
from pipeline.domain.script import AfterSeconds, AfterWords
from pipeline.domain.span import Span
from pipeline.domain.timeline import Event, Supervision, Timeline


class Drawn(StrEnum):
    """Quantities that timing draws, by name."""

    TRANSFER = "fto (not fixed by events)"
    TRANSFER_TO_ASSISTANT = "  user to assistant"
    TRANSFER_TO_USER = "  assistant to user"
    PAUSE = "pause (within turns)"
    BACKCHANNEL = "backchannel onset (after a word of its host)"
    YIELD = "yield time (after an interruption)"

    @property
    def table(self) -> str:
        """The reference's distribution that it is drawn from."""
        return _TABLES[self]


_TABLES = {
    Drawn.TRANSFER: "fto_turn_to_turn",
    Drawn.TRANSFER_TO_ASSISTANT: "fto_turn_to_turn",
    Drawn.TRANSFER_TO_USER: "fto_turn_to_turn",
    Drawn.PAUSE: "pause",
    Drawn.BACKCHANNEL: "backchannel_since_partner_word_end",
    Drawn.YIELD: "floor_taking_continuation_cut_off",
}

Spans = Mapping[str, Span]
"""Where each supervision is, by id: as recorded, or as heard."""


class DrawnTiming(Record):
    """Samples in seconds, in order of time; all quantities are there, empty where none happened."""

    samples: Mapping[Drawn, tuple[float, ...]]

    @classmethod
    def pool(cls, many: "Iterable[DrawnTiming]") -> "DrawnTiming":
        """The samples of many dialogues, one after the other."""
        pooled: dict[Drawn, list[float]] = {quantity: [] for quantity in Drawn}
        for one in many:
            for quantity, values in one.samples.items():
                pooled[quantity].extend(values)
        return cls(samples={quantity: tuple(values) for quantity, values in pooled.items()})


def recorded_spans(timeline: Timeline) -> Spans:
    """From each supervision's first word to its last: what the record says is spoken."""
    return {
        s.supervision_id: Span(start=s.words[0].span.start, end=s.words[-1].span.end)
        for s in timeline.supervisions
    }


def measure_drawn(timeline: Timeline, spans: Spans) -> DrawnTiming:
    """The drawn durations of one dialogue; a supervision without a span takes part in none of them."""
    measured = _Measured(timeline, spans)
    transfers = tuple(measured.transfers())
    to_assistant = tuple(value for value, incoming in transfers if incoming is Speaker.ASSISTANT)
    to_user = tuple(value for value, incoming in transfers if incoming is Speaker.USER)
    samples = {
        Drawn.TRANSFER: tuple(value for value, _ in transfers),
        Drawn.TRANSFER_TO_ASSISTANT: to_assistant,
        Drawn.TRANSFER_TO_USER: to_user,
        Drawn.PAUSE: tuple(measured.pauses()),
        Drawn.BACKCHANNEL: tuple(measured.backchannels()),
        Drawn.YIELD: tuple(measured.yields()),
    }
    rate = timeline.sampling_rate
    return DrawnTiming(samples={q: tuple(value / rate for value in values) for q, values in samples.items()})


def drawn_rows(drawn: DrawnTiming, reference: Reference) -> tuple[ComparisonRow, ...]:
    """A row per quantity that happened, against the table that it was drawn from.

    The noise floor is that of independent draws: dialogues are generated one by one, so there is no
    conversation whose events could resemble each other more than the reference's.
    """
    return tuple(_row(quantity, values, reference) for quantity, values in drawn.samples.items() if values)


def _row(quantity: Drawn, values: tuple[float, ...], reference: Reference) -> ComparisonRow:
    table = reference.distributions.get(quantity.table)
    noise = _noise(len(values), quantity, reference) if table else None
    p5, p50, p95 = (float(q) for q in np.quantile(values, (0.05, 0.5, 0.95)))
    return ComparisonRow(
        name=quantity.value,
        n=len(values),
        per_min=None,
        s_per_min=None,
        p5=p5,
        p50=p50,
        p95=p95,
        reference_per_min=None,
        reference_p50=table.p50 if table else None,
        ks=ks_distance(values, table) if table else None,
        emd_s=emd_s(values, table) if table else None,
        noise_ks_mean=noise.ks_mean if noise else None,
        noise_ks_p95=noise.ks_p95 if noise else None,
    )


def _noise(n: int, quantity: Drawn, reference: Reference) -> KsNoise | None:
    """The reference's own floor of independent draws; for a fitted one, which has none, Kolmogorov's law.

    KS of n draws from a law is 0.869 / sqrt(n) on average and below 1.358 / sqrt(n) 95 times in 100 (the
    limit distribution, within 3 % from n = 30 on). A fitted table is a sample of m itself, so 1/n becomes
    1/n + 1/m.
    """
    if reference.sampling_error is not None:
        return reference.ks_noise_floor(n, quantity.table, "independent")
    spread = math.sqrt(1 / n + 1 / reference.distribution(quantity.table).n)
    return KsNoise(ks_mean=min(1.0, 0.869 * spread), ks_p95=min(1.0, 1.358 * spread))


@dataclass(frozen=True, slots=True)
class _Measured:
    """One dialogue; all values in samples."""

    timeline: Timeline
    spans: Spans

    def _event_of(self, supervision: Supervision) -> Event | None:
        name = supervision.supervision_id
        return next((e for e in self.timeline.events if e.supervision_id == name), None)

    def _span(self, supervision: Supervision) -> Span | None:
        return self.spans.get(supervision.supervision_id)

    def transfers(self) -> "Iterable[tuple[int, Speaker]]":
        """(offset, incoming speaker) of every floor transfer between user and assistant that no event fixes."""
        floor: list[tuple[tuple[Supervision, ...], Event | None]] = []
        for turn in self.timeline.turns():
            event = self._event_of(turn[0])
            if not _lies_on_top(event):
                floor.append((turn, event))
        for (before, _), (after, event) in pairwise(floor):
            left, entered = self._span(before[-1]), self._span(after[0])
            parties = (before[0].speaker, after[0].speaker)
            if left is None or entered is None or _is_anchored(event) or self._is_waited_for(before):
                continue
            if parties[0] is not parties[1] and Speaker.THIRD_PARTY not in parties:
                yield entered.start - left.end, parties[1]

    def _is_waited_for(self, turn: tuple[Supervision, ...]) -> bool:
        """Whether an event keeps whoever comes next from starting before the turn is over."""
        return turn[0].speaker is Speaker.THIRD_PARTY or any(self._hesitates(one) for one in turn)

    def _hesitates(self, supervision: Supervision) -> bool:
        """Whether the silence before it is a planned hesitation."""
        event = self._event_of(supervision)
        return event is not None and event.type is EventType.HESITATION_PAUSE

    def pauses(self) -> Iterable[int]:
        """Silence between utterances of a turn, hesitations left out."""
        for turn in self.timeline.turns():
            for before, after in pairwise(turn):
                left, entered = self._span(before), self._span(after)
                if left is not None and entered is not None and not self._hesitates(after):
                    yield entered.start - left.end

    def backchannels(self) -> Iterable[int]:
        """Onsets of backchannels since the end of their host's latest word.

        Which word was the latest is the record's to say: a few ms between ear and record must not turn "right
        after this word" into "a whole word after the one before".
        """
        for event in self._events(lambda e: e.type.is_backchannel):
            incoming = self.timeline.supervision(event.supervision_id)
            span, recorded = self._span(incoming), incoming.words[0].span.start
            if span is None:
                continue
            words = [
                word.span
                for supervision in self.timeline.supervisions
                if supervision.track is not incoming.track
                for word in supervision.words
            ]
            ends = [word.end for word in words if word.end <= recorded]
            if ends:
                yield span.start - max(ends)

    def yields(self) -> Iterable[int]:
        """How long a host that yields goes on after the onset of its interruption."""
        for event in self._events(lambda e: e.effect.cuts_host):
            if event.host is None:
                continue
            host, incoming = self.spans.get(event.host), self.spans.get(event.supervision_id)
            if host is not None and incoming is not None:
                yield host.end - incoming.start

    def _events(self, wanted: Callable[[Event], bool]) -> tuple[Event, ...]:
        return tuple(event for event in self.timeline.events if wanted(event))


def _is_anchored(event: Event | None) -> bool:
    """Whether an event says where its supervision starts."""
    return event is not None and isinstance(event.anchor, AfterWords | AfterSeconds)


def _lies_on_top(event: Event | None) -> bool:
    """Whether a turn that an event opens leaves the floor to whoever holds it."""
    return event is not None and _is_anchored(event) and event.effect is FloorEffect.CONTINUES
