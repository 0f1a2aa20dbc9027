"""Configuration of the speech stage: who speaks, what a take has to be like, and what happens if it is not."""

from typing import Literal

from pydantic import Field

from pipeline.core.content import ContentLimits
from pipeline.core.levels import TARGET_LUFS
from pipeline.core.takes import GateLimits
from pipeline.core.voice_similarity import VoiceLimits
from pipeline.domain.record import Record
from pipeline.stages.speech_servers_config import (
    CosyVoiceConfig,
    CosyVoiceFastApiConfig,
    OpenAISpeechConfig,
    TranscriberConfig,
)

BackendName = Literal["espeak", "cosyvoice", "openai_speech", "cosyvoice_fastapi"]


class BankConfig(Record):
    """Short interjections are drawn from a few checked takes per voice and form."""

    backend: BackendName | None = None
    """Who speaks them; None: who speaks the turns. Only with a voice of the same speaker."""
    takes: int = Field(default=4, ge=1, le=16)
    """Per form; each at a slightly different speed."""


class TranscriptCheck(TranscriberConfig):
    """A recogniser listens to every take."""

    limits: ContentLimits = ContentLimits()


class VoiceCheck(Record):
    """A speaker encoder compares every take with its voice's reference."""

    encoder: str
    """A network in ONNX on this machine: WeSpeaker's, or CAM++."""
    limits: VoiceLimits = VoiceLimits()


class Config(Record):
    """Who speaks, and how loud."""

    backend: BackendName = "espeak"
    """`espeak`: espeak-ng in processes of its own; needs no GPU, no network and no model. `cosyvoice`: our worker
    (`humdial speech serve-cosyvoice`). `openai_speech`: servers of OpenAI's speech API. `cosyvoice_fastapi`: the
    server of CosyVoice's own repository."""
    then: tuple[BackendName, ...] = ()
    """Who is asked, in turn, for what the first could not say well: with a voice of the same speaker only, because
    nobody's voice changes in mid-dialogue."""
    voices: str | None = None
    """A catalogue of your own (`humdial voices add`) beside the shipped one. Its voices of a backend stand in for the
    shipped ones of that backend."""
    emotions: Literal["required", "best_effort"] = "required"
    """Of emotional dialogues: whether a voice that cannot be heard in every mood is refused at the start, or
    speaks as it can, which then stands in its clips' records."""
    retakes: int = Field(default=2, ge=0, le=10)
    """Further takes of each engine, with other seeds, before the next one is asked."""
    gate: GateLimits = GateLimits()
    bank: BankConfig = BankConfig()
    transcripts: TranscriptCheck | None = None
    """Whether takes say their texts; null: nobody listens."""
    likeness: VoiceCheck | None = None
    """Whether takes sound like their voices; null: nobody compares."""
    aligners: tuple[str, ...] = ()
    """Who is asked for word times that an engine does not give, in turn: `qwen3`, `qwen3=http://host:8001`,
    `whisper=DIRECTORY`. After all of them, an estimate from text and silences."""
    cosyvoice: CosyVoiceConfig = CosyVoiceConfig()
    openai_speech: OpenAISpeechConfig = OpenAISpeechConfig()
    cosyvoice_fastapi: CosyVoiceFastApiConfig = CosyVoiceFastApiConfig()
    processes: int = Field(default=2, ge=1, le=64)
    """Processes of the embedded engine; changes the speed, never the audio."""
    loudness_lufs: float = Field(default=TARGET_LUFS, ge=-40, le=-10)
    """Target of each speaker's clips in a dialogue (BS.1770, integrated)."""
