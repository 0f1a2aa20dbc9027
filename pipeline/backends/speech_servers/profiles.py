"""Where servers of OpenAI's speech API differ, beside the fields that they share.

| profile | whose recording | emotion by | seed | word times | request |
|---|---|---|---|---|---|
| `openai` | own voices | `instructions` | no | no | a text |
| `vllm-omni` | `ref_audio` and `ref_text` | the recording | yes | header, with `--forced-aligner` | a clause |
| `sglang-omni` | `ref_audio`, `ref_text` or `instructions` | the recording, or an instruction | yes | no | a clause |
| `kokoro` | own voices | nothing | no | in the body of `/dev/captioned_speech` | a text |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from pipeline.domain.emotional import Intensity
from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.voice import SpeechRequest

ProfileName = Literal["openai", "vllm-omni", "sglang-omni", "kokoro"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What one kind of server takes and gives."""

    clones: bool
    seed: Literal["none", "best_effort"]
    instructions: Literal["none", "sentence", "official"]
    """`sentence`: free English; `official`: the three that CosyVoice was trained on, instead of the transcript."""
    words: Literal["none", "header", "captions"]
    longest_text: int
    language: tuple[str, Mapping[Language, str]] | None = None
    """Name of the field, and how languages are spelled there."""
    lists_voices: bool = True
    constants: Mapping[str, JsonValue] = field(default_factory=dict)
    by_clauses: bool = False
    """CosyVoice3 behind it says a request in one chunk: a longer text is said in several."""
    resolution_ms: float | None = None
    """Of word times."""


PROFILES: Mapping[ProfileName, Profile] = {
    "openai": Profile(
        clones=False,
        seed="none",
        instructions="sentence",
        words="none",
        longest_text=4096,
        lists_voices=False,
    ),
    "vllm-omni": Profile(
        clones=True,
        seed="best_effort",
        instructions="none",  # not forwarded for CosyVoice3
        words="header",
        longest_text=2000,
        language=("language", {Language.ZH: "Chinese", Language.EN: "English"}),
        constants={"stream": False},
        by_clauses=True,
        resolution_ms=80.0,  # bins of Qwen3-ForcedAligner
    ),
    "sglang-omni": Profile(
        clones=True,
        seed="best_effort",
        instructions="official",
        words="none",
        longest_text=2000,
        lists_voices=False,
        by_clauses=True,
        # Its documentation names two defaults for the penalty: what is sent is known.
        constants={
            "stream": False,
            "temperature": 0.7,
            "top_p": 0.8,
            "top_k": 20,
            "repetition_penalty": 1.1,
        },
    ),
    "kokoro": Profile(
        clones=False,
        seed="none",
        instructions="none",
        words="captions",
        longest_text=4096,
        language=("lang_code", {Language.ZH: "z", Language.EN: "a"}),
        constants={"stream": False},  # its default is true
        resolution_ms=25.0,  # frames of its duration model
    ),
}

OFFICIAL: Mapping[Emotion, str] = {
    Emotion.HAPPY: "请非常开心地说一句话。",
    Emotion.SAD: "请非常伤心地说一句话。",
    Emotion.ANGER: "请非常生气地说一句话。",
}
"""CosyVoice3 knows no other emotions; other instructions are often read out."""

_ADJECTIVES = {
    Emotion.HAPPY: "happy",
    Emotion.SAD: "sad",
    Emotion.ANGER: "angry",
    Emotion.FEAR: "afraid",
    Emotion.SURPRISE: "surprised",
    Emotion.DISGUST: "disgusted",
}
_DEGREES = {Intensity.MILD: "slightly ", Intensity.CLEAR: "", Intensity.STRONG: "very "}


def sentence_for(request: SpeechRequest) -> str | None:
    """What to tell an engine that takes free instructions; None where there is nothing to tell."""
    parts = []
    adjective = _ADJECTIVES.get(request.emotion)
    if adjective is not None:
        parts.append(f"The speaker is {_DEGREES[request.intensity]}{adjective}.")
    if request.style is not Style.PLAIN:
        parts.append(f"The manner is {request.style.value}.")
    return " ".join(parts) or None
