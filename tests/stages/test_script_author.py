"""Who writes: the configuration of authors, and what happens to replies that cannot be used."""

import json
from pathlib import Path

import pytest

from pipeline.config import RunConfig, parse_config
from pipeline.core.ledger import Call
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.errors import ConfigError, RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import Scene
from pipeline.domain.script import Script
from pipeline.io.prompts import load_prompts
from pipeline.io.store import Store
from pipeline.stages import script
from pipeline.stages.author_config import AuthorConfig, EndpointConfig
from pipeline.stages.script import Config, Deps
from pipeline.stages.shard import Shard
from tests.stages.doubles import CountingAuthor, PlainAuthor, plan_of, seed_of

URL = "http://localhost:8000/v1"
PAID = AuthorConfig(backend="openai", model="m", endpoints=(EndpointConfig(base_url=URL),))


def parse(author: dict[str, object]) -> RunConfig:
    seeds = {"sources": [{"reader": "jsonl", "path": "demo", "language": "en"}]}
    return parse_config({"seeds": seeds, "script": {"author": json.loads(json.dumps(author))}}, "a.yaml")


ENDPOINT = {"base_url": URL, "server": "vllm"}
COMPLETE = {"backend": "openai", "model": "m", "endpoints": [ENDPOINT]}


def test_switching_author_takes_one_line() -> None:
    paid = parse(COMPLETE).script.author
    free = parse({**COMPLETE, "backend": "offline"}).script.author
    assert (paid.backend, paid.attempts, free.backend, free.attempts) == ("openai", 2, "offline", 1)
    assert paid.endpoints == free.endpoints


