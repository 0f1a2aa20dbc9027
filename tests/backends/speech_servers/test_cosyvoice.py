import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from pipeline.backends.speech_servers import CosyVoice, CosyVoiceSettings, SpeechServer
from pipeline.backends.speech_servers.chunks import parts_of
from pipeline.core.patience import Patience
from pipeline.core.tokens import words_of
from pipeline.domain.emotional import Tag, TagPlace
from pipeline.domain.errors import (
    BadTakeError,
    ConfigError,
    RecordError,
    TerminalBackendError,
)
from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.quarantine import Reason
from pipeline.domain.takes import Flaw, Kind
from tests.backends.speech_servers.cosyvoice_double import Act, Body, CosyVoiceDouble, error
from tests.backends.speech_servers.serving import endless_silence, free_port
from tests.backends.speech_servers.speaking import (
    PLAIN_CONTENT,
    QUICK,
    SAD_CONTENT,
    SHORT_CONTENT,
    SLOW_ENOUGH,
    read_reference,
    request_for,
    speak,
    speak_all,
    voice_of,
    wav,
)

OWN = voice_of("cosyvoice", "英文男")
RECORDED = voice_of("cosyvoice", "Ann Smith", recorded=True, moods=True)


@contextmanager
def client_of(
    *urls: str, patience: Patience = QUICK, max_in_flight: int = 64, slowest: float = SLOW_ENOUGH
) -> Iterator[CosyVoice]:
    servers = tuple(SpeechServer(url, max_in_flight) for url in urls)
    with CosyVoice(CosyVoiceSettings(servers, patience, slowest), read_reference) as client:
        yield client


def always(answer: web.Response) -> Act:
    async def act(request: web.Request, body: Body) -> web.StreamResponse | None:
        return error_copy(answer)

    return act


def error_copy(answer: web.Response) -> web.Response:
    """A response can be sent once."""
    return web.Response(body=answer.body, status=answer.status, headers=answer.headers)


def once(answer: web.Response) -> Act:
    left = [answer]

    async def act(request: web.Request, body: Body) -> web.StreamResponse | None:
        return left.pop() if left else None

    return act


def test_a_request_says_everything_that_the_worker_wants_to_know() -> None:
    request = request_for(OWN, "I see.", kind=Kind.BACKCHANNEL, emotion=Emotion.SAD, speed=1.2)
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        take = speak(client, request)
    (body,) = double.requests
    wanted: Body = {
        "spoken_text": "I see.",
        "language": "en",
        "voice": "英文男",
        "kind": "backchannel",
        "emotion": "sad",
        "speed": 1.2,
        "seed": 7,
        "mode": "auto",
    }
    assert {**body, **wanted} == body
    deadline_s = body["deadline_s"]
    assert isinstance(deadline_s, float)
    assert "max_duration_s" not in body  # the worker knows better how long a text may last
    assert QUICK.timeout_s < deadline_s < QUICK.timeout_s + 12 * SLOW_ENOUGH
    assert take.engine == "cosyvoice-double@1+1"
    assert take.samples.dtype == np.float32
    assert take.unapplied == ()


def test_capabilities_are_the_workers_own_words() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        found = client.capabilities
    assert found.languages == frozenset(Language)
    assert found.voices == frozenset({"中文女", "英文男"})
    assert found.clones
    assert found.emotions == frozenset({Emotion.NEUTRAL, Emotion.HAPPY, Emotion.SAD})
    assert found.tags == frozenset({Tag.LAUGHTER, Tag.SIGH})
    assert (found.seed, found.longest_text) == ("best_effort", 600)


