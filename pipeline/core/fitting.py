"""A timing reference out of observed conversations: tables to draw from, and what could not be had.

Recordings give tables of everything that happened in them. Generated dialogues are different: their planned
interruptions are no sample of anything, so the tables that timing draws from hold only what no event fixed.
Recordings tell who spoke when, and no more. Two tables that timing draws from want more than that, and are taken
from the nearest thing that was measured in the same recordings::

    fto_turn_to_turn                      <-  fto: every floor transfer, backchannels' among them
    floor_taking_continuation_cut_off     <-  floor_taking_continuation: everybody whose floor was taken

In Switchboard the first differ by a KS of 0.04, the second by one of 0.15. The file says so under `definitions`.

The spread between conversations, from which timing draws a dyad's median floor transfer and median pause, comes
from 20 recordings or more; only how often people listen audibly is left out of it, which no dyad is drawn from.

A table that the material cannot give at all is recorded as missing, with the reason; nothing is filled in unless
a base is named to borrow from, and then what was borrowed is recorded too, beside the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.drawn import Drawn, DrawnTiming
from pipeline.core.event_rates import EventTally
from pipeline.core.reference import Corpus, Definition, Distribution, PerConversation, Rate, Ratio, Reference
from pipeline.core.spread import metrics_left_out, spread_between
from pipeline.core.turntaking import IPU_SILENCE_S, Activity, Quantity, TurnTakingStatistics, measure, pool
from pipeline.domain.errors import ConfigError

MIN_EVENTS = 30
"""A table of fewer values says little: chance alone moves 30 of them by a KS of 0.16 on average."""

SPREAD = "per_conversation"

_NO_BACKCHANNELS = "who spoke when does not tell which words are backchannels"
_NO_WORDS = "talk that nobody transcribed does not tell when the other's last word ended"

_NAMED = 3
"""So many conversations are named in a message, the others counted."""

_STAND_INS = {
    Drawn.TRANSFER.table: (
        Quantity.FTO,
        "all of `fto`: which words are backchannels is not known, so transfers into and out of them are here, too",
    ),
    Drawn.YIELD.table: (
        Quantity.FLOOR_TAKING_CONTINUATION,
        "all of `floor_taking_continuation`: which turns were cut off is not known, so those that came to their own "
        "end under the overlap are here, too",
    ),
}
"""What recordings give in place of a table that they cannot, and the definition that the file then carries."""

_EXTRA_TABLES = {Drawn.BACKCHANNEL.table: Drawn.BACKCHANNEL, Drawn.YIELD.table: Drawn.YIELD}
"""Tables of the schema that want acts, or words in time: of generated dialogues, both are known."""

_DRAWN_TABLES = {
    Drawn.TRANSFER.table: Drawn.TRANSFER,
    Drawn.PAUSE.table: Drawn.PAUSE,
    **_EXTRA_TABLES,
}

_RATES = {
    "ipu": Quantity.IPU_DURATION,
    "speaker_change": Quantity.FTO,
    "gap": Quantity.GAP,
    "pause": Quantity.PAUSE,
    "overlap_between": Quantity.OVERLAP_BETWEEN,
    "overlap_within": Quantity.OVERLAP_WITHIN,
    "turn": Quantity.TURN_DURATION,
    "backchannel": Quantity.BACKCHANNEL_DURATION,
}


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation that was observed."""

    name: str
    activity: Activity
    drawn: DrawnTiming | None
    """Of a generated dialogue: what timing drew. None: a recording."""
    events: EventTally | None = None
    """Of a generated dialogue: what was planned and realised in it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a reference is fitted on, for its record."""

    name: str
    setting: str


@dataclass(frozen=True, slots=True)
class Base:
    """A reference to borrow from, and what it is called."""

    name: str
    reference: Reference


def fit_reference(
    conversations: Sequence[Conversation],
    origin: Origin,
    *,
    base: Base | None = None,
    allow_small: bool = False,
) -> Reference:
    """Measure conversations of two speakers. `allow_small` lifts the minimum of 30 values per table.

    Raises ConfigError for material that mixes recordings and generated dialogues, has other than two
    speakers, or holds fewer than 30 transitions.
    """
    _check_kinds(conversations, origin)
    measured = tuple(measure(one.activity) for one in conversations)
    statistics = pool(measured)
    least = 1 if allow_small else MIN_EVENTS
    transitions = len(statistics.sample(Quantity.FTO))
    if transitions < least:
        raise ConfigError(
            f"fit {origin.name!r}: {transitions} floor transfers, wanted {least} or more; "
            "give it more material, or say --allow-small"
        )
    samples = _samples(conversations, statistics)
    tables = {name: _table(name, sample, origin) for name, sample in samples.items() if len(sample) >= least}
    missing = {name: _why_missing(name, samples, least) for name in _wanted_tables() if name not in tables}
    spread = spread_between([one.activity for one in conversations], measured)
    if isinstance(spread, str):
        missing[SPREAD] = spread
    else:
        missing |= {f"{SPREAD}.{metric}": _NO_BACKCHANNELS for metric in metrics_left_out(spread)}
    fitted = Reference(
        corpus=Corpus(
            name=origin.name,
            setting=origin.setting,
            n_conversations=len(conversations),
            speakers_per_conversation=2,
            hours=max(statistics.total_s / 3600, 1e-6),
        ),
        definitions=_definitions(conversations, statistics, tables),
        distributions=tables,
        rates=_rates(statistics),
        ratios={
            "overlap_over_total_time": Ratio(value=statistics.overlap_over_total_time),
            "overlap_over_speech_time": Ratio(value=statistics.overlap_over_speech_time),
            "joint_silence_over_total_time": Ratio(value=statistics.joint_silence_over_total_time),
        },
        joint_facts={"p_overlap_at_speaker_change": Ratio(value=statistics.p_overlap_at_speaker_change)},
        per_conversation=None if isinstance(spread, str) else spread,
        sampling_error=None,
        missing=missing,
    )
    return fitted if base is None else borrow(fitted, base)


