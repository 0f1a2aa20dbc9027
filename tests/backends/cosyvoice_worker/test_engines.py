"""Engine processes: loaded, warmed up, killed at deadlines, replaced, never left behind."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.backends.cosyvoice_worker.asking import Answer, ask, is_ready, post, speak, until, upload, wish
from tests.backends.cosyvoice_worker.double import RunningWorker, running_worker
from tests.backends.cosyvoice_worker.double_engine import FAULTS

pytestmark = pytest.mark.slow


def engine_pids(worker: RunningWorker) -> list[int]:
    return [engine["pid"] for engine in ask(f"{worker.url}/health").json["engines"]]


def runs(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def speak_when_ready(worker: RunningWorker, request_id: str = "r") -> Answer:
    assert until(lambda: is_ready(worker.url))
    return speak(worker.url, request_id)


def test_health_is_503_until_a_first_sentence_passed_and_the_process_lives_before() -> None:
    with running_worker(load_s=1.0, wait_s=0) as worker:
        assert ask(f"{worker.url}/live").status == 200
        for answer in (ask(f"{worker.url}/health"), speak(worker.url), ask(f"{worker.url}/v1/capabilities")):
            assert (answer.status, answer.error["code"]) == (503, "loading")
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.error["retryable"] is True
        assert speak_when_ready(worker).status == 200


def test_an_engine_whose_warm_up_does_not_pass_the_gate_serves_nobody() -> None:
    with running_worker(script={"warm-up": "nan"}, wait_s=0) as worker:
        told = until(lambda: "not finite" in str(ask(f"{worker.url}/health").error["details"]))
        assert told
        assert speak(worker.url).status == 503


@pytest.mark.parametrize(
    ("options", "complaint"),
    [({"fails_to_load": True}, "told not to load"), ({"speakers": []}, "--warm-up-wav")],
)
def test_a_worker_whose_engines_never_start_ends_and_says_why(
    options: dict[str, object], complaint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with running_worker(wait_s=0, **options) as worker:
        assert until(lambda: not runs(worker.pid))
    _, told, why = capfd.readouterr().err.partition("worker: no engine starts: ")
    assert told
    assert complaint in why


def test_a_request_past_its_deadline_is_504_and_its_engine_is_replaced() -> None:
    with running_worker(script={"stuck": "stuck"}) as worker:
        (before,) = engine_pids(worker)
        started = time.monotonic()
        answer = speak(worker.url, "stuck", deadline_s=0.5)
        assert (answer.status, answer.error["code"], answer.error["retryable"]) == (504, "deadline", True)
        assert 0.4 < time.monotonic() - started < 5
        assert speak_when_ready(worker).status == 200
        assert not runs(before)
        assert engine_pids(worker) != [before]


def test_a_deadline_that_passes_in_the_queue_costs_no_engine() -> None:
    with running_worker(synthesis_s=1.0) as worker, ThreadPoolExecutor(2) as threads:
        pids = engine_pids(worker)
        first = threads.submit(speak, worker.url, "first")
        time.sleep(0.3)
        second = speak(worker.url, "second", deadline_s=0.2)
        assert (second.status, second.error["details"]["where"]) == (504, "in the queue")
        assert first.result().status == 200
        assert engine_pids(worker) == pids


def test_waiting_inside_a_batch_counts_to_the_deadline() -> None:
    with running_worker(synthesis_s=1.0) as worker:
        items = [wish(str(index), deadline_s=1.7) for index in range(4)]
        answers = post(f"{worker.url}/v1/tts/batch", {"items": items}).json["items"]
        assert [answer["status"] for answer in answers] == [200, 504, 504, 504]
        assert "restarted" in answers[1]["error"]["details"]["where"]
        for answer in answers[2:]:
            assert answer["error"]["details"] == {"where": "in the queue"}
            assert "deadline_s = 1.7" in answer["error"]["message"]


def test_an_engine_that_dies_answers_500_and_is_restarted() -> None:
    with running_worker(script={"crash": "crash"}) as worker:
        answer = speak(worker.url, "crash")
        assert (answer.status, answer.error["code"], answer.error["retryable"]) == (500, "engine_error", True)
        during = speak(worker.url)
        assert (during.status, during.error["code"]) == (503, "recycling")
        assert during.headers["retry-after"]
        assert speak_when_ready(worker).status == 200


def test_kill_9_of_an_idle_engine_is_noticed() -> None:
    with running_worker() as worker:
        (pid,) = engine_pids(worker)
        os.kill(pid, signal.SIGKILL)
        assert until(lambda: is_ready(worker.url) and engine_pids(worker) != [pid])
        assert speak(worker.url).status == 200


def test_kill_9_in_the_middle_of_a_synthesis_is_500_for_that_request_alone() -> None:
    with running_worker(engines=2, synthesis_s=0.6) as worker, ThreadPoolExecutor(2) as threads:
        assert until(lambda: all(e["state"] == "ready" for e in ask(f"{worker.url}/health").json["engines"]))
        answers = [threads.submit(speak, worker.url, str(index)) for index in range(2)]
        assert until(lambda: all(e["state"] == "busy" for e in ask(f"{worker.url}/health").json["engines"]))
        os.kill(engine_pids(worker)[0], signal.SIGKILL)
        assert sorted(answer.result().status for answer in answers) == [200, 500]


def test_one_engine_goes_on_while_another_restarts() -> None:
    with running_worker(engines=2, script={"crash": "crash"}) as worker:
        assert until(lambda: all(e["state"] == "ready" for e in ask(f"{worker.url}/health").json["engines"]))
        assert speak(worker.url, "crash").status == 500
        assert speak(worker.url).status == 200


def test_an_engine_is_replaced_after_so_many_requests() -> None:
    with running_worker(arguments=("--max-requests-per-engine", "2")) as worker:
        pids = engine_pids(worker)
        assert [speak(worker.url).status for _ in range(2)] == [200, 200]
        during = speak(worker.url)
        assert (during.status, during.error["code"]) == (503, "recycling")
        assert "2 requests served" in str(during.error["details"])
        assert speak_when_ready(worker).status == 200
        assert engine_pids(worker) != pids


def test_an_engine_that_grows_is_replaced() -> None:
    with running_worker(arguments=("--max-rss-mb", "300"), grows_mb=100) as worker:
        pids = engine_pids(worker)
        statuses = [speak_when_ready(worker, str(index)).status for index in range(4)]
        assert statuses == [200] * 4
        assert until(lambda: is_ready(worker.url) and engine_pids(worker) != pids)


def test_an_engine_that_only_fails_is_replaced() -> None:
    with running_worker(script={"error": "error"}) as worker:
        pids = engine_pids(worker)
        assert [speak(worker.url, "error").status for _ in range(3)] == [500] * 3
        assert until(lambda: is_ready(worker.url) and engine_pids(worker) != pids)


def test_a_full_queue_is_429_and_says_when_to_come_back() -> None:
    with (
        running_worker(arguments=("--queue", "2"), synthesis_s=0.4) as worker,
        ThreadPoolExecutor(6) as threads,
    ):
        answers = list(threads.map(lambda index: speak(worker.url, str(index)), range(6)))
    refused = [answer for answer in answers if answer.status != 200]
    assert sorted({answer.status for answer in answers}) == [200, 429]
    assert 3 <= len(answers) - len(refused) <= 4
    for answer in refused:
        assert (answer.error["code"], answer.error["retryable"]) == ("overloaded", True)
        assert int(answer.headers["retry-after"]) >= 1


def test_engines_work_at_once() -> None:
    with running_worker(engines=2, synthesis_s=0.5) as worker, ThreadPoolExecutor(2) as threads:
        assert until(lambda: all(e["state"] == "ready" for e in ask(f"{worker.url}/health").json["engines"]))
        started = time.monotonic()
        answers = list(threads.map(lambda index: speak(worker.url, str(index)), range(2)))
        assert [answer.status for answer in answers] == [200, 200]
        assert time.monotonic() - started < 0.95


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("doing", ["nothing", "stuck"])
def test_no_engine_outlives_its_worker(how: signal.Signals, doing: str) -> None:
    with running_worker(engines=2, script={"stuck": "stuck"}) as worker, ThreadPoolExecutor(1) as threads:
        assert until(lambda: all(e["state"] == "ready" for e in ask(f"{worker.url}/health").json["engines"]))
        pids = engine_pids(worker)
        asked = threads.submit(speak, worker.url, "stuck", deadline_s=3.0) if doing == "stuck" else None
        if asked is not None:
            assert until(lambda: "busy" in ask(f"{worker.url}/health").body.decode())
        os.kill(worker.pid, how)
        assert until(lambda: not any(runs(pid) for pid in pids))
        if asked is not None:
            assert asked.exception() is not None or asked.result().status in (503, 504)


def test_voices_survive_a_kill_of_the_worker(tmp_path: Path) -> None:
    with running_worker(voices=tmp_path) as worker:
        assert upload(worker.url, id="kept").status == 201
        worker.kill()
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".wav"}
    with running_worker(voices=tmp_path) as worker:
        assert speak(worker.url, voice="kept").status == 200


def test_a_voice_that_cannot_speak_its_trial_is_not_kept(tmp_path: Path) -> None:
    with running_worker(voices=tmp_path, modes=["sft"]) as worker:
        assert upload(worker.url).status == 400
    assert not list(tmp_path.iterdir())


def test_faults_strike_by_text_and_seed_and_those_of_the_process_only_once() -> None:
    texts = [f"{'好' * (1 + index % 4)}，{'对' * (1 + index // 4)}。" for index in range(16)]
    with running_worker(engines=2, faults=dict.fromkeys(FAULTS, 0.1)) as worker:

        def patiently(text: str, seed: int) -> list[int]:
            """Statuses of one request, sent again until it is answered for good; waiting is no answer."""
            statuses: list[int] = []
            while not statuses or statuses[-1] in (500, 504):
                assert until(lambda: is_ready(worker.url))
                answer = speak(worker.url, spoken_text=text, seed=seed, deadline_s=0.5)
                statuses += [answer.status] * (answer.status != 503)
            return statuses

        first = {text: patiently(text, 0) for text in texts}
        assert {text: [statuses[-1]] for text, statuses in first.items()} == {
            text: patiently(text, 0) for text in texts
        }
        assert any(len(statuses) > 1 for statuses in first.values())
        refused = [text for text, statuses in first.items() if statuses[-1] == 422]
        assert 3 <= len(refused) <= 13
        assert any(patiently(text, 1)[-1] == 200 for text in refused)


def test_a_batch_outlives_an_engine() -> None:
    with running_worker(engines=1, script={"crash": "crash"}) as worker:
        items = [wish("a"), wish("crash"), wish("b")]
        answers = post(f"{worker.url}/v1/tts/batch", {"items": items}).json["items"]
        assert [item["status"] for item in answers][:2] == [200, 500]
        assert answers[2]["status"] in (200, 503)


def test_engines_see_the_gpus_that_they_were_given_in_turn() -> None:
    with running_worker(engines=3, arguments=("--gpus", "4,7")) as worker:
        assert until(lambda: all(e["state"] == "ready" for e in ask(f"{worker.url}/health").json["engines"]))
        seen = [Path(f"/proc/{pid}/environ").read_text().split("\0") for pid in engine_pids(worker)]
    gpus = [[v.partition("=")[2] for v in one if v.startswith("CUDA_VISIBLE_DEVICES=")] for one in seen]
    assert gpus == [["4"], ["7"], ["4"]]
