"""Recorded voices at a CosyVoice worker: uploaded before they are first asked for, once per server and run.

    Voice --(plain, short, one per mood)--> POST /v1/voices, under a name with the digest of all of them

The worker chooses among a voice's recordings, hears each speak a sentence before it keeps it, and never replaces
one; what it has it does not take again, so that sending everything once in every run costs little.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.backends.speech_servers.pool import FailedTakeError
from pipeline.backends.speech_servers.refusals import Said, check_status, read_error
from pipeline.backends.speech_servers.transport import Call, Line, Part
from pipeline.domain.errors import TerminalBackendError
from pipeline.domain.labels import Emotion
from pipeline.domain.takes import Flaw
from pipeline.domain.voice import Reference, Voice

_UPLOAD_S = 180.0
"""A new voice speaks a sentence before it is kept."""
_FLAWS = {
    "nan": Flaw.NOT_FINITE,
    "silent": Flaw.SILENT,
    "too_long": Flaw.TOO_LONG,
    "too_short": Flaw.TOO_SHORT,
    "clipped": Flaw.CLIPPED,
}


@dataclass(frozen=True, slots=True)
class _Recording:
    """One reference of a voice, by its use."""

    reference: Reference
    emotion: Emotion = Emotion.NEUTRAL
    short: bool = False


class Uploads:
    """What was uploaded where, in this run. Belongs to the event loop that it is used in."""

    def __init__(self, read_reference: Callable[[Reference], bytes], remedy: str) -> None:
        self._read_reference = read_reference
        self._remedy = remedy
        self._under_way: dict[tuple[str, str], asyncio.Lock] = {}
        self._done: set[tuple[str, str]] = set()

    async def name_of(self, line: Line, voice: Voice) -> str:
        """What this worker knows a voice by; one with recordings is there when this returns."""
        recordings = _recordings(voice)
        if not recordings:
            return voice.backend_voice
        name = _uploaded_name(voice, recordings)
        key = (line.server.base_url, name)
        async with self._under_way.setdefault(key, asyncio.Lock()):
            if key not in self._done:
                for recording in recordings:
                    await self._upload(line, voice, name, recording)
                self._done.add(key)
        return name

    def forget(self, line: Line, name: str) -> None:
        """The worker does not know it any more."""
        self._done.discard((line.server.base_url, name))

    async def _upload(self, line: Line, voice: Voice, name: str, recording: _Recording) -> None:
        """The worker knows it already, or hears it speak a sentence and keeps it."""
        content = await asyncio.to_thread(self._read_reference, recording.reference)
        form = (
            Part("wav", content, "reference.wav", "audio/wav"),
            Part("id", name),
            Part("sha256", recording.reference.sha256),
            Part("prompt_text", recording.reference.transcript),
            Part("language", voice.language.value),
            Part("emotion", recording.emotion.value),
            Part("short", "true" if recording.short else "false"),
            Part("licence", voice.licence.id),
            Part("consent", voice.consent or ""),
        )
        answer = await line.send(Call("/v1/voices", _UPLOAD_S, form=form))
        said = read_error(answer.body, line.secrets)
        if answer.status == 400:
            raise TerminalBackendError(
                f"{answer.who}: refuses the {recording.emotion.value} recording of voice {voice.voice_id!r}: "
                f"{said.message}; remedy: another recording (humdial voices add)"
            )
        if answer.status == 422:  # it spoke badly this time: once more, then another seed or engine
            raise FailedTakeError(flaw_of(said), f"{answer.who}: voice {voice.voice_id!r}: {said.message}")
        if answer.status != 201:
            check_status(answer, f"the upload of voice {voice.voice_id!r}", line.secrets, self._remedy)


def has_recordings(voice: Voice) -> bool:
    """Whether it is spoken by cloning, and not by a voice of the engine's own."""
    return bool(_recordings(voice))


def _recordings(voice: Voice) -> tuple[_Recording, ...]:
    plain = (_Recording(voice.reference),) if voice.reference else ()
    short = (_Recording(voice.short_reference, short=True),) if voice.short_reference else ()
    moods = tuple(_Recording(one.reference, one.emotion) for one in voice.emotional_references)
    return (*plain, *short, *moods)


def _uploaded_name(voice: Voice, recordings: tuple[_Recording, ...]) -> str:
    """A name with the digest of everything that is uploaded: workers never replace a voice."""
    parts = [
        f"{one.emotion}/{one.short}/{one.reference.sha256}/{one.reference.transcript}" for one in recordings
    ]
    digest = hashlib.sha256("\x1f".join((*parts, voice.licence.id, voice.consent or "")).encode()).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', voice.voice_id).strip('-')[:40] or 'voice'}-{digest[:16]}"


def flaw_of(said: Said) -> Flaw:
    """The worker's reason in our words; it calls a take silent that has too much silence at an end."""
    if said.reason == "silent" and "lead_s" in said.details:
        return Flaw.LONG_SILENCE
    if said.reason == "too_short" and said.details.get("num_samples") == 0:
        return Flaw.EMPTY
    return _FLAWS.get(said.reason, Flaw.ENGINE_FAILED)
