"""Why a take of a speech engine is no good."""

from enum import StrEnum


class Flaw(StrEnum):
    """Why a take is no good (closed set). Each is counted by engine in the report."""

    EMPTY = "empty"
    """Not one sample: how some servers say that something went wrong inside them."""
    NOT_FINITE = "not_finite"
    SILENT = "silent"
    CLIPPED = "clipped"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LONG_SILENCE = "long_silence"
    """Seconds of silence before or after the words."""
    WRONG_WORDS = "wrong_words"
    """A transcript of it says something else."""
    OTHER_VOICE = "other_voice"
    """It does not sound like the voice's reference."""
    NO_WORDS = "no_words"
    """The engine gives word times, and gave none."""
    ENGINE_FAILED = "engine_failed"
    TIMED_OUT = "timed_out"
    REFUSED = "refused"
    """The engine does not say such a text, whatever the seed."""
