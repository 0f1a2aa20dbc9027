"""Turns by one engine, backchannels by another, and a next one for what the first never says well.

::

    a worker (CosyVoice's protocol)   turns, interruptions
    espeak-ng                         backchannels, and texts that the worker cannot say - in the same speaker's voice
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from pipeline.config import RunConfig, load_config
from pipeline.core.report_takes import EngineRow
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import Script, Utterance
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.takes import Flaw, Kind
from pipeline.domain.voice import ClipRef
from pipeline.io.run_directory import RunDirectory
from pipeline.io.store import StoredClip
from pipeline.reporting import report_run
from pipeline.run_records import DESCRIPTION
from pipeline.stages import speech
from pipeline.wiring import directory_of
from tests.backends.speech_servers.cosyvoice_double import Body, CosyVoiceDouble, error
from tests.cli.calling import humdial
from tests.loopback.served_voices import served_config, write_catalogue
from tests.runs import data_of, run_at

WORKER, ESPEAK = "cosyvoice-double@1+1", "espeak-ng"
LADDER = {"bank": {"backend": "espeak"}, "then": ["espeak"], "retakes": 1}


def never_said_well(text: str) -> bool:
    """A third of all texts, whatever the seed."""
    return hashlib.sha256(text.encode()).digest()[0] % 3 == 0


async def fail_some(request: web.Request, body: Body) -> web.StreamResponse | None:
    bad = never_said_well(str(body["spoken_text"]))
    return error(422, "bad_audio", {"reason": "nan"}) if bad else None


@pytest.fixture(scope="module")
def worker() -> Iterator[CosyVoiceDouble]:
    with CosyVoiceDouble() as double:
        double.act = fail_some
        yield double


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_catalogue(tmp_path_factory.mktemp("voices"))


def own_catalogue(directory: Path) -> Path:
    return write_catalogue(directory, splits=("train",), backends=("cosyvoice", "espeak"))


@pytest.fixture(scope="module")
def mixed(worker: CosyVoiceDouble, catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the whole ladder, read only."""
    directory = tmp_path_factory.mktemp("mixed") / "run"
    summary = run_at(directory, served_config(worker.url, catalogue, speech=LADDER))
    assert (summary.num_dialogues, summary.num_refusals) == (6, 0)
    assert {body["kind"] for body in worker.requests} == {"turn", "interruption"}
    return directory


def spoken_in(directory: Path) -> list[tuple[SpokenScript, Script, Utterance, ClipRef]]:
    run, place = RunDirectory(directory), directory_of(speech.NAME)
    found = []
    for index, _ in run.find_shards(place):
        for one in run.read_shard(place, index, SpokenScript):
            utterances = {utterance.utterance_id: utterance for utterance in one.script.utterances}
            found += [(one, one.script, utterances[entry.utterance_id], entry.clip) for entry in one.clips]
    return found


def engine_of(script: Script, utterance: Utterance) -> str:
    """Who should have spoken it."""
    kind = speech.kinds_of(script).get(utterance.utterance_id, Kind.TURN)
    return ESPEAK if kind is Kind.BACKCHANNEL or never_said_well(utterance.text) else WORKER


def test_every_clip_is_made_by_the_engine_whose_turn_it_is_in_its_speakers_voice(mixed: Path) -> None:
    clips = spoken_in(mixed)
    for _, script, utterance, clip in clips:
        wanted = engine_of(script, utterance)
        assert clip.engine.startswith(wanted), (utterance.text, clip.engine)
        kind = speech.kinds_of(script).get(utterance.utterance_id, Kind.TURN)
        tried = 2 if wanted == ESPEAK and kind is not Kind.BACKCHANNEL else 0
        assert [(t.engine, t.flaw) for t in clip.making.refused] == [(WORKER, Flaw.NOT_FINITE)] * tried
    engines = {(engine_of(s, u), speech.kinds_of(s).get(u.utterance_id, Kind.TURN)) for _, s, u, _ in clips}
    assert {(WORKER, Kind.TURN), (ESPEAK, Kind.TURN), (ESPEAK, Kind.BACKCHANNEL)} <= engines
    assert {voicing.voice_id.partition("-")[0] for one, *_ in clips for voicing in one.voicing} == {
        "cosyvoice"
    }


