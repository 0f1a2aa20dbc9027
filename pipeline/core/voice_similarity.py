"""Whether a take sounds like the voice it was asked in.

reference --encoder--> (0.6, 0.8) -.
take      --encoder--> (0.8, 0.6) -'--cosine--> 0.96, and from 0.25 on it is the voice
"""

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pipeline.domain.errors import BadTakeError
from pipeline.domain.record import Record
from pipeline.domain.takes import Flaw

Embedding = npt.NDArray[np.float32]
"""`[dim]`, of length 1."""


class VoiceLimits(Record):
    """How near a take has to be to its voice's reference."""

    similarity: float = Field(default=0.25, ge=-1, le=1)
    """Cosine. That of ECAPA models for two recordings of one person; others differ: set it below what the report
    shows for the run's takes."""


def cosine(one: Embedding, other: Embedding) -> float:
    """Of two voices; 1 for the same point, 0 for nothing in common.

    >>> cosine(np.array([0.6, 0.8], np.float32), np.array([0.8, 0.6], np.float32))
    0.96
    """
    return round(float(np.dot(one.astype(np.float64), other.astype(np.float64))), 6)


def check_voice(heard: Embedding | None, wanted: Embedding, limits: VoiceLimits) -> float | None:
    """How near a take is to its voice; None where it is too short to tell. Raises BadTakeError for another voice."""
    if heard is None:
        return None
    found = cosine(heard, wanted)
    if found < limits.similarity:
        raise BadTakeError(
            Flaw.OTHER_VOICE,
            f"similarity {found:.2f} to the voice's reference; wanted {limits.similarity:.2f} or more",
        )
    return found
