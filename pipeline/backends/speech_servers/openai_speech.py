"""Any server of OpenAI's `POST /v1/audio/speech`: OpenAI, vLLM-Omni, SGLang-Omni, Kokoro-FastAPI.

    SpeechRequest --profile--> JSON --> wav (its header has the rate) --> Take
                                          '-- word times: a header, or beside the sound in a JSON body

What such servers answer with 200 is not always sound: nothing at all, an error as JSON, half a file. None of them
says which revision of its weights it serves; the configuration may.
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, replace

from pydantic import JsonValue

from pipeline.backends.speech_servers.bounds import deadline_s, most_bytes
from pipeline.backends.speech_servers.chunks import say_in_parts
from pipeline.backends.speech_servers.openai_wire import Models, Voices, read_captioned, read_header
from pipeline.backends.speech_servers.pool import Family, Pool
from pipeline.backends.speech_servers.profiles import OFFICIAL, PROFILES, Profile, ProfileName, sentence_for
from pipeline.backends.speech_servers.refusals import check_status
from pipeline.backends.speech_servers.served import (
    GREETING_S,
    ServedSynthesizer,
    ask_json,
    list_unapplied,
    make_take,
    refuse_endless,
)
from pipeline.backends.speech_servers.servers import SpeechServer
from pipeline.backends.speech_servers.transport import Answer, Call, Line
from pipeline.backends.speech_servers.waves import decode_wave
from pipeline.backends.speech_servers.word_times import Unit, words_from_units
from pipeline.core.patience import Patience
from pipeline.core.speakable.clauses import for_engine
from pipeline.domain.errors import ConfigError, TerminalBackendError
from pipeline.domain.labels import Emotion, Language
from pipeline.domain.takes import Capabilities, Kind, Take
from pipeline.domain.voice import Reference, SpeechRequest
from pipeline.domain.words import TimeSource

BACKEND = "openai_speech"
SECTION = "speech.openai_speech"
URL_VARIABLE = "HUMDIAL_OPENAI_SPEECH_URL"
DEFAULT = SpeechServer("http://127.0.0.1:8091/v1", 4)
PROCESSING = "2"
"""Raise it when code here changes what an equal request sounds like."""
_REMEDY = (
    "start it, or let base_url end where /audio/speech begins (mostly /v1), or set HUMDIAL_OPENAI_SPEECH_URL"
)


@dataclass(frozen=True, slots=True)
class OpenAISpeechSettings:
    """Which model, at which servers, of which kind."""

    model: str
    profile: ProfileName
    servers: tuple[SpeechServer, ...]
    patience: Patience
    slowest: float
    """Seconds of work for a second of speech, beyond which an engine hangs."""
    revision: str = "unknown"
    """Of the weights: part of the engine's name, since no server says it."""
    instructions: bool | None = None
    """Whether the model follows free instructions; None: as its profile says. OpenAI's older models do not,
    Qwen3-TTS behind vLLM-Omni does."""
    word_times: bool = False
    """Ask for them; vLLM-Omni refuses where it runs without `--forced-aligner`."""

    @property
    def traits(self) -> Profile:
        """Of its profile, with what the model changes."""
        profile = PROFILES[self.profile]
        if self.instructions is not None:
            profile = replace(profile, instructions="sentence" if self.instructions else "none")
        return profile if self.word_times else replace(profile, words="none")


