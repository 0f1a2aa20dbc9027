"""`humdial speech bank`: what a person types and reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.backends.speech_servers.cosyvoice_double import Body, CosyVoiceDouble, error
from tests.cli.calling import Answer, humdial
from tests.loopback.served_voices import served_config, write_catalogue

FORMS, TAKES = 19, 2


@pytest.fixture
def worker() -> Iterator[CosyVoiceDouble]:
    with CosyVoiceDouble() as double:
        yield double


@pytest.fixture
def config(worker: CosyVoiceDouble, tmp_path: Path) -> Path:
    """One person per language."""
    catalogue = write_catalogue(tmp_path / "voices", splits=("train",), speakers=2)
    path = tmp_path / "run.yaml"
    path.write_text(served_config(worker.url, catalogue).model_dump_json(), encoding="utf-8")
    return path


def bank(config: Path, *arguments: object) -> Answer:
    store = config.parent / "store"
    return humdial(
        "speech", "bank", config, "--store", store, "--set", f"speech.bank.takes={TAKES}", *arguments
    )


def test_it_says_who_made_how_many_takes_and_the_second_time_that_nothing_was_spoken(
    worker: CosyVoiceDouble, config: Path
) -> None:
    first, again = bank(config), bank(config)
    assert (first.code, again.code) == (0, 0), first.err
    takes = 4 * FORMS * TAKES
    assert len(worker.requests) == takes
    for answer, spoken in ((first, takes), (again, 0)):
        assert f"{takes} takes by 4 voices, {spoken} of them spoken now" in answer.out
        assert answer.out.count("cosyvoice-double@1+1") == 1
    assert (
        f"cosyvoice-zh-train-1: {FORMS * TAKES} takes, {FORMS * TAKES} spoken now" in first.err.splitlines()
    )


def test_forms_that_nobody_can_say_are_named_and_the_exit_code_is_1(
    worker: CosyVoiceDouble, config: Path
) -> None:
    async def act(request: web.Request, body: Body) -> web.StreamResponse | None:
        bad = body["spoken_text"] == "Mm-hm."
        return error(422, "bad_audio", {"reason": "too_long"}) if bad else None

    worker.act = act
    answer = bank(config)
    assert answer.code == 1
    assert "forms of which there is no take: 2" in answer.out
    for speaker in ("en-train-0", "en-train-1"):
        (line,) = (line for line in answer.out.splitlines() if f"voice of {speaker}:" in line)
        assert "'Mm-hm.'" in line
        assert "too_long 3" in line
    assert f"cosyvoice-en-train-0: {(FORMS - 1) * TAKES} takes" in answer.err
    assert "forms without a take: 1" in answer.err


def test_refused_takes_are_told_by_voice_and_in_all(worker: CosyVoiceDouble, config: Path) -> None:
    async def act(request: web.Request, body: Body) -> web.StreamResponse | None:
        return error(422, "bad_audio", {"reason": "silent"}) if len(worker.requests) <= 3 else None

    worker.act = act
    answer = bank(config)
    assert len(worker.requests) == 4 * FORMS * TAKES + 3
    assert "on the way to them, 3 were no good" in answer.out
    assert answer.err.count("no good: silent 3") == 1


def test_without_a_worker_the_remedy_is_told_at_once(config: Path, worker: CosyVoiceDouble) -> None:
    worker.serving.stop()
    problem = bank(config).problem
    assert "speech.cosyvoice: nobody answers" in problem
    assert "humdial speech serve-cosyvoice" in problem
    assert worker.url in problem
