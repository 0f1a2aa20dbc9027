import pytest

from pipeline.core.mining.event_eval import Conversation, EventMark
from pipeline.core.mining.strata import StratumScore, strata_of


def mark(onset_s: float, label: str = "interruption", overlap_s: float | None = 0.6) -> EventMark:
    return EventMark(initiator="B", onset_s=onset_s, label=label, overlap_s=overlap_s)


def conversation(name: str, gold: list[EventMark], found: list[EventMark]) -> Conversation:
    return Conversation(conversation_id=name, duration_s=60, gold=tuple(gold), found=tuple(found))


def strata(*conversations: Conversation, **known: dict[str, str]) -> dict[tuple[str, str], StratumScore]:
    return {(one.name, one.value): one for one in strata_of(conversations, known)}


def test_conversations_fall_into_what_is_known_of_them() -> None:
    found = strata(
        conversation("a", [mark(1)], [mark(1)]),
        conversation("b", [mark(1)], []),
        conversation("c", [mark(1)], [mark(1)]),
        a={"mode": "two_channel", "gender": "F-M"},
        b={"mode": "two_channel"},
    )
    assert found["mode", "two_channel"].conversations == 2
    assert found["mode", "two_channel"].onsets.recall == 0.5
    assert found["gender", "F-M"].onsets.f1 == found["gender", "F-M"].macro_f1 == 1.0
    assert set(found) == {("mode", "two_channel"), ("gender", "F-M"), ("overlap", "0.5-1 s")}


@pytest.mark.parametrize(
    ("overlap_s", "value"),
    [
        (None, "none"),
        (0.199, "below 0.2 s"),
        (0.2, "0.2-0.5 s"),
        (0.5, "0.5-1 s"),
        (0.999, "0.5-1 s"),
        (1.0, "from 1 s"),
    ],
)
def test_events_fall_into_the_length_of_their_overlap(overlap_s: float | None, value: str) -> None:
    both = [mark(1, overlap_s=overlap_s)]
    assert set(strata(conversation("a", both, both))) == {("overlap", value)}


def test_the_reference_says_how_long_an_overlap_is_and_an_invented_one_itself() -> None:
    found = strata(
        conversation(
            "a",
            [mark(1, overlap_s=0.3), mark(10, overlap_s=0.3), mark(20, overlap_s=None)],
            [mark(1, "backchannel", overlap_s=0.7), mark(20, overlap_s=0.1), mark(30, overlap_s=2.0)],
        )
    )
    short, found_only, invented = (found["overlap", v] for v in ("0.2-0.5 s", "below 0.2 s", "from 1 s"))
    assert (short.onsets.hits, short.onsets.misses, short.onsets.false_alarms) == (1, 1, 0)
    assert (short.agreed.hits, short.agreed.misses, short.agreed.false_alarms) == (0, 2, 1)
    assert (found_only.onsets.hits, found_only.agreed.hits) == (1, 1)  # the reference states no length
    assert (invented.onsets.hits, invented.onsets.false_alarms) == (0, 1)
