"""What the pipeline needs from the outside, as Protocols. Implementations live in backends/ and io/."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.diarization import Diarization
from pipeline.domain.labels import Language
from pipeline.domain.span import Span
from pipeline.domain.takes import Capabilities, Take
from pipeline.domain.timeline import AudioFile
from pipeline.domain.voice import Clip, ClipRef, SpeechRequest
from pipeline.domain.words import Word


class ChatModel(Protocol):
    """The author."""

    @property
    def name(self) -> str:
        """Model id, for provenance."""
        ...

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer one request. Raises TransientBackendError or TerminalBackendError."""
        ...


class SpeechSynthesizer(Protocol):
    """Text to a take at the engine's own rate; never resampled, never normalised here."""

    @property
    def backend(self) -> str:
        """The name under which voices of the catalogue belong to this synthesizer."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do. Requests ask for nothing else: what an engine cannot make is left out of the audio,
        never replaced by a noise that might pass for it, and stays in the record."""
        ...

    async def synthesize(self, request: SpeechRequest) -> Take:
        """Speak one request, with the sounds in `request.tags` at their places. The take's words are those of the
        text: a tag is none of them.

        Raises BadTakeError where the engine failed at this request with this seed, RecordError for a text that it
        cannot speak whatever the seed, TransientBackendError where the engine is not to be had,
        TerminalBackendError where it never will be. It is as patient as its own configuration says before that.
        """
        ...


class Aligner(Protocol):
    """When the words of a known text are spoken in a clean recording of it."""

    @property
    def name(self) -> str:
        """`<aligner>-<model>@<revision>`"""
        ...

    @property
    def resolution_ms(self) -> float:
        """Of its times: the step of its clock."""
        ...

    async def align(
        self, samples: npt.NDArray[np.float32], sampling_rate: int, text: str, language: Language
    ) -> tuple[Word, ...]:
        """Words of `text` (as `pipeline.core.tokens.words_of` tells them) in `[num_samples]`, source ALIGNER.

        Raises RecordError where it finds no way through this text, TransientBackendError or TerminalBackendError.
        """
        ...


class Transcriber(Protocol):
    """Speech to text, to hear whether a clip says what it should."""

    @property
    def name(self) -> str:
        """`<recogniser>-<model>`"""
        ...

    async def transcribe(
        self, samples: npt.NDArray[np.float32], sampling_rate: int, language: Language
    ) -> str:
        """What is said in `[num_samples]`; empty for nothing.

        Raises RecordError (`bad_audio`) for a clip that it fails at while it hears others: nothing is known of that
        clip, good or bad. TransientBackendError or TerminalBackendError where it hears nobody.
        """
        ...


class VoiceEncoder(Protocol):
    """A recording of one speaker to a point in a space of voices."""

    @property
    def name(self) -> str:
        """`<encoder>-<digest of its weights>`"""
        ...

    def embed(self, samples: npt.NDArray[np.float32], sampling_rate: int) -> npt.NDArray[np.float32] | None:
        """The voice in `[num_samples]`, `[dim]` of length 1; None where too little is said."""
        ...


class ClipStore(Protocol):
    """Content-addressed clips at the timeline's rate."""

    def find_clip(self, digest: str) -> ClipRef | None:
        """The stored clip's reference, or None."""
        ...

    def put_clip(self, digest: str, clip: Clip) -> ClipRef:
        """Store a clip as PCM16, whole or not at all."""
        ...

    def load_clip(self, digest: str) -> npt.NDArray[np.int16]:
        """Samples `[num_samples]` int16 of a stored clip. Raises BackendError if it is gone or damaged."""
        ...


class ReplyStore(Protocol):
    """Replies of language models by request fingerprint, stored before they are parsed."""

    def find_reply(self, fingerprint: str) -> ChatReply | None:
        """The stored reply, or None."""
        ...

    def put_reply(self, fingerprint: str, reply: ChatReply) -> None:
        """Store a reply, whole or not at all."""
        ...


class DialogueAudioSink(Protocol):
    """Where rendered dialogues go."""

    def write_audio(
        self, dialogue_id: str, samples: npt.NDArray[np.int16], sampling_rate: int, file_format: str
    ) -> AudioFile:
        """Write `[num_samples, 2]` int16 as one `flac` or `wav` file, whole or not at all."""
        ...


class VoiceActivityDetector(Protocol):
    """Where one channel holds speech. Borders are where speech is heard, without padding."""

    @property
    def name(self) -> str:
        """`<detector>-<version>`, for the record of a measurement."""
        ...

    def detect(
        self,
        samples: npt.NDArray[np.float32] | npt.NDArray[np.int16],
        sampling_rate: int,
        min_silence_s: float = 0.0,
    ) -> tuple[Span, ...]:
        """Runs of speech in `[num_samples]` (float32 in -1...1, or int16), by start, disjoint, in samples.

        Own silences shorter than `min_silence_s` belong to the run around them. Empty where nobody speaks.
        """
        ...


class Diarizer(Protocol):
    """Who speaks when on one channel, at 16 kHz (`pipeline.domain.diarization.RATE_HZ`), with overlaps."""

    @property
    def name(self) -> str:
        """`<library>-<version>:<model>@<revision or digest>`: everything that changes what is heard."""
        ...

    def diarize(
        self, samples: npt.NDArray[np.float32], uri: str, num_speakers: int | None = None
    ) -> Diarization:
        """Label the speech of `[num_samples]`, a whole recording or an hour of it.

        Nothing lies outside the samples. `num_speakers` only where it is certain. Raises BackendError.
        """
        ...

    def embed(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
        """The voice in `[num_samples]` of one speaker, `[dim]` of length 1; None where none can be told."""
        ...


class PromptLibrary(Protocol):
    """Versioned prompt texts."""

    def render(self, name: str, language: str, variables: Mapping[str, object]) -> "RenderedPrompt":
        """Render the current version of `<stage>/<name>`. Raises ConfigError for an unknown prompt or variable."""
        ...

    def spoken_examples(self, name: str, language: str) -> tuple[str, ...]:
        """What is said in the examples of a prompt: nothing that an author may give back."""
        ...


class RenderedPrompt(Protocol):
    """A prompt with its variables filled in."""

    @property
    def reference(self) -> str:
        """`<stage>/<name>.v<N>`"""
        ...

    @property
    def sha256(self) -> str:
        """Hash of the template file."""
        ...

    @property
    def system(self) -> str:
        """The shared head: role, rules, schema."""
        ...

    @property
    def user(self) -> str:
        """The part that differs per dialogue."""
        ...
