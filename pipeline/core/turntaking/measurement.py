"""Measure turn-taking on activity: definitions 2 to 8 of the reference, in integer samples throughout.

1. Words of a speaker merge into IPUs while the silence between them is < 200 ms.
2. The walk over joint states gives gaps, pauses, overlaps between and within, and one floor-transfer
   offset (FTO) per speaker change.
3. A turn is a run of one speaker's IPUs in order of onset, backchannel-only IPUs left out.
4. Overlaps are sorted by the timing tree of `overlaps`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.turntaking.activity import (
    IPU_SILENCE_S,
    Activity,
    Ints,
    Runs,
    as_array,
    merge_runs,
    sweep_times,
)
from pipeline.core.turntaking.overlaps import OverlapClass, OverlapEvents, overlap_events
from pipeline.core.turntaking.statistics import Quantity, TurnTakingStatistics
from pipeline.core.turntaking.transitions import Bools, ipu_at, joint_states, walk
from pipeline.domain.span import to_samples

Values = Ints | npt.NDArray[np.float64]
Samples = dict[Quantity, Values]

FRACTIONS = frozenset(quantity for quantity in Quantity if "_fraction_" in quantity.value)


@dataclass(frozen=True, slots=True)
class _Speaker:
    """One speaker's words, IPUs and backchannel units as arrays."""

    words: Ints
    ipus: Runs
    is_backchannel: Bools
    """Per IPU: it holds nothing but backchannel words."""
    units: Ints
    """`[n, 2]` backchannel units, up to their first silence of 200 ms."""


@dataclass(frozen=True, slots=True)
class _Backchannels:
    samples: Samples
    inside: int
    standalone: int


def measure(activity: Activity, min_silence_s: float = IPU_SILENCE_S) -> TurnTakingStatistics:
    """Turn-taking statistics of one conversation.

    Any number of speakers has IPUs, speech, overlap and silence; transitions, turns and kinds of overlap
    are defined between two, and absent from the samples otherwise. Linear in the number of stretches
    (after sorting).
    """
    rate = activity.sampling_rate
    min_silence = to_samples(min_silence_s, rate)
    known = activity.backchannels is not None
    units = activity.backchannels or ((),) * len(activity.speakers)
    speakers = [
        _speaker(as_array(spans), [as_array(unit) for unit in tagged], min_silence)
        for spans, tagged in zip(activity.speakers, units, strict=True)
    ]
    samples: Samples = {
        Quantity.IPU_DURATION: np.concatenate([_lengths(s.ipus) for s in speakers] or [_EMPTY])
    }
    unclassified = inside = standalone = 0
    if len(speakers) == 2:
        pair = (speakers[0], speakers[1])
        steps, unclassified = _transitions(pair, known)
        samples |= steps | _turns_and_overlaps(pair, known, rate)
        if known:
            found = _backchannels(pair)
            samples |= found.samples
            if not activity.has_words:
                del samples[Quantity.BACKCHANNEL_SINCE_PARTNER_WORD_END]
            inside, standalone = found.inside, found.standalone
    times = sweep_times([s.ipus for s in speakers])
    speech = [int(_lengths(s.ipus).sum()) for s in speakers]
    return TurnTakingStatistics(
        conversations=1,
        total_s=times.total / rate,
        speech_any_s=times.any_speech / rate,
        overlap_s=times.overlap / rate,
        three_or_more_s=times.three_or_more / rate,
        speech_s=sum(speech) / rate,
        dominant_speech_s=max(speech, default=0) / rate,
        samples={q: tuple((v if q in FRACTIONS else v / rate).tolist()) for q, v in samples.items()},
        unclassified=unclassified,
        backchannels_inside=inside,
        backchannels_standalone=standalone,
    )


_EMPTY: Ints = np.zeros(0, dtype=np.int64)


