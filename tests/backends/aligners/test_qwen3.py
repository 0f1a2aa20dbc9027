"""Qwen3-ForcedAligner behind vLLM's pooling interface: what is sent, what is made of answers and failures."""

import asyncio
import json
import os
import subprocess
import sys
from contextlib import ExitStack

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("aiohttp", reason="the extra `speech` is not installed")

from pipeline.backends.aligners.qwen3 import Qwen3ForcedAligner, Qwen3Settings
from pipeline.backends.speech_servers.servers import SpeechServer
from pipeline.core.patience import Patience
from pipeline.core.word_times import check_words
from pipeline.domain.errors import ConfigError, RecordError, TerminalBackendError, TransientBackendError
from pipeline.domain.labels import Language
from pipeline.domain.takes import Take
from pipeline.domain.words import TimeSource, Word
from pipeline.stages.word_times import align_words
from tests.backends.aligners.pooling_double import MODEL, Asked, Fault, Script, running_aligner

RATE = 24_000
PATIENCE = Patience(
    timeout_s=5,
    connect_timeout_s=1,
    max_attempts=2,
    first_pause_s=0.01,
    longest_pause_s=0.02,
    give_up_after_s=0.3,
)


def settings(*addresses: str) -> Qwen3Settings:
    return Qwen3Settings(tuple(SpeechServer(address) for address in addresses), patience=PATIENCE)


def noise(seconds: float) -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def align(
    script: Script, text: str, language: Language, seconds: float = 2.0
) -> tuple[tuple[Word, ...], list[Asked]]:
    with running_aligner(script) as (address, asked), Qwen3ForcedAligner(settings(address)) as aligner:
        return asyncio.run(aligner.align(noise(seconds), RATE, text, language)), asked


