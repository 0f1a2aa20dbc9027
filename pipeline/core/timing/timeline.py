"""From placed utterances to a Timeline record."""

from collections.abc import Mapping

from pipeline.core.seeding import derive_rng
from pipeline.core.timing.placement import Placed, Placement, Realised
from pipeline.core.timing.stopping import heard_text
from pipeline.core.tokens import head
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.script import ScriptedEvent
from pipeline.domain.span import to_samples
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.timeline import Distance, Event, Provenance, Supervision, Timeline, Unsaid
from pipeline.domain.voice import ClipRef
from pipeline.domain.words import shift_words

FADE_S = 0.02
"""A speaker who breaks off fades out over this long, ending at the span's end: no click, no tail."""

DISTANCE_LEVEL_DB = (-14.0, -8.0)
DISTANCE_LOWPASS_HZ = (3_000.0, 6_000.0)
DISTANCE_REVERBERATION_S = (0.2, 0.5)
DISTANCE_DRR_DB = (-2.0, 6.0)
"""A bystander two to five metres from the user's microphone, in a furnished room."""


def build_timeline(
    spoken: SpokenScript,
    placement: Placement,
    profile: str,
    dyad: Mapping[str, float],
    root_seed: int,
    tail_s: float,
    stages: tuple[str, ...],
) -> Timeline:
    """The record of one dialogue: what is heard, when, and what was left unsaid."""
    script = spoken.script
    rate = spoken.clips[0].clip.sampling_rate
    clips = {entry.utterance_id: entry.clip for entry in spoken.clips}
    supervisions = sorted(
        (_supervise(one, clips[name], spoken, root_seed) for name, one in placement.placed.items()),
        key=lambda s: (s.span.start, s.supervision_id),
    )
    heard = {supervision.speaker for supervision in supervisions}
    interrupted, unspoken = script.unsaid(), script.unspoken()
    return Timeline(
        dialogue_id=script.dialogue_id,
        language=script.language,
        recipe=script.recipe,
        scene=script.scene,
        split=script.split,
        topic=script.topic,
        sampling_rate=rate,
        num_samples=max(s.span.end for s in supervisions) + to_samples(tail_s, rate),
        profile=profile,
        dyad=dict(dyad),
        supervisions=tuple(supervisions),
        events=tuple(_event(one, spoken) for one in placement.events),
        unsaid=tuple(
            Unsaid(
                utterance_id=u.utterance_id,
                turn=u.turn,
                speaker=u.speaker,
                text=u.text,
                why="interrupted" if u.utterance_id in interrupted else "text_only",
            )
            for u in script.utterances
            if u.utterance_id in unspoken
        ),
        arc=script.arc,
        voicing=tuple(voicing for voicing in spoken.voicing if voicing.speaker in heard),
        licence=script.licence,
        provenance=Provenance(
            seed_id=script.seed_id, author=script.author, root_seed=root_seed, stages=stages
        ),
    )


def _supervise(one: Placed, clip: ClipRef, spoken: SpokenScript, root_seed: int) -> Supervision:
    utterance = one.utterance
    text, fade = utterance.text, 0
    if len(one.span) < clip.num_samples:
        whole = sum(not word.cut for word in one.words)
        text = heard_text(utterance.text, one.words, _head(utterance.text, whole, spoken.script.language))
        fade = min(to_samples(FADE_S, clip.sampling_rate), len(one.span))
    return Supervision(
        supervision_id=utterance.utterance_id,
        turn=utterance.turn,
        speaker=utterance.speaker,
        span=one.span,
        text=text,
        planned_text=utterance.text,
        words=shift_words(one.words, one.span.start),
        emotion=utterance.emotion,
        style=utterance.style,
        intensity=utterance.intensity,
        tags=utterance.tags,
        clip=clip.digest,
        clip_samples=clip.num_samples,
        engine=clip.engine,
        fade_samples=fade,
        distance=_distance(spoken, root_seed) if utterance.speaker is Speaker.THIRD_PARTY else None,
    )


def _head(text: str, words: int, language: Language) -> str:
    if words == 0:
        return ""
    marks = "，、；：。？！" if language is Language.ZH else ",;:.?!"
    return head(text, words).rstrip(marks + " ")


def _distance(spoken: SpokenScript, root_seed: int) -> Distance:
    """One place in one room for the bystander of a dialogue."""
    rng = derive_rng(root_seed, "distance", spoken.script.dialogue_id)
    return Distance(
        level_db=round(rng.uniform(*DISTANCE_LEVEL_DB), 2),
        lowpass_hz=round(rng.uniform(*DISTANCE_LOWPASS_HZ), 0),
        reverberation_s=round(rng.uniform(*DISTANCE_REVERBERATION_S), 3),
        direct_to_reverberant_db=round(rng.uniform(*DISTANCE_DRR_DB), 2),
        seed=int(rng.integers(2**31)),
    )


def _event(one: Realised, spoken: SpokenScript) -> Event:
    scripted: ScriptedEvent = one.event
    utterance = spoken.script.utterance(scripted.utterance_id)
    return Event(
        type=scripted.type,
        supervision_id=scripted.utterance_id,
        initiator=utterance.speaker,
        host=scripted.host if one.hosted else None,
        effect=scripted.effect,
        anchor=utterance.anchor,
        onset=one.onset,
        anchor_at=one.anchor_at,
        yielded_at=one.yielded_at,
    )