def _speaker(words: Ints, units: list[Ints], min_silence: int) -> _Speaker:
    runs = merge_runs(words, min_silence)
    tagged = np.concatenate([np.zeros((0, 2), dtype=np.int64), *units])
    in_ipu = np.bincount(ipu_at(runs, words[:, 0]), minlength=len(runs))
    backchannel_words = np.bincount(ipu_at(runs, tagged[:, 0]), minlength=len(runs))
    return _Speaker(
        words=words,
        ipus=runs,
        is_backchannel=in_ipu == backchannel_words,
        units=np.array([merge_runs(unit, min_silence)[0] for unit in units], dtype=np.int64).reshape(-1, 2),
    )


def _transitions(pair: tuple[_Speaker, _Speaker], known: bool) -> tuple[Samples, int]:
    a, b = pair
    steps = walk(joint_states(a.ipus, b.ipus))
    changes = steps.speaker_changes
    stays = steps.classified & ~steps.changes_speaker
    samples: Samples = {
        Quantity.FTO: steps.offset[changes],
        Quantity.GAP: steps.offset[changes & (steps.offset > 0)],
        Quantity.OVERLAP_BETWEEN: -steps.offset[changes & (steps.offset < 0)],
        Quantity.OVERLAP_WITHIN: -steps.offset[stays & (steps.offset < 0)],
        Quantity.PAUSE: steps.offset[stays & (steps.offset > 0)],
    }
    if known:
        out_of = _is_backchannel_at(pair, steps.outgoing, steps.left_at)
        into = _is_backchannel_at(
            pair, np.where(steps.changes_speaker, 1 - steps.outgoing, steps.outgoing), steps.entered_at
        )
        samples[Quantity.FTO_TURN_TO_TURN] = steps.offset[changes & ~into & ~out_of]
        samples[Quantity.FTO_INTO_BACKCHANNEL] = steps.offset[changes & into]
        samples[Quantity.FTO_OUT_OF_BACKCHANNEL] = steps.offset[changes & out_of & ~into]
    return samples, int((~steps.classified).sum())


def _is_backchannel_at(pair: tuple[_Speaker, _Speaker], speaker: Ints, times: Ints) -> Bools:
    result = np.zeros(len(times), dtype=bool)
    for index, party in enumerate(pair):
        mine = speaker == index
        result[mine] = party.is_backchannel[ipu_at(party.ipus, times[mine])]
    return result


def _turns_and_overlaps(pair: tuple[_Speaker, _Speaker], known: bool, rate: int) -> Samples:
    events = overlap_events(pair[0].ipus, pair[1].ipus, rate)
    turn_lengths, turn_start = _turns(pair)
    cut_in = events.of(OverlapClass.INTERRUPTION)
    terminal = events.of(OverlapClass.TERMINAL_OVERLAP)
    failed = events.of(OverlapClass.FAILED_INTERRUPTION)
    onset = (events.y0 - events.x0)[cut_in]
    samples: Samples = {
        Quantity.INTERRUPTION_OVERLAP: events.overlap[cut_in],
        Quantity.INTERRUPTION_CONTINUATION: events.continuation[cut_in],
        Quantity.TERMINAL_OVERLAP_OVERLAP: events.overlap[terminal],
        Quantity.TERMINAL_OVERLAP_CONTINUATION: events.continuation[terminal],
        Quantity.FLOOR_TAKING_CONTINUATION: events.continuation[cut_in | terminal],
        Quantity.INTERRUPTION_ONSET_IN_IPU: onset,
        Quantity.INTERRUPTION_ONSET_FRACTION_OF_IPU: onset / (events.x1 - events.x0)[cut_in],
        Quantity.FAILED_INTERRUPTION_DURATION: (events.y1 - events.y0)[failed],
        Quantity.FAILED_INTERRUPTION_OVERLAP: events.overlap[failed],
        Quantity.SIMULTANEOUS_START_OVERLAP: events.overlap[events.of(OverlapClass.SIMULTANEOUS_START)],
        Quantity.TIMING_BACKCHANNEL_OVERLAP: events.overlap[events.of(OverlapClass.TIMING_BACKCHANNEL)],
        Quantity.SHORT_INCURSION_OVERLAP: events.overlap[events.of(OverlapClass.SHORT_INCURSION)],
        Quantity.SHORT_FLOOR_CHANGE_OVERLAP: events.overlap[events.of(OverlapClass.SHORT_FLOOR_CHANGE)],
    }
    if known:
        starts = _turn_starts(events, pair, turn_start)[cut_in]
        in_turn = events.y0[cut_in] - starts
        samples[Quantity.TURN_DURATION] = turn_lengths
        samples[Quantity.INTERRUPTION_ONSET_IN_TURN] = in_turn
        samples[Quantity.INTERRUPTION_ONSET_FRACTION_OF_TURN] = in_turn / (events.x1[cut_in] - starts)
        samples[Quantity.IPU_DURATION_NO_BACKCHANNEL] = np.concatenate(
            [_lengths(speaker.ipus[~speaker.is_backchannel]) for speaker in pair]
        )
    return samples


