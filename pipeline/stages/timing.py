"""Stage 4: timing. Clips and a reference become timelines; no audio is touched."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from pipeline.core.reference import Reference
from pipeline.core.timing.dev_template import TAIL_S, place_dev_template
from pipeline.core.timing.placement import place
from pipeline.core.timing.profile import Profile
from pipeline.core.timing.timeline import build_timeline
from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Refusal
from pipeline.domain.record import Record
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.timeline import Timeline
from pipeline.stages.shard import Shard

NAME = "timing"
VERSION = 1


class Config(Record):
    """When things are said."""

    profile: Literal["reference", "humdial-dev"] = "reference"
    """`reference`: both sides, timed by the reference. `humdial-dev`: the user's side only, on the fixed
    template of HumDial's dev and test sets (5 s gaps, 10 s tail)."""
    reference: str = "switchboard"
    """`switchboard`, or a file of the same schema."""
    overlap_ratio: None = None
    """Only null in this version: overlap follows the reference."""
    lead_in_s: float = Field(default=0.2, ge=0, le=10)
    tail_s: float = Field(default=0.5, ge=0, le=30)
    """Silence after the last word (the `humdial-dev` profile has its own)."""


@dataclass(frozen=True, slots=True)
class Deps:
    """What the stage needs from the outside."""

    root_seed: int
    reference: Reference
    stages: tuple[str, ...]
    """`<stage>-<version>` of what came before and this one, for provenance."""

    def fingerprint(self) -> str:
        """The reference's content: files are compared by what they hold."""
        return self.reference.fingerprint()


def run(shard: Shard[SpokenScript], config: Config, deps: Deps) -> Shard[Timeline]:
    """Place every dialogue on its own clock; one whose anchors leave no room is refused."""
    timelines: list[Timeline] = []
    refusals: list[Refusal] = []
    for spoken in shard.records:
        try:
            timelines.append(_time(spoken, config, deps))
        except RecordError as error:
            refusals.append(
                Refusal(
                    stage=NAME,
                    record_id=spoken.script.dialogue_id,
                    reason=error.reason,
                    detail=error.detail,
                    payload=spoken.to_line(),
                )
            )
    return Shard(index=shard.index, records=tuple(timelines), refusals=tuple(refusals))


def _time(spoken: SpokenScript, config: Config, deps: Deps) -> Timeline:
    profile = Profile(
        reference=deps.reference, root_seed=deps.root_seed, dialogue_id=spoken.script.dialogue_id
    )
    if config.profile == "humdial-dev":
        placed, realised = place_dev_template(spoken, profile)
        tail_s = TAIL_S
    else:
        placed, realised = place(spoken, profile, config.lead_in_s)
        tail_s = config.tail_s
    return build_timeline(spoken, placed, realised, config.profile, deps.root_seed, tail_s, deps.stages)
