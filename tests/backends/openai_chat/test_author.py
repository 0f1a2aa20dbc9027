import asyncio
import socket
import threading
import time
from collections.abc import Callable

import pytest
from aiohttp import web

from pipeline.backends.openai_chat import OpenAIAuthor
from pipeline.core.prompting import parse_reply
from pipeline.core.scripting.steps import Placement
from pipeline.domain.chat import ChatReply
from pipeline.domain.errors import PipelineError, RecordError, TerminalBackendError
from pipeline.domain.quarantine import Reason
from tests.backends.openai_chat.asking import QUICK, author_at, request_of
from tests.loopback import Fault, FaultPlan, LoopbackServer
from tests.loopback.requests import Completion
from tests.loopback.server import error_response


def ask(author: OpenAIAuthor, count: int) -> list[ChatReply | BaseException]:
    """So many requests at once, in an event loop of their own."""

    async def all_of_them() -> list[ChatReply | BaseException]:
        questions = (author.complete(request_of(number)) for number in range(count))
        return await asyncio.gather(*questions, return_exceptions=True)

    return asyncio.run(all_of_them())


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"


def first(times: int, response: Callable[[], web.Response]) -> Callable[[Completion], web.Response | None]:
    """The first requests with a schema are answered by `response`, later ones as ever."""
    left = [times]

    def intercept(request: Completion) -> web.Response | None:
        if request.step is None or not left[0]:
            return None
        left[0] -= 1
        return response()

    return intercept


def test_a_reply_comes_back_parsed_and_counted() -> None:
    with LoopbackServer() as server, author_at(server.base_url) as author:
        (reply,) = ask(author, 1)
    assert isinstance(reply, ChatReply)
    assert parse_reply(reply, Placement).quote
    assert reply.completion_tokens > 0
    assert reply.served is not None
    assert (reply.served.endpoint, reply.served.retries) == (server.base_url, 0)
    assert reply.served.latency_s > 0


def test_json_that_a_server_takes_for_reasoning_is_read_all_the_same() -> None:
    with LoopbackServer(as_reasoning=True) as server, author_at(server.base_url) as author:
        (reply,) = ask(author, 1)
    assert isinstance(reply, ChatReply)
    assert parse_reply(reply, Placement)


@pytest.mark.parametrize("fault", [Fault.TOO_MANY_REQUESTS, Fault.UNAVAILABLE, Fault.RESET])
def test_what_passes_is_tried_again_until_it_has_passed(fault: Fault) -> None:
    patience = QUICK.model_copy(update={"max_attempts": 30})
    with (
        LoopbackServer(FaultPlan({fault: 0.5})) as server,
        author_at(server.base_url, patience=patience) as author,
    ):
        replies = ask(author, 40)
    retries = [reply.served.retries for reply in replies if isinstance(reply, ChatReply) and reply.served]
    assert len(retries) == 40
    assert sum(retries) == sum(exchange.fault is fault for exchange in server.exchanges) > 10


def test_a_reply_that_takes_too_long_is_asked_for_again() -> None:
    patience = QUICK.model_copy(update={"timeout_s": 0.2, "give_up_after_s": 10})
    seen: list[int] = []

    def author_view(request: Completion) -> web.Response | None:
        seen.append(request.seed)
        return None

    faults = FaultPlan({Fault.SLOW: 0.5}, seed=3)
    with (
        LoopbackServer(faults, slow_s=1.0, intercept=author_view) as server,
        author_at(server.base_url, patience=patience) as author,
    ):
        replies = ask(author, 8)
    assert all(isinstance(reply, ChatReply) for reply in replies)
    assert len(seen) > 8


@pytest.mark.parametrize(
    "body", [b"", b"<html>bad gateway</html>", b'{"choices": []}'], ids=["empty", "html", "no choice"]
)
def test_a_broken_body_is_asked_for_again(body: bytes) -> None:
    intercept = first(1, lambda: web.Response(body=body, content_type="application/json"))
    with LoopbackServer(intercept=intercept) as server, author_at(server.base_url) as author:
        (reply,) = ask(author, 1)
    assert isinstance(reply, ChatReply)
    assert len(server.exchanges) == 2


def test_a_servers_wish_for_a_pause_is_granted() -> None:
    intercept = first(1, lambda: error_response(429, "wait", headers={"Retry-After": "0.4"}))
    with LoopbackServer(intercept=intercept) as server, author_at(server.base_url) as author:
        began = time.monotonic()
        (reply,) = ask(author, 1)
    assert isinstance(reply, ChatReply)
    assert time.monotonic() - began >= 0.4


