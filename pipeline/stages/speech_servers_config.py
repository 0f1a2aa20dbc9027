"""Speech from servers: configuration of one section per backend.

    speech:
      backend: cosyvoice                      # enough for a worker on this machine
      cosyvoice:
        endpoints: [{base_url: "http://gpu-1:50000"}, {base_url: "http://gpu-2:50000"}]

Where a section names no endpoints, an environment variable may (HUMDIAL_COSYVOICE_URL, HUMDIAL_OPENAI_SPEECH_URL,
HUMDIAL_COSYVOICE_FASTAPI_URL, HUMDIAL_TRANSCRIBER_URL; several with commas), else this machine is asked.
"""

import re
from typing import Literal

from pydantic import Field, field_validator

from pipeline.core.patience import Patience
from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record

SPEECH_PATIENCE = Patience(
    timeout_s=60, max_attempts=5, first_pause_s=0.5, longest_pause_s=10, give_up_after_s=300
)
"""A server that was restarted loads its model for minutes. `timeout_s` is for the requests that it has before this
one; the speaking itself is given time by its length."""

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


class SpeechEndpointConfig(Record):
    """One server."""

    base_url: str
    """Where its paths begin: `http://gpu-1:50000` for CosyVoice, `http://gpu-1:8091/v1` for OpenAI-compatible ones."""
    max_in_flight: int | None = Field(default=None, ge=1)
    """Requests at once; null: 2 for CosyVoice, 4 for OpenAI-compatible servers. More engines can have more."""
    api_key_variable: str | None = None
    """Name of the environment variable with its key."""

    @field_validator("api_key_variable")
    @classmethod
    def _no_key(cls, variable: str | None) -> str | None:
        """A ConfigError is not wrapped by pydantic, whose own errors come with the value: perhaps the key itself."""
        if variable is not None and not _VARIABLE.fullmatch(variable):
            raise ConfigError(
                "speech: api_key_variable of an endpoint is no name of an environment variable; wanted capitals, "
                "digits and underscores, for example SPEECH_API_KEY; the key itself belongs into the environment only"
            )
        return variable


class ServersConfig(Record):
    """What sections of all kinds of servers have."""

    endpoints: tuple[SpeechEndpointConfig, ...] = ()
    """Of one model: the least loaded one is asked."""
    patience: Patience = SPEECH_PATIENCE
    slowest: float = Field(default=5.0, gt=0)
    """Seconds of work for a second of speech, beyond which a server hangs. GPUs need 0.1 to 1, CPUs more."""


class CosyVoiceConfig(ServersConfig):
    """Our CosyVoice worker. It says itself which model it has."""


class OpenAISpeechConfig(ServersConfig):
    """Servers of OpenAI's speech API."""

    profile: Literal["openai", "vllm-omni", "sglang-omni", "kokoro"] = "vllm-omni"
    """Which server it is: they differ in what they take beside the text."""
    model: str = Field(default="FunAudioLLM/Fun-CosyVoice3-0.5B-2512", min_length=1)
    """Its name at the server."""
    revision: str = Field(default="unknown", pattern=r"^\S+$")
    """Of the weights. No server says it, and clips of other weights are other clips: name it."""
    instructions: bool | None = None
    """Whether the model follows free instructions (emotion, style); null: as is usual for the profile."""
    word_times: bool = False
    """Ask for them: vLLM-Omni with `--forced-aligner`, Kokoro-FastAPI."""


class CosyVoiceFastApiConfig(ServersConfig):
    """The FastAPI server of CosyVoice's own repository, for its built-in voices."""

    sampling_rate: Literal[22050, 24000] | None = None
    """The server does not say it: 22050 for CosyVoice-300M-SFT, 24000 for later generations. Has to be set."""
    model: str = Field(default="CosyVoice-300M-SFT", min_length=1)
    revision: str = Field(default="unknown", pattern=r"^\S+$")


class TranscriberConfig(ServersConfig):
    """Who listens to takes: any server of OpenAI's transcription API."""

    model: str = Field(min_length=1)
    """Its name at the server, for example `openai/whisper-large-v3-turbo`."""
