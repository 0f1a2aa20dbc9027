"""Every fault is planted in a sound dialogue, and has to be found by name."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.checks import Code, Limits, check_dialogue
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Speaker
from pipeline.domain.span import Span
from pipeline.domain.timeline import Dialogue, Distance
from pipeline.domain.words import TimeSource, Word
from tests.core.sounding import FADE, RATE, SECONDS, Pcm, at, changed, dialogue, rendered, supervision
from tests.core.test_checks_across import ACROSS


def test_a_sound_dialogue_has_no_findings() -> None:
    record = dialogue()
    assert check_dialogue(record, rendered(record), RATE) == ()


Fault = Callable[[Dialogue, Pcm], tuple[Dialogue, Pcm, int]]


def heard(change: Callable[[Pcm], Pcm], rate: int = RATE) -> Fault:
    """A fault of the audio file as a whole."""
    return lambda record, samples: (record, change(samples), rate)


def put(value: int, channel: int, start_s: float, end_s: float) -> Fault:
    """A fault inside one stretch of one channel."""

    def fault(record: Dialogue, samples: Pcm) -> tuple[Dialogue, Pcm, int]:
        samples[at(start_s) : at(end_s), channel] = value
        return record, samples, RATE

    return fault


def louder(channel: int, gain_db: float) -> Fault:
    gain = np.where(np.arange(2) == channel, 10 ** (gain_db / 20), 1.0)
    return heard(lambda samples: np.rint(samples * gain).astype(np.int16))


def broken_off_with_a_click(record: Dialogue, samples: Pcm) -> tuple[Dialogue, Pcm, int]:
    samples[at(3.3) - FADE : at(3.3), 1] = samples[at(3.2) - FADE : at(3.2), 1]
    return record, samples, RATE


def spoken_on(record: Dialogue, samples: Pcm) -> tuple[Dialogue, Pcm, int]:
    samples[at(3.3) : at(3.5), 1] = samples[at(2.0) : at(2.2), 1]
    return record, samples, RATE


def word_too_late(record: Dialogue, samples: Pcm) -> tuple[Dialogue, Pcm, int]:
    first, last = record.timeline.supervision("query").words
    late = replace(last, span=last.span.shift(1))
    return changed(record, "query", words=(first, late)), samples, RATE


def words_in_reverse(record: Dialogue, samples: Pcm) -> tuple[Dialogue, Pcm, int]:
    return changed(record, "query", words=record.timeline.supervision("query").words[::-1]), samples, RATE


def empty_word(record: Dialogue, samples: Pcm) -> tuple[Dialogue, Pcm, int]:
    first, last = record.timeline.supervision("query").words
    empty = object.__new__(Span)  # past its constructor, which refuses it
    object.__setattr__(empty, "start", at(0.6))
    object.__setattr__(empty, "end", at(0.6))
    nothing = replace(first, span=empty)
    return changed(record, "query", words=(nothing, last)), samples, RATE


def lost_word(record: Dialogue, samples: Pcm) -> tuple[Dialogue, Pcm, int]:
    bounds = (1.8, 2.3, 2.8, 3.3)
    words = tuple(
        Word(text=text, span=Span(start=at(a), end=at(b)), source=TimeSource.ENGINE)
        for text, a, b in zip(("answer", "middle", "tea"), bounds[:-1], bounds[1:], strict=True)
    )
    samples[at(2.3) : at(2.8), 1] = 0
    return changed(record, "answer", words=words), samples, RATE


def stranger(record: Dialogue, samples: Pcm) -> tuple[Dialogue, Pcm, int]:
    """Somebody speaks on the user's track, where the record has nobody."""
    samples[at(2.0) : at(2.4), 0] = samples[at(0.6) : at(1.0), 0]
    return record, samples, RATE


def goes_on(record: Dialogue, samples: Pcm) -> tuple[Dialogue, Pcm, int]:
    """The host finishes its utterance, which the record says is when it yields, and then speaks on."""
    samples[at(3.3) - FADE : at(3.9), 1] = samples[at(1.9) - FADE : at(2.5), 1]
    whole = record.timeline.supervision("answer")
    update = {"clip_samples": len(whole.span), "fade_samples": 0, "planned_text": whole.text}
    return changed(record, "answer", **update), samples, RATE


