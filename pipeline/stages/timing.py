"""Stage 4: timing. Clips and a reference become timelines; no audio is touched."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.core.reference import Reference
from pipeline.core.seeding import draw_uniform
from pipeline.core.timing.calibration import (
    ENDS_AND_MIDDLE,
    TOLERANCE,
    Allowances,
    Calibration,
    Moved,
    Reach,
    SpreadReach,
    Talk,
    find_dial,
    reach_of,
    talk_of,
)
from pipeline.core.timing.dev_template import TAIL_S, place_dev_template
from pipeline.core.timing.dyad import DyadLaw
from pipeline.core.timing.material import gather
from pipeline.core.timing.placement import Placement, place
from pipeline.core.timing.profile import Latency, Profile
from pipeline.core.timing.timeline import build_timeline
from pipeline.domain.errors import ConfigError, RecordError
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.record import Record
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.timeline import Timeline
from pipeline.stages.shard import Shard

NAME = "timing"
VERSION = 3


SAMPLE = 300
"""Dialogues that a dial is searched on; a larger dataset corrects the answer in a few passes of its own."""
MAX_CORRECTIONS = 5
PROMISED_WITHIN = 0.002
PROMISED_FROM = 200
"""A target is met within so much on datasets of so many dialogues, or refused."""


class OverlapSpread(Record):
    """Overlap ratios spread evenly over dialogues; each dialogue is brought to its own."""

    min: float = Field(ge=0, le=1)
    max: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> "OverlapSpread":
        if self.min > self.max:
            raise ValueError(f"min must not exceed max, got {self.min} and {self.max}")
        return self


MedianLatency = Annotated[float, Field(gt=0, le=30)]


class ResponseLatency(Record):
    """From the user's last word to the assistant's first: lognormal."""

    median_s: MedianLatency
    sigma: float = Field(default=0.4, ge=0, le=2)


class Config(Record):
    """When things are said."""

    profile: Literal["reference", "human-assistant", "humdial-dev"] = "reference"
    """`reference`: both sides as two people would. `human-assistant`: the same, but the assistant never starts
    before its user has ended. `humdial-dev`: the user's side only, on the fixed template of HumDial's dev and
    test sets (5 s gaps, 10 s tail)."""
    reference: str = "switchboard"
    """`switchboard`, or a file of the same schema: `humdial fit` makes one."""
    overlap_ratio: float | OverlapSpread | None = None
    """A number: the dataset's ratio of time with both tracks speaking to time with any, within 0.002. `{min,
    max}`: spread over dialogues, each brought as near to its own ratio as its script allows; refused where more
    than half cannot have theirs. null: as the reference has it."""
    response_latency: MedianLatency | ResponseLatency | None = None
    """The assistant's response latency as a knob of its own: a median in seconds, or {median_s, sigma}. The
    overlap ratio then leaves the assistant's responses alone. null: floor transfers of the reference."""
    seed: int = Field(default=0, ge=0)
    """Other numbers give the same scripts and clips other timing, drawn from the same laws."""
    lead_in_s: float = Field(default=0.2, ge=0, le=10)
    tail_s: float = Field(default=0.5, ge=0, le=30)
    """Silence after the last word (the `humdial-dev` profile has its own)."""

    @model_validator(mode="after")
    def _combines(self) -> "Config":
        if isinstance(self.overlap_ratio, float) and not 0 <= self.overlap_ratio <= 1:
            raise ValueError(f"overlap_ratio is a share of time: wanted 0 to 1, got {self.overlap_ratio}")
        if self.profile == "humdial-dev" and (
            self.overlap_ratio is not None or self.response_latency is not None
        ):
            raise ValueError(
                "humdial-dev has no assistant on it: overlap_ratio and response_latency must be null"
            )
        return self

    def latency(self) -> Latency | None:
        """The response latency's law, if it has one of its own."""
        match self.response_latency:
            case None:
                return None
            case ResponseLatency(median_s=median_s, sigma=sigma):
                return Latency(median_s=median_s, sigma=sigma)
            case median_s:
                return Latency(median_s=median_s, sigma=ResponseLatency(median_s=median_s).sigma)


@dataclass(frozen=True, slots=True)
class Deps:
    """What the stage needs from the outside."""

    root_seed: int
    reference: Reference
    dyads: DyadLaw
    stages: tuple[str, ...]
    """`<stage>-<version>` of what came before and this one, for provenance."""
    dial: float
    """From `calibrate_dataset`; 0 follows the reference."""

    def fingerprint(self) -> str:
        """The reference's content (files are compared by what they hold) and the dial."""
        return f"{self.reference.fingerprint()}/{self.dial!r}"


def run(shard: Shard[SpokenScript], config: Config, deps: Deps) -> Shard[Timeline]:
    """Place every dialogue on its own clock; one whose anchors leave no room is refused."""
    timelines: list[Timeline] = []
    refusals: list[Refusal] = []
    for spoken in shard.records:
        try:
            timelines.append(_time(spoken, config, deps))
        except RecordError as error:
            refusals.append(error.refusal(NAME, spoken.script.dialogue_id, spoken.to_line()))
    return Shard(index=shard.index, records=tuple(timelines), refusals=tuple(refusals))


def calibrate_dataset(dialogues: Iterable[SpokenScript], config: Config, deps: Deps) -> Calibration | None:
    """The dial for a dataset-level `overlap_ratio`; None where none is asked for.

    `dialogues` is gone through several times and never held: the search works on a sample of at most
    `SAMPLE`, whose answer is then corrected by what the whole dataset gives at it. Raises ConfigError with
    the feasible range where the target cannot be met.
    """
    target = config.overlap_ratio
    if not isinstance(target, float):
        return None
    reach, sample = _reach_and_sample(dialogues, config, deps)
    reach.check(target)

    def talk_at(dial: float) -> Talk:
        return Talk.total([_talk(spoken, config, deps, dial) for spoken in sample])

    sample_reach = reach_of(talk_at)
    wanted, dial, planned = target, 0.0, reach.undialled
    for _ in range(MAX_CORRECTIONS):
        dial, _ratio = find_dial(talk_at, sample_reach.clamp(wanted), sample_reach)
        planned = _ratio_of_all(dialogues, config, deps, dial)
        if abs(planned - target) <= 2 * TOLERANCE:
            break
        wanted += target - planned
    if len(sample) >= PROMISED_FROM and abs(planned - target) > PROMISED_WITHIN:
        raise ConfigError(
            f"timing.overlap_ratio={target:g}: the nearest that these scripts can be brought to is {planned:.4f}; "
            f"feasible {reach.lowest:.4f} to {reach.highest:.4f}, in steps of whole syllables"
        )
    return Calibration(
        target=target,
        dial=dial,
        planned=planned,
        lowest=reach.lowest,
        highest=reach.highest,
        undialled=reach.undialled,
        moved=_moves(sample, config, deps, dial),
    )


def survey_spread(dialogues: Iterable[SpokenScript], config: Config, deps: Deps) -> SpreadReach | None:
    """How many dialogues can have their own share of an `overlap_ratio` that is spread; None where none is.

    Raises ConfigError with a feasible spread where more than half of them cannot. What a dialogue is given
    depends on itself alone, so timing needs nothing of this.
    """
    spread = config.overlap_ratio
    if not isinstance(spread, OverlapSpread):
        return None
    rows = [
        (_own_place(spoken, config, deps), Reach(*(talk.ratio for talk in talks)))
        for spoken, talks in _talk_at_all(dialogues, config, deps, ENDS_AND_MIDDLE)
    ]
    found = Allowances.of(rows).survey(spread.min, spread.max)
    found.check()
    return found


def _talk_at_all(
    dialogues: Iterable[SpokenScript], config: Config, deps: Deps, dials: tuple[float, ...]
) -> Iterator[tuple[SpokenScript, tuple[Talk, ...]]]:
    """Speech of every dialogue at each dial; those that cannot be placed are left out."""
    for spoken in dialogues:
        try:
            yield spoken, tuple(_talk(spoken, config, deps, dial) for dial in dials)
        except RecordError:
            continue  # `run` refuses it with the reason


def _ratio_of_all(dialogues: Iterable[SpokenScript], config: Config, deps: Deps, dial: float) -> float:
    total = Talk(overlap=0, speech=0)
    for _, (talk,) in _talk_at_all(dialogues, config, deps, (dial,)):
        total = Talk.total((total, talk))
    return total.ratio


def _reach_and_sample(
    dialogues: Iterable[SpokenScript], config: Config, deps: Deps
) -> tuple[Reach, list[SpokenScript]]:
    """What the dial can do for the whole dataset, and at most `SAMPLE` dialogues of it, in one pass.

    The sample are those whose own draw is smallest, whatever the order of the others.
    """
    totals = [Talk(overlap=0, speech=0) for _ in ENDS_AND_MIDDLE]

    def measured() -> Iterator[SpokenScript]:
        for spoken, talks in _talk_at_all(dialogues, config, deps, ENDS_AND_MIDDLE):
            totals[:] = [Talk.total(pair) for pair in zip(totals, talks, strict=True)]
            yield spoken

    def own_draw(spoken: SpokenScript) -> float:
        return draw_uniform(deps.root_seed, "calibration", spoken.script.dialogue_id, "sample")

    sample = heapq.nsmallest(SAMPLE, measured(), key=own_draw)
    return Reach(*(total.ratio for total in totals)), sample


def _moves(dialogues: Sequence[SpokenScript], config: Config, deps: Deps, dial: float) -> tuple[Moved, ...]:
    """What the dial moved, and how far."""
    offsets: dict[str, tuple[list[float], list[float]]] = {}
    for spoken in dialogues:
        rate = spoken.clips[0].clip.sampling_rate
        for side, position in enumerate((0.0, dial)):
            for kind, offset in _place(spoken, config, deps, position).offsets:
                offsets.setdefault(kind, ([], []))[side].append(offset / rate)
    return tuple(
        Moved(
            kind=kind,
            n=len(before),
            median_s=round(median(before), 3),
            dialled_median_s=round(median(after), 3),
        )
        for kind, (before, after) in sorted(offsets.items())
    )


def _time(spoken: SpokenScript, config: Config, deps: Deps) -> Timeline:
    dial = deps.dial
    if isinstance(config.overlap_ratio, OverlapSpread):
        dial = _own_dial(spoken, config.overlap_ratio, config, deps)
    profile = _profile(spoken, config, deps, dial)
    if config.profile == "humdial-dev":
        placement = place_dev_template(spoken, profile)
        tail_s = TAIL_S
    else:
        placement = place(gather(spoken), profile, config.lead_in_s)
        tail_s = config.tail_s
    return build_timeline(
        spoken, placement, config.profile, profile.dyad.values(), deps.root_seed, tail_s, deps.stages
    )


def _own_place(spoken: SpokenScript, config: Config, deps: Deps) -> float:
    """Where between a spread's ends one dialogue's ratio lies."""
    return draw_uniform(deps.root_seed, f"{NAME}/{config.seed}", spoken.script.dialogue_id, "overlap_ratio")


def _own_dial(spoken: SpokenScript, spread: OverlapSpread, config: Config, deps: Deps) -> float:
    """Bring one dialogue to its own share of the spread, as near as its script allows."""

    def talk_at(dial: float) -> Talk:
        return _talk(spoken, config, deps, dial)

    reach = reach_of(talk_at)
    wanted = spread.min + _own_place(spoken, config, deps) * (spread.max - spread.min)
    if reach.highest < spread.min or reach.lowest > spread.max:
        raise RecordError(
            Reason.CANNOT_BE_TIMED,
            f"overlap ratio {spread.min:g} to {spread.max:g} wanted; "
            f"this script allows {reach.lowest:.4f} to {reach.highest:.4f}",
        )
    return find_dial(talk_at, reach.clamp(wanted), reach)[0]


def _place(spoken: SpokenScript, config: Config, deps: Deps, dial: float) -> Placement:
    return place(gather(spoken), _profile(spoken, config, deps, dial), config.lead_in_s)


def _talk(spoken: SpokenScript, config: Config, deps: Deps, dial: float) -> Talk:
    placed = _place(spoken, config, deps, dial).placed
    return talk_of(tuple(placed.values()), spoken.clips[0].clip.sampling_rate)


def _profile(spoken: SpokenScript, config: Config, deps: Deps, dial: float) -> Profile:
    name = spoken.script.dialogue_id
    stream = f"{NAME}/{config.seed}"
    return Profile(
        reference=deps.reference,
        root_seed=deps.root_seed,
        stream=stream,
        dialogue_id=name,
        dyad=deps.dyads.draw(deps.root_seed, stream, name),
        dial=dial,
        latency=config.latency(),
        assistant_waits=config.profile == "human-assistant",
    )