def stand_ins(fitted: Reference) -> Mapping[str, str]:
    """Tables of a fitted reference that another of its tables stands in for, with the one that does."""
    return {
        table: measured.value
        for table, (measured, definition) in _STAND_INS.items()
        if fitted.definitions.get(table) == definition
    }


def other_than_two(conversations: Sequence[Conversation]) -> str | None:
    """Which conversations have more or fewer than two speakers, and what that costs; None: none has."""
    odd = [(one.name, len(one.activity.speakers)) for one in conversations if len(one.activity.speakers) != 2]
    if not odd:
        return None
    named = ", ".join(f"{name!r} has {count}" for name, count in odd[:_NAMED])
    more = f" and {len(odd) - _NAMED} more" if len(odd) > _NAMED else ""
    return (
        f"{len(odd)} of {len(conversations)} conversations are not between two speakers ({named}{more}); "
        "floor transfers, gaps, pauses, turns and kinds of overlap are defined between two"
    )


def borrow(fitted: Reference, base: Base) -> Reference:
    """Take what is missing from another reference, and write down what and from where; why stays in `missing`."""
    theirs = base.reference
    tables = {name: theirs.distributions[name] for name in fitted.missing if name in theirs.distributions}
    spread: PerConversation | None = fitted.per_conversation
    taken = dict.fromkeys(tables, base.name)
    if spread is None and theirs.per_conversation is not None:
        spread = theirs.per_conversation
        taken[SPREAD] = base.name
    return fitted.model_copy(
        update={
            "distributions": {**fitted.distributions, **tables},
            "per_conversation": spread,
            "borrowed": taken,
        }
    )


def _check_kinds(conversations: Sequence[Conversation], origin: Origin) -> None:
    if not conversations:
        raise ConfigError(f"fit {origin.name!r}: no conversation to fit on")
    generated = sum(one.drawn is not None for one in conversations)
    if generated not in (0, len(conversations)):
        raise ConfigError(
            f"fit {origin.name!r}: {generated} generated dialogues and {len(conversations) - generated} recordings; "
            "their tables mean different things, so fit them apart"
        )
    odd = other_than_two(conversations)
    if odd is not None:
        raise ConfigError(f"fit {origin.name!r}: {odd}: leave the others out")


def _samples(
    conversations: Sequence[Conversation], statistics: TurnTakingStatistics
) -> Mapping[str, tuple[float, ...]]:
    samples = {quantity.value: values for quantity, values in statistics.samples.items()}
    generated = [one.drawn for one in conversations if one.drawn is not None]
    if generated:
        drawn = DrawnTiming.pool(generated)
        samples |= {table: drawn.samples[quantity] for table, quantity in _DRAWN_TABLES.items()}
    for table, (measured, _) in _STAND_INS.items():
        samples.setdefault(table, samples[measured.value])
    return samples


def _wanted_tables() -> tuple[str, ...]:
    return (*(quantity.value for quantity in Quantity), *_EXTRA_TABLES)


def _why_missing(name: str, samples: Mapping[str, tuple[float, ...]], least: int) -> str:
    if name in samples and name in _STAND_INS:
        return f"{len(samples[name])} values, of {_STAND_INS[name][0].value!r} or of its own, wanted {least}"
    if name in samples:
        return f"{len(samples[name])} values, wanted {least}"
    return _NO_WORDS if Quantity.BACKCHANNEL_DURATION.value in samples else _NO_BACKCHANNELS


def _table(name: str, sample: tuple[float, ...], origin: Origin) -> Distribution:
    unit = "fraction" if "_fraction_" in name else "s"
    return Distribution.of(sample, unit, f"{name} in {origin.name}")


def _rates(statistics: TurnTakingStatistics) -> Mapping[str, Rate]:
    return {
        name: Rate(
            per_min=round(statistics.per_min(quantity), 4),
            s_per_min=None if quantity is Quantity.FTO else round(statistics.s_per_min(quantity), 4),
        )
        for name, quantity in _RATES.items()
        if quantity in statistics.samples
    }


def _definitions(
    conversations: Sequence[Conversation],
    statistics: TurnTakingStatistics,
    tables: Mapping[str, Distribution],
) -> Mapping[str, Definition]:
    definitions: dict[str, Definition] = {"ipu_silence_s": IPU_SILENCE_S}
    if conversations[0].drawn is not None:
        definitions |= {table: f"{quantity.value.strip()} only" for table, quantity in _DRAWN_TABLES.items()}
    else:
        definitions |= {
            table: definition
            for table, (_, definition) in _STAND_INS.items()
            if table in tables and table not in statistics.samples
        }
    return definitions
