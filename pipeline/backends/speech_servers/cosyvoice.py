"""CosyVoice behind our own worker (`humdial speech serve-cosyvoice`, `docker/cosyvoice`).

    SpeechRequest --POST /v1/tts--> wav + X-TTS-Meta --> Take, and what was not applied
                       |
                       '-- a voice with recordings is uploaded first, once per server and run

A text that is too long for one chunk of the model is cut at clauses, said part by part and joined. The worker judges
its takes, knows when it is busy, and says what it really did. Its statuses::

    400 text cannot be said   404 no such voice   422 bad audio, and why   429, 503 wait   504 too slow   500 failed
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.backends.server_errors import redact
from pipeline.backends.speech_servers.bounds import deadline_s, most_bytes
from pipeline.backends.speech_servers.chunks import say_in_parts
from pipeline.backends.speech_servers.cosyvoice_voices import Uploads, flaw_of, has_recordings
from pipeline.backends.speech_servers.pool import Family, Pool
from pipeline.backends.speech_servers.refusals import check_status, read_error
from pipeline.backends.speech_servers.served import (
    GREETING_S,
    ServedSynthesizer,
    agree,
    ask_json,
    list_unapplied,
    make_take,
    refuse_endless,
)
from pipeline.backends.speech_servers.servers import SpeechServer
from pipeline.backends.speech_servers.transport import Answer, Call, Line
from pipeline.backends.speech_servers.waves import decode_wave
from pipeline.core.patience import Patience
from pipeline.core.scripting.tags import insert_tags
from pipeline.domain.emotional import Tag, TagPlace
from pipeline.domain.errors import BadTakeError, TerminalBackendError
from pipeline.domain.labels import Emotion, Language
from pipeline.domain.takes import Capabilities, Take
from pipeline.domain.voice import Reference, SpeechRequest

BACKEND = "cosyvoice"
SECTION = "speech.cosyvoice"
URL_VARIABLE = "HUMDIAL_COSYVOICE_URL"
DEFAULT = SpeechServer("http://127.0.0.1:50000", 2)
PROCESSING = "1"
"""Raise it when code here changes what an equal request sounds like."""

META_HEADER = "x-tts-meta"
_LONGEST_DEADLINE_S = 900.0
_GRACE_S = 10.0
"""The worker's own deadline comes first: it says where the time went."""


@dataclass(frozen=True, slots=True)
class CosyVoiceSettings:
    """Where the workers are, and how they are waited for."""

    servers: tuple[SpeechServer, ...]
    patience: Patience
    slowest: float
    """Seconds of work for a second of speech, beyond which an engine hangs."""


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class _Facts(_Wire):
    """`GET /v1/capabilities`"""

    model: str
    revision: str
    languages: tuple[str, ...]
    modes: tuple[str, ...]
    emotions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    max_characters: int
    voices: tuple[str, ...] = ()
    """Not in that answer: from `GET /v1/voices`."""


class _Voices(_Wire):
    """`GET /v1/voices`"""

    built_in: tuple[str, ...]


class _Applied(_Wire):
    emotion: bool
    speed: bool
    seed: bool


class _Meta(_Wire):
    """`X-TTS-Meta`"""

    model: str
    revision: str
    applied: _Applied
    warnings: tuple[str, ...] = ()


