"""What the server says: what the embedded author would write, or nonsense that fits the schema."""

import json
import random
import re
from collections.abc import Callable, Mapping

from llguidance import LLMatcher, LLTokenizer
from pydantic import JsonValue

from pipeline.core.scripting.conversation_steps import (
    ConversationInput,
    ConversationPlaceInput,
    ConversationWriteInput,
)
from pipeline.core.scripting.emotional_steps import (
    EmotionalInput,
    EmotionalWriteInput,
    EmpathyRubric,
    Judged,
    JudgedTurn,
    ReasoningRubric,
    TrajectoryRubric,
)
from pipeline.core.scripting.review import Judgement, Review
from pipeline.core.scripting.steps import Adapted, AdaptInput, Line, PlaceInput, WriteInput
from pipeline.domain.chat import ChatMessage, ChatRequest
from pipeline.domain.errors import RecordError, TerminalBackendError
from pipeline.domain.labels import Emotion, Language
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene, scene_definition
from pipeline.ports import ChatModel
from tests.loopback.requests import Completion, grammar_of

_DATA = re.compile(r"<(plan|seed|dialogue|events|transcript)>\n(.*?)\n</\1>", re.DOTALL)
_SCENE = re.compile(r'(?:[Ss]cene|场景) "?(\w+)')
_TURNS = re.compile(r"(?:Exactly|一共) (\d+) (?:turns|轮)")
_DELIMITERS = ("plan", "seed", "dialogue", "events", "transcript")
_ORDER = re.compile(rf"<\|\w+\|>|\[/?INST\]|<<SYS>>|</?s>|\u2028|</(?:{'|'.join(_DELIMITERS)})>(?!\n|$)")
"""What makes a model take data for its master's voice: a template's control token, or a delimiter closed inside."""
_TOKENIZER = LLTokenizer("byte")
_QUOTE, _COMMA = ord('"'), ord(",")


def is_chinese(request: Completion) -> bool:
    """By the task's own words, which come before the data."""
    return "请" in request.messages[-1].content.partition("<")[0]


def is_taken_in(request: Completion) -> bool:
    """Whether the last message opens a role or leaves its delimiters: a gullible model would do what it says."""
    text = request.messages[-1].content
    return _ORDER.search(text) is not None or any(text.count(f"</{name}>") > 1 for name in _DELIMITERS)


async def useful_answer(request: Completion, author: ChatModel) -> str | None:
    """What `author` makes of the dialogue in the prompt; None where it finds nothing to say.

    A model reads the prompt, so this does too: scene, events and data are taken from the message's text. A judge
    is content with everything.
    """
    if request.step in _JUDGES:
        return _JUDGES[request.step](request)
    record = None if is_taken_in(request) else _read_input(request)
    if record is None or request.response_format is None:
        return None
    question = ChatRequest(
        step=request.step or "",
        prompt="",
        prompt_sha256="",
        messages=(ChatMessage(role="user", content="see input"),),
        input=record.to_line(),
        response_schema=json.dumps(request.response_format.json_schema.json_schema),
        seed=request.seed,
        temperature=request.temperature,
        top_p=request.top_p,
        max_completion_tokens=request.max_completion_tokens,
    )
    try:
        return (await author.complete(question)).content
    except (RecordError, TerminalBackendError):  # this seed, or this step, is beyond it
        return None


def _review(request: Completion) -> str:
    fine = Judgement(reason="Nothing is wrong with it.", score=4)
    return Review(**dict.fromkeys(Review.model_fields, fine)).to_line()


def _feel_nothing(request: Completion) -> str:
    """One neutral turn for every turn that is shown: this judge has no feelings."""
    data = dict(_DATA.findall(request.messages[-1].content))
    turns = json.loads(data["transcript"])["turns"]
    found = JudgedTurn(reason="It says so.", emotion=Emotion.NEUTRAL)
    return Judged(turns=(found,) * len(turns)).to_line()


def _best(rubric: type[Record]) -> Callable[[Completion], str]:
    best = {name: {"reason": "Nothing is missing.", "score": 5} for name in rubric.model_fields}
    line = rubric.model_validate(best).to_line()
    return lambda request: line


