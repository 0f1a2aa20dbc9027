import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.exports.audio import Pcm16, render_wavs, resample
from pipeline.core.exports.files import WavFile
from pipeline.domain.labels import Track
from pipeline.domain.span import Span

RATE = 24_000


def wav(keep: tuple[Span, ...] | None, cut: Span | None = None, track: Track = Track.USER) -> WavFile:
    return WavFile("a.wav", "d", track, keep, cut)


def render(samples: Pcm16, rate: int, file: WavFile) -> Pcm16:
    ((_, made),) = render_wavs(samples, rate, [file])
    return made


def stereo(seed: int, num_samples: int) -> Pcm16:
    return np.random.default_rng(seed).integers(-32_768, 32_768, (num_samples, 2)).astype(np.int16)


@st.composite
def disjoint_spans(draw: st.DrawFn) -> tuple[Span, ...]:
    edges = sorted(draw(st.sets(st.integers(0, 9_000), min_size=2, max_size=8)))
    return tuple(Span(start=a, end=b) for a, b in zip(edges[::2], edges[1::2], strict=False))


@given(disjoint_spans(), st.integers(0, 9), st.sampled_from([16_000, 22_050, 24_000, 48_000]))
def test_outside_its_spans_a_file_is_digital_silence(spans: tuple[Span, ...], seed: int, rate: int) -> None:
    samples = stereo(seed, 9_001)
    made = render(samples, rate, wav(spans))
    outside = np.ones(len(made), dtype=bool)
    for span in spans:
        outside[round(span.start * 16_000 / rate) : round(span.end * 16_000 / rate)] = False
    assert not made[outside].any()
    whole = render(samples, rate, wav(None))
    assert np.array_equal(made[~outside], whole[~outside])
    assert made.dtype == np.int16


@given(st.integers(1, 500))
@settings(max_examples=25)
def test_an_impulse_keeps_its_place(third: int) -> None:
    samples = np.zeros((3_000, 2), dtype=np.int16)
    samples[3 * third, 1] = 20_000
    made = render(samples, RATE, wav(None, track=Track.ASSISTANT))
    assert int(np.argmax(np.abs(made))) == 2 * third


def tone(rate: int, frequency_hz: int) -> npt.NDArray[np.float64]:
    return 20_000 * np.sin(2 * np.pi * frequency_hz * np.arange(rate) / rate)


@pytest.mark.parametrize("frequency_hz", [440, 3_001, 6_500])
def test_a_tone_comes_out_as_the_same_tone(frequency_hz: int) -> None:
    made = resample(np.rint(tone(RATE, frequency_hz)).astype(np.int16), RATE, 16_000)
    assert len(made) == 16_000
    error = (made - tone(16_000, frequency_hz))[200:-200]
    # Two roundings, each uniform within half a step: 0.41 rms; cutting off instead of rounding gives 0.65.
    assert np.sqrt(np.mean(error**2)) < 0.5


def test_what_a_lower_rate_cannot_hold_is_gone_and_not_folded_back() -> None:
    made = resample(np.rint(tone(RATE, 10_000)).astype(np.int16), RATE, 16_000)
    assert np.abs(made[200:-200]).max() <= 1


def test_loud_samples_are_clipped_and_do_not_wrap() -> None:
    square = np.repeat(np.tile(np.array([32_767, -32_768], dtype=np.int16), 40), 60)
    made = resample(square, RATE, 16_000)
    # Ringing beyond full scale would come back with the other sign.
    middles = made.reshape(-1, 40)[:, 20]
    assert (np.sign(middles) == np.tile([1, -1], 40)).all()
    assert made.max() == 32_767
    assert made.min() == -32_768


def test_audio_at_the_wanted_rate_is_copied_bit_by_bit() -> None:
    samples = stereo(3, 500)
    made = render(samples, 16_000, wav(None, track=Track.ASSISTANT))
    assert np.array_equal(made, samples[:, 1])
    made[:] = 0
    assert samples[:, 1].any()


@pytest.mark.parametrize(
    ("num_samples", "wanted"), [(3, 2), (4, 3), (5, 4), (24_000, 16_000), (24_001, 16_001)]
)
def test_a_file_covers_the_whole_track(num_samples: int, wanted: int) -> None:
    assert len(render(stereo(1, num_samples), RATE, wav(None))) == wanted


def test_a_cut_takes_samples_out_and_moves_the_rest() -> None:
    samples = stereo(1, 9_000)
    later = Span(start=6_000, end=7_500)
    cut = render(samples, RATE, wav((later,), Span(start=300, end=6_000)))
    whole = render(samples, RATE, wav((later,)))
    assert len(cut) == len(whole) - 3_800
    assert np.array_equal(cut[200:1_200], whole[4_000:5_000])
    assert not cut[:200].any()
    assert not cut[1_200:].any()


def test_files_of_one_dialogue_are_rendered_in_their_order() -> None:
    samples = stereo(1, 300)
    files = [wav(None), wav(None, track=Track.ASSISTANT), wav((Span(start=0, end=30),))]
    made = list(render_wavs(samples, RATE, files))
    assert [file for file, _ in made] == files
    assert not np.array_equal(made[0][1], made[1][1])
    assert np.array_equal(made[0][1][:20], made[2][1][:20])


@given(disjoint_spans(), st.sampled_from([16_000, 22_050, 24_000, 48_000]))
def test_a_cropped_file_is_that_part_of_the_whole_one(spans: tuple[Span, ...], rate: int) -> None:
    samples = stereo(3, 9_001)
    crop = Span(start=spans[0].start, end=spans[-1].end)
    whole = render(samples, rate, wav(spans))
    made = render(samples, rate, WavFile("a.wav", "d", Track.USER, spans, crop=crop))
    assert np.array_equal(made, whole[round(crop.start * 16_000 / rate) : round(crop.end * 16_000 / rate)])


def test_a_part_is_taken_out_or_taken_but_not_both() -> None:
    with pytest.raises(ValueError, match="not both"):
        WavFile("a.wav", "d", Track.USER, None, cut=Span(start=0, end=1), crop=Span(start=1, end=2))
