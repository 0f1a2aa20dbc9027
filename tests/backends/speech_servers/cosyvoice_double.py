"""Our CosyVoice worker's API as a script: every status, without processes. The worker itself, with a double for an
engine, is tested in `test_cosyvoice_worker.py`."""

import json
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Self

from aiohttp import web
from pydantic import JsonValue

from tests.backends.speech_servers.serving import Serving
from tests.backends.speech_servers.speaking import sound, wav

Body = dict[str, JsonValue]
Act = Callable[[web.Request, Body], Awaitable[web.StreamResponse | None]]
EMOTIONS = ("happy", "sad", "calm")
BUILT_IN = ("中文女", "英文男")


async def _nothing(request: web.Request, body: Body) -> web.StreamResponse | None:
    return None


def error(
    status: int, code: str, details: Mapping[str, JsonValue] | None = None, retry_after: str | None = None
) -> web.Response:
    """The body of every refusal."""
    body = {"code": code, "message": f"because of {code}", "request_id": "x", "retryable": status != 400}
    headers = {"Retry-After": retry_after} if retry_after else {}
    return web.json_response(
        {"error": {**body, "details": dict(details or {})}}, status=status, headers=headers
    )


class CosyVoiceDouble:
    """`act` may answer a request for speech instead; `meta` is laid over what the header says."""

    def __init__(
        self, *, model: str = "double", modes: tuple[str, ...] = ("sft", "zero_shot", "instruct")
    ) -> None:
        self.requests: list[Body] = []
        self.uploads: list[dict[str, str | bytes]] = []
        self.recorded: set[str] = set()
        self.act: Act = _nothing
        self.refuse_upload: Callable[[], web.Response | None] = lambda: None
        self.meta: Body | None = {}
        self.loading = 0
        """So many questions for its capabilities are answered 503 first."""
        self._model = model
        self._modes = modes
        self.serving = Serving(
            {
                "GET /health": self._health,
                "GET /v1/capabilities": self._capabilities,
                "GET /v1/voices": self._voices,
                "POST /v1/voices": self._add_voice,
                "POST /v1/tts": self._speak,
            }
        )

    def __enter__(self) -> Self:
        self.serving.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.serving.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        return self.serving.url

    async def _health(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ready"})

    async def _capabilities(self, request: web.Request) -> web.StreamResponse:
        if self.loading:
            self.loading -= 1
            return error(503, "loading", retry_after="0.02")
        return web.json_response(
            {
                "model": self._model,
                "revision": "1",
                "device": "cpu",
                "languages": ["zh", "en", "ja"],
                "modes": list(self._modes),
                "emotions": list(EMOTIONS),
                "tags": ["[laughter]", "[breath]", "[sigh]"],
                "max_characters": 600,
                "max_han": 60,
                "max_words": 45,
            }
        )

    async def _voices(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"built_in": list(BUILT_IN), "recorded": []})

    async def _add_voice(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        fields = {
            name: _content(value) if isinstance(value, web.FileField) else str(value)
            for name, value in form.items()
        }
        refused = self.refuse_upload()
        if refused is not None:
            return refused
        self.uploads.append(fields)
        self.recorded.add(str(fields["id"]))
        return web.json_response({"created": True}, status=201)

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        body: Body = await request.json()
        self.requests.append(body)
        instead = await self.act(request, body)
        if instead is not None:
            return instead
        if body["voice"] not in (*BUILT_IN, *self.recorded):
            return error(404, "voice_not_found")
        headers = {}
        if self.meta is not None:
            meta: Body = {
                "request_id": body["request_id"],
                "model": self._model,
                "revision": "1",
                "applied": {
                    "emotion": body["emotion"] in ("neutral", *EMOTIONS),
                    "instruction": False,
                    "speed": True,
                    "seed": True,
                },
                "warnings": [],
            }
            headers = {"X-TTS-Meta": json.dumps({**meta, **self.meta})}
        speed = body["speed"]
        samples = sound(
            str(body["spoken_text"]), body["seed"], speed=speed if isinstance(speed, float) else 1.0
        )
        return web.Response(body=wav(samples), content_type="audio/wav", headers=headers)


def _content(field: web.FileField) -> bytes:
    with field.file:
        return field.file.read()
