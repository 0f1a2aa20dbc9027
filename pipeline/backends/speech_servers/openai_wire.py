"""What servers of OpenAI's speech API answer beside sound: models, voices, word times."""

import base64
import binascii

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pipeline.backends.speech_servers.transport import Answer
from pipeline.backends.speech_servers.waves import Wave, decode_wave
from pipeline.backends.speech_servers.word_times import Unit
from pipeline.domain.errors import BadTakeError
from pipeline.domain.takes import Flaw

WORDS_HEADER = "x-word-timestamps"
OMITTED_HEADER = "x-word-timestamps-omitted"


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Named(_Wire):
    id: str = ""
    name: str = ""


class Models(_Wire):
    """`GET /models`"""

    data: tuple[_Named, ...]


class Voices(_Wire):
    """`GET /audio/voices`: names, or objects with one."""

    voices: tuple[str | _Named, ...]
    uploaded_voices: tuple[str | _Named, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Of all of them."""
        listed = (*self.voices, *self.uploaded_voices)
        return frozenset(one if isinstance(one, str) else one.id or one.name for one in listed)


class _Timestamp(_Wire):
    """vLLM-Omni's"""

    word: str
    start_ms: float
    end_ms: float


class _Caption(_Wire):
    """Kokoro-FastAPI's"""

    word: str
    start_time: float
    end_time: float


class _Captioned(_Wire):
    audio: str
    timestamps: tuple[_Caption, ...] | None = None


_TIMESTAMPS = TypeAdapter[tuple[_Timestamp, ...]](tuple[_Timestamp, ...])


def read_captioned(
    answer: Answer, secrets: tuple[str, ...]
) -> tuple[Wave, tuple[Unit, ...], tuple[str, ...]]:
    """Kokoro-FastAPI's sound, its word times and warnings. Raises BadTakeError for an answer without sound."""
    if not answer.body:
        raise BadTakeError(Flaw.EMPTY, f"{answer.who}: answered without one byte; wanted sound and captions")
    try:
        captioned = _Captioned.model_validate_json(answer.body)
        content = base64.b64decode(captioned.audio, validate=True)
    except (ValidationError, binascii.Error):
        raise BadTakeError(
            Flaw.ENGINE_FAILED, f"{answer.who}: answered with something else than sound and captions"
        ) from None
    wave = decode_wave(content, answer.who, secrets)
    if captioned.timestamps is None:
        return wave, (), ("no word times",)
    return wave, tuple(Unit(one.word, one.start_time, one.end_time) for one in captioned.timestamps), ()


def read_header(answer: Answer) -> tuple[tuple[Unit, ...], tuple[str, ...]]:
    """vLLM-Omni's word times and warnings; above 4 KB it leaves them out and says so."""
    text = answer.headers.get(WORDS_HEADER)
    if text is None:
        omitted = OMITTED_HEADER in answer.headers
        return (), ("word times left out: too many for a header" if omitted else "no word times",)
    try:
        found = _TIMESTAMPS.validate_json(text)
    except ValidationError:
        return (), ("word times cannot be read",)
    return tuple(Unit(one.word, one.start_ms / 1000, one.end_ms / 1000) for one in found), ()
