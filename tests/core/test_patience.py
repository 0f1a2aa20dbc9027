import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.patience import MIN_FAILURES, Health, Patience, Window

WISHES = st.none() | st.floats(min_value=0, max_value=1e6)


@given(st.integers(1, 10_000), WISHES, st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_shorter_than_the_server_asked_nor_longer_than_ours_on_top(
    failures: int, wish_s: float | None, random: float
) -> None:
    patience = Patience()
    pause_s = patience.pause_s(failures, wish_s, random)
    assert (wish_s or 0.0) <= pause_s <= (wish_s or 0.0) + patience.longest_pause_s


def test_pauses_grow_and_a_crowd_is_spread_out() -> None:
    patience = Patience(first_pause_s=1, longest_pause_s=100)
    assert [patience.pause_s(n, None, 0.0) for n in (1, 2, 3)] == [0.5, 1.0, 2.0]
    assert patience.pause_s(3, None, 0.0) < patience.pause_s(3, None, 0.9)


def failed_at(*moments_s: float, wish_s: float | None = None) -> Health:
    health = Health()
    for moment_s in moments_s:
        health = health.failed(moment_s, wish_s)
    return health


@pytest.mark.parametrize(
    ("health", "gone"),
    [
        (Health(), False),
        (failed_at(100), False),
        (failed_at(100, 200), False),  # two failures are no outage, however far apart
        (failed_at(100, 101, 102), False),  # nor is a bad second
        (failed_at(100, 130, 159.9), False),
        (failed_at(100, 130, 160), True),
        (failed_at(*range(1000, 1061)), True),
        (failed_at(100, 130, 160, wish_s=150), False),  # it asked for patience
        (failed_at(100, 250, 309, wish_s=150), False),
        (failed_at(100, 250, 310, wish_s=150), True),
    ],
)
def test_an_endpoint_is_gone_after_a_minute_without_a_success(health: Health, gone: bool) -> None:
    assert health.is_gone(Patience(give_up_after_s=60)) is gone


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=MIN_FAILURES - 1))
def test_few_failures_never_make_it_gone(moments_s: list[float]) -> None:
    assert not failed_at(*sorted(moments_s)).is_gone(Patience(give_up_after_s=0.001))


def test_a_server_that_is_overloaded_gets_half_of_what_it_had() -> None:
    window = Window.open(64).overloaded(sent_in=0, in_flight=64)
    assert (window.limit, window.cuts) == (32, 1)


def test_room_that_nobody_used_says_nothing() -> None:
    assert Window.open(64).overloaded(sent_in=0, in_flight=10).limit == 5


def test_a_burst_of_refusals_counts_once() -> None:
    window = Window.open(64)
    for _ in range(64):
        window = window.overloaded(sent_in=0, in_flight=64)
    assert window.limit == 32
    assert window.overloaded(sent_in=1, in_flight=32).limit == 16


def test_a_whole_window_of_answers_makes_room_for_one_more() -> None:
    window = Window.open(64).overloaded(0, 32)
    for _ in range(16):
        assert window.limit == 16
        window = window.succeeded()
    for _ in range(2):  # the window grew while it was answered, so a whole one takes a little longer
        window = window.succeeded()
    assert window.limit == 17


@given(st.integers(1, 512), st.lists(st.none() | st.integers(1, 512), max_size=200))
def test_a_window_stays_between_one_and_its_ceiling(ceiling: int, outcomes: list[int | None]) -> None:
    window = Window.open(ceiling)
    for in_flight in outcomes:
        before = window
        window = window.succeeded() if in_flight is None else window.overloaded(window.cuts, in_flight)
        assert 1 <= window.limit <= ceiling
        assert (window.limit >= before.limit) or in_flight is not None
        assert (window.size <= max(before.size / 2, 1)) or in_flight is None
