"""The FastAPI server of CosyVoice's own repository, as far as it works."""

from collections.abc import Awaitable, Callable

import numpy as np
from aiohttp import web

from tests.backends.speech_servers.serving import Serving
from tests.backends.speech_servers.speaking import sound

TEXT = "你好，我听见了。"
VOICES = ("中文女", "英文男")


def pcm_of(text: str) -> bytes:
    return np.rint(sound(text, sampling_rate=22_050) * 32767).astype("<i2").tobytes()


PCM = pcm_of(TEXT)


class FastApiDouble:
    """CosyVoice's own server: a form, and headerless samples in pieces, whatever went wrong."""

    def __init__(self, route: str = "/inference_sft") -> None:
        self.forms: list[dict[str, str]] = []
        self.content: bytes | None = None
        """Instead of sound."""
        self.instead: list[Callable[[web.Request], Awaitable[web.StreamResponse]]] = []
        self._route = route
        self.serving = Serving({"GET /openapi.json": self._openapi, f"POST {route}": self._speak})

    async def _openapi(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"openapi": "3.1.0", "paths": {self._route: {"post": {}, "get": {}}}})

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.forms.append({name: str(value) for name, value in form.items()})
        if self.instead:
            return await self.instead.pop()(request)
        form_now = self.forms[-1]
        known = form_now["spk_id"] in VOICES  # an unknown voice fails in the stream, after the status
        content = (pcm_of(form_now["tts_text"]) if known else b"") if self.content is None else self.content
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(content), 5001):
            await response.write(content[start : start + 5001])
        return response