@pytest.mark.parametrize(
    ("reason", "details", "flaw"),
    [
        ("nan", {}, Flaw.NOT_FINITE),
        ("silent", {"active_s": 0.0}, Flaw.SILENT),
        ("silent", {"lead_s": 3.0, "tail_s": 0.1}, Flaw.LONG_SILENCE),
        ("too_long", {}, Flaw.TOO_LONG),
        ("too_short", {}, Flaw.TOO_SHORT),
        ("too_short", {"num_samples": 0}, Flaw.EMPTY),
        ("clipped", {}, Flaw.CLIPPED),
        ("something_new", {}, Flaw.ENGINE_FAILED),
    ],
)
def test_the_workers_reasons_are_our_flaws_and_nothing_is_asked_again(
    reason: str, details: dict[str, JsonValue], flaw: Flaw
) -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.act = always(error(422, "bad_audio", {**details, "reason": reason}))
        with pytest.raises(BadTakeError, match="because of bad_audio") as caught:
            speak(client, request_for(OWN))
    assert caught.value.flaw is flaw
    assert len(double.requests) == 1


@pytest.mark.parametrize(
    ("status", "code", "flaw"),
    [(500, "engine_error", Flaw.ENGINE_FAILED), (504, "deadline", Flaw.TIMED_OUT)],
)
def test_an_engine_that_failed_is_asked_once_more(status: int, code: str, flaw: Flaw) -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.act = once(error(status, code))
        assert len(speak(client, request_for(OWN)).samples)
        double.act = always(error(status, code))
        with pytest.raises(BadTakeError) as caught:
            speak(client, request_for(OWN))
    assert caught.value.flaw is flaw
    assert len(double.requests) == 4


@pytest.mark.parametrize(("status", "code"), [(429, "overloaded"), (503, "loading"), (503, "recycling")])
def test_a_busy_worker_is_waited_for_with_the_same_request(status: int, code: str) -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.act = once(error(status, code, retry_after="0.05"))
        speak(client, request_for(OWN))
    first, second = double.requests
    assert first == second


def test_a_text_that_it_cannot_say_is_the_records_fault() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.act = always(error(400, "invalid_request"))
        with pytest.raises(RecordError) as caught:
            speak(client, request_for(OWN))
    assert caught.value.reason is Reason.UNSPEAKABLE_TEXT
    assert len(double.requests) == 1


def test_an_unknown_voice_of_its_own_stops_the_run_with_a_remedy() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        with pytest.raises(TerminalBackendError, match="correct backend_voice of 'cosyvoice-nobody-en'"):
            speak(client, request_for(voice_of("cosyvoice", "nobody")))
        assert len(double.requests) == 1


def test_a_recorded_voice_is_uploaded_once_with_all_its_recordings() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        takes = speak_all(client, [request_for(RECORDED, seed=seed) for seed in range(12)])
        assert not [take for take in takes if isinstance(take, BaseException)]
    contents = [upload["wav"] for upload in double.uploads]
    assert contents == [PLAIN_CONTENT, SHORT_CONTENT, SAD_CONTENT]
    assert [(upload["emotion"], upload["short"]) for upload in double.uploads] == [
        ("neutral", "false"),
        ("neutral", "true"),
        ("sad", "false"),
    ]
    (name,) = {upload["id"] for upload in double.uploads}
    assert {body["voice"] for body in double.requests} == {name}
    assert str(name).startswith("cosyvoice-Ann-Smith-en-")
    assert all(upload["consent"] and upload["licence"] for upload in double.uploads)


def test_another_recording_is_another_voice_to_the_worker() -> None:
    assert RECORDED.reference is not None
    spoken = RECORDED.reference.model_copy(update={"transcript": "Something else."})
    other = RECORDED.model_copy(update={"reference": spoken})
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        speak(client, request_for(RECORDED))
        speak(client, request_for(other))
    assert double.requests[0]["voice"] != double.requests[1]["voice"]


def test_a_worker_that_has_forgotten_a_voice_gets_it_again() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        speak(client, request_for(RECORDED))
        double.recorded.clear()
        assert len(speak(client, request_for(RECORDED, seed=8)).samples)
    assert len(double.uploads) == 6


def test_a_voice_that_is_forgotten_at_once_is_not_sent_for_ever() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.act = always(error(404, "voice_not_found"))
        with pytest.raises(TerminalBackendError, match="voice_not_found"):
            speak(client, request_for(RECORDED))
    assert len(double.requests) == 2


