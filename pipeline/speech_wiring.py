"""The speech section of a configuration -> a ladder of engines, open and asked what they can do.

speech.backend, speech.then   --> engines       speech.transcripts --> who listens
speech.voices                 --> voices        speech.likeness    --> who compares voices
                                                speech.aligners    --> who finds words
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import RunConfig
from pipeline.core.speech_needs import Needs, missing
from pipeline.core.voice_similarity import Embedding
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Emotion, Recipe
from pipeline.domain.scene import Scene
from pipeline.domain.voice import Reference
from pipeline.io.voices import Voices
from pipeline.io.waves import decode_channels
from pipeline.ports import Aligner, SpeechSynthesizer, VoiceEncoder
from pipeline.stages.speaking import Comparer, Ladder, Listener
from pipeline.stages.speech_config import BackendName, Config, TranscriptCheck, VoiceCheck
from pipeline.stages.speech_servers_config import ServersConfig

if TYPE_CHECKING:
    from pipeline.backends.speech_servers import SpeechServer

_BYSTANDERS = frozenset({Scene.THIRD_PARTY_BEFORE, Scene.THIRD_PARTY_AFTER})
"""Scenes with a third person in the room."""


def open_ladder(config: Config, voices: Voices, resources: ExitStack) -> Ladder:
    """Open every engine of the ladder. Raises ConfigError for one that is not to be had."""
    turns = dict.fromkeys((config.backend, *config.then))
    bank = config.bank.backend
    names = turns if bank is None else {**turns, bank: None}
    return Ladder(
        rungs=tuple(resources.enter_context(_synthesizer(name, config, voices)) for name in names),
        voices=voices.all,
        bank=bank,
        bank_only=bank is not None and bank not in turns,
        retakes=config.retakes,
        limits=config.gate,
        aligners=tuple(resources.enter_context(_aligner(name)) for name in config.aligners),
        listener=None if config.transcripts is None else _listener(config.transcripts, resources),
        comparer=None if config.likeness is None else _comparer(config.likeness, voices),
    )


def check_needs(run: RunConfig, ladder: Ladder) -> None:
    """Raises ConfigError where those who speak lack what the scripts of such a run hold."""
    first, *others = ladder.rungs
    needs = _needs_of(run)
    cast = [voice for voice in ladder.voices if voice.backend == first.backend]
    speakers = {(v.speaker, v.language) for v in cast if v.language in needs.languages}
    problems = [*missing(needs, first.backend, first.capabilities, cast)]
    for rung in others:
        if speakers.isdisjoint((v.speaker, v.language) for v in ladder.voices if v.backend == rung.backend):
            problems.append(
                f"{rung.backend} has no voice of any speaker of {first.backend}, so that it could say nothing: add "
                "rows of the same speakers to a catalogue (speech.voices), or leave it out"
            )
    if ladder.comparer is not None and not any(voice.reference for voice in cast):
        problems.append(
            f"likeness: no voice of {first.backend} has a reference to compare takes with; leave it out"
        )
    if problems:
        more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
        raise ConfigError(f"speech: {'; '.join(problems[:3])}{more}")


def _needs_of(run: RunConfig) -> Needs:
    scenes = (scene for scene, weight in run.seeds.scenes.items() if weight > 0)
    emotional = run.script.recipe is Recipe.EMOTIONAL
    bystander = run.script.recipe is Recipe.FULL_DUPLEX and not _BYSTANDERS.isdisjoint(scenes)
    return Needs(
        languages=tuple(sorted({source.language for source in run.seeds.sources})),
        splits=tuple(split for split, weight in run.seeds.splits.items() if weight > 0),
        speakers=1 if emotional else 3 if bystander else 2,
        emotions=frozenset(Emotion) if emotional and run.speech.emotions == "required" else frozenset(),
    )


def _synthesizer(
    name: BackendName, config: Config, voices: Voices
) -> AbstractContextManager[SpeechSynthesizer]:
    if name == "espeak":
        from pipeline.backends.espeak.synthesizer import EspeakSynthesizer

        return EspeakSynthesizer(workers=config.processes)
    _need_extra(f"speech.backend {name}", "aiohttp")
    if name == "cosyvoice":
        from pipeline.backends.speech_servers import cosyvoice

        workers = config.cosyvoice
        return cosyvoice.CosyVoice(
            cosyvoice.CosyVoiceSettings(
                _servers(workers, cosyvoice.SECTION, cosyvoice.URL_VARIABLE, cosyvoice.DEFAULT),
                workers.patience,
                workers.slowest,
            ),
            voices.read_reference,
        )
    if name == "openai_speech":
        from pipeline.backends.speech_servers import openai_speech

        served = config.openai_speech
        return openai_speech.OpenAISpeech(
            openai_speech.OpenAISpeechSettings(
                model=served.model,
                profile=served.profile,
                servers=_servers(
                    served, openai_speech.SECTION, openai_speech.URL_VARIABLE, openai_speech.DEFAULT
                ),
                patience=served.patience,
                slowest=served.slowest,
                revision=served.revision,
                instructions=served.instructions,
                word_times=served.word_times,
            ),
            voices.read_reference,
        )
    from pipeline.backends.speech_servers import cosyvoice_fastapi

    upstream = config.cosyvoice_fastapi
    return cosyvoice_fastapi.CosyVoiceFastApi(
        cosyvoice_fastapi.CosyVoiceFastApiSettings(
            servers=_servers(
                upstream,
                cosyvoice_fastapi.SECTION,
                cosyvoice_fastapi.URL_VARIABLE,
                cosyvoice_fastapi.DEFAULT,
            ),
            patience=upstream.patience,
            slowest=upstream.slowest,
            sampling_rate=upstream.sampling_rate,
            model=upstream.model,
            revision=upstream.revision,
        )
    )


def _servers(
    config: ServersConfig, section: str, variable: str, default: "SpeechServer"
) -> tuple["SpeechServer", ...]:
    from pipeline.backends.speech_servers import Address, find_servers

    named = [Address(one.base_url, one.max_in_flight, one.api_key_variable) for one in config.endpoints]
    return find_servers(section, named, variable, default)


def _need_extra(who: str, *packages: str) -> None:
    """Told at the start, not at the first clip."""
    for package in packages:
        if find_spec(package) is None:
            raise ConfigError(
                f"{who}: {package} is not installed; remedy: pip install 'humdial-pipeline[speech]'"
            )


def _aligner(name: str) -> AbstractContextManager[Aligner]:
    from pipeline.backends.aligners import find_aligner

    return find_aligner(name)


def _listener(config: TranscriptCheck, resources: ExitStack) -> Listener:
    _need_extra("speech.transcripts", "aiohttp", "jiwer")
    from pipeline.backends.speech_servers import transcription

    settings = transcription.TranscriberSettings(
        config.model,
        _servers(config, transcription.SECTION, transcription.URL_VARIABLE, transcription.DEFAULT),
        config.patience,
        config.slowest,
    )
    return Listener(resources.enter_context(transcription.ServedTranscriber(settings)), config.limits)


def _comparer(config: VoiceCheck, voices: Voices) -> Comparer:
    from pipeline.backends.voice_encoder import OnnxVoiceEncoder

    encoder = OnnxVoiceEncoder(Path(config.encoder).expanduser())
    return Comparer(encoder, config.limits, _references_heard(encoder, voices))


def _references_heard(encoder: VoiceEncoder, voices: Voices) -> Callable[[Reference], Embedding | None]:
    """References as the encoder hears them, each once."""

    @cache
    def heard(reference: Reference) -> Embedding | None:
        first = decode_channels(voices.read_reference(reference), reference.audio)[0]
        return encoder.embed(first.samples, first.sampling_rate)

    return heard
