"""Qwen3-ForcedAligner (Apache-2.0), served by vLLM's own `POST /pooling`: no server of ours, no torch here.

The model reads sound and text, and says for two marks after every word in which 80 ms of the sound they lie::

    prompt   <audio> yes <timestamp><timestamp> well <timestamp><timestamp>
    logits              [5000]     [5000]            [5000]     [5000]       of each mark: which bin of 80 ms
    bins                  3          7                 7          12   ---->  yes 0.24-0.56 s, well 0.56-0.96 s

Marks are answered independently of each other; those that run backwards are put right from their neighbours.
Started with::

    vllm serve Qwen/Qwen3-ForcedAligner-0.6B --port 8001 --runner pooling --enforce-eager \\
        --hf-overrides '{"architectures":["Qwen3ASRForcedAlignerForTokenClassification"]}' \\
        --pooler-config '{"task":"token_classify","tok_pooling_type":"STEP","step_tag_id":151705}' \\
        --trust-request-chat-template
"""

import base64
import binascii
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from pipeline.backends.speech_servers.pool import Family, Pool, PoolClient
from pipeline.backends.speech_servers.refusals import check_status
from pipeline.backends.speech_servers.served import agree, ask_json
from pipeline.backends.speech_servers.servers import SpeechServer
from pipeline.backends.speech_servers.transport import Answer, Call, Line
from pipeline.backends.speech_servers.waves import encode_wave
from pipeline.core.aligned_words import lay_words, straighten
from pipeline.core.patience import Patience
from pipeline.core.tokens import words_of
from pipeline.domain.errors import BadTakeError, ConfigError, RecordError, TerminalBackendError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason
from pipeline.domain.words import Word

SECTION = "speech.aligners"
URL_VARIABLE = "HUMDIAL_ALIGNER_URL"
DEFAULT = SpeechServer("http://127.0.0.1:8001", 8)
PATIENCE = Patience(timeout_s=60, max_attempts=4, longest_pause_s=5, give_up_after_s=60)
"""Word times are worth a minute's waiting for a server; then clips go on with the next rung's."""

_BINS = 5000
_BIN_S = 0.08
_LONGEST_S = 300.0
"""That it was trained on."""
_REMEDY = "start vLLM as the documentation of word times says, or set HUMDIAL_ALIGNER_URL"
_OPTIONS = (
    'remedy: vLLM 0.33 or later with --trust-request-chat-template and --pooler-config \'{"task":'
    '"token_classify","tok_pooling_type":"STEP","step_tag_id":151705}\''
)
_REAL_TIMES = 2.0

Wave = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Qwen3Settings:
    """Which servers; what they serve is asked of them."""

    servers: tuple[SpeechServer, ...]
    patience: Patience = PATIENCE


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str