def _turns(pair: tuple[_Speaker, _Speaker]) -> tuple[Ints, tuple[Ints, Ints]]:
    """Turn lengths by onset, and per speaker the start of the turn that each IPU belongs to.

    A backchannel-only IPU belongs to no turn and counts from its own start.
    """
    owner = np.concatenate([np.full(len(s.ipus), index) for index, s in enumerate(pair)])
    ipus = np.concatenate([s.ipus for s in pair])
    is_turn = ~np.concatenate([s.is_backchannel for s in pair])
    order = np.lexsort((owner, ipus[:, 0]))
    order = order[is_turn[order]]
    speaking = owner[order]
    opens = np.ones(len(order), dtype=bool)
    opens[1:] = speaking[1:] != speaking[:-1]
    first = np.flatnonzero(opens)
    start_of_turn = ipus[:, 0].copy()
    start_of_turn[order] = ipus[order[first[np.cumsum(opens) - 1]], 0] if len(order) else _EMPTY
    last = np.append(first[1:], len(order))[: len(first)] - 1
    lengths = ipus[order[last], 1] - ipus[order[first], 0]
    of_a = len(pair[0].ipus)
    return lengths, (start_of_turn[:of_a], start_of_turn[of_a:])


def _turn_starts(events: OverlapEvents, pair: tuple[_Speaker, _Speaker], starts: tuple[Ints, Ints]) -> Ints:
    """Start of the interrupted speaker's turn, per overlap."""
    result = np.zeros(len(events.x0), dtype=np.int64)
    for index, party in enumerate(pair):
        theirs = events.speaker == 1 - index
        result[theirs] = starts[index][ipu_at(party.ipus, events.x0[theirs])]
    return result


def _backchannels(pair: tuple[_Speaker, _Speaker]) -> _Backchannels:
    samples: dict[Quantity, list[npt.NDArray[np.float64]]] = {}
    inside_count = standalone_count = 0
    for mine, partner in (pair, pair[::-1]):
        onset = mine.units[:, 0]
        standalone = mine.is_backchannel[ipu_at(mine.ipus, onset)]
        host = ipu_at(partner.ipus, onset - 1)
        inside = host >= 0
        inside[inside] &= onset[inside] < partner.ipus[host[inside], 1]
        into = onset[inside] - partner.ipus[host[inside], 0]
        ends = np.sort(partner.words[:, 1])
        before = np.searchsorted(ends, onset, side="right") - 1
        heard = before >= 0
        for quantity, values in (
            (Quantity.BACKCHANNEL_DURATION, _lengths(mine.units)),
            (Quantity.BACKCHANNEL_STANDALONE_DURATION, _lengths(mine.units[standalone])),
            (Quantity.BACKCHANNEL_ONSET_IN_PARTNER_IPU, into),
            (Quantity.BACKCHANNEL_ONSET_FRACTION_OF_PARTNER_IPU, into / _lengths(partner.ipus[host[inside]])),
            (Quantity.BACKCHANNEL_SINCE_PARTNER_WORD_END, onset[heard] - ends[before[heard]]),
        ):
            samples.setdefault(quantity, []).append(np.asarray(values, dtype=np.float64))
        inside_count += int(inside.sum())
        standalone_count += int(standalone.sum())
    joined: Samples = {quantity: np.concatenate(parts) for quantity, parts in samples.items()}
    return _Backchannels(joined, inside_count, standalone_count)


def _lengths(runs: Ints) -> Ints:
    return runs[:, 1] - runs[:, 0]
