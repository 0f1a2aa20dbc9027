"""What the clients of all dialects have in common: a pool, capabilities asked at the start, refusals without asking.

with CosyVoice(...) as synthesizer:      greets every server
    synthesizer.capabilities             what they said
    await synthesizer.synthesize(...)    from any event loop
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.backends.speech_servers.bounds import check_text, longest_take_s
from pipeline.backends.speech_servers.pool import Pool, PoolClient
from pipeline.backends.speech_servers.refusals import check_status
from pipeline.backends.speech_servers.transport import Answer, Call, Line
from pipeline.backends.speech_servers.waves import Wave
from pipeline.domain.errors import BadTakeError, ConfigError, TerminalBackendError
from pipeline.domain.labels import Emotion, Style
from pipeline.domain.takes import Capabilities, Flaw, Take
from pipeline.domain.voice import SpeechRequest

GREETING_S = 30.0
"""For what a server says of itself."""

W = TypeVar("W", bound=BaseModel)
F = TypeVar("F")


class ServedSynthesizer(PoolClient):
    """Implements SpeechSynthesizer but for the dialect. Use as a context manager."""

    backend: str
    """The name under which voices of the catalogue belong to this synthesizer."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._capabilities: Capabilities | None = None

    def _meet(self) -> None:
        self._capabilities = self._greet()

    @property
    def capabilities(self) -> Capabilities:
        """What its servers said that they can do."""
        if self._capabilities is None:
            raise RuntimeError(f"{self.backend}: not open; use it as a context manager")
        return self._capabilities

    async def synthesize(self, request: SpeechRequest) -> Take:
        """Speak one request on the server with the least to do."""
        self._check(request)
        return await self._pool.ask(lambda line: self._speak(line, request))

    @abstractmethod
    def _greet(self) -> Capabilities:
        """Ask every server what it is. Raises ConfigError where nobody answers or they differ."""

    @abstractmethod
    async def _speak(self, line: Line, request: SpeechRequest) -> Take:
        """One try on one server."""

    def _check(self, request: SpeechRequest) -> None:
        """Refuse what no server need be asked for."""
        voice = request.voice
        if voice.backend != self.backend or voice.language is not request.language:
            raise TerminalBackendError(
                f"{self.backend}: wanted one of its voices for {request.language.value}, got {voice.voice_id!r} of "
                f"{voice.backend!r} for {voice.language.value}; remedy: choose another voice"
            )
        check_text(self.backend, request.text, self.capabilities.longest_text)


async def ask_json(line: Line, call: Call, kind: type[W], remedy: str) -> W:
    """What a server says of itself. Raises ConfigError where it is not the server that was meant."""
    answer = await line.send(call)
    if answer.status in (404, 405):
        raise ConfigError(f"{answer.who}: has no {call.path}; remedy: {remedy}")
    check_status(answer, f"GET {call.path}", line.secrets, remedy)
    try:
        return kind.model_validate_json(answer.body)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the body"
        raise ConfigError(
            f"{answer.who}: its {call.path} is not what was expected: {where}: {problem['msg']}; remedy: {remedy}"
        ) from None


def agree(section: str, answers: Sequence[tuple[str, F]], name: Callable[[F], str]) -> F:
    """What all servers say. Raises ConfigError where they are not one model: their voices would differ."""
    names = {address: name(facts) for address, facts in answers}
    if len(set(names.values())) > 1:
        told = ", ".join(f"{address}: {one}" for address, one in names.items())
        raise ConfigError(
            f"{section}: endpoints serve different models ({told}); remedy: one model at all of them"
        )
    return answers[0][1]


def make_take(wave: Wave, engine: str, unapplied: tuple[str, ...]) -> Take:
    """A take without word times."""
    return Take(
        samples=wave.samples,
        sampling_rate=wave.sampling_rate,
        words=(),
        engine=engine,
        unapplied=unapplied,
        warnings=wave.warnings,
    )


def refuse_endless(answer: Answer, request: SpeechRequest) -> None:
    """Raise BadTakeError for a body that is longer than its text can last."""
    if answer.too_long:
        raise BadTakeError(
            Flaw.TOO_LONG,
            f"{answer.who}: more than {len(answer.body)} bytes; {longest_take_s(request):.1f} s of {request.text!r} "
            "would be fewer",
        )


def list_unapplied(
    request: SpeechRequest, *, emotion: bool, style: bool, seed: bool, speed: bool, tags: bool
) -> tuple[str, ...]:
    """What was asked for and not done, from what was done. A seed is always asked for."""
    return tuple(
        name
        for name, wanted, done in (
            ("emotion", request.emotion is not Emotion.NEUTRAL, emotion),
            ("style", request.style is not Style.PLAIN, style),
            ("seed", True, seed),
            ("speed", request.speed != 1.0, speed),
            ("tags", bool(request.tags), tags),
        )
        if wanted and not done
    )
