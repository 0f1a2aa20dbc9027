"""Timelines measured as `humdial describe` measures them."""

from collections.abc import Iterable

from pipeline.core.turntaking import activity_of, measure, pool
from pipeline.domain.timeline import Timeline


def overlap_ratio(timelines: Iterable[Timeline]) -> float:
    """Of all of them together: summed before dividing."""
    return pool(measure(activity_of(one)) for one in timelines).overlap_over_speech_time
