"""`kill -9` in the middle of a run, of its speech worker and of the run itself: nothing is lost, little is paid twice.

::

    run     =====================================>        the worker's death is waited out
    worker  =======X        ======================        another one on the same port

    run     =======X        ======================>       stored clips are not asked for again
    worker  ======================================
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.checking import RunCheck
from pipeline.config import RunConfig, find_config, load_config
from pipeline.domain.script import DialoguePlan
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.takes import Kind
from pipeline.io.store import Store
from pipeline.stages import seeds, speech
from tests.backends.cosyvoice_worker.double import RunningWorker, running_worker
from tests.backends.cosyvoice_worker.double_engine import FAULTS, ONCE, Fault
from tests.loopback.served_voices import served_config, write_catalogue
from tests.loopback.speech_relay import Relay, relay
from tests.loopback.test_served_speech import assert_passes, records_of, said_in
from tests.runs import data_of, run_at

pytestmark = pytest.mark.slow

ENGINES = 4
IN_FLIGHT = 4
EVERY_FAULT: dict[Fault, float] = dict.fromkeys(FAULTS, 0.1)
OF_THE_AUDIO: dict[Fault, float] = {fault: 0.1 for fault in FAULTS if fault not in ONCE}
ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
from pipeline.config import load_config
from tests.runs import run_at
run_at(Path(sys.argv[1]), load_config(Path(sys.argv[2])))
"""


def small_preset(url: str, directory: Path, limit: int) -> RunConfig:
    """The preset as it is, but for who speaks, so many seeds of each language, and exports."""
    preset = load_config(find_config("small"))
    catalogue = write_catalogue(directory / "voices")
    served = served_config(url, catalogue, max_in_flight=IN_FLIGHT, speech={"retakes": 10})
    few = tuple(source.model_copy(update={"limit": limit}) for source in preset.seeds.sources)
    return preset.model_copy(
        update={
            "speech": served.speech,
            "seeds": preset.seeds.model_copy(update={"sources": few}),
            "export": (),
            "shard_size": 4,
        }
    )


def wait_until(happened: Callable[[], bool], still: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 120
    while not happened():
        assert still(), "it ended before it could be killed"
        assert time.monotonic() < end_s, "two minutes went by"
        time.sleep(0.02)


def stored(store: Path) -> set[str]:
    return {path.stem for path in store.glob("clips/*/*.json")}


def test_a_run_survives_the_death_of_its_worker_and_nothing_bad_gets_in(tmp_path: Path) -> None:
    def replace(first: RunningWorker) -> int:
        """Kill it, and have another one take its place for the rest of the run."""
        port = int(first.url.rpartition(":")[2])
        first.kill()
        with running_worker(faults=EVERY_FAULT, engines=ENGINES, port=port, voices=first.voices):
            return run.result(timeout=150).num_refusals

    with (
        running_worker(faults=EVERY_FAULT, engines=ENGINES, voices=tmp_path / "kept") as first,
        ThreadPoolExecutor(1) as pool,
    ):
        config = small_preset(first.url, tmp_path, limit=5)
        run = pool.submit(run_at, tmp_path / "run", config)
        wait_until(lambda: len(stored(tmp_path / "store")) >= 20, lambda: not run.done())
        refused = replace(first)
    spoken = records_of(tmp_path / "run", speech.NAME, SpokenScript)
    assert len(records_of(tmp_path / "run", seeds.NAME, DialoguePlan)) == len(spoken) + refused == 10
    assert len(spoken) >= 9
    for script, utterance, entry in said_in(spoken):
        kind = speech.kinds_of(script).get(utterance.utterance_id, Kind.TURN)
        assert_passes(Store(tmp_path / "store"), entry, utterance.text, kind)
    findings = list(RunCheck(tmp_path / "run").findings())
    assert list(findings) == []


def begin(directory: Path, config: RunConfig) -> "subprocess.Popen[bytes]":
    """The run in a process of its own."""
    path = directory.parent / "config.json"
    path.write_text(config.model_dump_json(), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(directory), str(path)], env=environment)


def good(between: Relay) -> int:
    return sum(answer.status == 200 for answer in between.answers)


def test_a_run_that_was_killed_goes_on_and_pays_for_no_stored_clip_again(tmp_path: Path) -> None:
    with (
        running_worker(faults=OF_THE_AUDIO, engines=2) as worker,
        relay(worker.url) as undisturbed,
        relay(worker.url) as between,
    ):
        (tmp_path / "one").mkdir()
        whole = small_preset(undisturbed.url, tmp_path, limit=3)
        run_at(tmp_path / "one" / "run", whole)
        config = small_preset(between.url, tmp_path, limit=3)
        process = begin(tmp_path / "run", config)
        wait_until(lambda: good(between) >= good(undisturbed) // 2, lambda: process.poll() is None)
        process.send_signal(signal.SIGKILL)
        process.wait()
        paid = {(answer.text, answer.seed) for answer in between.answers if answer.status == 200}
        kept = stored(tmp_path / "store")
        asked = len(between.answers)
        summary = run_at(tmp_path / "run", config)
        again = {(answer.text, answer.seed) for answer in between.answers[asked:]}
    assert summary.shards_run > 0
    assert len(kept) >= good(undisturbed) // 3
    assert len(paid & again) <= IN_FLIGHT, "beyond what was answered and not yet stored"
    assert stored(tmp_path / "store") == stored(tmp_path / "one" / "store")
    assert data_of(tmp_path / "run") == data_of(tmp_path / "one" / "run")
