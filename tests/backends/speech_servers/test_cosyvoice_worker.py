"""The client against the worker itself: real HTTP, real processes, an engine without a model."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from pipeline.backends.speech_servers import CosyVoice
from pipeline.domain.errors import BadTakeError
from pipeline.domain.labels import Emotion, Language
from pipeline.domain.takes import Flaw, Kind, Take
from pipeline.domain.voice import Voice
from tests.backends.cosyvoice_worker.double import RunningWorker, running_worker
from tests.backends.cosyvoice_worker.double_engine import Fault
from tests.backends.speech_servers.speaking import QUICK, request_for, speak, speak_all, voice_of
from tests.backends.speech_servers.test_cosyvoice import OWN, RECORDED, client_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def worker() -> Iterator[RunningWorker]:
    with running_worker(engines=1) as running:
        yield running


@pytest.fixture(scope="module")
def client(worker: RunningWorker) -> Iterator[CosyVoice]:
    with client_of(worker.url) as client:
        yield client


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        (OWN, "Hello there, how are you?"),
        (voice_of("cosyvoice", "中文女", Language.ZH), "你好，我听见了。"),
        (RECORDED, "Hello there, how are you?"),
    ],
    ids=["en", "zh", "recorded"],
)
def test_the_worker_speaks_with_its_own_voices_and_with_ours(
    client: CosyVoice, voice: Voice, text: str
) -> None:
    take = speak(client, request_for(voice, text))
    assert take.engine == "cosyvoice-double@double-1+1"
    assert np.isfinite(take.samples).all()
    assert take.unapplied == ()


def test_it_says_what_it_did_not_do(client: CosyVoice) -> None:
    assert speak(client, request_for(OWN, emotion=Emotion.FEAR)).unapplied == ("emotion",)


def test_a_mood_has_its_own_recording(client: CosyVoice) -> None:
    assert speak(client, request_for(RECORDED, emotion=Emotion.SAD)).unapplied == ()


def test_equal_requests_give_equal_sound(client: CosyVoice) -> None:
    one, two = (speak(client, request_for(OWN, seed=3)) for _ in range(2))
    np.testing.assert_array_equal(one.samples, two.samples)


def test_a_worker_that_was_killed_in_the_middle_is_asked_again_when_it_is_back() -> None:
    patience = QUICK.model_copy(update={"give_up_after_s": 60.0, "longest_pause_s": 0.2})
    requests = [
        request_for(OWN, f"Number {word}.", seed=1) for word in ("one", "two", "three", "four", "five")
    ]
    with running_worker(synthesis_s=0.2) as first:
        port = int(first.url.rpartition(":")[2])
        with client_of(first.url, patience=patience) as client:
            speak(client, requests[0])
            takes: list[Take | BaseException] = []
            asking = threading.Thread(target=lambda: takes.extend(speak_all(client, requests)))
            asking.start()
            time.sleep(0.3)
            first.kill()
            time.sleep(0.2)
            with running_worker(port=port, voices=first.voices):
                asking.join(timeout=30)
    assert [type(take) for take in takes] == [Take] * len(requests)


def test_known_failures_of_engines_come_as_flaws_or_pass_at_the_second_try() -> None:
    faults: tuple[Fault, ...] = ("empty", "nan", "silence", "clipped", "too_long", "error", "crash")
    patience = QUICK.model_copy(update={"give_up_after_s": 60.0, "longest_pause_s": 0.2})
    requests = [request_for(OWN, f"I see number {n * 'one '}", seed=n) for n in range(1, 25)]
    with (
        running_worker(faults=dict.fromkeys(faults, 0.1), engines=2) as worker,
        client_of(worker.url, patience=patience, max_in_flight=4) as client,
    ):
        outcomes = speak_all(client, requests)
    flaws = [outcome.flaw for outcome in outcomes if isinstance(outcome, BadTakeError)]
    assert len(flaws) + sum(isinstance(outcome, Take) for outcome in outcomes) == len(requests)
    scripted = {Flaw.EMPTY, Flaw.NOT_FINITE, Flaw.SILENT, Flaw.CLIPPED, Flaw.TOO_LONG}
    # An error and a crash may strike the same request, one after the other.
    assert set(flaws) <= scripted | {Flaw.ENGINE_FAILED}
    assert len(set(flaws)) >= 2


def test_a_part_that_is_far_too_long_is_refused_by_the_worker() -> None:
    with (
        running_worker(faults={"spoken_instruction": 1.0}) as worker,
        client_of(worker.url) as client,
        pytest.raises(BadTakeError) as caught,
    ):
        speak(client, request_for(OWN, "See you then."))
    assert caught.value.flaw is Flaw.TOO_LONG


def test_an_engine_that_hangs_costs_its_deadline_and_no_more() -> None:
    patience = QUICK.model_copy(update={"timeout_s": 0.3, "give_up_after_s": 60.0})
    began_s = time.monotonic()
    with (
        running_worker(faults={"stuck": 1.0}) as worker,
        client_of(worker.url, patience=patience, slowest=0.01) as client,
    ):
        take = speak(client, request_for(OWN, "I see.", kind=Kind.BACKCHANNEL))
    assert len(take.samples)
    assert time.monotonic() - began_s < 20
