"""Made-up backends for tests of stages: they keep what they were asked, and fail when told to."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pipeline.core.scripting.steps import Adapted, AdaptedTurn, AdaptInput, Placement, WriteInput, Written
from pipeline.core.tokens import words_of
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.emotional import Tag
from pipeline.domain.events import FloorEffect
from pipeline.domain.labels import Emotion, Gender, Language, Recipe, Speaker, Split
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene, scene_definition
from pipeline.domain.script import DialoguePlan
from pipeline.domain.seed import SeedDialogue, SeedSpeaker, SeedTurn
from pipeline.domain.span import Span
from pipeline.domain.takes import Capabilities, Take
from pipeline.domain.voice import SpeechRequest, Voice
from pipeline.domain.words import TimeSource, Word
from pipeline.ports import ChatModel
from tests.spoken import LICENCE

HUM_RATE = 16_000
HUM_WORD = 2_000
"""Samples of a hummed word: 125 ms."""


def seed_of(name: str, texts: tuple[str, ...], language: Language = Language.EN) -> SeedDialogue:
    """A seed dialogue of two parties who take turns."""
    return SeedDialogue(
        seed_id=f"made-up/train/{name}",
        corpus="made-up",
        language=language,
        speakers=(
            SeedSpeaker(label="A", name=None, gender=None, is_system=False),
            SeedSpeaker(label="B", name=None, gender=None, is_system=False),
        ),
        turns=tuple(
            SeedTurn(speaker="B" if i % 2 else "A", text=text, raw=(text,), emotion=None)
            for i, text in enumerate(texts)
        ),
        topic=None,
        licence=LICENCE,
    )


FERRY = (
    "When does the last ferry leave for the island?",
    "It leaves at nine in the evening, and you should be at the pier a little earlier.",
    "Can I take my bicycle on board?",
    "Yes, bicycles go on the lower deck, beside the cars.",
)


def plan_of(scene: Scene, name: str = "ferry", split: Split = Split.TRAIN) -> DialoguePlan:
    return DialoguePlan(
        dialogue_id=f"en-{scene.value}-{name}",
        seed=seed_of(name, FERRY),
        recipe=Recipe.FULL_DUPLEX,
        scene=scene,
        split=split,
    )


@dataclass
class CountingAuthor:
    """Passes requests on and keeps them; knows how many were under way at once."""

    author: ChatModel
    asked: list[ChatRequest] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0

    @property
    def name(self) -> str:
        return self.author.name

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.asked.append(request)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0)
        try:
            return await self.author.complete(request)
        finally:
            self._at_once -= 1


@dataclass(frozen=True)
class PlainAuthor:
    """Writes every dialogue in the same few words, so that the stage is tested and no phrase bank.

    `instead` replaces the reply of a step: the text that came back, or an exception that is raised.
    """

    instead: dict[str, str | Exception] = field(default_factory=dict)
    name: str = "plain-1"

    async def complete(self, request: ChatRequest) -> ChatReply:
        answer = self.instead.get(request.step)
        if isinstance(answer, Exception):
            raise answer
        return ChatReply(
            model=self.name,
            content=_answer(request).to_line() if answer is None else answer,
            finish_reason="stop",
            prompt_tokens=0,
            cached_tokens=0,
            completion_tokens=0,
            frames=(f"plain/{request.step}",),
        )


def _answer(request: ChatRequest) -> Record:
    if request.step == "adapt":
        scene = AdaptInput.from_line(request.input).scene
        exchange = (
            AdaptedTurn(
                speaker=Speaker.USER, sentences=("When does the last ferry leave for the island tonight?",)
            ),
            AdaptedTurn(
                speaker=Speaker.ASSISTANT,
                sentences=(
                    "The last ferry leaves at nine in the evening.",
                    "Please be at the pier a little earlier, because the gates close soon.",
                    "Bicycles go on the lower deck.",
                ),
            ),
        )
        before = (
            AdaptedTurn(speaker=Speaker.USER, sentences=("Is there a ferry to the island?",)),
            AdaptedTurn(speaker=Speaker.ASSISTANT, sentences=("There is one every hour.",)),
        )
        turns = (*before, *exchange) if scene is Scene.DIRECTED_AT_OTHERS else exchange
        return Adapted(topic="the last ferry", turns=turns)
    if request.step == "place":
        hesitates = '"pause_handling"' in request.input
        return Placement(
            quote="the last ferry leave" if hesitates else "Please be at the pier", why="a pause"
        )
    situation = WriteInput.from_line(request.input)
    yields = scene_definition(situation.scene).effect is FloorEffect.YIELDS
    return Written(
        event_text=None if situation.scene is Scene.PAUSE_HANDLING else "And what about the way back?",
        event_emotion=Emotion.NEUTRAL,
        reaction=("The way back is the same.",) if yields else (),
    )


def voice_of(name: str, split: Split = Split.TRAIN, gender: Gender = Gender.FEMALE) -> Voice:
    return Voice(
        voice_id=f"en-{name}",
        speaker=name,
        language=Language.EN,
        gender=gender,
        split=split,
        backend="hum",
        backend_voice=name,
        median_f0_hz=100.0 + len(name),
        formant_scale=1.0,
        licence=LICENCE,
    )


VOICES = tuple(
    voice_of(name, gender=gender)
    for name, gender in (("ada", Gender.FEMALE), ("bo", Gender.MALE), ("cyd", Gender.FEMALE))
)


@dataclass
class HumSynthesizer:
    """Hums: a tone per word, another one for every voice and text. `shape` changes the samples of a clip."""

    asked: list[SpeechRequest] = field(default_factory=list)
    refuse: Callable[[SpeechRequest], None] = lambda request: None
    shape: Callable[[np.ndarray], np.ndarray] = lambda samples: samples
    most_at_once: int = 0
    max_in_flight: int = 2
    backend: str = "hum"
    engine: str = "hum-1"
    tags: frozenset[Tag] = frozenset()
    _at_once: int = 0

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            engine=self.engine,
            languages=frozenset(Language),
            voices=None,
            clones=False,
            emotions=frozenset(Emotion),
            tags=self.tags,
            seed="exact",
            word_times=True,
            longest_text=1000,
            max_in_flight=self.max_in_flight,
        )

    async def synthesize(self, request: SpeechRequest) -> Take:
        self.asked.append(request)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0)
        self._at_once -= 1
        self.refuse(request)
        words = words_of(request.text)
        pitch_hz = 200 + int(request.fingerprint()[:4], 16) % 200
        seconds = np.arange(len(words) * HUM_WORD) / HUM_RATE
        samples = (0.3 * np.sin(2 * np.pi * pitch_hz * seconds)).astype(np.float32)
        return Take(
            samples=self.shape(samples),
            sampling_rate=HUM_RATE,
            words=tuple(
                Word(
                    text=word,
                    span=Span(start=i * HUM_WORD, end=(i + 1) * HUM_WORD),
                    source=TimeSource.ENGINE,
                )
                for i, word in enumerate(words)
            ),
            engine=self.engine,
        )