class OpenAISpeech(ServedSynthesizer):
    """Implements SpeechSynthesizer. `read_reference` gives a recording's bytes, verified against its sha256."""

    backend = BACKEND

    def __init__(self, settings: OpenAISpeechSettings, read_reference: Callable[[Reference], bytes]) -> None:
        if settings.word_times and PROFILES[settings.profile].words == "none":
            raise ConfigError(
                f"{SECTION}: profile {settings.profile} has no word times; leave word_times out"
            )
        probe = Call("/models", settings.patience.connect_timeout_s)
        super().__init__(Pool(Family(SECTION, probe, _REMEDY), settings.servers, settings.patience))
        self._settings = settings
        self._profile = settings.traits
        self._read_reference = read_reference

    def _greet(self) -> Capabilities:
        answers = self._pool.greet(self._ask_voices)
        lists = [voices for _, voices in answers if voices is not None]
        spoken = self._profile.instructions
        emotions = {"none": (), "official": tuple(OFFICIAL), "sentence": tuple(Emotion)}[spoken]
        settings = self._settings
        return Capabilities(
            engine=f"{settings.profile}-{settings.model}@{settings.revision}+{PROCESSING}.{spoken}",
            languages=frozenset(Language),
            voices=frozenset.intersection(*lists) if lists else None,
            clones=self._profile.clones,
            emotions=frozenset({Emotion.NEUTRAL, *emotions}),
            tags=frozenset(),
            seed=self._profile.seed,
            word_times=False,  # not of every text: a header is too short for many words, captions may be null
            longest_text=self._profile.longest_text,
            max_in_flight=self._pool.max_in_flight,
        )

    async def _ask_voices(self, line: Line) -> frozenset[str] | None:
        """Names of its own voices; None where it does not list them. Raises ConfigError for another model."""
        answer = await ask_json(line, Call("/models", GREETING_S), Models, _REMEDY)
        served = {one.id for one in answer.data}
        if self._settings.model not in served:
            raise ConfigError(
                f"{SECTION}.model: {line.server.base_url} serves {', '.join(sorted(served)) or 'nothing'}, "
                f"not {self._settings.model!r}; remedy: name one of those"
            )
        if not self._profile.lists_voices:
            return None
        return (await ask_json(line, Call("/audio/voices", GREETING_S), Voices, _REMEDY)).names

    def _check(self, request: SpeechRequest) -> None:
        super()._check(request)
        voice = request.voice
        recorded = voice.reference_for(request.emotion, request.kind) is not None
        if recorded and not self._profile.clones:
            raise TerminalBackendError(
                f"{BACKEND}: profile {self._settings.profile} takes no recorded voices, and {voice.voice_id!r} is "
                "one; remedy: a server that clones, or one of its own voices"
            )
        if self._settings.profile == "sglang-omni" and not recorded:
            raise TerminalBackendError(
                f"{BACKEND}: profile sglang-omni speaks with recorded voices only, and {voice.voice_id!r} has no "
                "reference; remedy: humdial voices add"
            )

    async def _speak(self, line: Line, request: SpeechRequest) -> Take:
        if self._profile.by_clauses:
            return await say_in_parts(request, lambda part: self._say(line, part))
        return await self._say(line, request)

    async def _say(self, line: Line, request: SpeechRequest) -> Take:
        """What one request of the server's API brings."""
        plan = _plan(request, self._profile)
        captions = self._profile.words == "captions"
        most = most_bytes(request)
        call = Call(
            "/dev/captioned_speech" if captions else "/audio/speech",
            deadline_s=deadline_s(request, self._settings.patience.timeout_s, self._settings.slowest),
            most_bytes=2 * most if captions else most,  # base64, and the captions themselves
            body=await self._body(request, plan),
            from_root=captions,
        )
        answer = await line.send(call)
        remedy = (
            f"humdial voices check, or correct backend_voice of {request.voice.voice_id!r} in the catalogue, or "
            f"model, profile or word_times of {SECTION}"
        )
        check_status(answer, f"voice {request.voice.voice_id!r}", line.secrets, remedy)
        refuse_endless(answer, request)
        return self._take(answer, request, plan, line.secrets)

    async def _body(self, request: SpeechRequest, plan: "_Plan") -> dict[str, JsonValue]:
        profile = self._profile
        body: dict[str, JsonValue] = {
            "model": self._settings.model,
            "input": for_engine(request.text, request.language),
            "response_format": "wav",
            "speed": request.speed,
            **profile.constants,
        }
        if plan.reference is None:
            body["voice"] = request.voice.backend_voice
        else:
            content = await asyncio.to_thread(self._read_reference, plan.reference)
            body["ref_audio"] = "data:audio/wav;base64," + base64.b64encode(content).decode("ascii")
            if plan.with_transcript:
                body["ref_text"] = plan.reference.transcript
        if plan.instructions is not None:
            body["instructions"] = plan.instructions
        if profile.language is not None:
            name, spelled = profile.language
            body[name] = spelled[request.language]
        if profile.seed != "none":
            body["seed"] = request.seed
        if profile.words == "header":
            body["word_timestamps"] = True
        if profile.words == "captions":
            body["return_timestamps"] = True
        return body

    def _take(self, answer: Answer, request: SpeechRequest, plan: "_Plan", secrets: tuple[str, ...]) -> Take:
        unapplied = list_unapplied(
            request,
            emotion=plan.has_emotion,
            style=plan.has_style,
            seed=self._profile.seed != "none",
            speed=True,
            tags=False,
        )
        words = self._profile.words
        if words == "captions":
            wave, units, warnings = read_captioned(answer, secrets)
            return self._timed(make_take(wave, self.capabilities.engine, unapplied), request, units, warnings)
        take = make_take(decode_wave(answer.body, answer.who, secrets), self.capabilities.engine, unapplied)
        return take if words == "none" else self._timed(take, request, *read_header(answer))

    def _timed(
        self, take: Take, request: SpeechRequest, units: tuple[Unit, ...], warnings: tuple[str, ...]
    ) -> Take:
        """With its words, where the server's are those of the text."""
        # A forced aligner behind the server's engine, or the engine's own durations.
        source = TimeSource.ALIGNER if self._profile.words == "header" else TimeSource.ENGINE
        found = words_from_units(units, request.text, len(take.samples), take.sampling_rate, source)
        if units and found is None:
            warnings = (*warnings, "word times are of other words than the text's")
        return replace(
            take,
            words=found or (),
            resolution_ms=self._profile.resolution_ms if found else None,
            warnings=(*take.warnings, *warnings),
        )


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one request is put to one kind of server."""

    reference: Reference | None
    with_transcript: bool
    instructions: str | None
    has_emotion: bool
    has_style: bool


def _plan(request: SpeechRequest, profile: Profile) -> _Plan:
    """Recording or voice, instruction or none. Short lines are never instructed: it is often read out."""
    voice = request.voice
    reference = voice.reference_for(request.emotion, request.kind) if profile.clones else None
    in_mood = reference is not None and any(
        one.reference == reference for one in voice.emotional_references if one.emotion is request.emotion
    )
    instructions: str | None = None
    if profile.instructions == "sentence":
        instructions = sentence_for(request)
    elif profile.instructions == "official" and not in_mood and request.kind is not Kind.BACKCHANNEL:
        instructions = OFFICIAL.get(request.emotion)
    return _Plan(
        reference=reference,
        with_transcript=profile.instructions != "official" or instructions is None,
        instructions=instructions,
        has_emotion=in_mood or instructions is not None,
        has_style=profile.instructions == "sentence",
    )