@pytest.mark.parametrize(
    ("author", "said"),
    [
        ({"backend": "openai"}, "needs to know the model"),
        ({"backend": "openai", "model": "m"}, "needs a server"),
        ({"backend": "openai", "endpoints": [ENDPOINT]}, "needs to know the model"),
        ({**COMPLETE, "backend": "vllm"}, "script.author.backend"),
        ({**COMPLETE, "endpoints": [ENDPOINT, {"base_url": URL + "/"}]}, "an address is there twice"),
        (
            {**COMPLETE, "endpoints": [{"base_url": "localhost:8000"}]},
            "endpoints.0.base_url is no http address",
        ),
        ({**COMPLETE, "endpoints": [{"base_url": "http://[::1/v1"}]}, "endpoints.0.base_url is no address"),
        ({**COMPLETE, "endpoints": [{"base_url": URL + "/chat/completions"}]}, "goes too far"),
        ({**COMPLETE, "endpoints": [{"base_url": URL, "server": "sglang"}]}, "endpoints.0.server"),
        ({**COMPLETE, "endpoints": [{"base_url": URL, "max_in_flight": 0}]}, "endpoints.0.max_in_flight"),
        ({**COMPLETE, "prices": {"prompt": 1, "completion": 2}}, "prices.cached is missing"),
        ({**COMPLETE, "prices": {"prompt": -1, "cached": 0, "completion": 2}}, "prices.prompt"),
        ({**COMPLETE, "patience": {"time_out_s": 3}}, "did you mean 'timeout_s'?"),
        ({**COMPLETE, "patience": {"max_attempts": 0}}, "patience.max_attempts"),
        ({**COMPLETE, "repairs": 9}, "repairs"),
    ],
)
def test_an_author_that_cannot_work_is_refused_with_what_is_missing(
    author: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(author)
    assert said in str(refused.value)


@pytest.mark.parametrize("backend", ["openai", "offline"])
@pytest.mark.parametrize(
    "endpoint",
    [
        {**ENDPOINT, "api_key_variable": "sk-secret"},
        {**ENDPOINT, "api_key_variable": "sk_secret"},
        {**ENDPOINT, "api_key": "sk-secret"},
        {**ENDPOINT, "base_url": "http://me:sk-secret@localhost/v1"},
        {**ENDPOINT, "base_url": "http://localhost/v1?key=sk-secret"},
    ],
)
def test_a_key_in_the_configuration_is_refused_and_not_repeated(
    backend: str, endpoint: dict[str, object]
) -> None:
    with pytest.raises(ConfigError) as refused:
        parse({**COMPLETE, "backend": backend, "endpoints": [endpoint]})
    assert "secret" not in str(refused.value)
    assert "api_key" in str(refused.value)


class LearningAuthor(PlainAuthor):
    """Gives a bad reply to a step until it is told what was wrong with it."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        told = "could not be used" in request.messages[-1].content
        plain = PlainAuthor(name=self.name) if told else PlainAuthor(instead=self.instead, name=self.name)
        return await plain.complete(request)


def write(
    store: Path, author: CountingAuthor, config: AuthorConfig = PAID, scene: Scene = Scene.TOPIC_SWITCHING
) -> tuple[Shard[Script], list[Call]]:
    calls: list[Call] = []
    deps = Deps(
        root_seed=0,
        author=author,
        prompts=load_prompts(),
        prompts_sha256="",
        replies=Store(store),
        keep_calls=lambda index, some: calls.extend(some),
    )
    return script.run(Shard(0, (plan_of(scene),)), Config(author=config), deps), calls


BAD = {
    "adapt": "I would rather not.",
    "place": '{"quote": "words that nobody says", "why": ""}',
    "write": '{"event_text": "Why?", "event_emotion": "neutral", "reaction": []}',
}


@pytest.mark.parametrize("step", BAD)
def test_a_reply_that_cannot_be_used_is_asked_for_again_with_what_was_wrong(
    step: str, tmp_path: Path
) -> None:
    author = CountingAuthor(LearningAuthor(instead={step: BAD[step]}))
    done, calls = write(tmp_path, author)
    assert len(done.records) == 1
    bad, repaired = [request for request in author.asked if request.step == step]
    assert repaired.fingerprint() != bad.fingerprint()
    assert repaired.seed != bad.seed
    assert len(author.asked) == 4
    (use,) = [use for use in done.records[0].author if use.step == step]
    assert use.request == repaired.fingerprint()
    outcomes = [(call.attempt, call.outcome) for call in calls if call.step == step]
    assert outcomes == [(0, "asked_again"), (1, "accepted")]


def test_a_repaired_dialogue_is_written_from_the_store_alone(tmp_path: Path) -> None:
    author = CountingAuthor(LearningAuthor(instead=BAD))
    first, _ = write(tmp_path, author)
    asked = len(author.asked)
    again, calls = write(tmp_path, author)
    assert again == first
    assert len(author.asked) == asked == 6
    assert all(call.stored for call in calls)


@pytest.mark.parametrize(("repairs", "asked"), [(0, 1), (1, 2), (3, 4)])
def test_a_dialogue_is_refused_after_so_many_repairs(repairs: int, asked: int, tmp_path: Path) -> None:
    author = CountingAuthor(PlainAuthor(instead=BAD))
    done, calls = write(tmp_path, author, PAID.model_copy(update={"repairs": repairs}))
    (refusal,) = done.refusals
    assert (refusal.reason, refusal.payload) == (Reason.INVALID_REPLY, BAD["adapt"])
    assert len({request.fingerprint() for request in author.asked}) == asked
    assert [call.outcome for call in calls] == ["asked_again"] * repairs + ["refused"]


def test_the_embedded_author_is_never_asked_again(tmp_path: Path) -> None:
    author = CountingAuthor(PlainAuthor(instead=BAD))
    done, _ = write(tmp_path, author, AuthorConfig())
    assert len(done.refusals) == len(author.asked) == 1


def test_a_request_that_nobody_can_answer_refuses_its_dialogue_and_is_in_the_ledger(tmp_path: Path) -> None:
    nobody = RecordError(Reason.NO_REPLY, "failed 8 times")
    done, calls = write(tmp_path, CountingAuthor(PlainAuthor(instead={"place": nobody})))
    assert [refusal.reason for refusal in done.refusals] == [Reason.NO_REPLY]
    assert [(call.step, call.outcome) for call in calls] == [("adapt", "accepted"), ("place", "unanswered")]


def test_a_reply_in_another_language_is_refused(tmp_path: Path) -> None:
    plan = plan_of(Scene.TOPIC_SWITCHING)
    chinese = plan.model_copy(update={"seed": seed_of("zh", ("末班船几点开？", "晚上九点。"), Language.ZH)})
    deps = Deps(
        root_seed=0,
        author=PlainAuthor(),
        prompts=load_prompts(),
        prompts_sha256="",
        replies=Store(tmp_path),
    )
    (refusal,) = script.run(Shard(0, (chinese,)), Config(), deps).refusals
    assert refusal.reason is Reason.WRONG_LANGUAGE
