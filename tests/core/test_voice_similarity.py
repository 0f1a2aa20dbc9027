"""A take in another voice is a bad one; one too short to tell is none."""

import numpy as np
import pytest

from pipeline.core.voice_similarity import Embedding, VoiceLimits, check_voice, cosine
from pipeline.domain.errors import BadTakeError
from pipeline.domain.takes import Flaw


def voice(*values: float) -> Embedding:
    point = np.array(values, np.float32)
    return point / np.float32(np.linalg.norm(point))


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (voice(1, 2, 2), voice(1, 2, 2), 1.0),
        (voice(1, 0), voice(0, 1), 0.0),
        (voice(1, 0), voice(-1, 0), -1.0),
        (voice(1, 0), voice(1, 1), 0.707107),
    ],
)
def test_voices_are_compared_by_their_direction(one: Embedding, other: Embedding, wanted: float) -> None:
    assert cosine(one, other) == pytest.approx(wanted, abs=1e-6)


def test_another_voice_is_a_flaw_and_the_same_one_is_told_how_near() -> None:
    limits = VoiceLimits(similarity=0.7)
    assert check_voice(voice(1, 1), voice(1, 0), limits) == pytest.approx(0.707, abs=1e-3)
    with pytest.raises(
        BadTakeError, match=r"similarity 0\.45 to the voice's reference; wanted 0\.70"
    ) as caught:
        check_voice(voice(1, 2), voice(1, 0), limits)
    assert caught.value.flaw is Flaw.OTHER_VOICE


def test_what_is_too_short_to_tell_is_no_flaw() -> None:
    assert check_voice(None, voice(1, 0), VoiceLimits(similarity=1.0)) is None
