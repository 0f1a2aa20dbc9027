"""A relay in front of a speech worker: it passes everything on and keeps what was asked and answered.

run --> Relay --> worker
          `-- answers: request id, seed, text, status, why a take was refused, its sound
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from pydantic import JsonValue, TypeAdapter

from pipeline.backends.speech_servers.refusals import Said, read_error
from tests.backends.speech_servers.serving import Serving

_BODY = TypeAdapter[dict[str, JsonValue]](dict[str, JsonValue])
_SPEECH = "/v1/tts"
_OF_ITS_OWN = ("content-length", "transfer-encoding", "connection", "date", "server")
"""Headers that belong to one connection."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One request for speech and what became of it."""

    asked: dict[str, JsonValue]
    status: int
    said: Said
    """Empty for audio."""
    content: bytes = field(repr=False)
    """The wav file; empty for a refusal."""

    @property
    def request_id(self) -> str:
        return str(self.asked["request_id"])

    @property
    def seed(self) -> int:
        return int(str(self.asked["seed"]))

    @property
    def text(self) -> str:
        return str(self.asked["spoken_text"])


class Relay:
    """Belongs in front of one worker; `relay(...)` opens one."""

    def __init__(self, target: str) -> None:
        self.answers: list[Answered] = []
        self._target = target
        self.serving = Serving({"* /{path:.*}": self._pass_on})

    @property
    def url(self) -> str:
        """Where to ask instead of the worker."""
        return self.serving.url

    def asked_ids(self) -> list[str]:
        """Of all requests for speech, in order of their answers."""
        return [answer.request_id for answer in self.answers]

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", *_OF_ITS_OWN)}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method, self._target + request.path_qs, data=content, headers=headers
            ) as answer,
        ):
            body = await answer.read()
        if request.path == _SPEECH:
            good = answer.status == 200
            said = Said() if good else read_error(body, ())
            self.answers.append(
                Answered(_BODY.validate_json(content), answer.status, said, body if good else b"")
            )
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in _OF_ITS_OWN}
        return web.Response(status=answer.status, body=body, headers=kept)


@contextmanager
def relay(target: str) -> Iterator[Relay]:
    """A relay that listens."""
    one = Relay(target)
    with one.serving:
        yield one