TEXTS: dict[str, tuple[str, Language, tuple[str, ...], tuple[int, ...], list[tuple[str, int, int]]]] = {
    "English": (
        "Well, yes.",
        Language.EN,
        ("Well", "yes"),
        (1, 3, 5, 9),
        [("Well", 80, 240), ("yes", 400, 720)],
    ),
    "Mandarin, with a name": (
        "我用iPhone。",
        Language.ZH,
        ("我", "用", "iPhone"),
        (0, 2, 2, 4, 4, 12),
        [("我", 0, 160), ("用", 160, 320), ("iPhone", 320, 960)],
    ),
    "marks inside words": (
        "It\u2019s well-known",
        Language.EN,
        ("It's", "wellknown"),
        (1, 2, 2, 6),
        [("It\u2019s", 80, 160), ("well-known", 160, 480)],
    ),
    "a clock that runs backwards": (
        "one two six",
        Language.EN,
        ("one", "two", "six"),
        (1, 3, 80, 5, 5, 9),
        [("one", 80, 240), ("two", 320, 400), ("six", 400, 720)],
    ),
    "a word shorter than a bin": (
        "a cat",
        Language.EN,
        ("a", "cat"),
        (1, 1, 1, 6),
        [("a", 80, 100), ("cat", 100, 480)],
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_bins_become_times_of_our_words(name: str) -> None:
    text, language, told, bins, wanted = TEXTS[name]
    words, asked = align(Script(bins=bins), text, language)
    assert asked == [Asked(told, RATE, 2 * RATE)]
    assert [(w.text, w.span.start * 1000 // RATE, w.span.end * 1000 // RATE) for w in words] == wanted
    assert {word.source for word in words} == {TimeSource.ALIGNER}
    assert check_words(words, text, 2 * RATE, RATE) is None


FAULTS: dict[str, tuple[list[Fault], type[Exception] | None, str]] = {
    "too much to do, then not": (["503"], None, ""),
    "a connection that breaks, then not": (["reset"], None, ""),
    "an error, then none": (["500"], None, ""),
    "an error at this clip": (["500", "500"], RecordError, "twice"),
    "a clip that is refused": (["400"], RecordError, "answered 400"),
    "logits that are no numbers": (["nan"], RecordError, "no numbers"),
    "another kind of server": (["html"], TerminalBackendError, "no logits in base64; remedy: vLLM 0"),
    "an older server, which answers in text": (["float"], TerminalBackendError, "no logits in base64"),
    "half a base64": (["broken"], TerminalBackendError, "no logits in base64"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_goes_wrong_is_told_apart(name: str) -> None:
    faults, error, message = FAULTS[name]
    script = Script(faults=list(faults))
    if error is None:
        words, asked = align(script, "Well, yes.", Language.EN)
        assert len(words) == 2
        assert len(asked) == len(faults) + 1
        return
    with pytest.raises(error, match=message):
        align(script, "Well, yes.", Language.EN)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (Script(trusts_templates=False), "--trust-request-chat-template is not set"),
        (Script(steps=False), '"tok_pooling_type":"STEP"'),
    ],
    ids=["templates are not trusted", "logits of all tokens"],
)
def test_a_server_started_otherwise_is_found_out_before_the_run(script: Script, message: str) -> None:
    with (
        running_aligner(script) as (address, _),
        pytest.raises((ConfigError, TerminalBackendError), match=message),
        Qwen3ForcedAligner(settings(address)),
    ):
        pass


def test_servers_of_different_models_are_refused() -> None:
    with (
        running_aligner(Script()) as (first, _),
        running_aligner(Script(model="Qwen/Qwen3-ForcedAligner-0.6B-hf")) as (second, _),
        pytest.raises(ConfigError, match="different models"),
        Qwen3ForcedAligner(settings(first, second)),
    ):
        pass


def test_its_name_is_the_model_that_is_served() -> None:
    with (
        running_aligner(Script(model="my/aligner")) as (address, _),
        Qwen3ForcedAligner(settings(address)) as aligner,
    ):
        assert aligner.name == "aligner-my/aligner"


def test_nobody_there_is_said_at_the_start() -> None:
    with (
        pytest.raises(ConfigError, match=r"nobody answers.*start vLLM"),
        Qwen3ForcedAligner(settings("http://127.0.0.1:9")),
    ):
        pass


@pytest.mark.parametrize(("text", "seconds"), [("……", 1.0), ("yes", 0.0), ("yes", 300.1)])
def test_nothing_is_asked_about_what_cannot_be_aligned(text: str, seconds: float) -> None:
    script = Script()
    with running_aligner(script) as (address, asked), Qwen3ForcedAligner(settings(address)) as aligner:
        with pytest.raises(RecordError):
            asyncio.run(aligner.align(np.zeros(round(seconds * 1000), np.float32), 1000, text, Language.EN))
        assert asked == []


def test_a_server_that_dies_costs_a_rung_and_no_clip() -> None:
    take = Take(samples=noise(1.0), sampling_rate=RATE, words=(), engine="engine-1")
    server = ExitStack()
    address, _ = server.enter_context(running_aligner(Script()))
    with Qwen3ForcedAligner(settings(address)) as aligner:
        server.close()
        with pytest.raises(TransientBackendError, match="no endpoint answers any more"):
            asyncio.run(aligner.align(take.samples, RATE, "Well, yes.", Language.EN))
        aligned = asyncio.run(align_words(take, "Well, yes.", Language.EN, (aligner,)))
    assert [word.text for word in aligned.words] == ["Well", "yes"]
    assert "no endpoint answers any more" in aligned.warnings[0]


def test_many_at_once_each_get_their_own() -> None:
    texts = [" ".join(["yes"] * count) for count in range(1, 9)]

    async def all_of_them(aligner: Qwen3ForcedAligner) -> list[tuple[Word, ...]]:
        return await asyncio.gather(*(aligner.align(noise(3.0), RATE, text, Language.EN) for text in texts))

    with (
        running_aligner(Script()) as (first, asked),
        running_aligner(Script()) as (second, also_asked),
        Qwen3ForcedAligner(settings(first, second)) as aligner,
    ):
        found = asyncio.run(all_of_them(aligner))
    assert [len(words) for words in found] == list(range(1, 9))
    assert asked
    assert also_asked


WHEEL = os.environ.get("VLLM_WHEEL")


@pytest.mark.vllm
@pytest.mark.skipif(WHEEL is None, reason="no vLLM: set VLLM_WHEEL to a wheel of it, or to an unpacked one")
def test_vllm_reads_our_requests_as_they_are_meant() -> None:
    """Its own request class, from a wheel; no engine runs."""
    sent: list[bytes] = []
    script = Script(sent=sent)
    align(script, "Well, yes.", Language.EN)
    script_name = "tests.backends.aligners.vllm_pooling_class"
    done = subprocess.run(
        [sys.executable, "-m", script_name, str(WHEEL)], input=sent[-1], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {
        "model": MODEL,
        "task": "token_classify",
        "chat_template": "{{ messages[0]['content'] }}",
        "encoding_format": "base64",
        "embed_dtype": "float16",
        "endianness": "little",
        "use_activation": False,
        "parts": ["text", "audio_url"],
        "ignored": [],
    }
