"""Whisper's attention becomes word times: real library, a model whose attention is known."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.core.word_times import check_words
from pipeline.domain.errors import ConfigError, RecordError, TerminalBackendError
from pipeline.domain.labels import Language
from pipeline.domain.words import TimeSource

pytest.importorskip("faster_whisper", reason="the extra `align` is not installed")

from pipeline.backends.aligners.whisper import WhisperAligner
from tests.backends.aligners.tiny_whisper import MOST_TOKENS, TOKEN_S, write_tiny_whisper

RATE = 24_000
Wave = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny")


@pytest.fixture(scope="module")
def aligner(directory: Path) -> Iterator[WhisperAligner]:
    with WhisperAligner(directory) as aligner:
        yield aligner


def noise(seconds: float) -> Wave:
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


TIMES: dict[str, tuple[str, Language, float, list[tuple[str, float, float]]]] = {
    # tokens: blank, well, comma, blank, y, e, s, full stop
    "letters make a word": ("well, yes.", Language.EN, 2.0, [("well", 0.2, 0.4), ("yes", 0.8, 1.4)]),
    # tokens: 你好, three bytes of 啊, three of the comma, well
    "a token of two characters is shared": (
        "你好啊，well",
        Language.ZH,
        2.0,
        [("你", 0.0, 0.1), ("好", 0.1, 0.2), ("啊", 0.2, 0.8), ("well", 1.4, 1.6)],
    ),
    "the last word ends with its last token": ("well", Language.EN, 3.0, [("well", 0.2, 0.4)]),
}


@pytest.mark.parametrize("name", TIMES)
def test_words_are_where_the_model_looks_while_it_reads_them(name: str, aligner: WhisperAligner) -> None:
    text, language, seconds, wanted = TIMES[name]
    samples = noise(seconds)
    words = asyncio.run(aligner.align(samples, RATE, text, language))
    assert check_words(words, text, len(samples), RATE) is None
    assert {word.source for word in words} == {TimeSource.ALIGNER}
    assert [word.text for word in words] == [word for word, _, _ in wanted]
    edges_s = [edge / RATE for word in words for edge in (word.span.start, word.span.end)]
    assert edges_s == pytest.approx([edge for _, *edges in wanted for edge in edges], abs=0.021)


def test_equal_clips_have_equal_times_also_at_once(aligner: WhisperAligner) -> None:
    async def all_at_once() -> list[object]:
        jobs = [aligner.align(noise(2.0), RATE, "well, yes.", Language.EN) for _ in range(4)]
        return list(await asyncio.gather(*jobs))

    first, *others = asyncio.run(all_at_once())
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("well", 30.5), ("well " * 200, 20.0), ("yes " * 12, 0.3), ("well", 0.005)],
    ids=["longer than the window", "more tokens than positions", "more tokens than frames", "no frame"],
)
def test_what_it_finds_no_way_through_is_refused(text: str, seconds: float, aligner: WhisperAligner) -> None:
    with pytest.raises(RecordError):
        asyncio.run(aligner.align(noise(seconds), RATE, text, Language.EN))


def test_its_name_tells_the_weights(aligner: WhisperAligner, directory: Path, tmp_path: Path) -> None:
    other = tmp_path / "tiny"
    other.mkdir()
    for path in directory.iterdir():
        content = path.read_bytes()
        changed = content.replace(np.float32(1).tobytes(), np.float32(0.5).tobytes(), 1)
        (other / path.name).write_bytes(changed if path.name == "model.bin" else content)
    assert aligner.name.startswith("whisper-tiny@")
    assert WhisperAligner(other).name != aligner.name
    assert WhisperAligner(directory).name == aligner.name


def test_a_model_of_english_does_not_guess_at_mandarin(tmp_path: Path) -> None:
    english = WhisperAligner(write_tiny_whisper(tmp_path / "tiny.en", multilingual=False))
    words = asyncio.run(english.align(noise(2.0), RATE, "well", Language.EN))
    assert words[0].span.start / RATE == pytest.approx(TOKEN_S, abs=0.021)
    with pytest.raises(TerminalBackendError, match="English only"):
        asyncio.run(english.align(noise(2.0), RATE, "你好", Language.ZH))


def test_a_directory_without_a_model_is_no_reason_to_download_one(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"model\.bin, config\.json, tokenizer\.json not there; remedy: `hf"
    ):
        WhisperAligner(tmp_path / "small")


def test_the_tiny_model_has_room_for_the_texts_above() -> None:
    assert max(len(text) for text, *_ in TIMES.values()) * 3 < MOST_TOKENS