def test_a_wish_beyond_our_patience_stops_the_run_at_once_and_says_so() -> None:
    intercept = first(9, lambda: error_response(429, "come tomorrow", headers={"Retry-After": "9000"}))
    with LoopbackServer(intercept=intercept) as server, author_at(server.base_url) as author:
        (error,) = ask(author, 1)
    assert isinstance(error, TerminalBackendError)
    assert "come tomorrow" in str(error)
    assert "longest_retry_after_s" in str(error)
    assert len(server.exchanges) == 1


def test_what_waits_for_a_server_that_closes_is_never_sent() -> None:
    intercept = first(9, lambda: error_response(429, "come tomorrow", headers={"Retry-After": "9000"}))
    with (
        LoopbackServer(intercept=intercept) as server,
        author_at(server.base_url, max_in_flight=1) as author,
    ):
        replies = ask(author, 5)
    assert {type(reply) for reply in replies} == {TerminalBackendError}
    assert len(server.exchanges) == 1


def test_a_request_that_alone_fails_is_refused_and_no_reason_to_stop() -> None:
    def poison(request: Completion) -> web.Response | None:
        return error_response(500, "this one kills me") if request.step and request.seed == 3 else None

    with LoopbackServer(intercept=poison) as server, author_at(server.base_url) as author:
        replies = ask(author, 6)
    assert [type(reply) for reply in replies].count(ChatReply) == 5
    error = replies[3]
    assert isinstance(error, RecordError)
    assert error.reason is Reason.NO_REPLY
    assert "failed 4 times at a server that answers" in error.detail
    assert "this one kills me" in error.detail


def test_a_server_whose_engine_is_dead_is_no_reason_to_refuse_dialogues() -> None:
    with (
        LoopbackServer(intercept=lambda request: error_response(500, "engine is dead")) as server,
        author_at(server.base_url) as author,
    ):
        replies = ask(author, 5)
    assert {type(reply) for reply in replies} == {TerminalBackendError}
    assert "engine is dead" in str(replies[0])
    assert "the same command goes on" in str(replies[0])


def test_an_address_where_nobody_listens_stops_the_run() -> None:
    with author_at(closed_port()) as author:
        began = time.monotonic()
        replies = ask(author, 5)
    assert {type(reply) for reply in replies} == {TerminalBackendError}
    assert "Cannot connect to host" in str(replies[0])
    assert QUICK.give_up_after_s * 0.9 <= time.monotonic() - began < 5


def test_with_one_of_two_endpoints_gone_everything_is_answered_by_the_other() -> None:
    with LoopbackServer() as server, author_at(closed_port(), server.base_url) as author:
        replies = ask(author, 40)
    assert all(isinstance(reply, ChatReply) for reply in replies)
    assert server.paid == 40


def test_an_endpoint_that_comes_back_is_asked_again() -> None:
    down = threading.Event()
    down.set()

    def while_down(request: Completion) -> web.Response | None:
        return error_response(503, "loading the model") if down.is_set() else None

    with (
        LoopbackServer(intercept=while_down) as flaky,
        LoopbackServer(FaultPlan({Fault.SLOW: 1.0}), slow_s=0.05) as steady,
        author_at(flaky.base_url, steady.base_url, max_in_flight=2) as author,
    ):
        before = ask(author, 40)
        down.clear()
        time.sleep(QUICK.give_up_after_s)
        after = ask(author, 20)
    assert all(isinstance(reply, ChatReply) for reply in (*before, *after))
    assert flaky.paid > 0


