"""How long an answer is waited for, and how much of it is read, by how long its text may last.

    "Hello there." --longest_s--> 3 s --> a deadline of queue + slowest x (3 s and room for silence)
                                     '--> a body of as much at 48 kHz, and no byte more

A server that hangs, or speaks on and on, costs that much and not a worker's night.
"""

from pipeline.core.takes import USUAL_LIMITS, longest_s
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason
from pipeline.domain.voice import SpeechRequest

_ROOM = 1.5
_SILENCE_S = 4.0
"""Beside the speech: the gate judges by what is spoken, and trims two seconds at each end."""
_HIGHEST_RATE_HZ = 48_000
_SAMPLE_BYTES = 4
_HEADER_BYTES = 1 << 16


def longest_take_s(request: SpeechRequest) -> float:
    """Seconds after which an engine is not speaking this text any more."""
    spoken_s = longest_s(request.text, request.kind, USUAL_LIMITS) / request.speed
    return spoken_s * _ROOM + _SILENCE_S


def deadline_s(request: SpeechRequest, queue_s: float, slowest: float) -> float:
    """Seconds for the whole exchange, `queue_s` of them for others who were there before."""
    return queue_s + slowest * longest_take_s(request)


def most_bytes(request: SpeechRequest) -> int:
    """Of a wav file of that length, at the highest rate in floating point."""
    return round(longest_take_s(request) * _HIGHEST_RATE_HZ * _SAMPLE_BYTES) + _HEADER_BYTES


def check_text(who: str, text: str, longest_text: int) -> None:
    """Raise RecordError for a text without a word, and for one that is longer than a server takes."""
    if not words_of(text):
        raise RecordError(Reason.UNSPEAKABLE_TEXT, f"{who}: no word in {text!r}")
    if len(text) > longest_text:
        raise RecordError(
            Reason.UNSPEAKABLE_TEXT,
            f"{who}: wanted at most {longest_text} characters at once, got {len(text)}: {text[:40]!r}...",
        )