def test_a_recording_that_the_worker_refuses_stops_the_run_with_a_remedy() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.refuse_upload = lambda: error(400, "invalid_request")
        with pytest.raises(TerminalBackendError, match="humdial voices add"):
            speak(client, request_for(RECORDED))


def test_a_trial_of_a_voice_that_goes_wrong_once_is_repeated() -> None:
    left = [error(422, "bad_audio", {"reason": "nan"})]
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.refuse_upload = lambda: left.pop() if left else None
        assert len(speak(client, request_for(RECORDED)).samples)


def test_a_model_that_does_not_clone_is_not_asked_to() -> None:
    with CosyVoiceDouble(modes=("sft",)) as double, client_of(double.url) as client:
        with pytest.raises(TerminalBackendError, match="takes no recorded voices"):
            speak(client, request_for(RECORDED))
        assert client.capabilities.emotions == frozenset({Emotion.NEUTRAL})


def test_what_was_not_applied_is_told_as_the_worker_says() -> None:
    request = request_for(OWN, emotion=Emotion.HAPPY, style=Style.EXCITED, speed=1.1)
    applied: JsonValue = {"emotion": False, "instruction": False, "speed": False, "seed": False}
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.meta = {"applied": applied, "warnings": ["no_short_prompt"]}
        take = speak(client, request)
    assert take.unapplied == ("emotion", "style", "seed", "speed")
    assert take.warnings == ("no_short_prompt",)


def test_a_manner_that_the_model_knows_is_asked_for_as_a_mood() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        calm = speak(client, request_for(OWN, style=Style.CALM))
        both = speak(client, request_for(OWN, style=Style.CALM, emotion=Emotion.SAD))
    assert [body["emotion"] for body in double.requests] == ["calm", "sad"]
    assert calm.unapplied == ()
    assert both.unapplied == ("style",)


def test_sounds_beside_words_are_written_where_the_model_knows_them() -> None:
    tags = (TagPlace(tag=Tag.SIGH, words=2), TagPlace(tag=Tag.SOB, words=0))
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        take = speak(client, request_for(OWN, "Oh well, then.", tags=tags))
    assert double.requests[0]["spoken_text"] == "Oh well, [sigh] then."
    assert take.unapplied == ("tags",)


LONG = "We went there on Monday, and nobody had told us that it was shut. " * 10


def test_a_text_too_long_for_one_chunk_is_said_in_clauses_and_joined() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        take = speak(client, request_for(OWN, LONG[:500]))
    texts = [str(body["spoken_text"]) for body in double.requests]
    assert len(texts) > 1
    assert all(len(words_of(text)) <= 45 and text.endswith(".") for text in texts)
    assert words_of(" ".join(texts)) == words_of(LONG[:500])
    assert len(take.samples) > 0.2 * len(words_of(LONG[:500])) * take.sampling_rate
    assert len({body["request_id"] for body in double.requests}) == len(texts)


def test_a_short_line_gets_a_stop_at_its_end() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        speak(client, request_for(voice_of("cosyvoice", "中文女", Language.ZH), "嗯"))
    assert double.requests[0]["spoken_text"] == "嗯。"


@settings(max_examples=20)
@given(st.lists(st.integers(0, 56), max_size=4))
def test_every_sound_beside_the_words_stays_at_its_place_in_the_parts(places: list[int]) -> None:
    tags = tuple(TagPlace(tag=Tag.SIGH, words=words) for words in sorted(places))
    request = request_for(OWN, LONG[:263], tags=tags)
    first, found = 0, []
    for part in parts_of(request):
        assert all(place.words <= len(words_of(part.text)) for place in part.tags if place.words + first < 56)
        found += [place.words + first for place in part.tags]
        first += len(words_of(part.text))
    assert found == sorted(places)