@pytest.mark.parametrize("most", [1, 5])
def test_no_endpoint_has_more_requests_than_it_may_whatever_loop_they_come_from(most: int) -> None:
    faults = FaultPlan({Fault.SLOW: 1.0})
    with (
        LoopbackServer(faults, slow_s=0.02) as server,
        author_at(server.base_url, max_in_flight=most) as author,
    ):
        threads = [threading.Thread(target=ask, args=(author, 8)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert server.paid == 24
    assert server.most_at_once == most


def test_a_server_that_says_it_is_too_much_is_asked_less_at_once() -> None:
    faults = FaultPlan({Fault.SLOW: 1.0})
    patience = QUICK.model_copy(update={"max_attempts": 200})
    with (
        LoopbackServer(faults, slow_s=0.01, capacity=4) as server,
        author_at(server.base_url, max_in_flight=64, patience=patience) as author,
    ):
        replies = ask(author, 400)
    assert all(isinstance(reply, ChatReply) for reply in replies)
    early, late = server.exchanges[:100], server.exchanges[100:]
    refused_early = sum(one.status == 429 for one in early) / len(early)
    refused_late = sum(one.status == 429 for one in late) / len(late)
    assert refused_early > 0.4, "it starts with as many as were configured"
    assert refused_late < 0.3, "and settles near what the server can do"


def test_replicas_share_the_work() -> None:
    faults = FaultPlan({Fault.SLOW: 1.0})
    with (
        LoopbackServer(faults, slow_s=0.02) as one,
        LoopbackServer(faults, slow_s=0.02) as other,
        author_at(one.base_url, other.base_url, max_in_flight=4) as author,
    ):
        ask(author, 60)
    assert min(one.paid, other.paid) >= 20


@pytest.mark.parametrize(
    ("settings", "model", "said"),
    [
        ({"model": "another"}, "loopback-1", "answered 404: The model `loopback-1` does not exist."),
        ({"dialect": "openai"}, "loopback-1", "Unknown parameter: 'chat_template_kwargs'."),
        ({"api_key": "the-right-one"}, "loopback-1", "does not accept the key"),
    ],
)
def test_a_misunderstanding_stops_the_run_with_one_clear_line(
    settings: dict[str, str], model: str, said: str
) -> None:
    with (
        LoopbackServer(**settings) as server,  # type: ignore[arg-type] # keywords from the table
        author_at(server.base_url, api_key="the-wrong-one") as author,
    ):
        (error,) = ask(author, 1)
    assert isinstance(error, TerminalBackendError)
    assert said in str(error)
    assert "the-wrong-one" not in str(error)
    assert "\n" not in str(error)
    assert len(server.exchanges) == 1


def test_a_prompt_too_long_for_the_model_refuses_its_dialogue_only() -> None:
    with LoopbackServer(max_model_len=600) as server, author_at(server.base_url) as author:
        long = author.complete(request_of(text="word " * 1000))
        with pytest.raises(RecordError, match="maximum context length is 600") as refused:
            asyncio.run(long)  # type: ignore[arg-type] # a coroutine, declared as an awaitable
        (reply,) = ask(author, 1)
    assert refused.value.reason is Reason.NO_REPLY
    assert isinstance(reply, ChatReply)


@pytest.mark.parametrize(("kind", "sent"), [("vllm", set()), ("openai", {"org-1"})])
def test_an_openai_account_is_told_to_openai_alone(
    kind: str, sent: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    with LoopbackServer() as server, author_at(server.base_url, kind=kind) as author:  # type: ignore[arg-type]
        ask(author, 1)
    assert server.organisations == sent


def test_closing_drops_what_is_under_way() -> None:
    faults = FaultPlan({Fault.SLOW: 1.0})
    with LoopbackServer(faults, slow_s=30) as server:
        with author_at(server.base_url) as author:
            outcomes: list[BaseException] = []

            def wait() -> None:
                try:
                    ask(author, 1)
                except BaseException as error:  # what the loop of the asker makes of it
                    outcomes.append(error)

            asker = threading.Thread(target=wait)
            asker.start()
            while server.most_at_once == 0:
                time.sleep(0.01)
            began = time.monotonic()
        asker.join(timeout=5)
        assert not asker.is_alive()
        assert time.monotonic() - began < 5


def test_an_asker_that_gives_up_frees_its_place() -> None:
    faults = FaultPlan({Fault.SLOW: 1.0})

    async def give_up(author: OpenAIAuthor) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(author.complete(request_of(1)), 0.1)

    with (
        LoopbackServer(faults, slow_s=0.5) as server,
        author_at(server.base_url, max_in_flight=1) as author,
    ):
        asyncio.run(give_up(author))
        began = time.monotonic()
        (reply,) = ask(author, 1)
    assert isinstance(reply, ChatReply)
    assert time.monotonic() - began < 0.9


def test_an_author_that_is_not_open_says_how_to_open_it() -> None:
    with author_at("http://127.0.0.1:1/v1") as author:
        pass
    unopened = OpenAIAuthor("m", author._servers, QUICK)
    with pytest.raises(RuntimeError, match="context manager"):
        asyncio.run(unopened.complete(request_of()))  # type: ignore[arg-type]


def test_nothing_but_our_exceptions_comes_out() -> None:
    with (
        LoopbackServer(FaultPlan.each(0.3, seed=5), slow_s=0.01) as server,
        author_at(server.base_url) as author,
    ):
        outcomes = ask(author, 100)
    assert all(isinstance(one, ChatReply | PipelineError) for one in outcomes)