swapped = heard(lambda samples: samples[:, ::-1].copy())
TICK = 1 / RATE
FAULTS: dict[str, tuple[Fault, Code, str | None, tuple[float, float] | None, str]] = {
    "a sample short": (
        heard(lambda x: x[:-1]),
        Code.LENGTH_MISMATCH,
        None,
        None,
        "44799 samples, the record says",
    ),
    "wrong rate": (
        heard(lambda x: x, 16_000),
        Code.RATE_MISMATCH,
        None,
        None,
        "16000 Hz, the record says 8000",
    ),
    "three channels": (heard(lambda x: x[:, [0, 1, 0]]), Code.CHANNEL_COUNT, None, None, "3 channel"),
    "mono": (heard(lambda x: x[:, 0]), Code.CHANNEL_COUNT, None, None, "1 channel"),
    "one sample in silence": (
        put(1, 0, 2.0, 2.0 + TICK),
        Code.SOUND_OUTSIDE_SPANS,
        None,
        (2.0, 2.000125),
        "1 non-zero samples, peak -90.3",
    ),
    "all a sample late": (
        heard(lambda x: np.roll(x, 1, axis=0)),
        Code.SOUND_OUTSIDE_SPANS,
        None,
        (1.5, 1.500125),
        "on the user track",
    ),
    "nothing said": (
        put(0, 1, 4.3, 5.3),
        Code.SILENT_SUPERVISION,
        "reaction",
        (4.3, 5.3),
        "-inf dBFS where it speaks",
    ),
    "late onset": (put(0, 1, 4.3, 4.45), Code.ONSET_OFF, "reaction", (4.3, 4.45), "to begin +150 ms off"),
    "early end": (put(0, 1, 5.15, 5.3), Code.END_OFF, "reaction", (5.15, 5.3), "to end -150 ms off"),
    "lost words": (lost_word, Code.WORDS_IN_SILENCE, "answer", (2.3, 2.8), "'middle' of 'answer' lies in"),
    "a stranger": (stranger, Code.UNRECORDED_SPEECH, None, (2.0, 2.4), "0.40 s of speech where no"),
    "yields and goes on": (
        goes_on,
        Code.SPEECH_AFTER_TRUNCATION,
        "answer",
        (3.3, 3.9),
        "right after 'answer' broke off",
    ),
    "click": (broken_off_with_a_click, Code.TRUNCATION_NOT_FADED, "answer", (3.298, 3.3), "wanted a fade"),
    "spoken on": (
        spoken_on,
        Code.SPEECH_AFTER_TRUNCATION,
        "answer",
        (3.3, 3.5),
        "right after 'answer' broke off",
    ),
    "late word": (word_too_late, Code.WORDS_OUTSIDE, "query", (1.000125, 1.500125), "word 'tea'"),
    "reversed words": (words_in_reverse, Code.WORDS_OUTSIDE, "query", (0.5, 1.0), "word 'query'"),
    "empty word": (empty_word, Code.WORDS_OUTSIDE, "query", (0.6, 0.6), "word 'query'"),
    "clipped": (
        put(32_767, 0, 1.0, 1.0 + 3 * TICK),
        Code.CLIPPING,
        None,
        (1.0, 1.000375),
        "1 runs of 3 or more",
    ),
    "0 dBFS": (put(-32_768, 0, 1.0, 1.0 + TICK), Code.CLIPPING, None, (1.0, 1.000125), "1 samples at 0 dBFS"),
    "swapped": (swapped, Code.TRACKS_SWAPPED, None, None, "channel 0 user"),
    "host yields at once": (
        put(0, 1, 3.0, 3.3),
        Code.EVENT_WITHOUT_OVERLAP,
        "stop",
        (3.0, 3.3),
        "not heard together",
    ),
    "too loud": (louder(0, 2.3), Code.LOUDNESS_OUT_OF_RANGE, None, None, "user has -20.7 LUFS"),
    "too quiet": (louder(1, -2.3), Code.LOUDNESS_OUT_OF_RANGE, None, None, "assistant has -25.3 LUFS"),
}


@pytest.mark.parametrize("planted", FAULTS)
def test_a_planted_fault_is_found_named_and_placed(planted: str) -> None:
    fault, code, name, place, words = FAULTS[planted]
    record = dialogue()
    found = check_dialogue(*fault(record, rendered(record)))
    match = [finding for finding in found if finding.code is code]
    assert match, [finding.code.value for finding in found]
    assert words in match[0].detail
    assert match[0].dialogue_id == "d1"
    assert match[0].supervision_id == name
    assert (match[0].start_s, match[0].end_s) == (place or (None, None))


# A shifted clip leaves four spans, of reversed words each is out of order, and a host that falls silent early
# has its end off, too.
MANY = {"all a sample late", "reversed words", "host yields at once"}


