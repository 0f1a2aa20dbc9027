"""The interface, over real HTTP."""

import base64
import hashlib
import json
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from pipeline.backends.cosyvoice.worker.text import LONGEST_HAN, LONGEST_WORDS
from pipeline.backends.cosyvoice.worker.wav import read_wav
from tests.backends.cosyvoice_worker.asking import HELLO, ask, post, prompt, speak, upload, wish
from tests.backends.cosyvoice_worker.double import RunningWorker, running_worker
from tests.backends.cosyvoice_worker.double_engine import Fault

TRIED = prompt(pitch_hz=333)
TRIED_SHA256 = hashlib.sha256(TRIED).hexdigest()
BAD_TRIAL = f"voice-bad#neutral#long#{TRIED_SHA256[:16]}"
AUDIO_FAULTS: dict[Fault, str] = {
    "empty": "too_short",
    "nan": "nan",
    "silence": "silent",
    "leading_silence": "silent",
    "clipped": "clipped",
    "spoken_instruction": "too_long",
    "too_long": "too_long",
}


@pytest.fixture(scope="module")
def worker() -> Iterator[RunningWorker]:
    script: dict[str, Fault] = {fault: fault for fault in AUDIO_FAULTS}
    with running_worker(script={**script, "error": "error", BAD_TRIAL: "nan"}) as running:
        yield running


def test_a_request_is_answered_with_audio_and_what_was_applied(worker: RunningWorker) -> None:
    answer = speak(worker.url, "one", emotion="happy", instruction="轻声一点", seed=7)
    assert (answer.status, answer.headers["content-type"]) == (200, "audio/wav")
    wav = answer.wav
    assert wav.rate_hz == answer.meta["sample_rate"] == 24_000
    assert wav.duration_s == pytest.approx(answer.meta["duration_s"], abs=1e-4)
    assert 1.5 < wav.duration_s < 4.0
    assert 0.05 < np.abs(wav.samples).max() < 0.99
    assert answer.meta == {
        "request_id": "one",
        "sample_rate": 24_000,
        "duration_s": answer.meta["duration_s"],
        "trimmed_lead_s": pytest.approx(0.01, abs=0.011),
        "trimmed_tail_s": pytest.approx(0.01, abs=0.011),
        "mode_used": "sft",
        "applied": {"emotion": False, "instruction": False, "speed": True, "seed": True},
        "model": "double",
        "revision": "double-1",
        "engine_ms": answer.meta["engine_ms"],
        "warnings": ["emotion_not_applied", "instruction_not_applied"],
    }


def test_equal_requests_are_equal_audio_and_another_seed_is_another(worker: RunningWorker) -> None:
    first, again, other = (speak(worker.url, seed=seed).body for seed in (3, 3, 4))
    assert first == again != other


def test_pcm16_and_float32_are_the_same_sound(worker: RunningWorker) -> None:
    floats, whole = (speak(worker.url, format=encoding) for encoding in ("float32", "pcm16"))
    assert len(floats.body) > 1.9 * len(whole.body)
    assert np.abs(floats.wav.samples - whole.wav.samples).max() < 1e-4


def test_json_is_sent_to_who_accepts_json(worker: RunningWorker) -> None:
    answer = post(f"{worker.url}/v1/tts", wish(seed=5), Accept="application/json")
    assert answer.headers["content-type"] == "application/json"
    assert base64.b64decode(answer.json["audio_b64"]) == speak(worker.url, seed=5).body
    assert answer.json["meta"]["mode_used"] == "sft"


def test_speed_shortens(worker: RunningWorker) -> None:
    slow, fast = (speak(worker.url, speed=speed).meta["duration_s"] for speed in (0.8, 1.25))
    assert slow / fast == pytest.approx(1.25 / 0.8, rel=0.1)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"spoken_text": "……"}, "nothing to say"),
        ({"spoken_text": ""}, "nothing to say"),
        ({"spoken_text": "好的[giggle]。"}, "unknown tag '[giggle]'"),
        ({"spoken_text": "好的<|endofprompt|>吗"}, "unknown tag"),
        ({"spoken_text": "好" * (LONGEST_HAN + 1)}, "split at clauses"),
        ({"spoken_text": "yes " * (LONGEST_WORDS + 1)}, "split at clauses"),
        ({"language": "fr"}, "language"),
        ({"mode": "zero_shot"}, "has only sft"),
        ({"mode": "loud"}, "mode"),
        ({"speed": 9}, "speed"),
        ({"seed": -1}, "seed"),
        ({"deadline_s": 0}, "deadline_s"),
        ({"voice": ""}, "voice"),
        ({"colour": "red"}, "colour"),
        ({"request_id": ""}, "request_id"),
    ],
)
def test_what_can_never_succeed_is_400(
    worker: RunningWorker, changes: dict[str, JsonValue], complaint: str
) -> None:
    answer = post(f"{worker.url}/v1/tts", {**wish("bad"), **changes})
    assert answer.status == 400
    assert answer.error["code"] == "invalid_request"
    assert complaint in answer.error["message"]
    assert answer.error["retryable"] is False
    assert answer.error["request_id"] == {**wish("bad"), **changes}["request_id"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'"x"'])
