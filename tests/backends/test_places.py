import asyncio
import random

import pytest

from pipeline.backends.places import Places


class Crowd:
    """Requests that hold a place for a while, and what the server says of them."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.at_once = 0
        self.most = 0

    async def one(self, holds_s: float = 0.0) -> int:
        async with self.places as sent_in:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            await asyncio.sleep(holds_s)
            self.at_once -= 1
            return sent_in


def test_no_more_come_in_than_there_is_room_for() -> None:
    async def scenario() -> int:
        crowd = Crowd(Places(4))
        await asyncio.gather(*(crowd.one() for _ in range(40)))
        return crowd.most

    assert asyncio.run(scenario()) == 4


def test_a_smaller_window_holds_from_the_next_one_on_and_grows_back() -> None:
    async def scenario() -> tuple[int, int, int]:
        places = Places(8)
        crowd = Crowd(places)
        async with places as sent_in, places:
            places.overloaded(sent_in)  # one of two in flight: room for one is left
        await asyncio.gather(*(crowd.one() for _ in range(20)))
        narrow, crowd.most = crowd.most, 0
        for _ in range(60):
            places.succeeded()
        await asyncio.gather(*(crowd.one() for _ in range(20)))
        return narrow, crowd.most, places.limit

    assert asyncio.run(scenario()) == (1, 8, 8)


def test_those_who_were_in_before_the_window_shrank_make_it_shrink_no_further() -> None:
    async def scenario() -> int:
        places = Places(16)

        async def refused() -> None:
            async with places as sent_in:
                await asyncio.sleep(0)
                places.overloaded(sent_in)

        await asyncio.gather(*(refused() for _ in range(16)))
        return places.limit

    assert asyncio.run(scenario()) == 8


@pytest.mark.parametrize("seed", range(20))
def test_no_place_is_ever_lost_or_made(seed: int) -> None:
    """Whoever comes, leaves, gives up waiting or is refused: in the end there is room for exactly the window."""
    rng = random.Random(seed)

    async def scenario() -> None:
        places = Places(6)
        crowd = Crowd(places)

        async def visit() -> None:
            async with places as sent_in:
                await asyncio.sleep(rng.random() / 500)
                if rng.random() < 0.3:
                    places.overloaded(sent_in)
                else:
                    places.succeeded()

        tasks = [asyncio.create_task(visit()) for _ in range(80)]
        for task in rng.sample(tasks, 30):
            await asyncio.sleep(rng.random() / 1000)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.wait_for(asyncio.gather(*(crowd.one(0.001) for _ in range(30))), 5)
        assert crowd.most == places.limit

    asyncio.run(scenario())
