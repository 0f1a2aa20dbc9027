import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web

from pipeline.backends.speech_servers.pool import Family, Pool
from pipeline.backends.speech_servers.refusals import check_status
from pipeline.backends.speech_servers.servers import SpeechServer
from pipeline.backends.speech_servers.transport import Call, Line
from pipeline.core.patience import Patience
from pipeline.domain.errors import (
    BadTakeError,
    ConfigError,
    RecordError,
    TerminalBackendError,
    TransientBackendError,
)
from pipeline.domain.takes import Flaw
from tests.backends.speech_servers.serving import Handler, Serving, break_off, free_port, hang, reset
from tests.backends.speech_servers.speaking import QUICK

KEY = "sk-a-secret-key"
FAMILY = Family("speech.test", Call("/health", 1.0), "start one")


async def ok(request: web.Request) -> web.StreamResponse:
    return web.Response(text="ok")


def status(code: int, **headers: str) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        body = {"error": {"code": "x", "message": f"because; your key is {KEY}"}}
        return web.json_response(
            body, status=code, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return answer


class Script:
    """Answers one after the other, the last one for good; counts."""

    def __init__(self, *answers: Handler) -> None:
        self.answers = list(answers)
        self.seen = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.seen += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)


@contextmanager
def serving(*answers: Handler, health: Handler = ok) -> Iterator[tuple[Serving, Script]]:
    script = Script(*answers)
    with Serving({"POST /work": script, "GET /health": health}) as server:
        yield server, script


@contextmanager
def pool_at(*urls: str, patience: Patience = QUICK, max_in_flight: int = 8) -> Iterator[Pool]:
    pool = Pool(FAMILY, [SpeechServer(url, max_in_flight, KEY) for url in urls], patience)
    pool.open()
    try:
        yield pool
    finally:
        pool.close()


async def work(line: Line, deadline_s: float) -> str:
    answer = await line.send(Call("/work", deadline_s, body={}))
    check_status(answer, "work", line.secrets, "another path")
    return f"{answer.body.decode()} from {answer.who}"


def ask(pool: Pool, deadline_s: float = 2.0) -> str:
    return asyncio.run(pool.ask(lambda line: work(line, deadline_s)))


def ask_many(pool: Pool, count: int) -> list[str]:
    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(pool.ask(lambda line: work(line, 2.0)) for _ in range(count)))

    return asyncio.run(all_of_them())


@pytest.mark.parametrize(
    "trouble",
    [
        reset,
        lambda request: break_off(request, b"x" * 1000),
        status(429),
        status(503),
        status(408),
        status(409),
        status(502),
        status(500),
        status(504),
    ],
    ids=["reset", "broken off", "429", "503", "408", "409", "502", "500", "504"],
)
def test_what_passes_is_asked_again(trouble: Handler) -> None:
    with serving(trouble, ok) as (server, script), pool_at(server.url) as pool:
        assert ask(pool) == f"ok from {server.url}"
    assert script.seen == 2


@pytest.mark.parametrize(("code", "flaw"), [(500, Flaw.ENGINE_FAILED), (504, Flaw.TIMED_OUT)])
def test_an_engine_that_fails_twice_at_a_request_is_not_asked_a_third_time(code: int, flaw: Flaw) -> None:
    with (
        serving(status(code)) as (server, script),
        pool_at(server.url) as pool,
        pytest.raises(BadTakeError, match="twice") as caught,
    ):
        ask(pool)
    assert caught.value.flaw is flaw
    assert script.seen == 2


def test_the_second_try_of_a_request_that_failed_goes_to_another_server() -> None:
    with serving(status(500)) as (bad, asked), serving(ok) as (good, _), pool_at(bad.url, good.url) as pool:
        assert {ask(pool) for _ in range(4)} == {f"ok from {good.url}"}
    assert asked.seen


def test_servers_whose_engines_are_broken_do_not_draw_the_work_to_themselves() -> None:
    patience = QUICK.model_copy(update={"longest_pause_s": 30.0})

    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.01)
        return web.Response(text="ok")

    with (
        serving(status(500)) as (one, first),
        serving(status(500)) as (two, second),
        serving(slow) as (good, _),
        pool_at(one.url, two.url, good.url, patience=patience) as pool,
    ):
        outcomes = []
        for _ in range(30):
            try:
                outcomes.append(ask(pool))
            except BadTakeError:
                outcomes.append("failed")
        assert outcomes[10:] == [f"ok from {good.url}"] * 20
    assert first.seen + second.seen <= 10


