"""The quality gate: what an engine may answer instead of speech, and what it does to good speech."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.takes import MARGIN_S, WORTH_CUTTING_S, GateLimits, Trimmed, examine, longest_s
from pipeline.domain.errors import BadTakeError
from pipeline.domain.span import Span
from pipeline.domain.takes import Flaw, Kind, Take
from pipeline.domain.words import TimeSource, Word

RATE = 16_000
TEXT = "See you at nine."
LIMITS = GateLimits()


def noise(seconds: float, level: float = 0.1) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(0)
    return (level * rng.standard_normal(round(seconds * RATE)).clip(-3, 3) / 3).astype(np.float32)


def silence(seconds: float) -> npt.NDArray[np.float32]:
    return np.zeros(round(seconds * RATE), np.float32)


def take_of(*parts: npt.NDArray[np.float32], words: tuple[Word, ...] = ()) -> Take:
    return Take(np.concatenate(parts), RATE, words, "made-up-1")


def examined(*parts: npt.NDArray[np.float32], text: str = TEXT, kind: Kind = Kind.TURN) -> Trimmed:
    return examine(take_of(*parts), text, kind, LIMITS)


@pytest.mark.parametrize(
    ("flaw", "parts", "text", "kind"),
    [
        (Flaw.EMPTY, (silence(0),), TEXT, Kind.TURN),
        (Flaw.NOT_FINITE, (noise(0.6), np.full(9, np.nan, np.float32), noise(0.6)), TEXT, Kind.TURN),
        (Flaw.NOT_FINITE, (noise(0.6), np.full(1, np.inf, np.float32)), TEXT, Kind.TURN),
        (Flaw.SILENT, (silence(1.0),), TEXT, Kind.TURN),
        (Flaw.SILENT, (noise(1.0, level=0.002),), TEXT, Kind.TURN),
        (Flaw.CLIPPED, ((10 * noise(1.0, level=0.9)).clip(-1, 1),), TEXT, Kind.TURN),
        (Flaw.CLIPPED, ((10 * noise(1.0, level=0.9)).clip(-0.99, 0.99),), TEXT, Kind.TURN),
        (Flaw.LONG_SILENCE, (silence(2.5), noise(1.0)), TEXT, Kind.TURN),
        (Flaw.LONG_SILENCE, (noise(1.0), silence(2.5)), TEXT, Kind.TURN),
        (Flaw.TOO_SHORT, (noise(0.3),), TEXT, Kind.TURN),
        (Flaw.TOO_LONG, (noise(4.5),), TEXT, Kind.TURN),
        (Flaw.TOO_LONG, (noise(28.0),), "我们明天早上九点见。", Kind.TURN),
        (Flaw.TOO_SHORT, (noise(0.2),), "我们明天早上九点见。", Kind.TURN),
        (Flaw.TOO_LONG, (noise(1.8),), "嗯。", Kind.BACKCHANNEL),
        (Flaw.TOO_LONG, (noise(1.8),), "Mm.", Kind.BACKCHANNEL),
    ],
)
def test_what_is_no_speech_of_its_text_is_named(
    flaw: Flaw, parts: tuple[npt.NDArray[np.float32], ...], text: str, kind: Kind
) -> None:
    with pytest.raises(BadTakeError) as caught:
        examined(*parts, text=text, kind=kind)
    assert caught.value.flaw is flaw


@pytest.mark.parametrize(
    ("seconds", "text", "kind"),
    [
        (1.0, TEXT, Kind.TURN),
        (3.9, TEXT, Kind.TURN),
        (0.1, "嗯。", Kind.BACKCHANNEL),
        (1.4, "Right.", Kind.BACKCHANNEL),
        (2.4, "That makes a lot of sense.", Kind.BACKCHANNEL),
        (2.0, "我用iPhone听。", Kind.TURN),
    ],
)
def test_speech_of_a_likely_length_passes(seconds: float, text: str, kind: Kind) -> None:
    good = examined(noise(seconds), text=text, kind=kind)
    assert len(good.take.samples) == round(seconds * RATE)
    assert (good.lead_s, good.tail_s, good.warnings) == (0.0, 0.0, ())
    assert seconds < longest_s(text, kind, LIMITS)


@given(lead=st.integers(0, 19), tail=st.integers(0, 19), seconds=st.integers(8, 30))
def test_what_is_left_is_the_speech_and_a_margin(lead: int, tail: int, seconds: int) -> None:
    speech = noise(seconds / 10)
    good = examined(silence(lead / 10), speech, silence(tail / 10))
    start, end = round(good.lead_s * RATE), round(good.tail_s * RATE)
    assert start + len(good.take.samples) + end == len(speech) + (lead + tail) * RATE // 10
    for cut_s, there_s in ((good.lead_s, lead / 10), (good.tail_s, tail / 10)):
        kept_s = there_s - cut_s
        assert 0 <= kept_s <= MARGIN_S + WORTH_CUTTING_S + 0.01
        assert cut_s == 0 or kept_s >= MARGIN_S - 0.01


def test_words_stay_where_they_are_heard_and_none_is_lost() -> None:
    spans = ((0, 4000), (16_000, 20_000), (20_000, 24_000), (24_000, 31_000))
    words = tuple(
        Word(text, Span(*span), TimeSource.ENGINE)
        for text, span in zip(("See", "you", "at", "nine"), spans, strict=True)
    )
    good = examine(take_of(silence(1.0), noise(0.7), silence(0.5), words=words), TEXT, Kind.TURN, LIMITS)
    start = round(good.lead_s * RATE)
    assert start == 16_000 - round(MARGIN_S * RATE)
    moved = good.take.words
    assert [word.text for word in moved] == ["See", "you", "at", "nine"]
    assert moved[0].span == Span(0, 1)  # it was said to lie where nothing is heard
    assert [(w.span.start + start, w.span.end + start) for w in moved[1:3]] == [spans[1], spans[2]]
    assert moved[3].span.end <= len(good.take.samples)


def test_a_long_silence_inside_is_worth_a_warning_and_no_more() -> None:
    good = examined(noise(0.8), silence(1.2), noise(0.8))
    assert good.warnings == ("1.2 s of silence inside",)
