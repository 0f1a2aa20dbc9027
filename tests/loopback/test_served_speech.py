"""Whole runs spoken by a served engine that fails in every known way: nothing bad gets in, nothing gets lost."""

import io
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import soundfile
from aiohttp import web

from pipeline.backends.speech_servers.cosyvoice_voices import flaw_of
from pipeline.checking import RunCheck
from pipeline.config import RunConfig
from pipeline.core.assembly import FULL_SCALE
from pipeline.core.checks.findings import Finding
from pipeline.core.report_takes import EngineRow
from pipeline.core.takes import USUAL_LIMITS, examine
from pipeline.domain.errors import BadTakeError
from pipeline.domain.record import Record
from pipeline.domain.script import DialoguePlan, Script, Utterance
from pipeline.domain.spoken import SpokenScript, SpokenUtterance
from pipeline.domain.takes import Flaw, Kind, Take
from pipeline.io.run_directory import RunDirectory
from pipeline.io.store import Store
from pipeline.reporting import report_run
from pipeline.run_records import RunSummary
from pipeline.stages import seeds, speech
from pipeline.wiring import directory_of
from tests.backends.cosyvoice_worker.double import running_worker
from tests.backends.cosyvoice_worker.double_engine import FAULTS, Fault
from tests.backends.speech_servers.cosyvoice_double import CosyVoiceDouble
from tests.backends.speech_servers.serving import free_port
from tests.cli.calling import humdial
from tests.loopback.served_voices import served_config, write_catalogue
from tests.loopback.speech_relay import Answered, relay
from tests.runs import data_of, run_at

R = TypeVar("R", bound=Record)

ENGINE = "cosyvoice-double@double-1+1"
ENGINES = 4
OF_THE_PROCESS = ("stuck", "crash")
RATES: dict[Fault, float] = {fault: 0.02 if fault in OF_THE_PROCESS else 0.1 for fault in FAULTS}
"""A stuck engine costs its deadline, and a crash the start of another one: all at 10 % is a slow test."""


@dataclass(frozen=True)
class Finished:
    """A run through a faulty worker, and all that the worker was asked and answered."""

    directory: Path
    config: RunConfig
    catalogue: Path
    summary: RunSummary
    again: RunSummary
    """Of the same run once more."""
    answers: tuple[Answered, ...]

    @property
    def store(self) -> Path:
        return self.directory.parent / "store"

    def spoken(self) -> tuple[SpokenScript, ...]:
        return records_of(self.directory, speech.NAME, SpokenScript)


def records_of(directory: Path, stage: str, kind: type[R]) -> tuple[R, ...]:
    run, place = RunDirectory(directory), directory_of(stage)
    return tuple(one for index, _ in run.find_shards(place) for one in run.read_shard(place, index, kind))