def test_an_engine_that_is_well_again_is_asked_again() -> None:
    patience = QUICK.model_copy(update={"longest_pause_s": 0.05})
    with (
        serving(*[status(500)] * 3, ok) as (ill, script),
        serving(ok) as (well, _),
        pool_at(ill.url, well.url, patience=patience) as pool,
    ):
        assert set(ask_many(pool, 20)) == {f"ok from {well.url}"} | {f"ok from {ill.url}"}
        time.sleep(0.1)
        ask_many(pool, 20)
    assert script.seen > 5


def test_a_hang_is_tried_once_more_and_then_blamed_on_the_request_if_the_server_is_well() -> None:
    with (
        serving(hang) as (server, script),
        pool_at(server.url) as pool,
        pytest.raises(BadTakeError) as caught,
    ):
        ask(pool, deadline_s=0.1)
    assert caught.value.flaw is Flaw.TIMED_OUT
    assert script.seen == 2


def test_a_hang_is_the_servers_fault_where_it_answers_nobody() -> None:
    patience = QUICK.model_copy(update={"connect_timeout_s": 0.1})
    health = Family("speech.test", Call("/health", 0.05), "start one")
    with serving(hang, health=hang) as (server, script):
        pool = Pool(health, [SpeechServer(server.url)], patience)
        pool.open()
        try:
            with pytest.raises(TransientBackendError, match="no endpoint answers any more"):
                ask(pool, deadline_s=0.1)
        finally:
            pool.close()
    assert script.seen > 2


def test_a_request_that_never_passes_is_blamed_where_others_would() -> None:
    with (
        serving(reset) as (server, script),
        pool_at(server.url) as pool,
        pytest.raises(BadTakeError) as caught,
    ):
        ask(pool)
    assert caught.value.flaw is Flaw.ENGINE_FAILED
    assert script.seen == QUICK.max_attempts


def test_a_server_that_comes_back_is_found_again() -> None:
    patience = QUICK.model_copy(update={"give_up_after_s": 20.0})
    with serving(ok) as (server, _), pool_at(server.url, patience=patience) as pool:
        ask(pool)
        server.stop()
        back = threading.Timer(0.3, server.start)
        back.start()
        began_s = time.monotonic()
        assert ask(pool)
        assert time.monotonic() - began_s >= 0.25
        back.join()


def test_where_nobody_is_left_the_error_says_who_why_and_that_it_can_go_on() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pool_at(url) as pool, pytest.raises(TransientBackendError) as caught:
        ask(pool)
    message = str(caught.value)
    assert url in message
    assert "refused" in message.lower() or "connect" in message.lower()
    assert "the same command goes on" in message


def test_of_two_servers_one_may_be_down() -> None:
    down = f"http://127.0.0.1:{free_port()}"
    with serving(ok) as (server, _), pool_at(down, server.url) as pool:
        assert ask_many(pool, 20) == [f"ok from {server.url}"] * 20


def test_work_is_shared_by_the_servers() -> None:
    with serving(ok) as (one, first), serving(ok) as (two, second), pool_at(one.url, two.url) as pool:
        ask_many(pool, 40)
    assert first.seen + second.seen == 40
    assert min(first.seen, second.seen) >= 10


def test_a_servers_wish_for_a_pause_is_granted() -> None:
    with serving(status(429, Retry_After="0.3"), ok) as (server, _), pool_at(server.url) as pool:
        began_s = time.monotonic()
        ask(pool)
        assert time.monotonic() - began_s >= 0.3


def test_overload_is_waited_out_longer_than_other_trouble() -> None:
    answers = [status(503)] * (QUICK.max_attempts + 2)
    with serving(*answers, ok) as (server, _), pool_at(server.url) as pool:
        assert ask(pool)


@pytest.mark.parametrize("code", [429, 503])
def test_overload_without_end_stops_the_run_and_is_never_blamed_on_the_request(code: int) -> None:
    with (
        serving(status(code)) as (server, script),
        pool_at(server.url) as pool,
        pytest.raises(TransientBackendError, match=rf"no endpoint answers any more.*{code}"),
    ):
        ask(pool)
    assert script.seen > 4 * QUICK.max_attempts


