"""What a run will ask of its speech engines, and which of it they lack: told before anything is paid for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.domain.labels import Emotion, Language, Split
from pipeline.domain.takes import Capabilities
from pipeline.domain.voice import Voice


@dataclass(frozen=True, slots=True)
class Needs:
    """What scripts of a run hold."""

    languages: tuple[Language, ...]
    splits: tuple[Split, ...]
    speakers: int
    """Persons in one dialogue, at most."""
    emotions: frozenset[Emotion]
    """That have to be heard; empty where a neutral voice says nothing wrong."""


def missing(
    needs: Needs, backend: str, capabilities: Capabilities, voices: Sequence[Voice]
) -> tuple[str, ...]:
    """What is lacking, for a person; empty where nothing is. `voices` are those of this backend."""
    return tuple(
        problem
        for language in needs.languages
        for problem in _missing_in(language, needs, backend, capabilities, voices)
    )


def _missing_in(
    language: Language, needs: Needs, backend: str, capabilities: Capabilities, voices: Sequence[Voice]
) -> Iterator[str]:
    if language not in capabilities.languages:
        spoken = ", ".join(sorted(one.value for one in capabilities.languages)) or "nothing"
        yield (
            f"{backend} does not speak {language.value} ({capabilities.engine}; it speaks {spoken}): use another "
            "model or speech.backend, or leave that language out of seeds.sources"
        )
        return
    usable = [voice for voice in voices if voice.language is language and _can(voice, capabilities)]
    for voice in voices:
        if voice.language is language and voice not in usable:
            yield _why_not(voice, backend, capabilities)
    for split in needs.splits:
        persons = {voice.speaker for voice in usable if voice.split is split}
        if len(persons) < needs.speakers:
            yield (
                f"{len(persons)} speakers of {backend} in {language.value}/{split.value}, wanted "
                f"{needs.speakers}: add voices to a catalogue (speech.voices), or set seeds.splits"
            )
    for voice in usable:
        lacking = needs.emotions - capabilities.emotions - {e.emotion for e in voice.emotional_references}
        if lacking and voice.split in needs.splits:
            names = ", ".join(sorted(emotion.value for emotion in lacking))
            yield (
                f"{voice.voice_id} cannot be heard as {names}: add emotional references, or set "
                "speech.emotions: best_effort"
            )


def _can(voice: Voice, capabilities: Capabilities) -> bool:
    if voice.reference is not None:
        return capabilities.clones
    return capabilities.voices is None or voice.backend_voice in capabilities.voices


def _why_not(voice: Voice, backend: str, capabilities: Capabilities) -> str:
    if voice.reference is not None:
        return (
            f"{voice.voice_id} is a recording to be cloned, and {backend} clones nobody ({capabilities.engine}): use "
            "a model that clones"
        )
    known = ", ".join(sorted(capabilities.voices or ())[:8]) or "none"
    return f"{voice.voice_id}: {backend} has no voice {voice.backend_voice!r}; it has: {known}"
