"""Requests, voices and sound for tests of speech servers."""

import asyncio
import hashlib
import io
import re
from collections.abc import Awaitable, Callable

import numpy as np
import numpy.typing as npt
import soundfile

from pipeline.core.patience import Patience
from pipeline.core.tokens import words_of
from pipeline.domain.emotional import TagPlace
from pipeline.domain.labels import Emotion, Gender, Language, Split, Style
from pipeline.domain.licence import Licence
from pipeline.domain.takes import Kind, Take
from pipeline.domain.voice import EmotionalReference, Reference, SpeechRequest, Voice
from pipeline.ports import SpeechSynthesizer

QUICK = Patience(
    timeout_s=3,
    connect_timeout_s=1,
    max_attempts=3,
    first_pause_s=0.005,
    longest_pause_s=0.02,
    longest_retry_after_s=2,
    give_up_after_s=0.4,
)
"""As patient as a test."""
SLOW_ENOUGH = 0.2
"""Seconds of work for a second of speech, in tests."""
HELLO = "Hello there, how are you today?"
FREE = Licence(id="CC0-1.0", non_commercial=False, share_alike=False, redistributable=True, attribution="")


def sound(
    text: str, seed: object = 0, sampling_rate: int = 24_000, speed: float = 1.0
) -> npt.NDArray[np.float32]:
    """What passes for speech: a voiced burst per word, at the length that words have."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(f"{text}/{seed}".encode()).digest()[:8], "big"))
    pieces = []
    for _ in words_of(text):
        num_samples = round(sampling_rate * rng.uniform(0.22, 0.3) / speed)
        time_s = np.arange(num_samples) / sampling_rate
        pitch_hz = rng.uniform(100, 200)
        voiced = sum(np.sin(2 * np.pi * pitch_hz * n * time_s) / n for n in (1, 2, 4))
        pieces.append(0.25 * voiced * np.hanning(num_samples))
    return np.concatenate(pieces).astype(np.float32)


def wav(samples: npt.NDArray[np.float32], sampling_rate: int = 24_000, subtype: str = "FLOAT") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, sampling_rate, format="WAV", subtype=subtype)
    return file.getvalue()


def recording_of(name: str) -> tuple[Reference, bytes]:
    """An invented recording and its content."""
    content = wav(sound(f"this is {name} who speaks for a while here", 1), subtype="PCM_16")
    reference = Reference(
        audio=f"{name}.wav",
        sha256=hashlib.sha256(content).hexdigest(),
        transcript=f"This is {name} who speaks for a while here.",
        duration_s=soundfile.info(io.BytesIO(content)).duration,
    )
    return reference, content


PLAIN, PLAIN_CONTENT = recording_of("plain")
SHORT, SHORT_CONTENT = recording_of("short")
SAD, SAD_CONTENT = recording_of("sad")
CONTENTS = {PLAIN.sha256: PLAIN_CONTENT, SHORT.sha256: SHORT_CONTENT, SAD.sha256: SAD_CONTENT}


def read_reference(reference: Reference) -> bytes:
    return CONTENTS[reference.sha256]


def voice_of(
    backend: str, name: str, language: Language = Language.EN, *, recorded: bool = False, moods: bool = False
) -> Voice:
    spelled = re.sub(r"[^A-Za-z0-9]+", "-", name.encode("ascii", "backslashreplace").decode())
    return Voice(
        voice_id=f"{backend}-{spelled}-{language.value}",
        speaker=name,
        language=language,
        gender=Gender.FEMALE,
        split=Split.TRAIN,
        backend=backend,
        backend_voice=name,
        median_f0_hz=200.0,
        licence=FREE,
        reference=PLAIN if recorded else None,
        short_reference=SHORT if recorded else None,
        emotional_references=(EmotionalReference(emotion=Emotion.SAD, reference=SAD),) if moods else (),
        consent="invented for a test" if recorded or moods else None,
    )


def request_for(
    voice: Voice,
    text: str = HELLO,
    *,
    seed: int = 7,
    emotion: Emotion = Emotion.NEUTRAL,
    style: Style = Style.PLAIN,
    tags: tuple[TagPlace, ...] = (),
    kind: Kind = Kind.TURN,
    speed: float = 1.0,
) -> SpeechRequest:
    return SpeechRequest(
        text=text,
        language=voice.language,
        voice=voice,
        emotion=emotion,
        style=style,
        seed=seed,
        tags=tags,
        kind=kind,
        speed=speed,
    )


def speak(synthesizer: SpeechSynthesizer, request: SpeechRequest) -> Take:
    return asyncio.run(synthesizer.synthesize(request))


def speak_all(synthesizer: SpeechSynthesizer, requests: list[SpeechRequest]) -> list[Take | BaseException]:
    """All at once, from one event loop."""

    async def all_of_them() -> list[Take | BaseException]:
        return await asyncio.gather(*map(synthesizer.synthesize, requests), return_exceptions=True)

    return asyncio.run(all_of_them())


def first(times: int, act: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Something that happens the first few times only."""
    left = [times]

    async def maybe() -> None:
        if left[0]:
            left[0] -= 1
            await act()

    return maybe
