"""The backchannel bank: built once, checked, and drawn from by every run with the same speech section."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from pipeline.banking import Deposit, build_bank, forms_of
from pipeline.config import RunConfig
from pipeline.core.interjections import FORMS
from pipeline.domain.errors import TransientBackendError
from pipeline.domain.labels import Language, Split
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.takes import Flaw, Kind
from pipeline.io.run_directory import RunDirectory
from pipeline.io.store import StoredClip
from pipeline.stages import speech
from pipeline.wiring import directory_of
from tests.backends.speech_servers.cosyvoice_double import Act, Body, CosyVoiceDouble, error
from tests.loopback.served_voices import served_config, write_catalogue
from tests.runs import run_at

TAKES, SPEAKERS = 2, 2
ENGINE = "cosyvoice-double@1+1"
LISTED = {language: [text for text, _ in forms] for language, forms in FORMS.items()}
EVERYTHING = TAKES * SPEAKERS * sum(map(len, LISTED.values()))


@pytest.fixture(scope="module")
def server() -> Iterator[CosyVoiceDouble]:
    with CosyVoiceDouble() as double:
        yield double


@pytest.fixture
def worker(server: CosyVoiceDouble) -> CosyVoiceDouble:
    """As if nobody had asked it."""
    server.act = never()
    server.requests.clear()
    return server


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers of each language in each of two splits."""
    return write_catalogue(
        tmp_path_factory.mktemp("voices"),
        splits=("train", "dev"),
        speakers=SPEAKERS,
        backends=("cosyvoice", "espeak"),
    )


def config_of(worker: CosyVoiceDouble, catalogue: Path, **bank: object) -> RunConfig:
    """Six dialogues of the training split, a listener's interjection in each."""
    return served_config(
        worker.url,
        catalogue,
        limit=3,
        max_in_flight=8,
        scenes=("user_backchannel",),
        speech={"bank": {"takes": TAKES, **bank}},
    )


def build(config: RunConfig, store: Path) -> tuple[Deposit, ...]:
    told: list[Deposit] = []
    deposits = build_bank(config, store, told.append)
    assert tuple(told) == deposits
    return deposits


def share_of(text: str) -> float:
    return hashlib.sha256(text.encode()).digest()[0] / 256


async def fail_a_third(request: web.Request, body: Body) -> web.StreamResponse | None:
    """Of takes, by voice, text and seed."""
    bad = share_of(f"{body['voice']}/{body['spoken_text']}/{body['seed']}") < 1 / 3
    return error(422, "bad_audio", {"reason": "nan"}) if bad else None


def never(*texts: str) -> Act:
    async def act(request: web.Request, body: Body) -> web.StreamResponse | None:
        return error(422, "bad_audio", {"reason": "silent"}) if body["spoken_text"] in texts else None

    return act


def test_every_voice_that_may_be_cast_says_every_form_in_several_takes(
    worker: CosyVoiceDouble, catalogue: Path, tmp_path: Path
) -> None:
    deposits = build(config_of(worker, catalogue), tmp_path / "store")
    assert {one.voice.split for one in deposits} == {Split.TRAIN}
    assert Counter(one.voice.language for one in deposits) == dict.fromkeys(Language, SPEAKERS)
    for one in deposits:
        assert one.engines == {ENGINE: TAKES * len(LISTED[one.voice.language])}
        assert (one.missing, one.refused, one.spoken) == ((), {}, one.engines.total())
    asked = Counter((body["voice"], body["spoken_text"]) for body in worker.requests)
    assert set(asked.values()) == {TAKES}
    assert len({(b["voice"], b["spoken_text"], b["seed"], b["speed"]) for b in worker.requests}) == EVERYTHING
    assert len(list((tmp_path / "store" / "clips").glob("*/*.wav"))) == EVERYTHING


def test_refused_takes_are_counted_and_a_second_call_speaks_nothing(
    worker: CosyVoiceDouble, catalogue: Path, tmp_path: Path
) -> None:
    worker.act = fail_a_third
    config = config_of(worker, catalogue)
    config = config.model_copy(update={"speech": config.speech.model_copy(update={"retakes": 10})})
    deposits = build(config, tmp_path / "store")
    assert sum(one.spoken for one in deposits) == EVERYTHING
    asked = len(worker.requests)
    refused = sum((one.refused for one in deposits), Counter[Flaw]())
    assert refused == {Flaw.NOT_FINITE: asked - EVERYTHING}
    assert refused.total() > EVERYTHING / 4
    again = build(config, tmp_path / "store")
    assert len(worker.requests) == asked
    assert [one.spoken for one in again] == [0] * len(deposits)
    assert [one.engines for one in again] == [one.engines for one in deposits]