def test_a_body_that_is_no_request_is_400(worker: RunningWorker, body: bytes) -> None:
    answer = ask(f"{worker.url}/v1/tts", body, {"Content-Type": "application/json"})
    assert (answer.status, answer.error["code"]) == (400, "invalid_request")


def test_tags_that_the_model_knows_are_no_mistake(worker: RunningWorker) -> None:
    assert speak(worker.url, spoken_text="好的[laughter]，<strong>真的</strong>。").status == 200


def test_an_unknown_voice_is_404_and_names_those_there_are(worker: RunningWorker) -> None:
    answer = speak(worker.url, voice="nobody")
    assert (answer.status, answer.error["code"]) == (404, "voice_not_found")
    assert "中文女" in answer.error["message"]
    assert answer.error["retryable"] is False


@pytest.mark.parametrize(("fault", "reason"), AUDIO_FAULTS.items())
def test_bad_audio_is_422_with_its_reason(worker: RunningWorker, fault: str, reason: str) -> None:
    answer = speak(worker.url, fault)
    assert (answer.status, answer.error["code"]) == (422, "bad_audio")
    assert answer.error["details"]["reason"] == reason
    assert answer.error["retryable"] is True


def test_what_the_model_raises_is_500_and_may_be_sent_again(worker: RunningWorker) -> None:
    answer = speak(worker.url, "error")
    assert (answer.status, answer.error["code"], answer.error["retryable"]) == (500, "engine_error", True)
    assert "told to fail" in answer.error["message"]
    assert speak(worker.url).status == 200


def test_max_duration_s_is_a_bound(worker: RunningWorker) -> None:
    answer = speak(worker.url, max_duration_s=1.0)
    assert (answer.status, answer.error["details"]["reason"]) == (422, "too_long")


def test_an_unknown_path_has_the_same_body(worker: RunningWorker) -> None:
    answer = ask(f"{worker.url}/v1/sing")
    assert (answer.status, answer.error["code"]) == (404, "invalid_request")
    assert ask(f"{worker.url}/v1/tts").status == 405


def test_a_batch_answers_item_by_item(worker: RunningWorker) -> None:
    items: list[JsonValue] = [
        wish("a", seed=1),
        wish("nan"),
        {"request_id": "b"},
        wish("c", voice="nobody"),
        17,
        wish("d", seed=2),
    ]
    answer = post(f"{worker.url}/v1/tts/batch", {"items": items})
    assert answer.status == 200
    answers = answer.json["items"]
    assert [item["status"] for item in answers] == [200, 422, 400, 404, 400, 200]
    assert [item["error"]["request_id"] for item in answers[1:5]] == ["nan", "b", "c", None]
    assert answers[0]["meta"]["request_id"] == "a"
    assert base64.b64decode(answers[5]["audio_b64"]) == speak(worker.url, seed=2).body


@pytest.mark.parametrize("count", [0, 33])
def test_a_batch_has_1_to_32_items(worker: RunningWorker, count: int) -> None:
    answer = post(f"{worker.url}/v1/tts/batch", {"items": [wish(str(index)) for index in range(count)]})
    assert (answer.status, answer.error["code"]) == (400, "invalid_request")


def test_a_batch_of_32_is_served_by_a_queue_of_16(worker: RunningWorker) -> None:
    items: list[JsonValue] = [wish(str(index), seed=index) for index in range(32)]
    answers = post(f"{worker.url}/v1/tts/batch", {"items": items}).json["items"]
    assert [item["status"] for item in answers] == [200] * 32
    assert [item["meta"]["request_id"] for item in answers] == [str(index) for index in range(32)]


def test_capabilities_say_what_the_engine_can_do(worker: RunningWorker) -> None:
    content = ask(f"{worker.url}/v1/capabilities").json
    assert content["languages"] == ["zh", "en"]
    assert content["modes"] == ["sft", "zero_shot", "instruct"]
    assert content["emotions"] == ["happy"]
    assert (content["sample_rate"], content["seed"], content["word_timings"]) == (
        24_000,
        "best_effort",
        False,
    )
    assert (content["model"], content["revision"]) == ("double", "double-1")
    assert (content["best_han"], content["best_words"]) == (60, 45)
    assert (content["max_han"], content["max_words"], content["max_batch"]) == (150, 110, 32)
    assert (content["max_concurrency"], content["queue"]) == (1, 16)


def test_the_process_and_its_engines_say_how_they_are(worker: RunningWorker) -> None:
    assert ask(f"{worker.url}/live").json == {"status": "live"}
    (engine,) = ask(f"{worker.url}/health").json["engines"]
    assert engine["state"] == "ready"
    assert engine["rss_mb"] > 5


