"""The FastAPI server in CosyVoice's own repository: built-in voices (SFT) only.

    form tts_text, spk_id --POST /inference_sft--> 16-bit samples without a header --> Take

It fails at every voice that is a recording, and answers 200 without a byte (CosyVoice issues 1794, 1805): those
are refused here. It says neither its rate nor its model, knows no seed, speed or emotion, and slows down beyond
two requests at once.
"""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, JsonValue

from pipeline.backends.speech_servers.bounds import deadline_s, most_bytes
from pipeline.backends.speech_servers.pool import Family, Pool
from pipeline.backends.speech_servers.refusals import check_status
from pipeline.backends.speech_servers.served import (
    GREETING_S,
    ServedSynthesizer,
    ask_json,
    list_unapplied,
    make_take,
    refuse_endless,
)
from pipeline.backends.speech_servers.servers import SpeechServer
from pipeline.backends.speech_servers.transport import Call, Line, Part
from pipeline.backends.speech_servers.waves import decode_pcm16
from pipeline.core.patience import Patience
from pipeline.core.speakable.clauses import for_engine
from pipeline.domain.errors import ConfigError, TerminalBackendError
from pipeline.domain.labels import Emotion, Language
from pipeline.domain.takes import Capabilities, Take
from pipeline.domain.voice import SpeechRequest

BACKEND = "cosyvoice_fastapi"
SECTION = "speech.cosyvoice_fastapi"
URL_VARIABLE = "HUMDIAL_COSYVOICE_FASTAPI_URL"
MOST_IN_FLIGHT = 2
DEFAULT = SpeechServer("http://127.0.0.1:50000", MOST_IN_FLIGHT)
PROCESSING = "1"
"""Raise it when code here changes what an equal request sounds like."""
LONGEST_TEXT = 500
_PATH = "/inference_sft"
_REMEDY = "python runtime/python/fastapi/server.py of CosyVoice, or set HUMDIAL_COSYVOICE_FASTAPI_URL"


@dataclass(frozen=True, slots=True)
class CosyVoiceFastApiSettings:
    """What the server does not say of itself."""

    servers: tuple[SpeechServer, ...]
    patience: Patience
    slowest: float
    """Seconds of work for a second of speech, beyond which an engine hangs."""
    sampling_rate: int | None
    """22050 for the first generation (CosyVoice-300M-SFT), 24000 for later ones."""
    model: str = "CosyVoice-300M-SFT"
    revision: str = "unknown"


class _OpenApi(BaseModel):
    """`GET /openapi.json`"""

    model_config = ConfigDict(frozen=True, extra="ignore")
    paths: dict[str, JsonValue]


class CosyVoiceFastApi(ServedSynthesizer):
    """Implements SpeechSynthesizer."""

    backend = BACKEND

    def __init__(self, settings: CosyVoiceFastApiSettings) -> None:
        if settings.sampling_rate is None:
            raise ConfigError(
                f"{SECTION}.sampling_rate: is not set, and the server does not say it; wanted 22050 for "
                "CosyVoice-300M-SFT, 24000 for later generations"
            )
        if any(server.max_in_flight > MOST_IN_FLIGHT for server in settings.servers):
            raise ConfigError(
                f"{SECTION}: max_in_flight is above {MOST_IN_FLIGHT}; more at once is slower than one by one"
            )
        probe = Call("/openapi.json", settings.patience.connect_timeout_s)
        super().__init__(Pool(Family(SECTION, probe, _REMEDY), settings.servers, settings.patience))
        self._settings = settings
        self._sampling_rate = settings.sampling_rate

    def _greet(self) -> Capabilities:
        self._pool.greet(self._ask_routes)
        return Capabilities(
            engine=f"cosyvoice-fastapi-{self._settings.model}@{self._settings.revision}"
            f"+{PROCESSING}.{self._sampling_rate}",
            languages=frozenset(Language),
            voices=None,
            clones=False,
            emotions=frozenset({Emotion.NEUTRAL}),
            tags=frozenset(),
            seed="none",
            word_times=False,
            longest_text=LONGEST_TEXT,
            max_in_flight=self._pool.max_in_flight,
        )

    async def _ask_routes(self, line: Line) -> bool:
        api = await ask_json(line, Call("/openapi.json", GREETING_S), _OpenApi, _REMEDY)
        if _PATH not in api.paths:
            raise ConfigError(
                f"{line.server.base_url}: has no {_PATH}; wanted CosyVoice's FastAPI server; {_REMEDY}"
            )
        return True

    def _check(self, request: SpeechRequest) -> None:
        super()._check(request)
        voice = request.voice
        if voice.reference or voice.short_reference or voice.emotional_references:
            raise TerminalBackendError(
                f"{BACKEND}: {voice.voice_id!r} is a recorded voice, and this server answers such requests with 200 "
                "and no sound (CosyVoice issues 1794 and 1805); remedy: speech.backend cosyvoice, or a built-in voice"
            )

    async def _speak(self, line: Line, request: SpeechRequest) -> Take:
        answer = await line.send(
            Call(
                _PATH,
                deadline_s=deadline_s(request, self._settings.patience.timeout_s, self._settings.slowest),
                most_bytes=most_bytes(request),
                form=(
                    Part("tts_text", for_engine(request.text, request.language)),
                    Part("spk_id", request.voice.backend_voice),
                ),
            )
        )
        check_status(answer, f"voice {request.voice.backend_voice!r}", line.secrets, _REMEDY)
        refuse_endless(answer, request)
        wave = decode_pcm16(answer.body, self._sampling_rate, answer.who)
        unapplied = list_unapplied(request, emotion=False, style=False, seed=False, speed=False, tags=False)
        return make_take(wave, self.capabilities.engine, unapplied)
