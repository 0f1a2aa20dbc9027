"""Stage 3: speech. Every utterance that is said becomes a clip in the store.

Emotion, its intensity and sounds beside words reach the engine with the request. A sound that it cannot make
is not asked for: it stays in the script, and the audio goes on without it. One gain per speaker and dialogue
leaves what emotions do to the level as it is::

    clips   |= anger: loud =|  |= sad: soft =|  |= question =|
    gain    `------------- one, to the loudness target -------'
"""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from pipeline.core.casting import cast
from pipeline.core.levels import TARGET_LUFS, speaker_gain_db
from pipeline.core.resampling import resample_clip
from pipeline.core.seeding import derive_seed
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Speaker
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.record import Record
from pipeline.domain.script import Script, Utterance
from pipeline.domain.spoken import SpokenScript, SpokenUtterance
from pipeline.domain.timeline import Voicing
from pipeline.domain.voice import Clip, ClipRef, SpeechRequest, Voice
from pipeline.ports import ClipStore, SpeechSynthesizer
from pipeline.stages.shard import Shard

NAME = "speech"
VERSION = 2

QUIETEST_PEAK_DBFS = -60.0
"""A clip below it is no speech: engines speak at -20 to 0 dBFS."""


class Config(Record):
    """Who speaks, and how loud."""

    backend: Literal["espeak"] = "espeak"
    """`espeak`: espeak-ng in processes of its own; needs no GPU, no network and no model."""
    processes: int = Field(default=2, ge=1, le=64)
    """Engine processes; changes the speed, never the audio."""
    loudness_lufs: float = Field(default=TARGET_LUFS, ge=-40, le=-10)
    """Target of each speaker's clips in a dialogue (BS.1770, integrated)."""


@dataclass(frozen=True, slots=True)
class Deps:
    """What the stage needs from the outside."""

    root_seed: int
    synthesizer: SpeechSynthesizer
    voices: tuple[Voice, ...]
    clips: ClipStore
    sampling_rate: int

    def fingerprint(self) -> str:
        """Engine, voices and rate."""
        catalogue = hashlib.sha256("\n".join(v.fingerprint() for v in self.voices).encode()).hexdigest()
        return f"{self.synthesizer.engine}/{catalogue}/{self.sampling_rate}"


def run(shard: Shard[Script], config: Config, deps: Deps) -> Shard[SpokenScript]:
    """Cast and speak every script; one with an utterance that cannot be spoken is refused whole."""
    outcomes = asyncio.run(_speak_all(shard.records, config, deps))
    return Shard(
        index=shard.index,
        records=tuple(one for one in outcomes if isinstance(one, SpokenScript)),
        refusals=tuple(one for one in outcomes if isinstance(one, Refusal)),
    )


async def _speak_all(scripts: tuple[Script, ...], config: Config, deps: Deps) -> list[SpokenScript | Refusal]:
    gate = asyncio.Semaphore(deps.synthesizer.max_in_flight)
    return await asyncio.gather(*(_speak_or_refuse(script, config, deps, gate) for script in scripts))


async def _speak_or_refuse(
    script: Script, config: Config, deps: Deps, gate: asyncio.Semaphore
) -> SpokenScript | Refusal:
    try:
        return await _speak(script, config, deps, gate)
    except RecordError as error:
        return error.refusal(NAME, script.dialogue_id, script.to_line())


async def _speak(script: Script, config: Config, deps: Deps, gate: asyncio.Semaphore) -> SpokenScript:
    voices = cast(script, deps.voices, deps.root_seed)
    unspoken = script.unspoken()
    said = [u for u in script.utterances if u.utterance_id not in unspoken]
    refs = await asyncio.gather(*(_clip(script, u, voices[u.speaker], deps, gate) for u in said))
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


async def _clip(
    script: Script, utterance: Utterance, voice: Voice, deps: Deps, gate: asyncio.Semaphore
) -> ClipRef:
    request = SpeechRequest(
        text=utterance.text,
        language=script.language,
        voice=voice,
        emotion=utterance.emotion,
        style=utterance.style,
        intensity=utterance.intensity,
        tags=tuple(place for place in utterance.tags if place.tag in deps.synthesizer.tags),
        seed=derive_seed(deps.root_seed, NAME, f"{voice.voice_id}/{utterance.text}"),
    )
    digest = clip_digest(request, deps.synthesizer.engine, deps.sampling_rate)
    ref = deps.clips.find_clip(digest)
    if ref is not None:
        return ref
    async with gate:
        clip = await deps.synthesizer.synthesize(request)
    _check_audible(clip, request)
    return deps.clips.put_clip(digest, resample_clip(clip, deps.sampling_rate))


def _check_audible(clip: Clip, request: SpeechRequest) -> None:
    """Refuse what an engine may answer instead of speech: nothing would be heard where the record has words."""
    peak_dbfs = 20.0 * float(np.log10(max(float(np.max(np.abs(clip.samples))), 1e-9)))
    if peak_dbfs < QUIETEST_PEAK_DBFS or not clip.words:
        raise RecordError(
            Reason.BAD_AUDIO,
            f"{clip.engine} gave {len(clip.words)} words with a peak of {peak_dbfs:.0f} dBFS for "
            f"{request.text!r}; wanted words and {QUIETEST_PEAK_DBFS:.0f} dBFS or more",
        )


def clip_digest(request: SpeechRequest, engine: str, sampling_rate: int) -> str:
    """Address of a clip: what was asked, of which engine, at which rate."""
    return hashlib.sha256(f"{request.fingerprint()}/{engine}/{sampling_rate}".encode()).hexdigest()


def _voicing(speaker: Speaker, voice: Voice, refs: list[ClipRef], config: Config, deps: Deps) -> Voicing:
    clips = [deps.clips.load_clip(ref.digest) for ref in refs]
    return Voicing(
        speaker=speaker,
        voice_id=voice.voice_id,
        person=voice.speaker,
        gender=voice.gender,
        gain_db=speaker_gain_db(clips, deps.sampling_rate, config.loudness_lufs),
    )
