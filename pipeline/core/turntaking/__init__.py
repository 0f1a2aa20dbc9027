"""Turn-taking measured: who speaks when, how the floor passes, and how that compares with real talk."""

from pipeline.core.turntaking.activity import (
    IPU_SILENCE_S,
    Activity,
    TalkTimes,
    activity_of,
    ipus,
    talk_times,
)
from pipeline.core.turntaking.comparison import ComparisonRow, describe_rows
from pipeline.core.turntaking.measurement import measure
from pipeline.core.turntaking.overlaps import OverlapClass, OverlapEvents, overlap_events
from pipeline.core.turntaking.statistics import Quantity, TurnTakingStatistics, pool

__all__ = [
    "IPU_SILENCE_S",
    "Activity",
    "ComparisonRow",
    "OverlapClass",
    "OverlapEvents",
    "Quantity",
    "TalkTimes",
    "TurnTakingStatistics",
    "activity_of",
    "describe_rows",
    "ipus",
    "measure",
    "overlap_events",
    "pool",
    "talk_times",
]
