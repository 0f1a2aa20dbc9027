"""The embedded author as a ChatModel: reads a step's input, answers with the step's reply as JSON."""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from pydantic import ValidationError

from pipeline.backends.offline.adapt import adapt
from pipeline.backends.offline.banks import bank_revision, load_bank
from pipeline.backends.offline.conversation_adapt import adapt_conversation
from pipeline.backends.offline.conversation_place import place_conversation
from pipeline.backends.offline.conversation_write import write_conversation
from pipeline.backends.offline.emotional_bank import load_emotional_bank
from pipeline.backends.offline.emotional_outline import outline
from pipeline.backends.offline.emotional_write import write_emotional_dialogue
from pipeline.backends.offline.frames import Composer
from pipeline.backends.offline.place import place
from pipeline.backends.offline.single import write_single, write_single_conversation
from pipeline.backends.offline.write import write
from pipeline.core.scripting.conversation_steps import (
    ConversationInput,
    ConversationPlaceInput,
    ConversationWriteInput,
)
from pipeline.core.scripting.emotional_steps import EmotionalInput, EmotionalWriteInput
from pipeline.core.scripting.steps import AdaptInput, PlaceInput, WriteInput
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.errors import TerminalBackendError
from pipeline.domain.labels import Language
from pipeline.domain.record import Record

_VERSION = 3
"""Raise it when code changes what is said while the banks stay the same."""


class OfflineAuthor:
    """Answers the steps of all recipes from the phrase banks.

    It looks at `request.input` and `request.seed` only; the messages are for models that read.
    """

    @property
    def name(self) -> str:
        """`offline-<version>.<revision of the banks>`"""
        return f"offline-{_VERSION}.{bank_revision()}"

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer one step.

        Raises RecordError for an input that no dialogue can be made of, TerminalBackendError for a step that
        this author does not know or an input that is not the step's record.
        """
        try:
            answer, frames = _answer(request)
        except ValidationError as error:
            raise TerminalBackendError(
                f"offline author: the input of step {request.step!r} is not that step's record: {error}; "
                "build requests from the step's input type"
            ) from error
        return ChatReply(
            model=self.name,
            content=answer.to_line(),
            finish_reason="stop",
            prompt_tokens=0,
            cached_tokens=0,
            completion_tokens=0,
            frames=frames,
        )


def _answer(request: ChatRequest) -> tuple[Record, tuple[str, ...]]:
    """The step's reply, and the frames that it was made of."""
    if request.step not in _STEPS:
        raise TerminalBackendError(
            f"offline author: unknown step {request.step!r}, wanted {', '.join(_STEPS)}; "
            "choose another script.author.backend for this recipe"
        )
    composers: list[Composer] = []

    def composer(language: Language, step: str = request.step) -> Composer:
        # The step's name goes into the seed: one seed per dialogue must not make the steps draw in parallel.
        rng = np.random.default_rng([request.seed, *step.encode()])
        composers.append(Composer(language, rng, slots={}))
        return composers[-1]

    answer = _STEPS[request.step](request.input, composer)
    return answer, tuple(dict.fromkeys(frame for one in composers for frame in one.used))


class _NewComposer(Protocol):
    def __call__(self, language: Language, step: str = ...) -> Composer:
        """A composer for one step; without a name, for the one that was asked for."""
        ...


def _adapt(text: str, composer: _NewComposer) -> Record:
    seed = AdaptInput.from_line(text)
    return adapt(seed, load_bank(seed.language), composer(seed.language))


def _place(text: str, composer: _NewComposer) -> Record:
    host = PlaceInput.from_line(text)
    return place(host, load_bank(host.language), composer(host.language))


def _write(text: str, composer: _NewComposer) -> Record:
    situation = WriteInput.from_line(text)
    return write(situation, load_bank(situation.language), composer(situation.language))


def _single(text: str, composer: _NewComposer) -> Record:
    seed = AdaptInput.from_line(text)
    return write_single(seed, load_bank(seed.language), lambda step: composer(seed.language, step))


def _conversation_adapt(text: str, composer: _NewComposer) -> Record:
    seed = ConversationInput.from_line(text)
    return adapt_conversation(seed, load_bank(seed.language), composer(seed.language))


def _conversation_place(text: str, composer: _NewComposer) -> Record:
    talk = ConversationPlaceInput.from_line(text)
    return place_conversation(talk, load_bank(talk.language), composer(talk.language))


def _conversation_write(text: str, composer: _NewComposer) -> Record:
    talk = ConversationWriteInput.from_line(text)
    return write_conversation(talk, load_bank(talk.language), composer(talk.language))


def _conversation_single(text: str, composer: _NewComposer) -> Record:
    seed = ConversationInput.from_line(text)
    return write_single_conversation(
        seed, load_bank(seed.language), lambda step: composer(seed.language, step)
    )


def _emotional_outline(text: str, composer: _NewComposer) -> Record:
    given = EmotionalInput.from_line(text)
    return outline(given, load_emotional_bank(given.language), composer(given.language))


def _emotional_write(text: str, composer: _NewComposer) -> Record:
    given = EmotionalWriteInput.from_line(text)
    return write_emotional_dialogue(given, load_emotional_bank(given.language), composer(given.language))


_STEPS: Mapping[str, Callable[[str, _NewComposer], Record]] = {
    "adapt": _adapt,
    "place": _place,
    "write": _write,
    "single": _single,
    "conversation_adapt": _conversation_adapt,
    "conversation_place": _conversation_place,
    "conversation_write": _conversation_write,
    "conversation_single": _conversation_single,
    "emotional_outline": _emotional_outline,
    "emotional_write": _emotional_write,
}
