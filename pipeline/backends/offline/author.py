"""The embedded author as a ChatModel: reads a step's input, answers with the step's reply as JSON."""

import numpy as np
from pydantic import ValidationError

from pipeline.backends.offline.adapt import adapt
from pipeline.backends.offline.banks import bank_revision, load_bank
from pipeline.backends.offline.frames import Composer
from pipeline.backends.offline.place import place
from pipeline.backends.offline.write import write
from pipeline.core.scripting.steps import AdaptInput, PlaceInput, WriteInput
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.errors import TerminalBackendError
from pipeline.domain.labels import Language
from pipeline.domain.record import Record

_VERSION = 2
"""Raise it when code changes what is said while the banks stay the same."""


class OfflineAuthor:
    """Answers `adapt`, `place` and `write` from the phrase banks.

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
    answer: Record
    if request.step == "adapt":
        seed = AdaptInput.from_line(request.input)
        composer = _composer(request, seed.language)
        answer = adapt(seed, load_bank(seed.language), composer)
    elif request.step == "place":
        host = PlaceInput.from_line(request.input)
        composer = _composer(request, host.language)
        answer = place(host, load_bank(host.language), composer)
    elif request.step == "write":
        situation = WriteInput.from_line(request.input)
        composer = _composer(request, situation.language)
        answer = write(situation, load_bank(situation.language), composer)
    else:
        raise TerminalBackendError(
            f"offline author: unknown step {request.step!r}, wanted adapt, place or write; "
            "choose another script.author.backend for this recipe"
        )
    return answer, tuple(composer.used)


def _composer(request: ChatRequest, language: Language) -> Composer:
    # The step's name goes into the seed: one seed per dialogue must not make the steps draw in parallel.
    rng = np.random.default_rng([request.seed, *request.step.encode()])
    return Composer(language, rng, slots={})
