import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backends.speech_servers.waves import decode_pcm16, decode_wave, encode_wave
from pipeline.domain.errors import BadTakeError
from pipeline.domain.takes import Flaw
from tests.backends.speech_servers.serving import STREAMED_HEADER
from tests.backends.speech_servers.speaking import sound, wav

SPEECH = sound("I see what you mean")


@pytest.mark.parametrize("sampling_rate", [16_000, 22_050, 24_000, 44_100])
@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_16"])
def test_the_rate_is_the_headers_and_samples_are_floats(sampling_rate: int, subtype: str) -> None:
    wave = decode_wave(wav(SPEECH, sampling_rate, subtype), "a server", ())
    assert wave.sampling_rate == sampling_rate
    assert wave.samples.dtype == np.float32
    np.testing.assert_allclose(wave.samples, SPEECH, atol=2**-15)


def test_samples_that_are_no_numbers_are_left_for_the_gate() -> None:
    broken = SPEECH.copy()
    broken[100] = np.nan
    assert np.isnan(decode_wave(wav(broken), "a server", ()).samples[100])


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF - 36])
def test_a_streamed_file_of_unknown_length_is_read_to_its_end(size: int) -> None:
    pcm = np.rint(SPEECH * 32767).astype("<i2").tobytes()
    header = STREAMED_HEADER[:-4] + size.to_bytes(4, "little")
    assert len(decode_wave(header + pcm, "a server", ()).samples) == len(SPEECH)


@pytest.mark.parametrize(
    ("content", "flaw"),
    [
        (b"", Flaw.EMPTY),
        (wav(SPEECH[:0]), Flaw.EMPTY),
        (STREAMED_HEADER, Flaw.EMPTY),
        (wav(SPEECH)[:-1000], Flaw.ENGINE_FAILED),
        (wav(SPEECH)[:60], Flaw.ENGINE_FAILED),
        (wav(SPEECH)[:20], Flaw.ENGINE_FAILED),
        (b'{"error": "out of memory"}', Flaw.ENGINE_FAILED),
        (b"<html>bad gateway</html>", Flaw.ENGINE_FAILED),
        (b"\x01", Flaw.ENGINE_FAILED),
    ],
    ids=[
        "no byte",
        "no sample",
        "header only",
        "cut off",
        "cut early",
        "half a header",
        "json",
        "html",
        "a byte",
    ],
)
def test_what_is_no_sound_is_told_by_its_flaw(content: bytes, flaw: Flaw) -> None:
    with pytest.raises(BadTakeError, match="a server") as caught:
        decode_wave(content, "a server", ())
    assert caught.value.flaw is flaw


@pytest.mark.parametrize(
    "lead", [b"", b"x" * 60, b" " * 5000], ids=["at once", "at the excerpt's end", "after space"]
)
def test_what_is_quoted_holds_no_key_and_nothing_that_differs_from_run_to_run(lead: bytes) -> None:
    details = set()
    for _ in range(2):
        with pytest.raises(BadTakeError) as caught:
            decode_wave(lead + b" wrong key: sk-a-long-secret-key", "a server", ("sk-a-long-secret-key",))
        details.add(caught.value.detail)
    (detail,) = details
    assert "wrong key: ***" in detail
    assert "sk-a" not in detail
    assert "0x" not in detail


def test_two_channels_become_one_and_it_is_said() -> None:
    wave = decode_wave(wav(np.stack([SPEECH, SPEECH], axis=1)), "a server", ())
    np.testing.assert_allclose(wave.samples, SPEECH, atol=1e-6)
    assert wave.warnings == ("2 channels were mixed to one",)


@pytest.mark.parametrize("content", [b"", b"abc"])
def test_headerless_sound_of_no_or_half_a_sample_is_none(content: bytes) -> None:
    with pytest.raises(BadTakeError) as caught:
        decode_pcm16(content, 22_050, "a server")
    assert caught.value.flaw is Flaw.EMPTY


def test_headerless_sound_has_the_configured_rate() -> None:
    wave = decode_pcm16(np.array([0, 16384, -32768], "<i2").tobytes(), 22_050, "a server")
    assert wave.samples.tolist() == [0.0, 0.5, -1.0]
    assert wave.sampling_rate == 22_050


@given(st.lists(st.floats(-1.5, 1.5, width=32), min_size=1, max_size=50))
def test_what_is_sent_is_what_was_given_to_sixteen_bits(values: list[float]) -> None:
    samples = np.array(values, np.float32)
    back = decode_wave(encode_wave(samples, 16_000), "us", ())
    np.testing.assert_allclose(back.samples, np.clip(samples, -1, 1), atol=2**-14)


@given(st.binary(max_size=200))
def test_no_answer_whatever_breaks_the_reader(content: bytes) -> None:
    for body in (content, STREAMED_HEADER[:40] + content):
        try:
            wave = decode_wave(body, "a server", ())
        except BadTakeError:
            continue
        assert len(wave.samples)
