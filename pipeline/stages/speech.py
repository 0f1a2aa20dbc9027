"""Stage 3: speech. Every utterance that is said becomes a clip in the store.

Emotion, its intensity and sounds beside words reach the engine with the request. A sound that it cannot make
is not asked for: it stays in the script, and the audio goes on without it. One gain per speaker and dialogue
leaves what emotions do to the level as it is::

    clips   |= anger: loud =|  |= sad: soft =|  |= question =|
    gain    `------------- one, to the loudness target -------'
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.casting import cast
from pipeline.core.levels import speaker_gain_db
from pipeline.core.resampling import resample_clip
from pipeline.core.seeding import derive_seed, draw_uniform
from pipeline.core.speakable.languages import voice_language
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Speaker
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.script import Script, Utterance
from pipeline.domain.spoken import SpokenScript, SpokenUtterance
from pipeline.domain.takes import Kind, RefusedTake
from pipeline.domain.timeline import Voicing
from pipeline.domain.voice import ClipRef, SpeechRequest, Voice
from pipeline.ports import ClipStore
from pipeline.stages.shard import Shard
from pipeline.stages.speaking import Ladder, NobodySaysItError, Speaking
from pipeline.stages.speech_config import Config

NAME = "speech"
VERSION = 4


@dataclass(frozen=True, slots=True)
class Deps:
    """What the stage needs from the outside."""

    root_seed: int
    ladder: Ladder
    voices: tuple[Voice, ...]
    """Who may be cast: voices of the first engine."""
    clips: ClipStore
    sampling_rate: int

    def fingerprint(self) -> str:
        """Engines, voices and rate."""
        others = {rung.backend for rung in self.ladder.rungs[1:]}
        voices = (*self.voices, *(voice for voice in self.ladder.voices if voice.backend in others))
        catalogue = hashlib.sha256("\n".join(v.fingerprint() for v in voices).encode()).hexdigest()
        return f"{self.ladder.fingerprint()}/{catalogue}/{self.sampling_rate}"


def run(shard: Shard[Script], config: Config, deps: Deps) -> Shard[SpokenScript]:
    """Cast and speak every script; one with an utterance that cannot be spoken is refused whole."""
    outcomes = asyncio.run(_speak_all(shard.records, config, deps))
    return Shard(
        index=shard.index,
        records=tuple(one for one in outcomes if isinstance(one, SpokenScript)),
        refusals=tuple(one for one in outcomes if isinstance(one, Refusal)),
    )


async def _speak_all(scripts: tuple[Script, ...], config: Config, deps: Deps) -> list[SpokenScript | Refusal]:
    speaking = Speaking(deps.ladder)
    return await asyncio.gather(*(_speak_or_refuse(script, config, deps, speaking) for script in scripts))


async def _speak_or_refuse(
    script: Script, config: Config, deps: Deps, speaking: Speaking
) -> SpokenScript | Refusal:
    try:
        return await _speak(script, config, deps, speaking)
    except RecordError as error:
        return error.refusal(NAME, script.dialogue_id, script.to_line())


async def _speak(script: Script, config: Config, deps: Deps, speaking: Speaking) -> SpokenScript:
    voices = cast(script, deps.voices, deps.root_seed)
    kinds = kinds_of(script)
    unspoken = script.unspoken()
    said = [u for u in script.utterances if u.utterance_id not in unspoken]
    requests = [_request(u, voices[u.speaker], kinds, deps) for u in said]
    places = [f"{script.dialogue_id}/{u.utterance_id}" for u in said]
    refs = await asyncio.gather(
        *(_said_in(place, one, config, deps, speaking) for place, one in zip(places, requests, strict=True))
    )
    clips = tuple(
        SpokenUtterance(utterance_id=u.utterance_id, clip=ref) for u, ref in zip(said, refs, strict=True)
    )
    voicing = tuple(
        _voicing(
            speaker, voice, [r for u, r in zip(said, refs, strict=True) if u.speaker is speaker], config, deps
        )
        for speaker, voice in voices.items()
    )
    return SpokenScript(script=script, voicing=voicing, clips=clips)


def kinds_of(script: Script) -> dict[str, Kind]:
    """What utterances are that bring an event; all others are turns."""
    kinds = {}
    for event in script.events:
        if event.type.is_backchannel:
            kinds[event.utterance_id] = Kind.BACKCHANNEL
        elif event.type.is_interruption:
            kinds[event.utterance_id] = Kind.INTERRUPTION
    return kinds


def _request(utterance: Utterance, voice: Voice, kinds: dict[str, Kind], deps: Deps) -> SpeechRequest:
    voice = routed(utterance.text, voice, deps.voices)
    return SpeechRequest(
        text=utterance.text,
        language=voice.language,
        voice=voice,
        emotion=utterance.emotion,
        style=utterance.style,
        intensity=utterance.intensity,
        tags=utterance.tags,
        kind=kinds.get(utterance.utterance_id, Kind.TURN),
        seed=derive_seed(deps.root_seed, NAME, f"{voice.voice_id}/{utterance.text}"),
    )


async def _said_in(
    place: str, request: SpeechRequest, config: Config, deps: Deps, speaking: Speaking
) -> ClipRef:
    """The clip of an utterance; of a backchannel the drawn take, or the next that can be made."""
    if request.kind is not Kind.BACKCHANNEL:
        return await clip_of(request, deps, speaking)
    takes = config.bank.takes
    drawn = int(draw_uniform(deps.root_seed, "bank", place, "take") * takes)
    *others, last = ((drawn + number) % takes for number in range(takes))
    refused: tuple[RefusedTake, ...] = ()
    for take in others:
        try:
            return _after(refused, await clip_of(bank_request(request, take), deps, speaking))
        except NobodySaysItError as error:
            if error.reason is not Reason.BAD_AUDIO:
                raise
            refused += error.refused
    return _after(refused, await clip_of(bank_request(request, last), deps, speaking))


def _after(refused: tuple[RefusedTake, ...], ref: ClipRef) -> ClipRef:
    """The clip, with what had to be refused before it."""
    making = ref.making.model_copy(update={"refused": (*refused, *ref.making.refused)})
    return ref.model_copy(update={"making": making}) if refused else ref


def routed(text: str, voice: Voice, voices: Sequence[Voice]) -> Voice:
    """The same speaker's voice in the language that a whole utterance is in, where it has one.

    A Mandarin voice says `iPhone` and `OK`; an English sentence in a Mandarin dialogue it garbles.
    """
    language = voice_language(text, voice.language)
    if language is voice.language:
        return voice
    same = (v for v in voices if (v.speaker, v.language, v.split) == (voice.speaker, language, voice.split))
    return next(same, voice)


def bank_request(request: SpeechRequest, take: int) -> SpeechRequest:
    """The n-th take of an interjection. It depends on voice and words alone, so that every run draws from one bank.

    >>> [bank_speed(take) for take in range(5)]
    [1.0, 0.96, 1.04, 0.98, 1.02]
    """
    name = f"{request.voice.voice_id}/{request.text}/{take}"
    return request.model_copy(update={"seed": derive_seed(0, "bank", name), "speed": bank_speed(take)})


def bank_speed(take: int) -> float:
    """Within 4 % of the voice's own: nobody says a word twice in quite the same way."""
    return round(1.0 + (0.0, -0.04, 0.04, -0.02, 0.02)[take % 5], 3)


async def clip_of(request: SpeechRequest, deps: Deps, speaking: Speaking) -> ClipRef:
    """The stored clip of a request, spoken now if it is not there yet. Raises RecordError, BackendError."""
    digest = deps.ladder.clip_digest(request, deps.sampling_rate)
    ref = deps.clips.find_clip(digest)
    if ref is not None:
        return ref

    async def make() -> ClipRef:
        clip = await speaking.speak(request)
        return deps.clips.put_clip(digest, resample_clip(clip, deps.sampling_rate))

    return await speaking.once(digest, make)


def _voicing(speaker: Speaker, voice: Voice, refs: list[ClipRef], config: Config, deps: Deps) -> Voicing:
    clips = [deps.clips.load_clip(ref.digest) for ref in refs]
    return Voicing(
        speaker=speaker,
        voice_id=voice.voice_id,
        person=voice.speaker,
        gender=voice.gender,
        gain_db=speaker_gain_db(clips, deps.sampling_rate, config.loudness_lufs),
    )
