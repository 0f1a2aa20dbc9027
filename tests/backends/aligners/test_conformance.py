"""What every aligner keeps to: those that can be made on the spot, and real ones where the environment names them.

    HUMDIAL_ALIGNER_URL=http://gpu-1:8001   a served Qwen3-ForcedAligner
    HUMDIAL_WHISPER=DIRECTORY               a Whisper model in ctranslate2's format

Real ones are also held against the word times of an engine that knows them.
"""

import asyncio
import os
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.backends.aligners import find_aligner
from pipeline.core.word_times import check_words
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.words import TimeSource, Word
from pipeline.ports import Aligner
from tests.backends.aligners.pooling_double import Script, running_aligner
from tests.core.test_word_times import known_ends, spoken

Wave = npt.NDArray[np.float32]
MADE = ("qwen3", "whisper")
VARIABLES = {"real qwen3": "HUMDIAL_ALIGNER_URL", "real whisper": "HUMDIAL_WHISPER"}
REAL = tuple(name for name, variable in VARIABLES.items() if variable in os.environ)


@pytest.fixture(scope="module", params=[*MADE, *REAL])
def aligner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aligner]:
    name = str(request.param)
    pytest.importorskip("faster_whisper" if "whisper" in name else "aiohttp", reason=f"no extra for {name}")
    if name == "qwen3":
        with running_aligner(Script()) as (address, _), find_aligner(f"qwen3={address}") as aligner:
            yield aligner
    elif name == "whisper":
        from tests.backends.aligners.tiny_whisper import write_tiny_whisper

        model = write_tiny_whisper(tmp_path_factory.mktemp("conformance") / "tiny")
        with find_aligner(f"whisper={model}") as aligner:
            yield aligner
    else:
        with find_aligner(f"{name.removeprefix('real ')}={os.environ[VARIABLES[name]]}") as aligner:
            yield aligner


def noise(seconds: float, rate: int) -> Wave:
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * rate)).astype(np.float32)


def align(aligner: Aligner, samples: Wave, rate: int, text: str, language: Language) -> tuple[Word, ...]:
    return asyncio.run(aligner.align(samples, rate, text, language))


def test_it_says_who_it_is(aligner: Aligner) -> None:
    assert aligner.name.strip() == aligner.name != ""
    assert aligner.resolution_ms > 0


TEXTS = (
    ("yes", Language.EN),
    ("It\u2019s well-known.", Language.EN),
    ("好", Language.ZH),
    ("我用WiFi。", Language.ZH),
)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize(("text", "language"), TEXTS)
def test_it_times_the_words_of_our_text_at_any_rate(
    text: str, language: Language, rate: int, aligner: Aligner
) -> None:
    samples = noise(5.0, rate)
    words = align(aligner, samples, rate, text, language)
    assert check_words(words, text, len(samples), rate) is None
    assert {word.source for word in words} == {TimeSource.ALIGNER}


@pytest.mark.parametrize(
    ("text", "samples"),
    [("……", noise(1.0, 16_000)), ("", noise(1.0, 16_000)), ("yes", np.zeros(0, np.float32))],
    ids=["punctuation", "no text", "no sound"],
)
def test_it_refuses_what_has_no_words_or_no_sound(text: str, samples: Wave, aligner: Aligner) -> None:
    with pytest.raises(RecordError):
        align(aligner, samples, 16_000, text, Language.EN)


def test_it_serves_many_at_once_and_goes_on_after_one_was_given_up(aligner: Aligner) -> None:
    samples = noise(5.0, 16_000)

    async def crowd() -> list[tuple[Word, ...] | BaseException]:
        jobs = [
            asyncio.create_task(aligner.align(samples, 16_000, text, language))
            for text, language in TEXTS * 3
        ]
        await asyncio.sleep(0)
        jobs[0].cancel()
        return await asyncio.gather(*jobs, return_exceptions=True)

    first, *others = asyncio.run(crowd())
    assert isinstance(first, asyncio.CancelledError)
    alone = [align(aligner, samples, 16_000, text, language) for text, language in TEXTS]
    assert others == (alone * 3)[1:]


@pytest.mark.skipif(not REAL, reason=f"no real aligner: set {' or '.join(VARIABLES.values())}")
@pytest.mark.parametrize("language", Language)
def test_a_real_one_is_near_to_what_an_engine_knows(
    language: Language, aligner: Aligner, request: pytest.FixtureRequest
) -> None:
    if request.node.callspec.params["aligner"] in MADE:
        pytest.skip("made on the spot: it knows nothing")
    pytest.importorskip("espeakng_loader", reason="the extra `espeak` is not installed")
    errors_ms: list[float] = []
    for text, take in spoken(language):
        words = align(aligner, take.samples, take.sampling_rate, text, language)
        errors_ms += known_ends(words, take)
    median_ms, p95_ms = np.quantile(errors_ms, [0.5, 0.95])
    print(f"{aligner.name}, {language.value}: median {median_ms:.0f} ms, p95 {p95_ms:.0f} ms")
    assert median_ms < 120
