"""What a segment's line says of its turns."""

import pytest

from pipeline.core.mined_rows import ParamsRow, ProvenanceRow, Surroundings, segment_row
from pipeline.core.mining.events import find_events
from pipeline.core.mining.limits import EventLimits, SegmentLimits
from pipeline.core.mining.quality import QualityLimits, SegmentMeasures
from pipeline.core.mining.segments import find_segments
from pipeline.core.mining.splits import Assigned
from pipeline.domain.labels import Language, Split
from pipeline.domain.mining import Recording, Rights
from tests.core.mining.made import Said, talk

RIGHTS = Rights(corpus="made-up", licence_id="CC0-1.0", consent_basis="invented", derivative_allowed=True)
LIMITS, CUTS = EventLimits(), SegmentLimits(min_len_s=2, pre_context_s=1, post_context_s=0)
PROVENANCE = ProvenanceRow(
    version="0",
    config_sha256="0",
    detector=None,
    params=ParamsRow(events=LIMITS, segments=CUTS, quality=QualityLimits(), timbre=None, suppression=None),
)


@pytest.mark.parametrize(
    ("language", "said", "wanted"),
    [
        (Language.ZH, (("你", 4, 4.5), ("好", 4.5, 5)), "你好"),
        (Language.EN, (("well", 4, 4.5), ("now", 4.5, 5)), "well now"),
        (None, (("well", 4, 4.5), ("now", 4.5, 5)), "well now"),
    ],
)
def test_words_are_joined_as_their_language_writes_them(
    language: Language | None, said: Said, wanted: str
) -> None:
    assert texts(language, said)[4.0] == wanted


def test_a_word_is_in_the_turn_that_holds_its_middle_and_in_no_other() -> None:
    said = (("so", 4, 5), ("then", 7.4, 8.8), ("yes", 8.8, 9))  # "then" begins in the turn before
    assert texts(Language.EN, said, ((4, 7.5), (8, 9))) == {4.0: "so", 8.0: "then yes", 6.0: None}


def texts(
    language: Language | None, said: Said, first: tuple[tuple[float, float], ...] = ((4, 9),)
) -> dict[float, str | None]:
    """By the turn's start."""
    activity = talk(first, ((6, 12),), total_s=20, words={"A": said})
    candidates = find_events(activity, LIMITS, language)
    (segment,) = find_segments(activity, candidates, CUTS, LIMITS).segments
    row = segment_row(
        segment,
        Recording(recording_id="rec", audio=(), language=language, rights=RIGHTS),
        SegmentMeasures(speech_s=(5.0, 3.5)),
        PROVENANCE,
        Surroundings.of(activity, None, LIMITS),
        Assigned(Split.TRAIN, "rec"),
        None,
    )
    return {turn.start: turn.text for turn in row.turns}
