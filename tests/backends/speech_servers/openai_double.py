"""A server of OpenAI's speech API, as four products speak it: strict about what each of them takes.

with OpenAIDouble("kokoro") as double:
    double.url                      where `/audio/speech` begins
    double.act = ...                what happens to a request instead, or None
"""

import base64
import hashlib
import json
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import numpy as np
from aiohttp import web
from pydantic import JsonValue

from pipeline.backends.speech_servers.profiles import ProfileName
from pipeline.core.tokens import words_of
from tests.backends.speech_servers.serving import Serving
from tests.backends.speech_servers.speaking import CONTENTS, sound, wav

Body = dict[str, JsonValue]
MODEL = "double-1"
RATE = {"openai": 24_000, "vllm-omni": 24_000, "sglang-omni": 22_050, "kokoro": 24_000}
_COMMON = {"model", "input", "voice", "response_format", "speed"}
_TAKEN: dict[ProfileName, set[str]] = {
    "openai": _COMMON | {"instructions"},
    "vllm-omni": _COMMON
    | {"instructions", "language", "ref_audio", "ref_text", "seed", "stream", "word_timestamps"},
    "sglang-omni": _COMMON
    | {"instructions", "ref_audio", "ref_text", "seed", "stream"}
    | {"temperature", "top_p", "top_k", "repetition_penalty"},
    "kokoro": _COMMON | {"stream", "lang_code", "return_timestamps"},
}
VOICES = ("alloy", "af_heart", "zf_xiaobei")


class RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def _nothing(request: web.Request, body: Body) -> web.StreamResponse | None:
    return None


class OpenAIDouble:
    def __init__(self, profile: ProfileName, *, model: str = MODEL, aligner: bool = True) -> None:
        self.profile: ProfileName = profile
        self.requests: list[Body] = []
        self.act: Callable[[web.Request, Body], Awaitable[web.StreamResponse | None]] = _nothing
        self.headers: dict[str, str] | None = None
        """Instead of word times."""
        self.timed = True
        self._model = model
        self._aligner = aligner
        self._serving = Serving(
            {
                "GET /v1/models": self._models,
                "GET /v1/audio/voices": self._voices,
                "POST /v1/audio/speech": self._speech,
                "POST /dev/captioned_speech": self._captioned,
            }
        )

    def __enter__(self) -> Self:
        self._serving.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serving.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        return f"{self._serving.url}/v1"

    @property
    def serving(self) -> Serving:
        return self._serving

    async def _models(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"object": "list", "data": [{"id": self._model, "object": "model"}]})

    async def _voices(self, request: web.Request) -> web.StreamResponse:
        if self.profile == "kokoro":
            return web.json_response({"voices": [{"id": name, "name": name} for name in VOICES]})
        return web.json_response({"voices": list(VOICES), "uploaded_voices": [{"name": "mine"}]})

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, captioned=False)

    async def _captioned(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, captioned=True)

    async def _answer(self, request: web.Request, *, captioned: bool) -> web.StreamResponse:
        body: Body = await request.json()
        self.requests.append(body)
        instead = await self.act(request, body)
        if instead is not None:
            return instead
        try:
            self._check(body)
        except RefusedError as error:
            return self._refuse(error)
        text = str(body["input"])
        speaker = hashlib.sha256(str(body.get("ref_audio")).encode()).hexdigest()[:8]
        speed = body["speed"]
        samples = sound(
            text, f"{body.get('seed')}/{speaker}", speed=speed if isinstance(speed, float) else 1.0
        )
        rate = RATE[self.profile]
        if captioned:
            return web.json_response(
                {
                    "audio": base64.b64encode(wav(samples, rate, "PCM_16")).decode(),
                    "audio_format": "audio/wav",
                    "timestamps": self._captions(text, len(samples) / rate) if self.timed else None,
                }
            )
        headers = self.headers or {}
        if body.get("word_timestamps") and self.headers is None:
            units = [
                {"word": one["word"], "start_ms": one["start_time"] * 1000, "end_ms": one["end_time"] * 1000}
                for one in self._captions(text, len(samples) / rate)
            ]
            text_of_units = json.dumps(units)
            too_long = len(text_of_units) > 4096
            headers = {"X-Word-Timestamps-Omitted": "1"} if too_long else {"X-Word-Timestamps": text_of_units}
        return web.Response(body=wav(samples, rate, "PCM_16"), content_type="audio/wav", headers=headers)

    def _refuse(self, error: RefusedError) -> web.StreamResponse:
        kind = "invalid_request_error"
        if self.profile == "kokoro":
            said = {"error": "validation_error", "message": str(error), "type": kind}
            return web.json_response({"detail": said}, status=error.status)
        body = {"message": str(error), "type": kind, "param": None, "code": error.status}
        return web.json_response({"error": body}, status=error.status)

    def _captions(self, text: str, duration_s: float) -> list[dict[str, str | float]]:
        words = words_of(text)
        edges = np.linspace(0, duration_s, len(words) + 1)
        return [
            {"word": word, "start_time": float(start), "end_time": float(end)}
            for word, start, end in zip(words, edges[:-1], edges[1:], strict=True)
        ]

    def _check(self, body: Body) -> None:
        unknown = set(body) - _TAKEN[self.profile]
        if unknown:
            raise RefusedError(400, f"unrecognized request arguments: {sorted(unknown)}")
        if body["model"] != self._model or body["response_format"] != "wav":
            raise RefusedError(404, f"no model {body['model']!r}")
        if self.profile in ("openai", "kokoro") and body.get("voice") not in VOICES:
            raise RefusedError(
                404 if self.profile == "kokoro" else 400, f"voice {body.get('voice')!r} not found"
            )
        if body.get("word_timestamps") and not self._aligner:
            raise RefusedError(400, "word_timestamps needs --forced-aligner")
        if self.profile in ("vllm-omni", "sglang-omni"):
            self._check_reference(body)

    def _check_reference(self, body: Body) -> None:
        audio = str(body.get("ref_audio", ""))
        if not audio.startswith("data:audio/wav;base64,"):
            raise RefusedError(400, "ref_audio is required")
        if base64.b64decode(audio.split(",", 1)[1]) not in CONTENTS.values():
            raise RefusedError(400, "ref_audio is damaged")
        spoken = "ref_text" in body, "instructions" in body
        if self.profile == "vllm-omni" and not spoken[0]:
            raise RefusedError(400, "ref_text is required")
        if self.profile == "sglang-omni" and spoken[0] == spoken[1]:
            raise RefusedError(400, "give either ref_text or instructions")
