"""The backchannel bank: checked takes of short interjections, made before they are needed.

Short texts are what engines fail at most. So every voice says every form several times, each take passes the gate
or is taken again, and runs draw from what is there: a backchannel of a script has the address of a bank take.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import RunConfig
from pipeline.core.interjections import FORMS, Form
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Style
from pipeline.domain.takes import Flaw, Kind
from pipeline.domain.voice import ClipRef, SpeechRequest, Voice
from pipeline.stages.speaking import Speaking
from pipeline.stages.speech import Deps, bank_request, clip_of
from pipeline.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Deposit:
    """What one voice has in the bank."""

    voice: Voice
    engines: Counter[str]
    """Good takes by the engine that made them."""
    spoken: int
    """Of them, those that were not there before."""
    refused: Counter[Flaw]
    """Takes that were no good, on the way to those that are."""
    missing: tuple[str, ...]
    """Forms of which no engine made one good take, each with the reason."""


def build_bank(
    config: RunConfig, store: Path, told: Callable[[Deposit], None], *, every_form: bool = False
) -> tuple[Deposit, ...]:
    """Speak every form with every voice that the configuration may cast; what is stored is not spoken again.

    `every_form`: those that the embedded author writes as well, some two hundred instead of nineteen.
    """
    wiring = Wiring(config, store, store)  # no run: nothing is written but clips
    try:
        deps = wiring.speech_deps()
        languages = {source.language for source in config.seeds.sources}
        splits = {split for split, weight in config.seeds.splits.items() if weight > 0}
        return tuple(
            _deposit(voice, forms_of(voice.language, every_form), config.speech.bank.takes, deps, told)
            for voice in deps.voices
            if voice.language in languages and voice.split in splits
        )
    finally:
        wiring.close()


def forms_of(language: Language, every_form: bool) -> tuple[Form, ...]:
    """What is said, and in which mood, each once."""
    if not every_form:
        return FORMS[language]
    from pipeline.backends.offline.banks import load_bank

    written = (
        (text, frame.emotion)
        for section, frames in load_bank(language).frames.items()
        if section == "backchannel/signals" or section.startswith("events/signals/")
        for frame in frames
        if not frame.slots()
        for text in frame.variants()
    )
    return tuple(dict.fromkeys((*FORMS[language], *written)))


def _deposit(
    voice: Voice, forms: tuple[Form, ...], takes: int, deps: Deps, told: Callable[[Deposit], None]
) -> Deposit:
    deposit = asyncio.run(_fill(voice, forms, takes, deps))
    told(deposit)
    return deposit


async def _fill(voice: Voice, forms: tuple[Form, ...], takes: int, deps: Deps) -> Deposit:
    speaking = Speaking(deps.ladder)
    requests = tuple(_requests(voice, forms, takes))
    known = [deps.clips.find_clip(deps.ladder.clip_digest(one, deps.sampling_rate)) for one in requests]
    outcomes = await asyncio.gather(
        *(_take(one, ref, deps, speaking) for one, ref in zip(requests, known, strict=True))
    )
    refs = [one for one in outcomes if isinstance(one, ClipRef)]
    said = {request.text for request, one in zip(requests, outcomes, strict=True) if isinstance(one, ClipRef)}
    missing = {
        request.text: one.detail
        for request, one in zip(requests, outcomes, strict=True)
        if isinstance(one, RecordError) and request.text not in said
    }
    return Deposit(
        voice=voice,
        engines=Counter(ref.engine for ref in refs),
        spoken=len(refs) - sum(ref is not None for ref in known),
        refused=Counter(take.flaw for ref in refs for take in ref.making.refused),
        missing=tuple(missing.values()),
    )


def _requests(voice: Voice, forms: tuple[Form, ...], takes: int) -> Iterator[SpeechRequest]:
    for text, emotion in forms:
        form = SpeechRequest(
            text=text,
            language=voice.language,
            voice=voice,
            emotion=emotion,
            style=Style.PLAIN,
            seed=0,
            kind=Kind.BACKCHANNEL,
        )
        for take in range(takes):
            yield bank_request(form, take)


async def _take(
    request: SpeechRequest, known: ClipRef | None, deps: Deps, speaking: Speaking
) -> ClipRef | RecordError:
    try:
        return known or await clip_of(request, deps, speaking)
    except RecordError as error:
        return error