@pytest.mark.parametrize("planted", [name for name in FAULTS if name not in MANY])
def test_one_fault_is_one_finding(planted: str) -> None:
    record = dialogue()
    found = check_dialogue(*FAULTS[planted][0](record, rendered(record)))
    assert len(found) == 1, [finding.detail for finding in found]


def test_every_code_has_a_planted_fault() -> None:
    planted = {fault[1] for fault in FAULTS.values()} | set(ACROSS)
    in_files = {Code.MISSING_AUDIO, Code.TRUNCATED_FILE, Code.AUDIO_CHANGED}  # tests/test_checking.py
    in_sums = {Code.EDGES_IMPRECISE, Code.OVERLAP_RATIO_OFF}  # tests/core/test_check_tally.py
    assert planted == set(Code) - in_files - in_sums


def test_swapped_tracks_are_put_right_before_the_rest_is_measured() -> None:
    record = dialogue()
    found = check_dialogue(*swapped(*put(1, 0, 2.0, 2.0 + TICK)(record, rendered(record))[:2]))
    assert [finding.code for finding in found] == [Code.TRACKS_SWAPPED, Code.SOUND_OUTSIDE_SPANS]


def test_a_quiet_voice_at_its_peak_limit_is_as_loud_as_it_can_be() -> None:
    record = dialogue()
    samples = rendered(record, lufs=-26.5)
    assert {f.code for f in check_dialogue(record, samples, RATE)} == {Code.LOUDNESS_OUT_OF_RANGE}
    for second in (1.0, 2.0):
        samples[at(second), int(second) - 1] = 22_700  # -3.19 dBFS
    assert check_dialogue(record, samples, RATE) == ()


def test_a_bystander_may_be_quieter_and_need_not_fade_alone() -> None:
    record = dialogue()
    far = Distance(level_db=-12, lowpass_hz=4000, reverberation_s=0.3, direct_to_reverberant_db=0, seed=1)
    third = supervision("aside", Speaker.THIRD_PARTY, 2.0, 2.6).model_copy(update={"distance": far})
    before = record.timeline.supervisions
    timeline = record.timeline.model_copy(update={"supervisions": (*before[:2], third, *before[2:])})
    record = Dialogue.model_construct(timeline=timeline, audio=record.audio)
    samples = rendered(record)
    samples[at(2.0) : at(2.6), 0] = np.rint(samples[at(2.0) : at(2.6), 0] * 10 ** (-12 / 20))
    assert check_dialogue(record, samples, RATE) == ()


@pytest.mark.parametrize(("overlap_s", "found"), [(0.015, False), (0.03, True)])
def test_an_overlap_too_short_to_be_heard_is_not_demanded(overlap_s: float, found: bool) -> None:
    record = dialogue()
    stop = record.timeline.supervision("stop")
    onset = at(3.3 - overlap_s)
    moved = Span(start=onset, end=stop.span.end)
    events = tuple(event.model_copy(update={"onset": onset}) for event in record.timeline.events)
    words = (Word(text="stop", span=moved, source=TimeSource.ENGINE),)
    record = changed(record, "stop", span=moved, words=words)
    record = record.model_copy(update={"timeline": record.timeline.model_copy(update={"events": events})})
    samples = rendered(record)
    samples[onset : at(3.3), 0] = 0
    codes = [finding.code for finding in check_dialogue(record, samples, RATE)]
    assert (Code.EVENT_WITHOUT_OVERLAP in codes) is found


def test_limits_are_the_callers() -> None:
    record = dialogue()
    samples = rendered(record, lufs=-16.0)
    assert check_dialogue(record, samples, RATE, Limits(loudness_lufs=-16.0)) == ()


def test_audio_that_is_not_pcm16_is_refused() -> None:
    record = dialogue()
    floats = np.zeros((at(SECONDS), 2), dtype=np.float32)
    with pytest.raises(ConfigError, match="wanted int16"):
        check_dialogue(record, floats, RATE)  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(second=st.floats(0, SECONDS - 0.001), channel=st.integers(0, 1), value=st.sampled_from((-1, 1, 900)))
def test_a_sample_is_found_exactly_where_nobody_speaks(second: float, channel: int, value: int) -> None:
    record = dialogue()
    samples = rendered(record)
    position = int(second * RATE)
    spans = [s.span for s in record.timeline.supervisions if s.track.channel == channel]
    outside = not any(position in span for span in spans)
    if outside:
        samples[position, channel] = value
    found = check_dialogue(record, samples, RATE)
    codes = {Code.SOUND_OUTSIDE_SPANS, Code.SPEECH_AFTER_TRUNCATION}
    match = [f for f in found if f.code in codes and f.start_s == round(position / RATE, 6)]
    assert len(match) == int(outside)
