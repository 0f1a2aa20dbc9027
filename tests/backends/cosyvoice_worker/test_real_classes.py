"""CosyVoice's own classes, versions 1, 2 and 3, on random weights, through the worker. Opt-in:

    COSYVOICE_ROOT=~/CosyVoice COSYVOICE_PYTHON=~/CosyVoice/.venv/bin/python pytest -m slow <this file>

`COSYVOICE_ROOT` is a checkout with its submodule; `COSYVOICE_PYTHON` an environment with its inference packages, the
worker's (docker/cosyvoice/requirements.txt) and onnx. Versions newer than the pinned ones do: torch 2.13 on a CPU,
transformers 4.51.3, setuptools < 80. With `COSYVOICE_TRANSCRIPT` naming a file, requests and answers are written
there.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from pydantic import JsonValue

from tests.backends.cosyvoice_worker.asking import Answer, ask, post, prompt, speak, upload, wish
from tests.backends.cosyvoice_worker.double import PACKAGES, started

HERE = Path(__file__).parent
ROOT = os.environ.get("COSYVOICE_ROOT", "")
PYTHON = os.environ.get("COSYVOICE_PYTHON", str(Path(ROOT) / ".venv" / "bin" / "python"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not ROOT, reason="needs COSYVOICE_ROOT: a CosyVoice checkout with an environment of its own"
    ),
]
ENGLISH = {"language": "en", "spoken_text": "Hello there, how are you today?"}


class Real(NamedTuple):
    """The worker, and a record of what was said to it."""

    url: str
    transcript: Path | None

    def speak(self, request_id: str, **changes: JsonValue) -> Answer:
        began = time.monotonic()
        answer = speak(self.url, request_id, **{**ENGLISH, **changes})
        self.note(
            "POST /v1/tts", wish(request_id, **{**ENGLISH, **changes}), answer, time.monotonic() - began
        )
        return answer

    def note(self, what: str, sent: JsonValue, answer: Answer, took_s: float) -> None:
        if self.transcript is None:
            return
        is_audio = answer.headers["content-type"] == "audio/wav"
        told = answer.headers.get("x-tts-meta") if is_audio else answer.body.decode()[:1500]
        lines = [f"> {what} {json.dumps(sent, ensure_ascii=False)}", f"< {answer.status} in {took_s:.2f} s"]
        if is_audio:
            wav = answer.wav
            level = float(20 * np.log10(np.sqrt(np.mean(wav.samples**2)) + 1e-9))
            lines.append(f"< wav: {wav.duration_s:.3f} s at {wav.rate_hz} Hz, {level:.1f} dBFS")
        with self.transcript.open("a", encoding="utf-8") as file:
            file.write("\n".join([*lines, f"< {told}", ""]) + "\n")


Serve = Callable[[int], Real]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """One worker per version, started when it is first asked for."""
    with ExitStack() as running:

        @cache
        def serve_version(version: int) -> Real:
            place = tmp_path_factory.mktemp(f"cosyvoice{version}")
            model_dir = place / f"random-{version}"
            maker = [PYTHON, str(HERE / "random_model.py"), ROOT, str(model_dir), str(version)]
            subprocess.run(maker, check=True, capture_output=True, timeout=300)
            command = ["--root", ROOT, "--model-dir", str(model_dir), "--port", "0"]
            command += ["--engine", "random_engine:open_random"]
            worker = running.enter_context(
                started(
                    command,
                    place / "voices",
                    wait_s=300,
                    program=(PYTHON, "-m", "worker"),
                    python_path=(PACKAGES, HERE),
                )
            )
            told = os.environ.get("COSYVOICE_TRANSCRIPT")
            real = Real(worker.url, Path(told) if told else None)
            for path in ("/health", "/v1/capabilities", "/v1/voices"):
                began = time.monotonic()
                real.note(f"GET {path}", None, ask(f"{worker.url}{path}"), time.monotonic() - began)
            return real

        yield serve_version


@pytest.fixture
def real(serve: Serve) -> Real:
    """Version 1."""
    return serve(1)


def test_sft_answers_with_audio_at_the_rate_of_the_model(real: Real) -> None:
    answer = real.speak("sft", voice="英文女", seed=7)
    assert answer.status == 200, answer.body
    assert (answer.meta["mode_used"], answer.meta["sample_rate"], answer.wav.rate_hz) == (
        "sft",
        22_050,
        22_050,
    )
    assert answer.wav.duration_s == pytest.approx(answer.meta["duration_s"], abs=1e-3)
    assert np.isfinite(answer.wav.samples).all()
    assert np.abs(answer.wav.samples).max() > 0.001
    assert answer.meta["model"] == "random-1"


@pytest.mark.parametrize(("version", "warnings"), [(1, ["v1_prompt_rate"]), (2, []), (3, [])])
def test_zero_shot_answers_with_a_voice_that_was_uploaded(
    serve: Serve, version: int, warnings: list[str]
) -> None:
    real = serve(version)
    began = time.monotonic()
    fields = {"id": "reader", "prompt_text": "Well, let me see about that.", "licence": "CC0-1.0"}
    added = upload(real.url, prompt(3.0), **fields)
    real.note("POST /v1/voices (form, wav of 3 s)", {**fields}, added, time.monotonic() - began)
    assert added.status == 201, added.body
    answer = real.speak("zero-shot", voice="reader", seed=7)
    assert answer.status == 200, answer.body
    assert answer.meta["mode_used"] == "zero_shot"
    assert answer.meta["warnings"] == warnings
    assert answer.wav.rate_hz == (22_050 if version == 1 else 24_000)
    short = real.speak("zero-shot-short", voice="reader", spoken_text="Right.", kind="backchannel")
    assert short.status == 200
    assert short.meta["warnings"] == [*warnings, "no_short_prompt"]


@pytest.mark.parametrize("version", [2, 3])
def test_the_instruction_changes_what_the_model_hears(serve: Serve, version: int) -> None:
    """Where it is dropped, as upstream does with registered speakers, equal seeds give equal audio."""
    real = serve(version)
    upload(real.url, prompt(3.0, pitch_hz=170), id="actor", prompt_text="Well, let me see.")
    plain, happy, sad, again = (
        real.speak(f"{emotion}-{index}", voice="actor", seed=5, emotion=emotion)
        for index, emotion in enumerate(("neutral", "happy", "sad", "happy"))
    )
    assert [one.meta["mode_used"] for one in (plain, happy, sad)] == ["zero_shot", "instruct", "instruct"]
    assert happy.meta["applied"]["emotion"] is True
    sounds = [one.wav.samples for one in (plain, happy, sad, again)]
    assert np.array_equal(sounds[1], sounds[3])
    for one, two in ((0, 1), (1, 2), (0, 2)):
        assert not np.array_equal(sounds[one], sounds[two])


def test_equal_seeds_give_equal_audio_and_others_do_not(real: Real) -> None:
    first = real.speak("seed-3", voice="英文男", seed=3)
    other = real.speak("seed-4", voice="英文男", seed=4)
    again = real.speak("seed-3-again", voice="英文男", seed=3)
    assert first.status == other.status == again.status == 200
    assert np.array_equal(first.wav.samples, again.wav.samples)
    assert not np.array_equal(first.wav.samples, other.wav.samples)


def test_speed_shortens(real: Real) -> None:
    slow, fast = (
        real.speak(f"speed-{speed}", voice="英文男", seed=3, speed=speed).meta["duration_s"]
        for speed in (0.8, 1.25)
    )
    assert slow / fast == pytest.approx(1.25 / 0.8, rel=0.05)


def test_what_the_model_cannot_do_is_said(real: Real) -> None:
    for changes, status in (
        ({"voice": "英文女", "mode": "instruct"}, 400),
        ({"voice": "nobody"}, 404),
        ({"voice": "英文女", "spoken_text": "Well [laughter]."}, 400),
        ({"voice": "英文女", "spoken_text": "...", "kind": "backchannel"}, 400),
        ({"voice": "英文女", "max_duration_s": 0.2}, 422),
    ):
        assert real.speak("refused", **changes).status == status
    happy = real.speak("happy", voice="英文女", emotion="happy")
    assert (happy.status, happy.meta["warnings"]) == (200, ["emotion_not_applied"])


def test_a_batch_is_answered_item_by_item(real: Real) -> None:
    began = time.monotonic()
    items: list[JsonValue] = [
        wish("b1", **{**ENGLISH, "voice": "英文女"}),
        wish("b2", **{**ENGLISH, "voice": "nobody"}),
        wish("b3", **{**ENGLISH, "voice": "英文男"}),
    ]
    answer = post(f"{real.url}/v1/tts/batch", {"items": items})
    statuses = [item["status"] for item in answer.json["items"]]
    told = Answer(answer.status, answer.headers, json.dumps(statuses).encode())
    real.note("POST /v1/tts/batch", {"items": items}, told, time.monotonic() - began)
    assert statuses == [200, 404, 200]
    assert ask(f"{real.url}/health").status == 200
