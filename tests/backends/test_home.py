import asyncio
import threading

import pytest

from pipeline.backends.home import Home


async def nothing() -> None:
    pass


async def where() -> str:
    return threading.current_thread().name


def test_work_is_done_in_one_thread_whoever_asks() -> None:
    home = Home("a server")
    try:
        assert {home.submit(where()).result() for _ in range(3)} == {"a server"}
    finally:
        home.leave(nothing)


def test_an_error_comes_back_to_who_asked() -> None:
    async def fail() -> None:
        raise KeyError("x")

    home = Home("a server")
    try:
        with pytest.raises(KeyError):
            home.submit(fail()).result()
    finally:
        home.leave(nothing)


def test_who_stops_waiting_stops_the_work() -> None:
    stopped = threading.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    async def give_up(home: Home) -> None:
        task = asyncio.wrap_future(home.submit(work()))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    home = Home("a server")
    try:
        asyncio.run(give_up(home))
        assert stopped.wait(timeout=5)
    finally:
        home.leave(nothing)


def test_what_is_under_way_is_dropped_before_connections_are_closed_and_the_thread_ends() -> None:
    told: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            told.append("dropped")

    async def close() -> None:
        told.append("closed")

    home = Home("a server that leaves")
    under_way = home.submit(work())
    home.submit(asyncio.sleep(0)).result()
    home.leave(close)
    assert told == ["dropped", "closed"]
    assert under_way.cancelled()
    assert "a server that leaves" not in [thread.name for thread in threading.enumerate()]
