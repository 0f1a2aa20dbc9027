"""What is said over HTTP, and what over the pipe between the parent and an engine."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Mode = Literal["sft", "zero_shot", "instruct"]
Kind = Literal["turn", "interruption", "backchannel"]
Language = Literal["zh", "en"]
Format = Literal["float32", "pcm16"]
BadReason = Literal["nan", "silent", "too_long", "too_short", "clipped"]

NEUTRAL = "neutral"
LABEL = r"^[a-z][a-z_]{0,31}$"
MOST_IN_BATCH = 32
LONGEST_TEXT = 2000
YAMLS = ("cosyvoice.yaml", "cosyvoice2.yaml", "cosyvoice3.yaml")
"""One of them is in every model directory, and says which version it is."""
_PRINTABLE = r"^[ -~]*$"


class _Message(BaseModel):
    """Frozen and closed: a key that nobody knows is a mistake."""

    # `model` and `mode_used` are words of the interface, whatever pydantic keeps `model_` for.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


class TtsRequest(_Message):
    """One clip that is wanted: the body of `POST /v1/tts`."""

    request_id: str = Field(min_length=1, max_length=128)
    spoken_text: str = Field(max_length=LONGEST_TEXT)
    language: Language
    voice: str = Field(min_length=1, max_length=128)
    mode: Literal["auto", "sft", "zero_shot", "instruct"] = "auto"
    kind: Kind = "turn"
    """A backchannel is spoken with the short prompt of its voice, and may be shorter than its text."""
    emotion: str = Field(default=NEUTRAL, pattern=LABEL)
    instruction: str | None = Field(default=None, min_length=1, max_length=200)
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    seed: int = Field(default=0, ge=0, lt=2**31)
    max_duration_s: float | None = Field(default=None, gt=0, le=120)
    """In place of the bound that the gate takes from the text."""
    deadline_s: float = Field(default=120.0, gt=0, le=900)
    """From the arrival of the request, or of the batch that it is part of: waiting counts."""
    format: Format = "float32"


class BatchRequest(_Message):
    """The body of `POST /v1/tts/batch`; items are judged one by one, so that a bad one is only itself."""

    items: list[JsonValue] = Field(min_length=1, max_length=MOST_IN_BATCH)


class Applied(_Message):
    """What the audio really has of what was asked for."""

    emotion: bool
    instruction: bool
    speed: bool = True
    seed: bool = True
    """Set right before the call; equal audio for equal seeds is likely, not promised."""


class Meta(_Message):
    """The header `X-TTS-Meta`."""

    request_id: str
    sample_rate: int
    duration_s: float
    trimmed_lead_s: float
    trimmed_tail_s: float
    mode_used: Mode
    applied: Applied
    model: str
    revision: str
    engine_ms: int
    warnings: list[str]


class Reference(_Message):
    """A recorded prompt, as an engine needs it."""

    key: str
    """Names voice, use and content: an engine registers each once, and a changed recording is another key."""
    path: str
    prompt_text: str


class Job(_Message):
    """One synthesis for an engine. Exactly one of `speaker` and `reference` is set."""

    request_id: str
    text: str
    language: Language
    kind: Kind
    mode: Mode
    speaker: str | None = None
    reference: Reference | None = None
    instruction: str | None = None
    """Plain words; the engine adds what its model wants around them."""
    speed: float = 1.0
    seed: int = 0
    max_duration_s: float | None = None


class Greeting(_Message):
    """The first thing an engine says: what it loaded and what that can do."""

    model: str = Field(max_length=128, pattern=_PRINTABLE)
    revision: str = Field(max_length=128, pattern=_PRINTABLE)
    sample_rate: int = Field(gt=0)
    device: str
    speakers: list[str]
    """Built-in voices."""
    modes: list[Mode]
    languages: list[Language]
    emotions: dict[str, str]
    """Emotions that need no recording, each with the instruction that asks for it."""
    tags: list[str]
    prompt_warnings: list[str] = []
    """What is known to be wrong with every voice that is a prompt."""
    warm_up: Reference | None = None
    """A prompt of the model's own, to warm up with where there is no voice yet."""


class Refused(_Message):
    """Why an engine has no audio."""

    reason: BadReason | None
    """None: the engine failed, the audio was never made."""
    message: str
    details: dict[str, JsonValue] = {}


class Reply(_Message):
    """What an engine says to a job; `num_samples` float32 values follow it."""

    num_samples: int = 0
    trimmed_lead_s: float = 0.0
    trimmed_tail_s: float = 0.0
    engine_ms: int = 0
    rss_mb: int = 0
    warnings: list[str] = []
    refused: Refused | None = None
    greeting: Greeting | None = None
    """In the first reply only."""


class EngineSettings(_Message):
    """What an engine process is started with."""

    factory: str
    """`package.module:function`; the function takes these settings and returns the engine."""
    root: str = ""
    """The CosyVoice checkout."""
    model_dir: str = ""
    load_trt: bool = False
    options: dict[str, JsonValue] = {}
    """For engines other than CosyVoice."""