_JUDGES: Mapping[str | None, Callable[[Completion], str]] = {
    "review": _review,
    "emotion_judge": _feel_nothing,
    "rubric_trajectory": _best(TrajectoryRubric),
    "rubric_reasoning": _best(ReasoningRubric),
    "rubric_empathy": _best(EmpathyRubric),
}
"""Steps that judge: these are content with everything, whatever they read."""
JUDGES = frozenset(name for name in _JUDGES if name is not None)


def _read_input(request: Completion) -> Record | None:
    text = request.messages[-1].content
    data = {name: json.loads(content) for name, content in _DATA.findall(text)}
    language = Language.ZH if is_chinese(request) else Language.EN
    where: dict[str, object] = {"dialogue_id": "loopback", "language": language}
    if request.step == "emotional_outline":
        return EmotionalInput.model_validate({**where, **data["plan"], **data["seed"]}, strict=False)
    if request.step == "emotional_write":
        return EmotionalWriteInput.model_validate({**where, **data["dialogue"]}, strict=False)
    if (request.step or "").startswith("conversation_"):
        return _read_conversation(request.step or "", text, data, where)
    scene, content = _SCENE.search(text), data.get("seed") or data.get("dialogue")
    if content is None or scene is None:
        return None
    where["scene"] = Scene(scene.group(1))
    event = scene_definition(Scene(scene.group(1))).event
    if request.step in ("adapt", "single"):
        lines = tuple(Line.model_validate(line) for line in content["lines"])
        return AdaptInput.model_validate({**where, "topic": content["topic"], "lines": lines})
    if request.step == "place":
        adapted = Adapted.model_validate(content)
        return PlaceInput.model_validate({**where, "event": event, "adapted": adapted})
    if request.step == "write":
        adapted = Adapted.model_validate({"topic": content["topic"], "turns": tuple(content["turns"])})
        heard, unsaid = tuple(content["heard"]), tuple(content["unsaid"])
        return WriteInput.model_validate(
            {**where, "event": event, "adapted": adapted, "heard": heard, "unsaid": unsaid}
        )
    return None


def _read_conversation(
    step: str, text: str, data: Mapping[str, JsonValue], where: Mapping[str, object]
) -> Record | None:
    turns, events = _TURNS.search(text), data.get("events")
    seed, dialogue = data.get("seed"), data.get("dialogue")
    if turns and isinstance(seed, dict):
        return ConversationInput.model_validate(
            {**where, **seed, "turns": int(turns.group(1)), "events": events}
        )
    if not isinstance(dialogue, dict):
        return None
    if step == "conversation_place":
        return ConversationPlaceInput.model_validate({**where, **dialogue, "events": events})
    return ConversationWriteInput.model_validate({**where, **dialogue, "sites": events})


def nonsense(schema: dict[str, JsonValue], seed: int, max_bytes: int = 4000) -> str:
    """A document that fits a schema, drawn byte by byte from what llguidance's grammar engine allows.

    vLLM can use the same engine. Quotes and ends are preferred, so that texts and lists stay short; past
    `max_bytes` they are taken wherever they are allowed.
    """
    rng = random.Random(seed)
    matcher = LLMatcher(_TOKENIZER, grammar_of(schema))
    written = bytearray()
    while not matcher.is_stopped():
        bias = matcher.compute_logit_bias()
        allowed = [token for token, weight in enumerate(bias) if weight]
        token = _draw(allowed, rng, len(written) > max_bytes)
        matcher.consume_token(token)
        if token < 256:
            written.append(token)
    if matcher.is_error():
        raise RuntimeError(matcher.get_error())
    return written.decode()


def _draw(allowed: list[int], rng: random.Random, hurry: bool) -> int:
    ends = [token for token in allowed if token >= 256 or token in b'"]}']
    if ends and (hurry or rng.random() < 0.1):
        return rng.choice(ends)
    plain = [token for token in allowed if token in b"abcdefghijklmnopqrstuvwxyz " or token in b'{}[]":,']
    return rng.choice(plain or allowed)