class CosyVoice(ServedSynthesizer):
    """Implements SpeechSynthesizer. `read_reference` gives a recording's bytes, verified against its sha256."""

    backend = BACKEND

    def __init__(self, settings: CosyVoiceSettings, read_reference: Callable[[Reference], bytes]) -> None:
        self._remedy = (
            "humdial speech serve-cosyvoice --root DIR, or docker compose --profile gpu up cosyvoice, or set "
            f"{URL_VARIABLE} to where a worker runs"
        )
        probe = Call("/health", settings.patience.connect_timeout_s)
        super().__init__(Pool(Family(SECTION, probe, self._remedy), settings.servers, settings.patience))
        self._settings = settings
        self._uploads = Uploads(read_reference, self._remedy)
        self._facts: _Facts | None = None

    def _greet(self) -> Capabilities:
        facts = agree(SECTION, self._pool.greet(self._ask_facts), lambda one: f"{one.model}@{one.revision}")
        self._facts = facts
        emotions = (one for one in Emotion if one.value in facts.emotions and "instruct" in facts.modes)
        return Capabilities(
            engine=f"cosyvoice-{facts.model}@{facts.revision}+{PROCESSING}",
            languages=frozenset(one for one in Language if one.value in facts.languages),
            voices=frozenset(facts.voices),
            clones="zero_shot" in facts.modes,
            emotions=frozenset({Emotion.NEUTRAL, *emotions}),
            tags=frozenset(tag for tag in Tag if f"[{tag.value}]" in facts.tags),
            seed="best_effort",
            word_times=False,
            longest_text=facts.max_characters,
            max_in_flight=self._pool.max_in_flight,
        )

    async def _ask_facts(self, line: Line) -> _Facts:
        facts = await ask_json(line, Call("/v1/capabilities", GREETING_S), _Facts, self._remedy)
        voices = await ask_json(line, Call("/v1/voices", GREETING_S), _Voices, self._remedy)
        return facts.model_copy(update={"voices": voices.built_in})

    def _check(self, request: SpeechRequest) -> None:
        super()._check(request)
        voice = request.voice
        if has_recordings(voice) and not self.capabilities.clones:
            raise TerminalBackendError(
                f"{BACKEND}: {self.capabilities.engine} takes no recorded voices, and {voice.voice_id!r} is one; "
                "remedy: a model that clones, or one of its own voices"
            )

    async def _speak(self, line: Line, request: SpeechRequest) -> Take:
        return await say_in_parts(request, lambda part: self._say(line, part))

    async def _say(self, line: Line, request: SpeechRequest) -> Take:
        """What the model says in one chunk."""
        voice = await self._uploads.name_of(line, request.voice)
        answer = await line.send(self._call(request, voice))
        if answer.status == 404 and has_recordings(request.voice):
            self._uploads.forget(line, voice)  # a worker that was set up anew knows no voice
            await self._uploads.name_of(line, request.voice)
            answer = await line.send(self._call(request, voice))
        if answer.status == 422:
            said = read_error(answer.body, line.secrets)
            raise BadTakeError(flaw_of(said), f"{answer.who}: {said.message}")
        remedy = (
            f"humdial voices check, or correct backend_voice of {request.voice.voice_id!r} in the catalogue"
        )
        check_status(answer, f"voice {voice!r}", line.secrets, remedy)
        refuse_endless(answer, request)
        return self._take(answer, request, line.secrets)

    def _call(self, request: SpeechRequest, voice: str) -> Call:
        own_s = min(
            deadline_s(request, self._settings.patience.timeout_s, self._settings.slowest),
            _LONGEST_DEADLINE_S,
        )
        return Call(
            "/v1/tts",
            deadline_s=own_s + _GRACE_S,
            most_bytes=most_bytes(request),
            body={
                "request_id": request.fingerprint()[:32],
                "spoken_text": insert_tags(request.text, self._possible_tags(request)),
                "language": request.language.value,
                "voice": voice,
                "mode": "auto",
                "kind": request.kind.value,
                "emotion": self._mood(request),
                "speed": request.speed,
                "seed": request.seed,
                "deadline_s": own_s,
                "format": "float32",
            },
        )

    def _mood(self, request: SpeechRequest) -> str:
        """Its word for emotion; some models know manners such as `calm` as one more of them."""
        manner = request.style.value
        known = self._facts is not None and manner in self._facts.emotions
        return manner if known and request.emotion is Emotion.NEUTRAL else request.emotion.value

    def _possible_tags(self, request: SpeechRequest) -> tuple[TagPlace, ...]:
        return tuple(place for place in request.tags if place.tag in self.capabilities.tags)

    def _take(self, answer: Answer, request: SpeechRequest, secrets: tuple[str, ...]) -> Take:
        wave = decode_wave(answer.body, answer.who, secrets)
        tags = self._possible_tags(request) == request.tags
        try:
            meta = _Meta.model_validate_json(answer.headers.get(META_HEADER, ""))
        except ValidationError:  # something between us took it away: then nothing is known to have been done
            unapplied = list_unapplied(
                request, emotion=False, style=False, seed=False, speed=False, tags=tags
            )
            take = make_take(wave, self.capabilities.engine, unapplied)
            return replace(take, warnings=(*take.warnings, "what was applied is not known: no X-TTS-Meta"))
        if self._facts and (meta.model, meta.revision) != (self._facts.model, self._facts.revision):
            raise TerminalBackendError(
                f"{answer.who}: serves {meta.model}@{meta.revision} now, and this run began with "
                f"{self.capabilities.engine}; remedy: one model at all endpoints, or a new run"
            )
        done = meta.applied
        in_manner = done.emotion and self._mood(request) == request.style.value
        unapplied = list_unapplied(
            request, emotion=done.emotion, style=in_manner, seed=done.seed, speed=done.speed, tags=tags
        )
        take = make_take(wave, self.capabilities.engine, unapplied)
        told = tuple(redact(warning, secrets) for warning in meta.warnings)
        return replace(take, warnings=(*take.warnings, *told))
