from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from aiohttp import web

from pipeline.backends.speech_servers import CosyVoiceFastApi, CosyVoiceFastApiSettings, SpeechServer
from pipeline.domain.errors import BadTakeError, ConfigError, RecordError, TerminalBackendError
from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.takes import Flaw
from tests.backends.speech_servers.fastapi_double import PCM, TEXT, FastApiDouble
from tests.backends.speech_servers.serving import break_off, reset
from tests.backends.speech_servers.speaking import (
    QUICK,
    SLOW_ENOUGH,
    request_for,
    sound,
    speak,
    speak_all,
    voice_of,
)

VOICE = voice_of("cosyvoice_fastapi", "中文女", Language.ZH)


@contextmanager
def client_of(
    double: FastApiDouble, *, sampling_rate: int | None = 22_050, max_in_flight: int = 2
) -> Iterator[CosyVoiceFastApi]:
    with double.serving as server:
        servers = (SpeechServer(server.url, max_in_flight),)
        settings = CosyVoiceFastApiSettings(servers, QUICK, SLOW_ENOUGH, sampling_rate)
        with CosyVoiceFastApi(settings) as client:
            yield client


@pytest.mark.parametrize("sampling_rate", [22_050, 24_000])
def test_headerless_samples_are_read_at_the_rate_that_is_configured(sampling_rate: int) -> None:
    double = FastApiDouble()
    with client_of(double, sampling_rate=sampling_rate) as client:
        take = speak(client, request_for(VOICE, TEXT))
        assert str(sampling_rate) in client.capabilities.engine
    assert double.forms == [{"tts_text": TEXT, "spk_id": "中文女"}]
    assert take.sampling_rate == sampling_rate
    np.testing.assert_allclose(take.samples, sound(TEXT, sampling_rate=22_050), atol=2**-14)


def test_what_the_server_cannot_do_is_told() -> None:
    request = request_for(VOICE, TEXT, emotion=Emotion.SAD, style=Style.CALM, speed=1.2)
    with client_of(FastApiDouble()) as client:
        assert speak(client, request).unapplied == ("emotion", "style", "seed", "speed")


@pytest.mark.parametrize("content", [b"", PCM[:-1]], ids=["nothing", "half a sample"])
def test_an_empty_or_odd_answer_is_no_take(content: bytes) -> None:
    double = FastApiDouble()
    with client_of(double) as client:
        double.content = content
        with pytest.raises(BadTakeError) as caught:
            speak(client, request_for(VOICE, TEXT))
    assert caught.value.flaw is Flaw.EMPTY


@pytest.mark.parametrize(
    "trouble", [reset, lambda request: break_off(request, PCM)], ids=["reset", "broken off"]
)
def test_an_answer_that_breaks_off_is_asked_for_again(
    trouble: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> None:
    double = FastApiDouble()
    double.instead = [trouble]
    with client_of(double) as client:
        assert len(speak(client, request_for(VOICE, TEXT)).samples) == len(PCM) // 2
    assert len(double.forms) == 2


def test_sound_beyond_all_measure_is_cut_off() -> None:
    double = FastApiDouble()
    double.content = bytes(8_000_000)
    with client_of(double) as client, pytest.raises(BadTakeError) as caught:
        speak(client, request_for(VOICE, TEXT))
    assert caught.value.flaw is Flaw.TOO_LONG


def test_a_long_error_is_no_endless_speech() -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.Response(status=403, text="x" * 70_000)

    double = FastApiDouble()
    double.instead = [refuse]
    with client_of(double) as client, pytest.raises(TerminalBackendError, match="does not accept the key"):
        speak(client, request_for(VOICE, TEXT))


def test_never_more_than_two_at_once() -> None:
    double = FastApiDouble()
    with client_of(double) as client:
        takes = speak_all(client, [request_for(VOICE, TEXT, seed=seed) for seed in range(10)])
    assert not [take for take in takes if isinstance(take, BaseException)]
    assert double.serving.most_at_once <= 2


def test_a_recorded_voice_is_refused_with_the_reason_and_without_asking() -> None:
    double = FastApiDouble()
    voice = voice_of("cosyvoice_fastapi", "ann", Language.ZH, recorded=True)
    with client_of(double) as client, pytest.raises(TerminalBackendError, match="1794 and 1805"):
        speak(client, request_for(voice, TEXT))
    assert double.forms == []


def test_a_text_without_a_word_is_refused_without_asking() -> None:
    double = FastApiDouble()
    with client_of(double) as client, pytest.raises(RecordError):
        speak(client, request_for(VOICE, "……"))
    assert double.forms == []


@pytest.mark.parametrize(
    ("sampling_rate", "max_in_flight", "route", "said"),
    [
        (None, 2, "/inference_sft", r"sampling_rate: is not set.*22050"),
        (22_050, 3, "/inference_sft", "max_in_flight is above 2"),
        (22_050, 2, "/elsewhere", "has no /inference_sft"),
    ],
)
def test_what_cannot_work_is_said_before_the_run_begins(
    sampling_rate: int | None, max_in_flight: int, route: str, said: str
) -> None:
    with (
        pytest.raises(ConfigError, match=said),
        client_of(FastApiDouble(route), sampling_rate=sampling_rate, max_in_flight=max_in_flight),
    ):
        pass
