"""What placing looks up: what is said, who keeps the floor, who is waited for, where somebody comes in."""

import math
from collections.abc import Callable

import pytest

from pipeline.core.timing.material import anchor_offset, gather
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import AfterSeconds, AfterWords, Script
from tests.core.timing.dialogues import by_seconds
from tests.spoken import (
    ALL_SHAPES,
    RATE,
    WORD,
    backchannel,
    bystander,
    clip_of,
    hesitation,
    interruption,
    speak,
)

HOST = clip_of("You can board it at the market").words


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_what_is_said_is_the_script_without_what_a_yield_leaves_unsaid(shape: Callable[[], Script]) -> None:
    script = shape()
    material = gather(speak(script))
    assert [u.utterance_id for u in material.said] == [
        u.utterance_id for u in script.utterances if u.utterance_id not in script.unsaid()
    ]
    assert tuple(u for parts in material.turns.values() for u in parts) == material.said
    assert material.turn_samples == {
        turn: sum(material.clips[u.utterance_id].num_samples for u in parts)
        for turn, parts in material.turns.items()
    }


@pytest.mark.parametrize(
    ("shape", "overlays", "waited_for"),
    [
        (interruption, set(), set()),  # who interrupts takes the floor
        (backchannel, {2}, set()),
        (bystander, {2}, {2}),
        (hesitation, set(), {0}),
    ],
)
def test_whose_floor_stays_and_whose_end_is_awaited(
    shape: Callable[[], Script], overlays: set[int], waited_for: set[int]
) -> None:
    material = gather(speak(shape()))
    assert material.overlays == overlays
    assert material.waited_for == waited_for


@pytest.mark.parametrize(
    ("script", "speaker", "words"),
    [
        # The event falls into the answer's second sentence; its first has 8 words.
        (interruption(6), Speaker.USER, 8 + 6),
        (backchannel(1), Speaker.USER, 8 + 1),
        (by_seconds(interruption(), 0.6), Speaker.USER, 8 + 2),
        (bystander(4), Speaker.THIRD_PARTY, 8 + 4),
        (bystander(4), Speaker.USER, math.inf),  # somebody else comes in
        (hesitation(), Speaker.USER, math.inf),
    ],
)
def test_the_lead_to_an_anchor_is_what_is_heard_of_the_turn_before_it(
    script: Script, speaker: Speaker, words: float
) -> None:
    assert gather(speak(script)).lead_to_anchor(1, speaker) == words * WORD


@pytest.mark.parametrize(
    ("anchor", "samples"),
    [
        (AfterWords(host="u02", words=1), WORD),
        (AfterWords(host="u02", words=7), 7 * WORD),
        (AfterSeconds(host="u02", seconds=1.0), RATE),
        (AfterSeconds(host="u02", seconds=2.1), 7 * WORD),  # the host's last sample
    ],
)
def test_an_anchor_is_met_so_many_words_or_seconds_in(
    anchor: AfterWords | AfterSeconds, samples: int
) -> None:
    assert anchor_offset(anchor, HOST, RATE) == samples


@pytest.mark.parametrize(
    ("anchor", "got", "wanted"),
    [
        (AfterWords(host="u02", words=8), "word 8 of u02", "has 7"),
        (AfterSeconds(host="u02", seconds=2.2), "2.2 s into u02", "2.1 s"),
        (AfterSeconds(host="u02", seconds=60), "60 s into u02", "2.1 s"),
    ],
)
def test_an_anchor_that_its_host_never_reaches_is_refused(
    anchor: AfterWords | AfterSeconds, got: str, wanted: str
) -> None:
    with pytest.raises(RecordError, match=f"{got}.*{wanted}") as caught:
        anchor_offset(anchor, HOST, RATE)
    assert caught.value.reason is Reason.CANNOT_BE_TIMED