def test_without_the_header_nothing_counts_as_applied() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.meta = None
        take = speak(client, request_for(OWN, emotion=Emotion.SAD))
    assert take.unapplied == ("emotion", "seed")
    assert "no X-TTS-Meta" in take.warnings[0]


def test_a_worker_that_comes_back_with_another_model_stops_the_run() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.meta = {"model": "another"}
        with pytest.raises(TerminalBackendError, match="another@1 now"):
            speak(client, request_for(OWN))


def test_workers_of_different_models_are_no_pool() -> None:
    with (
        CosyVoiceDouble() as one,
        CosyVoiceDouble(model="other") as two,
        pytest.raises(ConfigError, match=r"different models .*double@1.*other@1"),
        client_of(one.url, two.url),
    ):
        pass


def test_one_of_two_workers_is_enough_to_begin() -> None:
    down = f"http://127.0.0.1:{free_port()}"
    with CosyVoiceDouble() as double, client_of(down, double.url) as client:
        assert len(speak(client, request_for(OWN)).samples)


def test_where_no_worker_runs_the_error_says_how_to_start_one() -> None:
    down = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ConfigError, match=r"humdial speech serve-cosyvoice") as caught, client_of(down):
        pass
    assert down in str(caught.value)


def test_a_server_of_another_kind_is_told_from_a_worker() -> None:
    from tests.backends.speech_servers.openai_double import OpenAIDouble

    with (
        OpenAIDouble("openai") as other,
        pytest.raises(ConfigError, match="has no /v1/capabilities"),
        client_of(other.serving.url),
    ):
        pass


def test_a_worker_that_loads_its_model_is_waited_for() -> None:
    patience = QUICK.model_copy(update={"give_up_after_s": 5.0})
    with CosyVoiceDouble() as double:
        double.loading = 3
        with client_of(double.url, patience=patience) as client:
            assert client.capabilities.voices


def test_sound_without_end_is_cut_off_and_no_take() -> None:
    async def act(request: web.Request, body: Body) -> web.StreamResponse | None:
        return await endless_silence(request)

    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.act = act
        with pytest.raises(BadTakeError) as caught:
            speak(client, request_for(OWN))
    assert caught.value.flaw is Flaw.TOO_LONG


def test_a_long_error_is_no_endless_speech() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.act = always(web.Response(status=401, text="x" * 70_000))
        with pytest.raises(TerminalBackendError, match="does not accept the key"):
            speak(client, request_for(OWN))
        double.act = always(web.Response(status=422, text="x" * 70_000))
        with pytest.raises(BadTakeError) as caught:
            speak(client, request_for(OWN))
    assert caught.value.flaw is Flaw.ENGINE_FAILED


def test_what_a_worker_warns_of_holds_no_key() -> None:
    with CosyVoiceDouble() as double:
        servers = (SpeechServer(double.url, 1, "a-key"),)
        with CosyVoice(CosyVoiceSettings(servers, QUICK, SLOW_ENOUGH), read_reference) as client:
            double.meta = {"warnings": ["came with a-key"]}
            assert speak(client, request_for(OWN)).warnings == ("came with ***",)


def test_an_empty_answer_is_no_take() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.act = always(web.Response(body=b""))
        with pytest.raises(BadTakeError) as caught:
            speak(client, request_for(OWN))
    assert caught.value.flaw is Flaw.EMPTY


def test_samples_that_are_no_numbers_are_handed_on_to_the_gate() -> None:
    with CosyVoiceDouble() as double, client_of(double.url) as client:
        double.act = always(web.Response(body=wav(np.full(2400, np.nan, np.float32))))
        assert np.isnan(speak(client, request_for(OWN)).samples).all()


def test_a_client_that_is_not_open_says_so() -> None:
    settings = CosyVoiceSettings((SpeechServer("http://127.0.0.1:1"),), QUICK, SLOW_ENOUGH)
    client = CosyVoice(settings, read_reference)
    with pytest.raises(RuntimeError, match="context manager"):
        asyncio.run(client.synthesize(request_for(OWN)))