def test_overload_of_one_server_among_two_delays_nobody_for_long() -> None:
    with (
        serving(status(429)) as (busy, _),
        serving(ok) as (free, _),
        pool_at(busy.url, free.url) as pool,
    ):
        assert ask_many(pool, 20) == [f"ok from {free.url}"] * 20


def test_a_break_after_much_overload_is_one_break() -> None:
    answers = [status(429)] * (QUICK.max_attempts + 2)
    with serving(*answers, reset, ok) as (server, _), pool_at(server.url) as pool:
        assert ask(pool)


def test_never_more_requests_than_a_server_may_have() -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.01)
        return web.Response(text="ok")

    with serving(slow) as (server, _), pool_at(server.url, max_in_flight=3) as pool:
        assert len(ask_many(pool, 24)) == 24
        assert server.most_at_once == 3


def test_who_stops_waiting_stops_the_request() -> None:
    async def give_up(pool: Pool) -> None:
        task = asyncio.ensure_future(pool.ask(lambda line: work(line, 60)))
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with serving(hang) as (server, _), pool_at(server.url) as pool:
        asyncio.run(give_up(pool))
        end_s = time.monotonic() + 3
        while server.under_way and time.monotonic() < end_s:
            time.sleep(0.01)
        assert server.under_way == 0


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, RecordError),
        (413, RecordError),
        (422, RecordError),
        (401, TerminalBackendError),
        (403, TerminalBackendError),
        (404, TerminalBackendError),
        (307, TerminalBackendError),
        (418, TerminalBackendError),
    ],
)
def test_what_cannot_pass_is_asked_once(code: int, kind: type[Exception]) -> None:
    with (
        serving(status(code)) as (server, script),
        pool_at(server.url) as pool,
        pytest.raises(kind, match=str(code)),
    ):
        ask(pool)
    assert script.seen == 1


@pytest.mark.parametrize("code", [400, 401, 403, 404, 429, 500, 503])
def test_no_message_holds_the_key(code: int) -> None:
    with (
        serving(status(code)) as (server, _),
        pool_at(server.url) as pool,
        pytest.raises(Exception, match=server.url) as caught,
    ):
        ask(pool)
    assert KEY not in str(caught.value)
    assert KEY not in repr(SpeechServer(server.url, 1, KEY))


def test_a_key_is_sent_and_does_not_follow_to_another_address() -> None:
    seen: list[str] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization", ""))
        return web.Response()

    async def away(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers["Authorization"])
        raise web.HTTPTemporaryRedirect(other.url + "/work")

    with (
        serving(elsewhere) as (other, _),
        serving(away) as (server, _),
        pool_at(server.url) as pool,
        pytest.raises(TerminalBackendError, match="307"),
    ):
        ask(pool)
    assert seen == [f"Bearer {KEY}"]


def test_where_nobody_answers_at_the_start_the_error_names_address_and_remedy() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pool_at(url) as pool, pytest.raises(ConfigError, match=r"speech\.test: nobody answers") as caught:
        pool.greet(lambda line: work(line, 2))
    assert url in str(caught.value)
    assert "start one" in str(caught.value)


def test_a_server_that_is_still_loading_is_waited_for() -> None:
    patience = QUICK.model_copy(update={"give_up_after_s": 5.0})
    answers = [status(503, Retry_After="0.02")] * 5
    with serving(*answers, ok) as (server, script), pool_at(server.url, patience=patience) as pool:
        assert pool.greet(lambda line: work(line, 2)) == ((server.url, f"ok from {server.url}"),)
    assert script.seen == 6


def test_a_server_that_loads_for_too_long_is_not() -> None:
    with (
        serving(status(503, Retry_After="0.1")) as (server, _),
        pool_at(server.url) as pool,
        pytest.raises(ConfigError, match="503"),
    ):
        pool.greet(lambda line: work(line, 2))


def test_one_server_that_answers_is_enough_to_begin() -> None:
    down = f"http://127.0.0.1:{free_port()}"
    with serving(ok) as (server, _), pool_at(down, server.url) as pool:
        assert [address for address, _ in pool.greet(lambda line: work(line, 2))] == [server.url]


def test_a_pool_needs_a_server_and_has_to_be_open() -> None:
    with pytest.raises(ConfigError, match="no endpoints"):
        Pool(FAMILY, [], QUICK)
    with pytest.raises(RuntimeError, match="context manager"):
        ask(Pool(FAMILY, [SpeechServer("http://127.0.0.1:1")], QUICK))
