"""How a request is spoken: the mode, the prompt, and what of the wishes that honours.

| need | choice |
|---|---|
| a built-in voice | `sft`: stable, cheapest for short lines, knows no emotion |
| a voice that was recorded in the wanted emotion | `zero_shot` with that recording |
| an instruction, or an emotion that the model knows one for | `instruct`, at some cost in likeness |
| a short line | `zero_shot` with the short prompt; never `instruct`, which is often spoken aloud |
| anything else | `zero_shot` with the neutral recording |
"""

import re
from dataclasses import dataclass

from .messages import NEUTRAL, Applied, Greeting, Job, Mode, TtsRequest
from .refusals import RefusalError
from .text import LONGEST_HAN, LONGEST_WORDS, count_units, remove_tags
from .voices import Registry, VoiceReference

_MARKUP = re.compile(r"\[[^\]]*\]?|<[^>]*>?|[\]>|]")


@dataclass(frozen=True)
class Choice:
    """A job, and what it will really apply."""

    job: Job
    applied: Applied
    warnings: tuple[str, ...]


def choose(request: TtsRequest, greeting: Greeting, registry: Registry) -> Choice:
    """Decide; raises RefusalError for what this model or voice cannot do."""
    check_text(request, greeting)
    if request.language not in greeting.languages:
        raise RefusalError("invalid_request", f"language {request.language!r}; wanted {greeting.languages}")
    if request.voice in greeting.speakers:
        return _built_in(request)
    references = registry.of(request.voice)
    if not references:
        known = sorted({*greeting.speakers, *(one.id for one in registry.references)})
        raise RefusalError(
            "voice_not_found",
            f"voice {request.voice!r}; known: {', '.join(known) or 'none'}; POST /v1/voices adds one",
        )
    return _prompted(request, greeting, registry, references)


def check_text(request: TtsRequest, greeting: Greeting) -> None:
    """Raise RefusalError for text that is empty, too long, or holds a tag that would be read aloud."""
    stray = _MARKUP.search(remove_tags(request.spoken_text, tuple(greeting.tags)))
    if stray:
        raise RefusalError(
            "invalid_request",
            f"unknown tag {stray.group()!r} in spoken_text; this model knows {' '.join(greeting.tags) or 'none'}",
        )
    units = count_units(request.spoken_text)
    if units.is_empty:
        raise RefusalError("invalid_request", "spoken_text holds nothing to say")
    if units.han > LONGEST_HAN or units.words > LONGEST_WORDS:
        raise RefusalError(
            "invalid_request",
            f"spoken_text holds {units.han} Han characters and {units.words} words; wanted {LONGEST_HAN} and "
            f"{LONGEST_WORDS} at most: split at clauses",
        )


def _built_in(request: TtsRequest) -> Choice:
    if request.mode not in ("auto", "sft"):
        raise RefusalError(
            "invalid_request",
            f"mode {request.mode!r}: the voice {request.voice!r} is built in and has only sft",
        )
    job = _job(request, "sft").model_copy(update={"speaker": request.voice})
    applied = Applied(emotion=request.emotion == NEUTRAL, instruction=False)
    return Choice(job, applied, _unmet(request, applied))


def _prompted(
    request: TtsRequest, greeting: Greeting, registry: Registry, references: tuple[VoiceReference, ...]
) -> Choice:
    if request.mode == "sft":
        raise RefusalError(
            "invalid_request", f"mode 'sft': the voice {request.voice!r} is a recording, not built in"
        )
    short = request.kind == "backchannel"
    reference = _closest(references, request.emotion, short)
    recorded = reference.emotion == request.emotion
    instruction = request.instruction or (None if recorded else greeting.emotions.get(request.emotion))
    if _instructs(request, greeting, instruction, short):
        reference = _closest(references, NEUTRAL, False)
        job = _job(request, "instruct").model_copy(
            update={"reference": registry.as_prompt(reference), "instruction": instruction}
        )
        asked = request.instruction is not None
        applied = Applied(emotion=not asked or request.emotion == NEUTRAL, instruction=asked)
    else:
        job = _job(request, "zero_shot").model_copy(update={"reference": registry.as_prompt(reference)})
        applied = Applied(emotion=recorded, instruction=False)
    warnings = [*_unmet(request, applied), *greeting.prompt_warnings]
    if short and not reference.short:
        warnings.append("no_short_prompt")
    return Choice(job, applied, tuple(warnings))


def _instructs(request: TtsRequest, greeting: Greeting, instruction: str | None, short: bool) -> bool:
    """Whether the mode is instruct; raises RefusalError where it is asked for and cannot be."""
    if request.mode == "instruct":
        if "instruct" not in greeting.modes:
            raise RefusalError("invalid_request", f"mode 'instruct': {greeting.model} has {greeting.modes}")
        if instruction is None:
            raise RefusalError(
                "invalid_request",
                f"mode 'instruct' with neither an instruction nor one of the emotions {sorted(greeting.emotions)}",
            )
        return True
    return request.mode == "auto" and instruction is not None and not short and "instruct" in greeting.modes


def _closest(references: tuple[VoiceReference, ...], emotion: str, short: bool) -> VoiceReference:
    """The recording for a use: the right emotion first, then the right length, then whatever is neutral."""

    def distance(reference: VoiceReference) -> tuple[bool, bool, bool]:
        return reference.emotion != emotion, reference.emotion != NEUTRAL, reference.short != short

    return min(references, key=distance)


def _job(request: TtsRequest, mode: Mode) -> Job:
    return Job(
        request_id=request.request_id,
        text=request.spoken_text,
        language=request.language,
        kind=request.kind,
        mode=mode,
        speed=request.speed,
        seed=request.seed,
        max_duration_s=request.max_duration_s,
    )


def _unmet(request: TtsRequest, applied: Applied) -> tuple[str, ...]:
    """Wishes that the audio does not fulfil."""
    warnings = []
    if not applied.emotion:
        warnings.append("emotion_not_applied")
    if request.instruction is not None and not applied.instruction:
        warnings.append("instruction_not_applied")
    return tuple(warnings)
