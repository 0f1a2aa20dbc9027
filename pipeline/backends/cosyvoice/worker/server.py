"""The HTTP interface: reads, asks the pool, answers. Everything that is no audio is a refusal with one body."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import JsonValue, ValidationError
from starlette.exceptions import HTTPException

from .choosing import Choice, choose
from .guarding import LARGEST_JSON, VOICES, Guard
from .messages import LONGEST_TEXT, MOST_IN_BATCH, BatchRequest, Greeting, Job, Meta, Reply, TtsRequest
from .multipart import MultipartError, parse_form
from .pool import Pool
from .refusals import RefusalError, past_deadline
from .text import BEST_HAN, BEST_WORDS, LONGEST_HAN, LONGEST_WORDS
from .voices import Registry, VoiceReference
from .wav import write_wav

META_HEADER = "X-TTS-Meta"
TRIAL_TEXT = {
    "zh": "今天天气很好，我们去公园走走吧。",
    "en": "The weather is lovely today, so let us go for a walk.",
}
TRIAL_DEADLINE_S = 120.0

Listen = Callable[[bytes, str, str], Awaitable[None]]
"""(wav, what it should say, language): raises RefusalError where something else is heard."""


@dataclass(frozen=True)
class Clip:
    """What was made for one request."""

    wav: bytes
    meta: Meta


class Speech:
    """What the routes do, without HTTP."""

    def __init__(self, pool: Pool, registry: Registry, listen: Listen | None) -> None:
        self.pool = pool
        self.registry = registry
        self._listen = listen
        self._adding = asyncio.Lock()

    async def speak(self, request: TtsRequest, waited_s: float = 0.0) -> Clip:
        """One clip; raises RefusalError. `waited_s` is what has passed of its deadline."""
        if waited_s >= request.deadline_s:
            raise past_deadline(request.deadline_s, "in the queue")
        greeting = self.pool.require_up()
        choice = choose(request, greeting, self.registry)
        reply, samples = await self.pool.speak(choice.job, request.deadline_s, waited_s)
        wav = write_wav(samples, greeting.sample_rate, request.format)
        return Clip(wav, _meta(request, choice, greeting, reply))

    async def speak_item(self, item: JsonValue, waited_s: float) -> dict[str, JsonValue]:
        """One item of a batch, with the status that it would have had alone."""
        given_id = item.get("request_id") if isinstance(item, dict) else None
        request_id = given_id if isinstance(given_id, str) else None
        try:
            clip = await self.speak(TtsRequest.model_validate(item), waited_s)
        except RefusalError as refusal:
            return {"status": refusal.status, **refusal.headers, **refusal.body(request_id)}
        except ValidationError as error:
            invalid = RefusalError("invalid_request", _problems(error.errors()))
            return {"status": invalid.status, **invalid.body(request_id)}
        return {"status": 200, **_as_json(clip)}

    async def speak_batch(self, batch: BatchRequest) -> list[dict[str, JsonValue]]:
        """As many at once as there are engines: a batch leaves the queue to others."""
        at_once = asyncio.Semaphore(len(self.pool.engines))
        arrived = time.monotonic()

        async def one(item: JsonValue) -> dict[str, JsonValue]:
            async with at_once:
                return await self.speak_item(item, time.monotonic() - arrived)

        return list(await asyncio.gather(*(one(item) for item in batch.items)))

    async def add_voice(self, form: dict[str, bytes]) -> tuple[VoiceReference, bool]:
        """Keep an uploaded recording once it has spoken a sentence that passes; the flag says whether it is new."""
        content = form.pop("wav", b"")
        fields = {name: value.decode("utf-8", "replace").strip() for name, value in form.items()}
        async with self._adding:
            reference, is_new = await asyncio.to_thread(self.registry.check, fields, content)
            if is_new:
                try:
                    await self._try(reference, content)
                    self.registry.add(reference)
                except (
                    BaseException
                ):  # refused, cancelled or a full disk: a recording without a voice is of no use
                    self.registry.drop_recording(reference)
                    raise
        return reference, is_new

    async def _try(self, reference: VoiceReference, content: bytes) -> None:
        greeting = self.pool.require_up()
        if reference.id in greeting.speakers:
            raise RefusalError("invalid_request", f"voice {reference.id!r} is built in; choose another id")
        if "zero_shot" not in greeting.modes:
            raise RefusalError("invalid_request", f"{greeting.model} takes no recorded voices")
        self.registry.store_recording(reference, content)
        text = TRIAL_TEXT[reference.language]
        job = Job(
            request_id=f"voice-{reference.key}",
            text=text,
            language=reference.language,
            kind="turn",
            mode="zero_shot",
            reference=self.registry.as_prompt(reference),
        )
        _, samples = await self.pool.speak(job, TRIAL_DEADLINE_S)
        if self._listen is not None:
            await self._listen(write_wav(samples, greeting.sample_rate, "pcm16"), text, reference.language)


def create_app(speech: Speech) -> FastAPI:
    """The routes. The engines live as long as the application."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        speech.pool.open()
        yield
        await speech.pool.close()

    app = FastAPI(title="CosyVoice worker", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(Guard)
    _answer_errors(app)
    _add_speech(app, speech)
    _add_voices(app, speech)
    _add_state(app, speech)
    return app


def _add_speech(app: FastAPI, speech: Speech) -> None:
    @app.post("/v1/tts")
    async def tts(request: Request, body: TtsRequest) -> Response:
        clip = await speech.speak(body)
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse(_as_json(clip))
        return Response(clip.wav, media_type="audio/wav", headers={META_HEADER: _header(clip.meta)})

    @app.post("/v1/tts/batch")
    async def batch(body: BatchRequest) -> JSONResponse:
        return JSONResponse({"items": await speech.speak_batch(body)})


def _add_voices(app: FastAPI, speech: Speech) -> None:
    @app.get(VOICES)
    async def voices() -> JSONResponse:
        greeting = speech.pool.greeting
        return JSONResponse(
            {
                "built_in": [] if greeting is None else list(greeting.speakers),
                "recorded": [one.model_dump(mode="json") for one in speech.registry.references],
            }
        )

    @app.post(VOICES)
    async def add_voice(request: Request) -> JSONResponse:
        try:
            content_type = request.headers.get("content-type", "")
            form = await asyncio.to_thread(parse_form, content_type, await request.body())
        except MultipartError as error:
            raise RefusalError("invalid_request", f"voice: {error}") from None
        reference, is_new = await speech.add_voice(form)
        content = {"voice": reference.model_dump(mode="json"), "created": is_new}
        return JSONResponse(content, status_code=201 if is_new else 200)


def _add_state(app: FastAPI, speech: Speech) -> None:
    @app.get("/live")
    async def live() -> JSONResponse:
        return JSONResponse({"status": "live"})

    @app.get("/health")
    async def health() -> JSONResponse:
        speech.pool.require_up()
        engines = [
            {
                "number": engine.number,
                "state": engine.state,
                "pid": engine.pid,
                "served": engine.served,
                "restarts": engine.restarts,
                "rss_mb": engine.rss_mb,
                "problem": engine.problem,
            }
            for engine in speech.pool.engines
        ]
        return JSONResponse({"status": "ready", "waiting": speech.pool.num_waiting, "engines": engines})

    @app.get("/v1/capabilities")
    async def capabilities() -> JSONResponse:
        return JSONResponse(_capabilities(speech.pool.require_up(), speech.pool))


def _capabilities(greeting: Greeting, pool: Pool) -> dict[str, JsonValue]:
    return {
        "model": greeting.model,
        "revision": greeting.revision,
        "device": greeting.device,
        "sample_rate": greeting.sample_rate,
        "languages": [*greeting.languages],
        "modes": [*greeting.modes],
        "emotions": [*sorted(greeting.emotions)],
        "free_instruction": "instruct" in greeting.modes,
        "tags": [*greeting.tags],
        "speed": {"min": 0.5, "max": 2.0},
        "seed": "best_effort",
        "word_timings": False,
        "best_han": BEST_HAN,
        "best_words": BEST_WORDS,
        "max_han": LONGEST_HAN,
        "max_words": LONGEST_WORDS,
        "max_characters": LONGEST_TEXT,
        "max_batch": MOST_IN_BATCH,
        "max_concurrency": len(pool.engines),
        "queue": pool.queue_size,
    }


def _answer_errors(app: FastAPI) -> None:
    """One body for every refusal, those of the framework included."""

    @app.exception_handler(RefusalError)
    async def refused(request: Request, refusal: RefusalError) -> JSONResponse:
        return _refuse(refusal, await _request_id(request))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        refusal = RefusalError("invalid_request", _problems(error.errors()))
        return _refuse(refusal, await _request_id(request))

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> JSONResponse:
        refusal = RefusalError("invalid_request", f"{request.method} {request.url.path}: {error.detail}")
        return JSONResponse(refusal.body(None), status_code=error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    async def broken(_: Request, error: Exception) -> JSONResponse:
        return _refuse(RefusalError("engine_error", f"{type(error).__name__}: {error}"[:1000]), None)


def _refuse(refusal: RefusalError, request_id: str | None) -> JSONResponse:
    return JSONResponse(refusal.body(request_id), status_code=refusal.status, headers=refusal.headers)


async def _request_id(request: Request) -> str | None:
    """Of a request whose body is JSON and names one."""
    body = await request.body()  # `Guard` has read it, within the limit
    if request.url.path == VOICES or len(body) > LARGEST_JSON:
        return None
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = content.get("request_id") if isinstance(content, dict) else None
    return found if isinstance(found, str) else None


def _problems(errors: Iterable[Mapping[str, object]]) -> str:
    """What is wrong with a body, field by field."""
    found = []
    for error in errors:
        place = error.get("loc")
        names = [str(part) for part in place if part != "body"] if isinstance(place, tuple) else []
        found.append(f"{'.'.join(names) or 'body'}: {error.get('msg')}")
    return "; ".join(found)[:1000]


def _meta(request: TtsRequest, choice: Choice, greeting: Greeting, reply: Reply) -> Meta:
    return Meta(
        request_id=request.request_id,
        sample_rate=greeting.sample_rate,
        duration_s=round(reply.num_samples / greeting.sample_rate, 4),
        trimmed_lead_s=reply.trimmed_lead_s,
        trimmed_tail_s=reply.trimmed_tail_s,
        mode_used=choice.job.mode,
        applied=choice.applied,
        model=greeting.model,
        revision=greeting.revision,
        engine_ms=reply.engine_ms,
        warnings=[*choice.warnings, *reply.warnings],
    )


def _header(meta: Meta) -> str:
    """ASCII and below 4 KB: its parts are bounded where they enter."""
    return json.dumps(meta.model_dump(mode="json"), ensure_ascii=True, separators=(",", ":"))


def _as_json(clip: Clip) -> dict[str, JsonValue]:
    return {
        "meta": clip.meta.model_dump(mode="json"),
        "audio_b64": base64.b64encode(clip.wav).decode("ascii"),
    }
