"""What is against a recording, in words: who, got, wanted, remedy."""

import re

import pytest

from pipeline.core.mining.audit import because, in_words
from pipeline.domain.mining import AuditValue, RejectCode


@pytest.mark.parametrize(
    ("problem", "wanted"),
    [
        (because(RejectCode.RIGHTS), r"states no rights; wanted `rights`"),
        (because(RejectCode.ONE_SPEAKER, 1, 2), r"got 1, wanted 2 at least; .*other side"),
        (
            because(RejectCode.CHANNELS_UNRELATED, 0.41, 0.25),
            r"got 0\.41, wanted 0\.25 at most; .*right pair",
        ),
        (because(RejectCode.DIARIZATION_UNRELIABLE, 3, 10), r"got 3, wanted 10 at least; .*min_clean_chunks"),
        (because(RejectCode.DIARIZATION_UNRELIABLE, 0.93, 0.8), r"got 0\.93, wanted 0\.8 at most; give RTTM"),
        (
            because(RejectCode.CLIPPING, 0.5, 0.001),
            r"clipping: got 0\.5, wanted 0\.001 at most; leave it out",
        ),
    ],
)
def test_a_refusal_says_who_what_got_wanted_and_remedy(problem: AuditValue, wanted: str) -> None:
    words = in_words("calls:monday", problem)
    assert words.startswith("calls:monday: ")
    assert re.search(wanted, words)
