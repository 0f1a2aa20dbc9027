"""The event decision tree: ordered tests, the first match wins.

::

    X (incumbent)   |=====================|            x0 ... x1
    Y (initiator)             |==================|     y0 ... y1
                              |<- overlap >|           t1 = min(x1, y1)
                    |<- W --->|            |<- W ->|   who is alone there holds the floor before, and after

Why each guard is there (Switchboard): without steps 4 and 5, 7 % of the interruptions have an incumbent who was only
listening; with step 2 before step 3, backchannels are found with F1 0.750 instead of 0.726.
"""

from dataclasses import dataclass
from math import inf, isfinite
from typing import NamedTuple

from pipeline.core.mining.activity import Talk
from pipeline.core.mining.comparisons import Comparison, Path, at_least, at_most, fact, more_than
from pipeline.core.mining.limits import EventLimits
from pipeline.core.mining.spurts import ListenerRule, Spurt
from pipeline.domain.mining import EventContext, MinedType


class Case(NamedTuple):
    """Two talkspurts, Y starting inside X or in a silence after it, and who is alone around them, in seconds."""

    x: Spurt
    y: Spurt
    overlap_end: int
    """min(x1, y1); the onset where they do not overlap."""
    x_before_s: float
    y_before_s: float
    x_after_s: float
    y_after_s: float
    before_lead_s: float
    """Of X over Y; a difference of whole samples, so that equal is equal."""
    after_lead_s: float
    """Of Y over X."""
    joint_silence_s: float
    third_active_s: float
    third_after_lead_s: float
    """Of the third speaker with most time alone over X and Y; minus infinity where there is none."""
    left_s: float
    """What the recording holds after the overlap."""
    rate: int

    @property
    def continues_s(self) -> float:
        """How long X goes on after Y's onset: x1 - y0."""
        return (self.x.end - self.y.start) / self.rate

    @property
    def overlap_s(self) -> float:
        """0 or less where there is none."""
        return (self.overlap_end - self.y.start) / self.rate

    def context(self, rule: ListenerRule) -> EventContext:
        """The measured surroundings, as they are written down."""
        matches = rule.matches(self.y)
        return EventContext(
            incumbent_solo_before_s=self.x_before_s,
            initiator_solo_before_s=self.y_before_s,
            incumbent_solo_after_s=self.x_after_s,
            initiator_solo_after_s=self.y_after_s,
            fto_s=-self.continues_s,
            prev_own_silence_s=_finite(self.y.prior_s),
            next_own_silence_s=_finite(self.y.next_s),
            incumbent_prev_silence_s=_finite(self.x.prior_s),
            joint_silence_before_s=_finite(self.joint_silence_s),
            lexicon_match=matches,
            lexicon_verified=None if matches is None or rule.lexicon is None else rule.lexicon.verified,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The class of a case, the step that decided and how it got there."""

    type: MinedType
    rule: str
    path: Path
    context_missing: bool = False
    """Step 6: the recording ends before anybody could be seen to hold the floor."""


def case_of(talk: Talk, x: Spurt, y: Spurt, window_s: float) -> Case:
    """Measure what the tree asks about."""
    rate, window = talk.sampling_rate, round(window_s * talk.sampling_rate)
    onset, over = y.start, max(min(x.end, y.end), y.start)
    x_before, y_before = (talk.solo(s, onset - window, onset) for s in (x.speaker, y.speaker))
    x_after, y_after = (talk.solo(s, over, over + window) for s in (x.speaker, y.speaker))
    third_active, third_lead = 0, -inf
    for other in range(len(talk.names)):
        if other not in (x.speaker, y.speaker):
            third_active = max(third_active, talk.spoken(other, onset, over))
            alone = talk.solo(other, over, over + window)
            third_lead = max(third_lead, alone - max(x_after, y_after)) if alone else third_lead
    ends = [talk.latest_end(s, x.start) for s in (x.speaker, y.speaker)]
    latest = max((end for end in ends if end is not None), default=None)
    return Case(
        x=x,
        y=y,
        overlap_end=over,
        x_before_s=x_before / rate,
        y_before_s=y_before / rate,
        x_after_s=x_after / rate,
        y_after_s=y_after / rate,
        before_lead_s=(x_before - y_before) / rate,
        after_lead_s=(y_after - x_after) / rate,
        joint_silence_s=inf if latest is None else (x.start - latest) / rate,
        third_active_s=third_active / rate,
        third_after_lead_s=third_lead / rate,
        left_s=(talk.num_samples - over) / rate,
        rate=rate,
    )


def holds_floor(case: Case, limits: EventLimits) -> tuple[Comparison, Comparison]:
    """Step 5, the incumbent test: X was alone for long enough before the onset, and longer than Y."""
    return (
        at_least("before_min_solo_s", case.x_before_s, limits.before_min_solo_s),
        more_than("before_lead_s", case.before_lead_s, 0.0),
    )


def judge(case: Case, limits: EventLimits, rule: ListenerRule, several: bool) -> Verdict:
    """Steps 1 to 7. `several` says whether there are more than two speakers."""
    path = Path()
    if several and _has_third_party(case, limits, path):
        return Verdict(MinedType.MULTIPARTY_OVERLAP, "1", path)
    listener = ("2", MinedType.BACKCHANNEL, rule.tests(case.y))
    together = ("3", MinedType.SIMULTANEOUS_START, _simultaneous(case, limits))
    for step, label, tests in (listener, together) if limits.bc_before_sim else (together, listener):
        if path.all_hold(*tests):
            return Verdict(label, step, path)
    if limits.incumbent_bc_check and path.all_hold(*rule.tests(case.x, "incumbent_")):
        return Verdict(MinedType.RESUME_OVER_BACKCHANNEL, "4", path)
    if not path.all_hold(*holds_floor(case, limits)):
        return Verdict(MinedType.NO_INCUMBENT_FLOOR, "5", path)
    missing = not path.all_hold(at_least("context_after_s", case.left_s, limits.context_after_s))
    label = _after(case, limits, rule, path)
    return Verdict(label, "6" if missing else "7", path, missing)


def _has_third_party(case: Case, limits: EventLimits, path: Path) -> bool:
    return path.any_holds(
        more_than("third_speaker_s", case.third_active_s, limits.third_speaker_s),
        more_than("third_after_lead_s", case.third_after_lead_s, 0.0),
    )


def _simultaneous(case: Case, limits: EventLimits) -> tuple[Comparison, ...]:
    apart_s = (case.y.start - case.x.start) / case.rate
    return (
        at_most("sim_start_tol_s", apart_s, limits.sim_start_tol_s),
        at_least("joint_silence_s", case.joint_silence_s, limits.joint_silence_s),
    )


def _after(case: Case, limits: EventLimits, rule: ListenerRule, path: Path) -> MinedType:
    """Step 7: who holds the floor afterwards."""
    takes = at_least("take_min_solo_s", case.y_after_s, limits.take_min_solo_s)
    if path.all_hold(more_than("take_lead_s", case.after_lead_s, 0.0), takes):
        early = at_most("terminal_tol_s", case.continues_s, limits.terminal_tol_s)
        return MinedType.TERMINAL_OVERLAP if path.all_hold(early) else MinedType.INTERRUPTION
    keeps = at_least("take_min_solo_s", case.x_after_s, limits.take_min_solo_s)
    if path.all_hold(at_most("take_lead_s", case.after_lead_s, 0.0), keeps):
        return _failed(case, limits, rule, path)
    return MinedType.UNDECIDED


def _failed(case: Case, limits: EventLimits, rule: ListenerRule, path: Path) -> MinedType:
    bids = [at_least("failed_min_dur_s", case.y.length_s, limits.failed_min_dur_s)]
    if rule.lexicon is not None and case.y.text is not None:
        outside = rule.lexicon.words_outside(case.y.text)
        bids.append(fact("failed_min_words", outside >= limits.failed_min_words))
    return MinedType.FAILED_INTERRUPTION if path.any_holds(*bids) else MinedType.SHORT_INCURSION


def _finite(seconds: float) -> float | None:
    return seconds if isfinite(seconds) else None
