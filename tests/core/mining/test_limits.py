"""Thresholds that no event or segment could ever meet are refused, not obeyed."""

import pytest
from pydantic import ValidationError

from pipeline.core.mining.limits import EventLimits, SegmentLimits
from pipeline.core.suppression import SuppressionLimits
from pipeline.domain.mining import MinedType
from pipeline.domain.record import Record

CONTRADICTIONS: list[tuple[type[Record], dict[str, object], str]] = [
    (EventLimits, {"min_overlap_s": 6.0}, r"min_overlap_s <= max_overlap_s, got 6\.0 and 5\.0; lower"),
    (SegmentLimits, {"require": ()}, "require: wanted one class or more that a segment can be cut for"),
    (
        SegmentLimits,
        {"require": (MinedType.SHORT_INCURSION, MinedType.UNDECIDED)},
        r"got short_incursion, undecided; .* among interruption, failed_interruption, backchannel",
    ),
    (
        SegmentLimits,
        {"pre_context_s": 30.0, "post_context_s": 30.0},
        r"< max_len_s, got 30\.0 \+ 30\.0 and 60",
    ),
    (
        SegmentLimits,
        {"relaxed_boundary_silence_s": 0.31},
        r"relaxed_boundary_silence_s <= boundary_silence_s, got 0\.31 and 0\.3;",
    ),
    (SuppressionLimits, {"depth_min_db": 20.0}, r"depth_min_db <= depth_max_db, got 20\.0 and 15\.0;"),
    (
        SuppressionLimits,
        {"clean_depth_max_db": 2.0},
        r"depth_min_db <= clean_depth_max_db, got 3\.0 and 2\.0;",
    ),
]


@pytest.mark.parametrize(("kind", "values", "problem"), CONTRADICTIONS)
def test_thresholds_that_contradict_each_other_are_refused(
    kind: type[Record], values: dict[str, object], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        kind.model_validate(values)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (EventLimits, {"min_overlap_s": 5.0}),
        (SegmentLimits, {"require": (MinedType.UNDECIDED, MinedType.BACKCHANNEL)}),
        (SegmentLimits, {"pre_context_s": 30.0, "post_context_s": 29.9}),
        (SegmentLimits, {"relaxed_boundary_silence_s": 0.3}),
        (SuppressionLimits, {"depth_min_db": 15.0}),
    ],
)
def test_thresholds_may_meet(kind: type[Record], values: dict[str, object]) -> None:
    assert kind.model_validate(values).model_dump(include=set(values)) == values