def said_in(spoken: tuple[SpokenScript, ...]) -> Iterator[tuple[Script, Utterance, SpokenUtterance]]:
    for one in spoken:
        utterances = {utterance.utterance_id: utterance for utterance in one.script.utterances}
        for entry in one.clips:
            yield one.script, utterances[entry.utterance_id], entry


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Four dialogues; with ten retakes none is lost, though most takes are no good."""
    base = tmp_path_factory.mktemp("served")
    catalogue = write_catalogue(base / "voices", splits=("train",))
    with running_worker(faults=RATES, engines=ENGINES) as worker, relay(worker.url) as between:
        config = served_config(between.url, catalogue, limit=2, max_in_flight=ENGINES, speech={"retakes": 10})
        first, again = (run_at(base / "run", config) for _ in range(2))
    return Finished(base / "run", config, catalogue, first, again, tuple(between.answers))


def test_every_plan_becomes_a_dialogue_or_a_refusal(finished: Finished) -> None:
    plans = records_of(finished.directory, seeds.NAME, DialoguePlan)
    assert len(plans) == finished.summary.num_dialogues + finished.summary.num_refusals == 4
    assert finished.summary.num_refusals == 0


def test_every_clip_in_the_store_passes_the_gate_again(finished: Finished) -> None:
    store, judged = Store(finished.store), set()
    for script, utterance, entry in said_in(finished.spoken()):
        kind = speech.kinds_of(script).get(utterance.utterance_id, Kind.TURN)
        assert_passes(store, entry, utterance.text, kind)
        judged.add(entry.clip.digest)
    assert judged == {path.stem for path in finished.store.glob("clips/*/*.wav")}
    assert len(judged) >= 20


def assert_passes(store: Store, entry: SpokenUtterance, text: str, kind: Kind) -> None:
    samples = store.load_clip(entry.clip.digest).astype(np.float32) / np.float32(FULL_SCALE)
    examine(Take(samples, entry.clip.sampling_rate, entry.clip.words, "stored"), text, kind, USUAL_LIMITS)


def findings_of(directory: Path) -> list[Finding]:
    return list(RunCheck(directory).findings())


def test_the_check_finds_nothing_wrong_in_any_dialogue(finished: Finished) -> None:
    assert findings_of(finished.directory) == []


def test_causes_in_the_report_are_those_that_the_worker_gave(finished: Finished) -> None:
    row = takes_of(finished.directory)
    kinds = {
        utterance.text: speech.kinds_of(script).get(utterance.utterance_id, Kind.TURN)
        for script, utterance, _ in said_in(finished.spoken())
    }
    given = Counter(dict.fromkeys(judgements(finished.answers, kinds), 1))
    noted = Counter(
        (take.seed, take.flaw)
        for clip in {entry.clip.digest: entry.clip for _, _, entry in said_in(finished.spoken())}.values()
        for take in clip.making.refused
    )
    assert noted == given
    assert row.refused == Counter(flaw for _, flaw in given)
    assert row.engine == ENGINE
    assert {Flaw.EMPTY, Flaw.NOT_FINITE, Flaw.SILENT, Flaw.CLIPPED, Flaw.TOO_LONG} <= set(row.refused)
    assert row.clips == len({entry.clip.digest for _, _, entry in said_in(finished.spoken())})


def takes_of(directory: Path) -> EngineRow:
    """The only engine of a report, as it is written."""
    report_run(directory)
    content = json.loads((directory / "report" / "stats.json").read_text(encoding="utf-8"))
    (row,) = content["takes"]
    return EngineRow.model_validate(row)


def judgements(answers: tuple[Answered, ...], kinds: dict[str, Kind]) -> Iterator[tuple[int, Flaw]]:
    """Seed and flaw of every take that was no good, from what the worker answered.

    An engine that fails is asked the same once more, and only then is the take given up.
    """
    failed: Counter[str] = Counter()
    for answer in answers:
        if answer.status == 422:
            yield answer.seed, flaw_of(answer.said)
        elif answer.status in (500, 504):
            failed[answer.request_id] += 1
            if failed[answer.request_id] > 1:
                yield answer.seed, Flaw.TIMED_OUT if answer.status == 504 else Flaw.ENGINE_FAILED
        else:
            assert answer.status == 200
            samples, rate_hz = soundfile.read(io.BytesIO(answer.content), dtype="float32")
            try:
                examine(Take(samples, rate_hz, (), "heard"), answer.text, kinds[answer.text], USUAL_LIMITS)
            except BadTakeError as error:
                yield answer.seed, error.flaw


def test_the_same_run_again_does_nothing(finished: Finished) -> None:
    assert (finished.again.shards_run, finished.again.shards_cached) == (0, 10)
    ids = [answer.request_id for answer in finished.answers if answer.status == 200]
    assert len(set(ids)) == len(ids)


def test_dialogues_keep_their_clips_at_another_worker_with_other_faults(finished: Finished) -> None:
    with running_worker(faults={"nan": 1.0}, fault_seed=1) as worker, relay(worker.url) as between:
        elsewhere = finished.directory.parent / "elsewhere"
        config = served_config(between.url, finished.catalogue, limit=2, speech={"retakes": 10})
        summary = run_at(elsewhere, config)
    assert (between.answers, summary.num_dialogues) == ([], 4)
    assert data_of(elsewhere) == data_of(finished.directory)


class EnglishOnly(CosyVoiceDouble):
    """A worker whose model has one language."""

    async def _capabilities(self, request: web.Request) -> web.StreamResponse:
        facts = {"model": "double", "revision": "1", "languages": ["en"], "modes": ["zero_shot"]}
        return web.json_response({**facts, "max_characters": 600})


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_catalogue(tmp_path_factory.mktemp("voices"), splits=("train",))


def test_a_language_that_the_worker_lacks_is_told_before_anything_is_asked_for(
    catalogue: Path, tmp_path: Path
) -> None:
    with EnglishOnly() as worker:
        problem = preview(served_config(worker.url, catalogue), tmp_path)
        assert worker.requests == worker.uploads == []
    assert problem.startswith(
        "humdial: speech: cosyvoice does not speak zh (cosyvoice-double@1+1; it speaks en)"
    )
    assert "seeds.sources" in problem


def test_without_a_worker_the_remedy_is_told_at_once(catalogue: Path, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    began_s = time.monotonic()
    problem = preview(served_config(url, catalogue), tmp_path)
    assert time.monotonic() - began_s < 5, "an engine that nobody started is not waited for"
    assert problem.startswith(f"humdial: speech.cosyvoice: nobody answers: {url}: connection failed")
    assert "remedy: humdial speech serve-cosyvoice --root DIR" in problem


def preview(config: RunConfig, directory: Path) -> str:
    """What `humdial preview` complains of."""
    path = directory / "run.yaml"
    path.write_text(config.model_dump_json(), encoding="utf-8")
    answer = humdial("preview", path, "-n", "2", "--out", directory / "look")
    assert answer.code == 2
    return answer.problem