class _Models(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    data: tuple[_Model, ...] = Field(min_length=1)


class _Pooled(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    data: str
    """Little-endian float16, base64."""


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    data: tuple[_Pooled, ...] = Field(min_length=1, max_length=1)


class Qwen3ForcedAligner(PoolClient):
    """Implements Aligner. Use as a context manager: entering it aligns two words of silence, so that a server that
    was started without the options above is found out before the run, not clip by clip."""

    def __init__(self, settings: Qwen3Settings) -> None:
        self._settings = settings
        self._models = Call("/v1/models", settings.patience.connect_timeout_s, from_root=True)
        super().__init__(Pool(Family(SECTION, self._models, _REMEDY), settings.servers, settings.patience))
        self._model = ""

    def _meet(self) -> None:
        self._model = agree(SECTION, self._pool.greet(self._try_out), str)

    @property
    def name(self) -> str:
        """`aligner-<model>`: a server does not tell the model's revision."""
        return f"aligner-{self._model}"

    @property
    def resolution_ms(self) -> float:
        """Of a bin. Its authors report a mean error of 33 ms in Mandarin and 38 ms in English."""
        return _BIN_S * 1000

    async def align(
        self,
        samples: Wave,
        sampling_rate: int,
        text: str,
        language: Language,  # noqa: ARG002 - the port's
    ) -> tuple[Word, ...]:
        """See the port; the model tells the language from the words."""
        length_s = len(samples) / sampling_rate
        words = tuple(_spell(word) for word in words_of(text))
        if not words or not 0 < length_s <= _LONGEST_S:
            raise RecordError(
                Reason.BAD_AUDIO,
                f"{self.name}: {len(words)} words in {length_s:.1f} s; wanted words, and {_LONGEST_S:.0f} s or less",
            )
        wave = encode_wave(samples, sampling_rate)

        async def ask(line: Line) -> list[int]:
            return await self._bins(line, self._model, words, wave, length_s)

        try:
            bins = await self._pool.ask(ask)
        except BadTakeError as error:  # it makes no takes: it fails at this clip
            raise RecordError(Reason.BAD_AUDIO, f"{self.name}: {error.detail}") from None
        edges_s = [edge * _BIN_S for edge in straighten(bins)]
        times_s = list(zip(edges_s[::2], edges_s[1::2], strict=True))
        return lay_words(text, times_s, len(samples), sampling_rate)

    async def _try_out(self, line: Line) -> str:
        """The model's name at this server, which has aligned two words of a second of silence."""
        model = (await ask_json(line, self._models, _Models, _REMEDY)).data[0].id
        silence = encode_wave(np.zeros(16_000, np.float32), 16_000)
        try:
            await self._bins(line, model, ("hello", "world"), silence, 1.0)
        except RecordError as error:
            raise ConfigError(f"{SECTION}: {error.detail}; {_OPTIONS}") from None
        return model

    async def _bins(
        self, line: Line, model: str, words: tuple[str, ...], wave: bytes, length_s: float
    ) -> list[int]:
        """One try on one server: start and end of every word, in bins."""
        num_marks = 2 * len(words)
        call = Call(
            "/pooling",
            self._settings.patience.timeout_s + _REAL_TIMES * length_s,
            most_bytes=4 * num_marks * _BINS + (1 << 16),
            body=_body(model, words, wave),
            from_root=True,
        )
        answer = await line.send(call)
        check_status(answer, f"{len(words)} words in {length_s:.1f} s", line.secrets, _REMEDY)
        return _read(answer, num_marks)


def _spell(word: str) -> str:
    """As the model was trained: letters, digits and straight apostrophes."""
    return "".join(char for char in word.replace("\u2019", "'") if char.isalnum() or char == "'")


def _body(model: str, words: tuple[str, ...], wave: bytes) -> dict[str, JsonValue]:
    marked = "".join(f"{word}<timestamp><timestamp>" for word in words)
    sound = f"data:audio/wav;base64,{base64.b64encode(wave).decode('ascii')}"
    return {
        "model": model,
        "task": "token_classify",
        "chat_template": "{{ messages[0]['content'] }}",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": f"<|audio_start|><|audio_pad|><|audio_end|>{marked}"},
                    {"type": "audio_url", "audio_url": {"url": sound}},
                ],
            }
        ],
        # 5000 numbers per mark: as text they would be a megabyte for ten words.
        "encoding_format": "base64",
        "embed_dtype": "float16",
        "use_activation": False,
        "endianness": "little",
    }


def _read(answer: Answer, num_marks: int) -> list[int]:
    """The likeliest bin of every mark."""
    if answer.too_long:
        raise TerminalBackendError(
            f"{answer.who}: more than {len(answer.body)} bytes for {num_marks} marks; {_OPTIONS}"
        )
    try:
        content = base64.b64decode(_Reply.model_validate_json(answer.body).data[0].data, validate=True)
        logits = np.frombuffer(content, "<f2")
    except (ValidationError, binascii.Error, ValueError):
        raise TerminalBackendError(f"{answer.who}: answered with no logits in base64; {_OPTIONS}") from None
    if not np.isfinite(logits).all():
        raise RecordError(Reason.BAD_AUDIO, f"{answer.who}: logits that are no numbers")
    if len(logits) != num_marks * _BINS:
        raise TerminalBackendError(
            f"{answer.who}: {len(logits)} logits for {num_marks} marks; wanted {_BINS} for each; {_OPTIONS}"
        )
    return [int(bin) for bin in logits.reshape(num_marks, _BINS).argmax(axis=1)]