def test_store_and_report_say_which_engine_made_each_clip(mixed: Path) -> None:
    clips = {clip.digest: clip for *_, clip in spoken_in(mixed)}
    for sidecar in (mixed.parent / "store" / "clips").glob("*/*.json"):
        assert StoredClip.from_line(sidecar.read_bytes()).ref == clips.pop(sidecar.stem)
    assert clips == {}
    report_run(mixed)
    report = mixed / "report"
    rows = [EngineRow.model_validate(row) for row in json.loads((report / "stats.json").read_text())["takes"]]
    made = [clip.engine for clip in {clip.digest: clip for *_, clip in spoken_in(mixed)}.values()]
    assert {row.engine: row.clips for row in rows} == {name: made.count(name) for name in sorted({*made})}
    assert len(rows) == 2
    page = (report / "index.html").read_text(encoding="utf-8")
    assert all(row.engine in page for row in rows)


def test_a_text_that_no_engine_says_well_refuses_its_dialogue_and_says_who_tried(
    worker: CosyVoiceDouble, catalogue: Path, tmp_path: Path
) -> None:
    run_at(tmp_path / "run", served_config(worker.url, catalogue, limit=6, speech={"retakes": 0}))
    refusals = [one for one in RunDirectory(tmp_path / "run").read_refusals() if one.stage == speech.NAME]
    kept = spoken_in(tmp_path / "run")
    assert len(refusals) + len({script.dialogue_id for _, script, *_ in kept}) == 12
    assert refusals
    assert {one.reason for one in refusals} == {Reason.BAD_AUDIO}
    assert all(WORKER in one.detail and "not_finite" in one.detail for one in refusals)
    assert not any(never_said_well(utterance.text) for _, _, utterance, _ in kept)


def test_the_engine_of_the_bank_alone_speaks_no_turns(
    worker: CosyVoiceDouble, catalogue: Path, tmp_path: Path
) -> None:
    alone = {**LADDER, "then": []}
    run_at(tmp_path / "run", served_config(worker.url, catalogue, limit=6, speech=alone))
    by_espeak = [(s, u) for _, s, u, clip in spoken_in(tmp_path / "run") if clip.engine.startswith(ESPEAK)]
    assert by_espeak
    assert all(speech.kinds_of(s).get(u.utterance_id) is Kind.BACKCHANNEL for s, u in by_espeak)


def test_another_voice_of_the_next_engine_is_another_clip(worker: CosyVoiceDouble, tmp_path: Path) -> None:
    catalogue = own_catalogue(tmp_path / "voices")
    config = served_config(worker.url, catalogue, limit=1, speech=LADDER)
    run_at(tmp_path / "run", config)
    before = data_of(tmp_path / "run")
    content = catalogue.read_text(encoding="utf-8")
    for prefix in ("en-us", "cmn"):  # everybody speaks like the neighbour
        for a, b in (("f01", "f03"), ("m02", "m04")):
            content = content.replace(f"{prefix}+humdial-{a}", f"{prefix}+humdial-{b}")
    catalogue.write_text(content, encoding="utf-8")
    summary = run_at(tmp_path / "run", config)
    assert summary.shards_run > 0
    assert data_of(tmp_path / "run") != before


def configure(directory: Path, config: RunConfig) -> Path:
    path = directory / "run.yaml"
    path.write_text(config.model_dump_json(), encoding="utf-8")
    return path


def test_another_synthesizer_is_one_line_of_the_same_configuration(catalogue: Path, tmp_path: Path) -> None:
    with CosyVoiceDouble() as worker:
        path = configure(tmp_path, served_config(worker.url, catalogue, limit=1))
        for backend, engine in (("cosyvoice", WORKER), ("espeak", ESPEAK)):
            asked = len(worker.requests)
            arguments = ("-n", "2", "--out", tmp_path / backend, "--set", f"speech.backend={backend}")
            answer = humdial("preview", path, *arguments)
            assert answer.code == 0, answer.err
            engines = {clip.engine for *_, clip in spoken_in(tmp_path / backend)}
            assert len(engines) == 1
            assert engines.pop().startswith(engine)
            assert load_config(tmp_path / backend / DESCRIPTION).speech.backend == backend
            assert (len(worker.requests) > asked) == (backend == "cosyvoice")