def test_a_form_that_nobody_can_say_is_named_with_the_reason(
    worker: CosyVoiceDouble, catalogue: Path, tmp_path: Path
) -> None:
    worker.act = never("Mhm.", "嗯嗯。")
    deposits = build(config_of(worker, catalogue), tmp_path / "store")
    for one in deposits:
        (missing,) = one.missing
        assert ("Mhm." if one.voice.language is Language.EN else "嗯嗯。") in missing
        assert "silent" in missing
        assert one.voice.speaker in missing
        assert one.engines.total() == TAKES * (len(LISTED[one.voice.language]) - 1)


def test_a_bank_may_have_an_engine_of_its_own(
    worker: CosyVoiceDouble, catalogue: Path, tmp_path: Path
) -> None:
    deposits = build(config_of(worker, catalogue, backend="espeak"), tmp_path / "store")
    assert worker.requests == []
    engines = {engine for one in deposits for engine in one.engines}
    assert len(engines) == 1
    assert engines.pop().startswith("espeak-ng")


def spoken_in(directory: Path) -> Iterator[tuple[str, str, str]]:
    """Digest, text and engine of every backchannel of a run."""
    run, place = RunDirectory(directory), directory_of(speech.NAME)
    for index, _ in run.find_shards(place):
        for one in run.read_shard(place, index, SpokenScript):
            kinds = speech.kinds_of(one.script)
            texts = {utterance.utterance_id: utterance.text for utterance in one.script.utterances}
            for entry in one.clips:
                if kinds.get(entry.utterance_id) is Kind.BACKCHANNEL:
                    yield entry.clip.digest, texts[entry.utterance_id], entry.clip.engine


def test_runs_draw_listed_forms_from_the_bank_and_ask_for_none(
    worker: CosyVoiceDouble, catalogue: Path, tmp_path: Path
) -> None:
    config = config_of(worker, catalogue)
    build(config, tmp_path / "store")
    stored = {path.stem for path in (tmp_path / "store" / "clips").glob("*/*.json")}
    worker.requests.clear()
    run_at(tmp_path / "run", config.model_copy(update={"seed": 1}))
    listed = {text for texts in LISTED.values() for text in texts}
    asked = {str(body["spoken_text"]) for body in worker.requests if body["kind"] == "backchannel"}
    assert asked & listed == set()
    drawn = [digest for digest, text, _ in spoken_in(tmp_path / "run") if text in listed]
    assert drawn
    assert set(drawn) <= stored


def test_a_run_draws_another_take_where_one_cannot_be_made(
    worker: CosyVoiceDouble, catalogue: Path, tmp_path: Path
) -> None:
    def is_first_take(body: Body) -> bool:
        return body["kind"] == "backchannel" and body["speed"] == speech.bank_speed(0)

    async def fail_the_first(request: web.Request, body: Body) -> web.StreamResponse | None:
        return error(422, "bad_audio", {"reason": "nan"}) if is_first_take(body) else None

    worker.act = fail_the_first
    config = config_of(worker, catalogue)
    deposits = build(config, tmp_path / "store")
    assert [one.missing for one in deposits] == [()] * len(deposits), "of each form, one take is there"
    worker.requests.clear()
    summary = run_at(tmp_path / "run", config)
    assert (summary.num_dialogues, summary.num_refusals) == (6, 0)
    assert any(map(is_first_take, worker.requests)), "one was drawn"


def test_a_bank_whose_engine_goes_away_keeps_what_was_said_and_goes_on_there(
    worker: CosyVoiceDouble, catalogue: Path, tmp_path: Path
) -> None:
    config = config_of(worker, catalogue)
    patience = config.speech.cosyvoice.patience.model_copy(update={"give_up_after_s": 0.2})
    servers = config.speech.cosyvoice.model_copy(update={"patience": patience})
    config = config.model_copy(update={"speech": config.speech.model_copy(update={"cosyvoice": servers})})

    async def leave(request: web.Request, body: Body) -> web.StreamResponse | None:
        return error(503, "loading", retry_after="0.1") if len(worker.requests) > EVERYTHING // 2 else None

    worker.act = leave
    with pytest.raises(TransientBackendError, match="no endpoint answers any more"):
        build(config, tmp_path / "store")
    kept = len(list((tmp_path / "store" / "clips").glob("*/*.json")))
    assert kept == EVERYTHING // 2
    worker.requests.clear()
    worker.act = never()
    build(config, tmp_path / "store")
    assert len(worker.requests) == EVERYTHING - kept
    for sidecar in (tmp_path / "store" / "clips").glob("*/*.json"):
        assert StoredClip.from_line(sidecar.read_bytes()).ref.engine == ENGINE


@pytest.mark.parametrize("language", list(Language))
def test_every_form_holds_what_the_embedded_author_says_in_passing(language: Language) -> None:
    few, all_forms = forms_of(language, False), forms_of(language, True)
    assert set(few) < set(all_forms)
    assert len(all_forms) == len(set(all_forms)) > 100
    assert all("{" not in text for text, _ in all_forms)
