"""Hundreds of dialogues against a server that fails in every way it can."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from pipeline.core.ledger import summarise_calls
from pipeline.core.seeding import derive_seed
from pipeline.domain.chat import ChatReply
from pipeline.domain.errors import TerminalBackendError
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.io.store import Store
from tests.loopback import Exchange, Fault, FaultPlan, LoopbackServer
from tests.loopback.faults import TEXT
from tests.loopback.writing import PATIENCE, ROOT_SEED, Written, plans, write
from tests.stages.doubles import PlainAuthor

pytestmark = pytest.mark.slow  # five hundred dialogues, and servers that fail

COUNT = 500
STEPS = ("adapt", "place", "write")
ROOT = Path(__file__).parents[2]


class KeptReplies:
    """A store in memory."""

    def __init__(self) -> None:
        self.replies: dict[str, ChatReply] = {}

    def find_reply(self, fingerprint: str) -> ChatReply | None:
        return self.replies.get(fingerprint)

    def put_reply(self, fingerprint: str, reply: ChatReply) -> None:
        assert fingerprint not in self.replies, "paid twice"
        self.replies[fingerprint] = reply


class Faulty:
    """500 dialogues, written once; then again from what was stored."""

    def __init__(self) -> None:
        self.store = KeptReplies()
        faults = FaultPlan.each(0.1, seed=11)
        with LoopbackServer(faults, author=PlainAuthor(), slow_s=0.01) as server:
            self.written = write(server.base_url, self.store, COUNT)
            self.first: tuple[Exchange, ...] = tuple(server.exchanges)
            self.again = write(server.base_url, self.store, COUNT)
            self.second = tuple(server.exchanges)[len(self.first) :]


@pytest.fixture(scope="module")
def faulty() -> Faulty:
    return Faulty()


def expected(fault: Fault, step: str) -> Reason:
    """What the last damage of a dialogue must be called."""
    if fault in (Fault.WRONG_LANGUAGE, Fault.INJECTED) and step == "place":
        return Reason.QUOTE_NOT_FOUND
    if fault is Fault.WRONG_LANGUAGE:
        return Reason.WRONG_LANGUAGE
    return Reason.UNSPEAKABLE_TEXT if fault is Fault.INJECTED else Reason.INVALID_REPLY


def fate(dialogue_id: str, delivered: dict[int, Exchange]) -> Reason | None:
    """Why a dialogue must be refused, from what the server says it sent; None if it must be accepted."""
    for step in STEPS:
        seeds = [
            derive_seed(ROOT_SEED, f"script/{step}{suffix}", dialogue_id) for suffix in ("", "/repair-1")
        ]
        sent = [delivered[seed] for seed in seeds if seed in delivered]
        if sent and sent[-1].fault is not None:
            assert len(sent) == 2, "a reply that cannot be used is asked for again"
            return expected(sent[-1].fault, step)
    return None


def test_every_dialogue_ends_as_accepted_or_refused_with_the_true_reason(faulty: Faulty) -> None:
    delivered = {one.seed: one for one in faulty.first if one.is_paid}
    wanted = {plan.dialogue_id: fate(plan.dialogue_id, delivered) for plan in plans(COUNT)}
    done = faulty.written.done
    got = {
        **{one.dialogue_id: None for one in done.records},
        **{one.record_id: one.reason for one in done.refusals},
    }
    assert got == wanted
    assert len(done.records) + len(done.refusals) == COUNT, "none lost, none duplicated"
    assert len(done.records) > COUNT // 4
    assert {one.reason for one in done.refusals} == {
        Reason.INVALID_REPLY,
        Reason.QUOTE_NOT_FOUND,
        Reason.WRONG_LANGUAGE,
        Reason.UNSPEAKABLE_TEXT,
    }


def test_every_kind_of_fault_struck(faulty: Faulty) -> None:
    struck = Counter(one.fault for one in faulty.first)
    assert all(struck[fault] > 20 for fault in Fault if fault is not Fault.SLOW)


def test_a_refusal_carries_the_raw_reply(faulty: Faulty) -> None:
    sent = {reply.content for reply in faulty.store.replies.values()}
    for refusal in faulty.written.done.refusals:
        assert refusal.payload in sent or is_about_an_empty_reply(refusal)


def is_about_an_empty_reply(refusal: Refusal) -> bool:
    return "is empty" in refusal.detail and '"dialogue_id"' in refusal.payload


def test_a_rerun_pays_for_nothing_and_gives_the_same(faulty: Faulty) -> None:
    assert faulty.second == ()
    assert faulty.again.done == faulty.written.done
    assert all(call.stored for call in faulty.again.calls)


def test_a_repaired_reply_is_kept_beside_the_one_that_was_refused(faulty: Faulty) -> None:
    outcomes = Counter(call.outcome for call in faulty.written.calls)
    assert outcomes["asked_again"] > 100
    assert len(faulty.store.replies) == len(faulty.written.calls)
    assert len(faulty.store.replies) == sum(one.is_paid and one.step is not None for one in faulty.first)


def test_the_ledger_counts_what_the_server_counts(faulty: Faulty) -> None:
    ledger = summarise_calls(faulty.written.calls, None)
    paid = [one for one in faulty.first if one.is_paid and one.step]
    assert ledger.total.requests == len(paid)
    assert ledger.total.retries == len(faulty.first) - len(paid)
    assert ledger.total.accepted == len(faulty.written.done.records)
    assert [row.requests for row in ledger.rows] == [sum(one.step == step for one in paid) for step in STEPS]
    again = summarise_calls(faulty.again.calls, None).total
    assert again.model_copy(update={"stored": 0}) == ledger.total


def test_faults_of_the_transport_alone_cost_no_dialogue() -> None:
    rates = dict.fromkeys((fault for fault in Fault if fault not in TEXT), 0.1)
    with LoopbackServer(FaultPlan(rates, seed=2), author=PlainAuthor(), slow_s=0.01) as server:
        written = write(server.base_url, KeptReplies(), 60)
    assert len(written.done.records) == 60


def test_a_server_that_goes_away_stops_the_run_and_refuses_nothing() -> None:
    store = KeptReplies()
    with LoopbackServer(author=PlainAuthor()) as server:
        seen = 0

        class StoppingStore(KeptReplies):
            def put_reply(self, fingerprint: str, reply: ChatReply) -> None:
                nonlocal seen
                store.put_reply(fingerprint, reply)
                seen += 1
                if seen == 20:
                    server.stop()

        with pytest.raises(TerminalBackendError, match="no endpoint of loopback-1 answers any more"):
            write(
                server.base_url,
                StoppingStore(),
                40,
                patience=PATIENCE.model_copy(update={"give_up_after_s": 0.5}),
            )
    kept = len(store.replies)
    assert 20 <= kept < 3 * 40 - 4
    with LoopbackServer(author=PlainAuthor()) as server:
        written = write(server.base_url, store, 40)
        assert len(written.done.records) == 40
        assert server.paid + kept == len(store.replies)


def test_after_kill_9_a_rerun_pays_only_for_what_is_missing(tmp_path: Path) -> None:
    count, replies = 60, 3 * 60 - 60 // 10
    faults = FaultPlan({Fault.SLOW: 1.0})
    with LoopbackServer(faults, author=PlainAuthor(), slow_s=0.05) as server:
        command = [sys.executable, "-m", "tests.loopback.writing", server.base_url, str(tmp_path), str(count)]
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        while server.paid < replies // 3:
            assert child.poll() is None
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert child.stdout is not None
        child.stdout.close()
        stored = len(list(tmp_path.rglob("replies/*/[0-9a-f]*.json")))
        paid = server.paid
        assert 0 < stored < replies
        assert paid - stored <= 2 * 8, "at most what was in flight is lost"
        again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert again.stdout.split() == [str(count), "0"]
    assert server.paid - paid - (replies - stored) in range(0, 9), (
        "a reply on its way to the dead may be counted late"
    )
    assert write_again(tmp_path, count).done.refusals == ()


def write_again(store: Path, count: int) -> Written:
    """From the store alone: nobody listens."""
    return write("http://127.0.0.1:9/v1", Store(store), count)
