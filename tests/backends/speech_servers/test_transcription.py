import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile
from aiohttp import web

from pipeline.backends.speech_servers import ServedTranscriber, SpeechServer, TranscriberSettings
from pipeline.domain.errors import ConfigError, RecordError, TerminalBackendError, TransientBackendError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason
from tests.backends.speech_servers.serving import Serving, hang, reset
from tests.backends.speech_servers.speaking import QUICK, sound

SPEECH = sound("I see what you mean", sampling_rate=24_000)


def status(code: int) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"message": "because"}}, status=code)

    return answer


class ListeningDouble:
    """OpenAI's transcription API."""

    def __init__(self, text: str = " I see what you mean. ") -> None:
        self.forms: list[dict[str, str]] = []
        self.heard: list[tuple[int, int]] = []
        self.instead: list[Callable[[web.Request], Awaitable[web.StreamResponse]]] = []
        self.fails_at: Callable[[int], bool] = lambda num_samples: False
        self.trouble = status(500)
        self.keys: list[str] = []
        self._text = text
        self.serving = Serving(
            {"GET /v1/models": self._models, "POST /v1/audio/transcriptions": self._transcribe}
        )

    async def _models(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("Authorization", ""))
        return web.json_response({"data": [{"id": "whisper"}]})

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        with file.file:
            samples, rate = soundfile.read(io.BytesIO(file.file.read()))
        self.heard.append((len(samples), rate))
        self.forms.append({name: str(value) for name, value in form.items() if name != "file"})
        if self.fails_at(len(samples)):
            return await self.trouble(request)
        if self.instead:
            return await self.instead.pop(0)(request)
        return web.json_response({"text": self._text})


@contextmanager
def listener_of(double: ListeningDouble, timeout_s: float = 3.0) -> Iterator[ServedTranscriber]:
    with double.serving as server:
        servers = (SpeechServer(f"{server.url}/v1", 4, "a-key"),)
        patience = QUICK.model_copy(update={"timeout_s": timeout_s})
        with ServedTranscriber(TranscriberSettings("whisper", servers, patience, 0.01)) as listener:
            yield listener


def listen(listener: ServedTranscriber, language: Language = Language.EN) -> str:
    return asyncio.run(listener.transcribe(SPEECH, 24_000, language))


def test_the_whole_sound_is_sent_with_its_language_and_the_words_come_back() -> None:
    double = ListeningDouble()
    with listener_of(double) as listener:
        assert listen(listener, Language.ZH) == "I see what you mean."
        assert listener.name == "transcriptions-whisper"
    assert double.heard == [(len(SPEECH), 24_000)]
    assert double.forms == [
        {"model": "whisper", "language": "zh", "response_format": "json", "temperature": "0"}
    ]
    assert double.keys == ["Bearer a-key"]


def test_no_sound_is_nothing_said_and_nobody_is_asked() -> None:
    double = ListeningDouble()
    with listener_of(double) as listener:
        assert asyncio.run(listener.transcribe(np.zeros(0, np.float32), 24_000, Language.EN)) == ""
    assert double.heard == []


async def no_json(request: web.Request) -> web.StreamResponse:
    return web.Response(text="I see what you mean.")


@pytest.mark.parametrize(
    "trouble",
    [reset, status(429), status(500), status(503), no_json],
    ids=["reset", "429", "500", "503", "text"],
)
def test_what_passes_is_asked_again(
    trouble: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> None:
    double = ListeningDouble()
    double.instead = [trouble]
    with listener_of(double) as listener:
        assert listen(listener) == "I see what you mean."
    assert len(double.heard) == 2


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (status(400), TerminalBackendError),
        (status(404), TerminalBackendError),
        (status(429), TransientBackendError),
        (status(500), TransientBackendError),
        (no_json, TransientBackendError),
        (hang, TransientBackendError),
    ],
    ids=["400", "404", "429", "500", "text", "stuck"],
)
def test_what_does_not_pass_is_no_matter_of_takes(
    trouble: Callable[[web.Request], Awaitable[web.StreamResponse]], kind: type[Exception]
) -> None:
    double = ListeningDouble()
    double.fails_at = lambda num_samples: True
    double.trouble = trouble
    with (
        listener_of(double, timeout_s=0.15) as listener,
        pytest.raises(kind, match=r"speech\.transcriber|answered"),
    ):
        listen(listener)


@pytest.mark.parametrize(
    "trouble",
    [status(500), status(504), status(400), no_json, hang],
    ids=["500", "504", "400", "text", "stuck"],
)
def test_a_clip_that_it_fails_at_while_it_hears_others_is_the_clips_matter(
    trouble: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> None:
    double = ListeningDouble()
    double.trouble = trouble
    with listener_of(double, timeout_s=0.15) as listener:
        double.fails_at = lambda num_samples: num_samples == len(SPEECH)
        for _ in range(2):
            with pytest.raises(RecordError, match=r"^bad_audio: transcriptions-whisper: ") as caught:
                listen(listener)
            assert caught.value.reason is Reason.BAD_AUDIO
        double.fails_at = lambda num_samples: False
        assert listen(listener) == "I see what you mean."


def test_where_nobody_listens_the_run_does_not_begin() -> None:
    settings = TranscriberSettings("whisper", (SpeechServer("http://127.0.0.1:9/v1"),), QUICK, 1.0)
    with (
        pytest.raises(ConfigError, match=r"nobody answers.*HUMDIAL_TRANSCRIBER_URL"),
        ServedTranscriber(settings),
    ):
        pass