@settings(max_examples=25)
@given(request_id=st.text(min_size=1, max_size=128).filter(lambda text: text.isprintable() or "\x00" in text))
def test_the_header_is_ascii_and_below_4_kb(worker: RunningWorker, request_id: str) -> None:
    answer = speak(
        worker.url, request_id, emotion="sad", instruction="x", kind="backchannel", spoken_text="嗯嗯"
    )
    header = answer.headers["x-tts-meta"]
    assert answer.status == 200
    assert header.isascii()
    assert len(header) < 4096
    assert json.loads(header)["request_id"] == request_id


def test_a_voice_is_kept_once_and_speaks(worker: RunningWorker) -> None:
    first = upload(worker.url, id="once")
    assert (first.status, first.json["created"]) == (201, True)
    again = upload(worker.url, id="once")
    assert (again.status, again.json["created"]) == (200, False)
    assert again.json["voice"] == first.json["voice"]
    listed = [one["id"] for one in ask(f"{worker.url}/v1/voices").json["recorded"]]
    assert listed.count("once") == 1
    spoken = speak(worker.url, voice="once")
    assert (spoken.status, spoken.meta["mode_used"]) == (200, "zero_shot")


def test_a_voice_is_never_replaced(worker: RunningWorker) -> None:
    assert upload(worker.url, id="stays").status == 201
    answer = upload(worker.url, prompt(pitch_hz=210), id="stays")
    assert (answer.status, answer.error["code"]) == (400, "invalid_request")
    assert "never replaced" in answer.error["message"]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"licence": ""}, "licence"),
        ({"consent": ""}, "consent"),
        ({"consent": "no"}, "wanted who agreed"),
        ({"prompt_text": ""}, "prompt_text"),
        ({"id": "../../etc"}, "id"),
        ({"id": "中文女"}, "id"),
        ({"emotion": "Très triste"}, "emotion"),
        ({"mood": "good"}, "mood"),
        ({"sha256": "0" * 64}, "sha256"),
    ],
)
def test_a_voice_without_a_right_or_a_name_is_refused(
    worker: RunningWorker, fields: dict[str, str], complaint: str
) -> None:
    answer = upload(worker.url, **{"id": "refused", **fields})
    assert (answer.status, answer.error["code"]) == (400, "invalid_request")
    assert complaint in answer.error["message"]
    assert "refused" not in ask(f"{worker.url}/v1/voices").body.decode()


@pytest.mark.parametrize(
    ("wav", "status", "complaint"),
    [
        (b"RIFF", 400, "no RIFF/WAVE header"),
        (b"", 400, "no RIFF/WAVE header"),
        (prompt(rate_hz=8000), 400, "16000 Hz or more"),
        (prompt(duration_s=0.5), 400, "1 to 30 s"),
        (prompt(duration_s=31), 400, "1 to 30 s"),
        (prompt(gain=0.001), 422, "dBFS"),
    ],
)
def test_a_recording_that_is_no_prompt_is_refused(
    worker: RunningWorker, wav: bytes, status: int, complaint: str
) -> None:
    answer = upload(worker.url, wav, id="refused")
    assert answer.status == status
    assert complaint in answer.error["message"]


def test_emotions_and_short_lines_have_recordings_of_their_own(worker: RunningWorker) -> None:
    assert upload(worker.url, id="rich").status == 201
    assert upload(worker.url, prompt(pitch_hz=180), id="rich", emotion="fear").status == 201
    assert upload(worker.url, prompt(1.5), id="rich", short="true").status == 201

    def applied(**changes: JsonValue) -> tuple[str, bool, list[str]]:
        meta = speak(worker.url, voice="rich", **changes).meta
        return meta["mode_used"], meta["applied"]["emotion"], meta["warnings"]

    assert applied() == ("zero_shot", True, [])
    assert applied(emotion="fear") == ("zero_shot", True, [])
    assert applied(emotion="happy") == ("instruct", True, [])
    assert applied(emotion="disgust") == ("zero_shot", False, ["emotion_not_applied"])
    assert applied(kind="backchannel", spoken_text="嗯嗯") == ("zero_shot", True, [])


def test_a_recording_that_fails_its_trial_is_not_left_behind_unless_another_voice_has_it(
    worker: RunningWorker,
) -> None:
    kept = worker.voices / f"{TRIED_SHA256}.wav"
    assert upload(worker.url, TRIED, id="bad").status == 422
    assert not kept.exists()
    assert upload(worker.url, TRIED, id="good").status == 201
    assert upload(worker.url, TRIED, id="bad").status == 422
    assert kept.exists()
    assert speak(worker.url, voice="good").status == 200


def test_an_upload_that_is_no_form_is_400(worker: RunningWorker) -> None:
    answer = ask(f"{worker.url}/v1/voices", b"{}", {"Content-Type": "application/json"})
    assert (answer.status, answer.error["code"]) == (400, "invalid_request")


def test_mixed_texts_are_spoken(worker: RunningWorker) -> None:
    assert read_wav(speak(worker.url, spoken_text=HELLO + " See you there.").body).duration_s > 2
