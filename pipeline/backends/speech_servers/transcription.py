"""Speech to text on any server of OpenAI's `POST /v1/audio/transcriptions`: vLLM, faster-whisper-server, OpenAI.

samples --wav--> form file, model, language --> {"text": "..."}
                             |  it fails at this clip, and hears a second of silence --> RecordError
                             '  it fails at both -------------------------------------> BackendError
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.backends.speech_servers.pool import Family, Pool, PoolClient
from pipeline.backends.speech_servers.refusals import check_status
from pipeline.backends.speech_servers.servers import SpeechServer
from pipeline.backends.speech_servers.transport import Answer, Call, Line, Part
from pipeline.backends.speech_servers.waves import encode_wave
from pipeline.core.patience import Patience
from pipeline.domain.errors import BadTakeError, RecordError, TerminalBackendError, TransientBackendError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason

SECTION = "speech.transcriber"
URL_VARIABLE = "HUMDIAL_TRANSCRIBER_URL"
DEFAULT = SpeechServer("http://127.0.0.1:8000/v1", 4)
_REMEDY = (
    "start it, or let base_url end where /audio/transcriptions begins (mostly /v1), or set "
    "HUMDIAL_TRANSCRIBER_URL"
)
_GREETING_S = 30.0
_SILENCE_RATE_HZ = 16_000
_SILENCE = np.zeros(_SILENCE_RATE_HZ, np.float32)


@dataclass(frozen=True, slots=True)
class TranscriberSettings:
    """Which model, at which servers."""

    model: str
    servers: tuple[SpeechServer, ...]
    patience: Patience
    slowest: float
    """Seconds of work for a second of speech, beyond which a server hangs."""


class _Transcript(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    text: str


class ServedTranscriber(PoolClient):
    """Implements Transcriber. Use as a context manager."""

    def __init__(self, settings: TranscriberSettings) -> None:
        probe = Call("/models", settings.patience.connect_timeout_s)
        self._settings = settings
        super().__init__(Pool(Family(SECTION, probe, _REMEDY), settings.servers, settings.patience))

    def _meet(self) -> None:
        self._pool.greet(self._find)

    @property
    def name(self) -> str:
        """`transcriptions-<model>`"""
        return f"transcriptions-{self._settings.model}"

    async def transcribe(
        self, samples: npt.NDArray[np.float32], sampling_rate: int, language: Language
    ) -> str:
        """See the port."""
        if not len(samples):
            return ""
        try:
            return await self._hear(samples, sampling_rate, language)
        except (BadTakeError, RecordError) as error:
            await self._try_out(language)
            raise RecordError(Reason.BAD_AUDIO, f"{self.name}: {error.detail}") from None

    async def _hear(self, samples: npt.NDArray[np.float32], sampling_rate: int, language: Language) -> str:
        wave = encode_wave(samples, sampling_rate)
        duration_s = len(samples) / sampling_rate
        return await self._pool.ask(lambda line: self._ask(line, wave, duration_s, language))

    async def _try_out(self, language: Language) -> None:
        """Raises a backend's error where nothing is heard at all: then it was not the clip."""
        try:
            await self._hear(_SILENCE, _SILENCE_RATE_HZ, language)
        except BadTakeError as error:
            raise TransientBackendError(f"{SECTION}: fails at silence as well: {error.detail}") from None
        except RecordError as error:
            raise TerminalBackendError(
                f"{SECTION}: {error.detail}; remedy: a server that takes wav files, `language` and "
                "response_format json"
            ) from None

    async def _find(self, line: Line) -> bool:
        """Whether somebody is there: whatever it says of its models, a refused key apart."""
        answer = await line.send(Call("/models", _GREETING_S))
        if answer.status != 404:
            check_status(answer, "GET /models", line.secrets, _REMEDY)
        return True

    async def _ask(self, line: Line, wave: bytes, duration_s: float, language: Language) -> str:
        form = (
            Part("file", wave, "speech.wav", "audio/wav"),
            Part("model", self._settings.model),
            Part("language", language.value),
            Part("response_format", "json"),
            Part("temperature", "0"),
        )
        deadline_s = self._settings.patience.timeout_s + self._settings.slowest * duration_s
        answer = await line.send(Call("/audio/transcriptions", deadline_s, form=form))
        check_status(answer, f"{duration_s:.1f} s of speech", line.secrets, _REMEDY)
        return _read(answer)


def _read(answer: Answer) -> str:
    try:
        return _Transcript.model_validate_json(answer.body).text.strip()
    except ValidationError:
        raise TransientBackendError(
            f'{answer.who}: answered with no transcript; wanted {{"text": ...}}'
        ) from None
