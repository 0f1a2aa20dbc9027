import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from aiohttp import web

from pipeline.backends.speech_servers import OpenAISpeech, OpenAISpeechSettings, SpeechServer
from pipeline.backends.speech_servers.profiles import PROFILES, ProfileName
from pipeline.core.speakable.clauses import LONGEST
from pipeline.core.tokens import words_of
from pipeline.domain.emotional import Intensity
from pipeline.domain.errors import (
    BadTakeError,
    ConfigError,
    RecordError,
    TerminalBackendError,
    TransientBackendError,
)
from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.quarantine import Reason
from pipeline.domain.takes import Flaw, Kind
from pipeline.domain.voice import SpeechRequest, Voice
from pipeline.domain.words import TimeSource
from tests.backends.speech_servers.openai_double import MODEL, RATE, Body, OpenAIDouble
from tests.backends.speech_servers.serving import break_off, endless_silence, hang, reset
from tests.backends.speech_servers.speaking import (
    HELLO,
    PLAIN,
    PLAIN_CONTENT,
    QUICK,
    SAD_CONTENT,
    SHORT_CONTENT,
    SLOW_ENOUGH,
    read_reference,
    request_for,
    sound,
    speak,
    voice_of,
    wav,
)

ALL: tuple[ProfileName, ...] = tuple(PROFILES)
CLONING: tuple[ProfileName, ...] = ("vllm-omni", "sglang-omni")


@contextmanager
def client_of(
    *doubles: OpenAIDouble,
    instructions: bool | None = None,
    word_times: bool = False,
    slowest: float = SLOW_ENOUGH,
    timeout_s: float = 3.0,
) -> Iterator[OpenAISpeech]:
    settings = OpenAISpeechSettings(
        model=MODEL,
        profile=doubles[0].profile,
        servers=tuple(SpeechServer(double.url, 64, "a-key") for double in doubles),
        patience=QUICK.model_copy(update={"timeout_s": timeout_s}),
        slowest=slowest,
        instructions=instructions,
        word_times=word_times,
    )
    with OpenAISpeech(settings, read_reference) as client:
        yield client


def voice_for(profile: ProfileName, language: Language = Language.EN, *, moods: bool = False) -> Voice:
    return voice_of("openai_speech", "alloy", language, recorded=profile in CLONING, moods=moods)


def sent_for(profile: ProfileName, request: SpeechRequest, instructions: bool | None = None) -> Body:
    with OpenAIDouble(profile) as double, client_of(double, instructions=instructions) as client:
        speak(client, request)
        return double.requests[0]


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize(("language", "text"), [(Language.EN, HELLO), (Language.ZH, "你好，我听见了。")])
def test_every_kind_of_server_speaks_both_languages_at_its_own_rate(
    profile: ProfileName, language: Language, text: str
) -> None:
    with OpenAIDouble(profile) as double, client_of(double) as client:
        take = speak(client, request_for(voice_for(profile, language), text))
        assert take.engine == client.capabilities.engine
    assert take.sampling_rate == RATE[profile]
    assert take.samples.dtype == np.float32
    assert len(take.samples) > 0.2 * len(words_of(text)) * RATE[profile]
    assert take.words == ()


@pytest.mark.parametrize("profile", CLONING)
def test_a_recording_travels_as_data_with_its_transcript(profile: ProfileName) -> None:
    body = sent_for(profile, request_for(voice_for(profile)))
    assert body["ref_audio"] == "data:audio/wav;base64," + base64.b64encode(PLAIN_CONTENT).decode()
    assert body["ref_text"] == PLAIN.transcript
    assert "voice" not in body


@pytest.mark.parametrize("profile", CLONING)
def test_a_short_line_gets_the_short_recording_and_a_mood_its_own(profile: ProfileName) -> None:
    voice = voice_for(profile, moods=True)
    for request, content in (
        (request_for(voice, "I see.", kind=Kind.BACKCHANNEL), SHORT_CONTENT),
        (request_for(voice, emotion=Emotion.SAD), SAD_CONTENT),
    ):
        assert str(sent_for(profile, request)["ref_audio"]).endswith(base64.b64encode(content).decode())


@pytest.mark.parametrize(
    ("profile", "wanted"),
    [
        ("openai", {}),
        ("vllm-omni", {"stream": False, "seed": 7, "language": "English"}),
        ("sglang-omni", {"stream": False, "seed": 7, "repetition_penalty": 1.1}),
        ("kokoro", {"stream": False, "lang_code": "a"}),
    ],
)
def test_each_profile_sends_what_its_server_wants_and_nothing_that_it_refuses(
    profile: ProfileName, wanted: Body
) -> None:
    body = sent_for(profile, request_for(voice_for(profile), speed=1.1))
    assert {**body, **wanted} == body
    assert (body["response_format"], body["speed"], body["input"]) == ("wav", 1.1, HELLO)
    assert ("seed" in body) == ("seed" in wanted)


@pytest.mark.parametrize(
    ("profile", "emotion", "kind", "instructions", "wanted"),
    [
        ("openai", Emotion.SAD, Kind.TURN, None, "The speaker is sad."),
        ("openai", Emotion.NEUTRAL, Kind.TURN, None, None),
        ("openai", Emotion.SAD, Kind.TURN, False, None),
        ("sglang-omni", Emotion.HAPPY, Kind.TURN, None, "请非常开心地说一句话。"),
        ("sglang-omni", Emotion.HAPPY, Kind.BACKCHANNEL, None, None),
        ("sglang-omni", Emotion.FEAR, Kind.TURN, None, None),
        ("sglang-omni", Emotion.SAD, Kind.TURN, None, None),
        ("vllm-omni", Emotion.HAPPY, Kind.TURN, None, None),
        ("vllm-omni", Emotion.HAPPY, Kind.TURN, True, "The speaker is happy."),
        ("kokoro", Emotion.HAPPY, Kind.TURN, None, None),
    ],
)
def test_an_emotion_is_asked_for_where_it_helps_and_else_said_to_be_missing(
    profile: ProfileName, emotion: Emotion, kind: Kind, instructions: bool | None, wanted: str | None
) -> None:
    request = request_for(voice_for(profile, moods=profile in CLONING), emotion=emotion, kind=kind)
    with OpenAIDouble(profile) as double, client_of(double, instructions=instructions) as client:
        take = speak(client, request)
    (body,) = double.requests
    assert body.get("instructions") == wanted
    in_recording = emotion is Emotion.SAD and profile in CLONING
    assert ("emotion" in take.unapplied) == (
        emotion is not Emotion.NEUTRAL and wanted is None and not in_recording
    )


def test_degree_and_style_are_part_of_a_free_instruction() -> None:
    voice = voice_for("openai")
    request = request_for(voice, emotion=Emotion.FEAR, style=Style.SERIOUS)
    request = request.model_copy(update={"intensity": Intensity.STRONG})
    wanted = "The speaker is very afraid. The manner is serious."
    assert sent_for("openai", request)["instructions"] == wanted


@pytest.mark.parametrize("profile", ALL)
def test_what_was_asked_for_and_not_done_is_told(profile: ProfileName) -> None:
    request = request_for(voice_for(profile), style=Style.CALM)
    with OpenAIDouble(profile) as double, client_of(double) as client:
        take = speak(client, request)
    assert ("seed" in take.unapplied) == (profile in ("openai", "kokoro"))
    assert ("style" in take.unapplied) == (profile != "openai")
    assert "speed" not in take.unapplied


@pytest.mark.parametrize(
    ("profile", "source", "resolution_ms"),
    [("vllm-omni", TimeSource.ALIGNER, 80.0), ("kokoro", TimeSource.ENGINE, 25.0)],
)
def test_word_times_come_with_their_source_and_step(
    profile: ProfileName, source: TimeSource, resolution_ms: float
) -> None:
    with OpenAIDouble(profile) as double, client_of(double, word_times=True) as client:
        take = speak(client, request_for(voice_for(profile)))
    assert tuple(word.text for word in take.words) == words_of(HELLO)
    assert {word.source for word in take.words} == {source}
    assert take.resolution_ms == resolution_ms
    assert take.words[-1].span.end <= len(take.samples)


@pytest.mark.parametrize(
    ("headers", "warning"),
    [
        ({"X-Word-Timestamps-Omitted": "too long"}, "word times left out: too many for a header"),
        ({"X-Unrelated": "1"}, "no word times"),
        ({"X-Word-Timestamps": "[{]"}, "word times cannot be read"),
        (
            {"X-Word-Timestamps": json.dumps([{"word": "Bye", "start_ms": 0, "end_ms": 80}])},
            "word times are of other words than the text's",
        ),
    ],
)
def test_word_times_that_are_missing_or_wrong_are_no_reason_to_refuse_the_sound(
    headers: dict[str, str], warning: str
) -> None:
    with OpenAIDouble("vllm-omni") as double, client_of(double, word_times=True) as client:
        double.headers = headers
        take = speak(client, request_for(voice_for("vllm-omni")))
    assert take.words == ()
    assert take.resolution_ms is None
    assert warning in take.warnings


def test_captions_may_be_null() -> None:
    with OpenAIDouble("kokoro") as double, client_of(double, word_times=True) as client:
        double.timed = False
        take = speak(client, request_for(voice_for("kokoro")))
    assert take.words == ()
    assert take.warnings == ("no word times",)


Act = Callable[[web.Request, Body], Awaitable[web.StreamResponse | None]]


def answering(content: bytes, status: int = 200) -> Act:
    async def act(request: web.Request, body: Body) -> web.StreamResponse | None:
        return web.Response(body=content, status=status, content_type="audio/wav")

    return act


async def stuck(request: web.Request, body: Body) -> web.StreamResponse | None:
    return await hang(request)


async def endless(request: web.Request, body: Body) -> web.StreamResponse | None:
    return await endless_silence(request)


NAN = np.full(24_000, np.nan, np.float32)


@pytest.mark.parametrize("word_times", [False, True], ids=["plain", "captioned"])
@pytest.mark.parametrize(
    ("act", "flaw"),
    [
        (answering(b""), Flaw.EMPTY),
        (answering(b"abc"), Flaw.ENGINE_FAILED),
        (answering(b'{"error": "CUDA out of memory"}'), Flaw.ENGINE_FAILED),
        (answering(b"<html>bad gateway</html>"), Flaw.ENGINE_FAILED),
        (answering(b"boom", 500), Flaw.ENGINE_FAILED),
        (answering(b"", 504), Flaw.TIMED_OUT),
        (endless, Flaw.TOO_LONG),
        (stuck, Flaw.TIMED_OUT),
    ],
    ids=["empty", "odd bytes", "error as 200", "html", "500", "504", "endless", "stuck"],
)
def test_an_answer_that_is_no_take_is_told_by_its_flaw(word_times: bool, act: Act, flaw: Flaw) -> None:
    patient_s = 0.1 if act is stuck else 5.0
    with (
        OpenAIDouble("kokoro") as double,
        client_of(double, word_times=word_times, slowest=0.01, timeout_s=patient_s) as client,
    ):
        double.act = act
        with pytest.raises(BadTakeError, match=double.serving.url) as caught:
            speak(client, request_for(voice_for("kokoro")))
    assert caught.value.flaw is flaw


LONG_WORDS = b"x" * 70_000
"""Of an error that says more than is read of it."""


@pytest.mark.parametrize("profile", ["openai", "kokoro"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, TerminalBackendError),
        (404, TerminalBackendError),
        (400, RecordError),
        (503, TransientBackendError),
        (500, BadTakeError),
    ],
)
def test_a_long_error_is_no_endless_speech(profile: ProfileName, status: int, kind: type[Exception]) -> None:
    with OpenAIDouble(profile) as double, client_of(double, word_times=profile == "kokoro") as client:
        double.act = answering(LONG_WORDS, status)
        with pytest.raises(kind) as caught:
            speak(client, request_for(voice_for(profile)))
    assert not isinstance(caught.value, BadTakeError) or caught.value.flaw is Flaw.ENGINE_FAILED


@pytest.mark.parametrize("word_times", [False, True], ids=["plain", "captioned"])
def test_a_key_that_is_repeated_with_200_reaches_no_record(word_times: bool) -> None:
    content = b'{"error": {"message": "Incorrect API key provided: a-key"}}'
    if word_times:
        content = json.dumps({"audio": base64.b64encode(content).decode()}).encode()
    with OpenAIDouble("kokoro") as double, client_of(double, word_times=word_times) as client:
        double.act = answering(content)
        with pytest.raises(BadTakeError, match=r"Incorrect API key provided: \*\*\*") as caught:
            speak(client, request_for(voice_for("kokoro")))
    assert "a-key" not in str(caught.value)


LONG = "We went there on Monday, and nobody had told us that it was shut. " * 8
LONG_ZH = "我们星期一去了那里，可是谁也没有告诉我们那里已经关门了。" * 6


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize(("language", "text"), [(Language.EN, LONG), (Language.ZH, LONG_ZH)])
def test_what_cosyvoice_says_in_one_chunk_is_one_request(
    profile: ProfileName, language: Language, text: str
) -> None:
    with OpenAIDouble(profile) as double, client_of(double) as client:
        take = speak(client, request_for(voice_for(profile, language), text))
    texts = [str(body["input"]) for body in double.requests]
    assert words_of(" ".join(texts)) == words_of(text)
    assert len(take.samples) > 0.2 * len(words_of(text)) * take.sampling_rate
    if profile in CLONING:
        assert max(len(words_of(one)) for one in texts) <= LONGEST[language]
    else:
        assert len(texts) == 1


def test_word_times_of_a_long_text_are_those_of_its_parts_one_after_the_other() -> None:
    with OpenAIDouble("vllm-omni") as double, client_of(double, word_times=True) as client:
        take = speak(client, request_for(voice_for("vllm-omni"), LONG))
    assert len(double.requests) > 1
    assert tuple(word.text for word in take.words) == words_of(LONG)
    assert take.resolution_ms == 80.0


def test_half_a_file_is_no_take() -> None:
    with OpenAIDouble("openai") as double, client_of(double) as client:
        double.act = answering(wav(sound(HELLO))[:-5000])
        with pytest.raises(BadTakeError, match="cut off"):
            speak(client, request_for(voice_for("openai")))


def test_samples_that_are_no_numbers_are_handed_on_to_the_gate() -> None:
    with OpenAIDouble("vllm-omni") as double, client_of(double) as client:
        double.act = answering(wav(NAN))
        assert np.isnan(speak(client, request_for(voice_for("vllm-omni"))).samples).all()


@pytest.mark.parametrize(
    "trouble", [reset, lambda request: break_off(request, wav(sound(HELLO)))], ids=["reset", "broken off"]
)
def test_a_connection_that_breaks_is_made_again(
    trouble: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> None:
    left = [1]

    async def act(request: web.Request, body: Body) -> web.StreamResponse | None:
        if not left:
            return None
        left.pop()
        return await trouble(request)

    with OpenAIDouble("openai") as double, client_of(double) as client:
        double.act = act
        assert len(speak(client, request_for(voice_for("openai"))).samples)
    assert len(double.requests) == 2


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize("text", ["", "…", "?!", "  ", "[ ]"])
def test_a_text_without_a_word_is_refused_without_asking(profile: ProfileName, text: str) -> None:
    with OpenAIDouble(profile) as double, client_of(double) as client:
        with pytest.raises(RecordError) as caught:
            speak(client, request_for(voice_for(profile), text))
        assert double.requests == []
    assert caught.value.reason is Reason.UNSPEAKABLE_TEXT


def test_a_text_longer_than_the_server_takes_is_refused_without_asking() -> None:
    with OpenAIDouble("openai") as double, client_of(double) as client:
        with pytest.raises(RecordError, match="4096"):
            speak(client, request_for(voice_for("openai"), "word " * 900))
        assert double.requests == []


def test_word_times_of_a_server_without_an_aligner_stop_the_run_with_a_remedy() -> None:
    with OpenAIDouble("vllm-omni", aligner=False) as double, client_of(double, word_times=True) as client:
        with pytest.raises(TerminalBackendError, match=r"--forced-aligner.*word_times"):
            speak(client, request_for(voice_for("vllm-omni")))
        assert len(double.requests) == 1


def test_an_unknown_voice_stops_the_run_with_a_remedy() -> None:
    voice = voice_of("openai_speech", "nobody")
    with (
        OpenAIDouble("kokoro") as double,
        client_of(double) as client,
        pytest.raises(TerminalBackendError, match="humdial voices check"),
    ):
        speak(client, request_for(voice))


@pytest.mark.parametrize(
    ("profile", "voice"),
    [
        ("kokoro", voice_of("openai_speech", "alloy", recorded=True)),
        ("sglang-omni", voice_of("openai_speech", "alloy")),
        ("openai", voice_of("espeak", "alloy")),
    ],
    ids=["a recording for a server without cloning", "none for one that only clones", "of another backend"],
)
def test_a_voice_that_a_server_cannot_have_is_refused_without_asking(
    profile: ProfileName, voice: Voice
) -> None:
    with OpenAIDouble(profile) as double, client_of(double) as client:
        with pytest.raises(TerminalBackendError, match="remedy"):
            speak(client, request_for(voice))
        assert double.requests == []


def test_another_model_than_the_configured_one_is_said_before_the_run_begins() -> None:
    with (
        OpenAIDouble("openai", model="tts-9") as double,
        pytest.raises(ConfigError, match=r"serves tts-9, not 'double-1'"),
        client_of(double),
    ):
        pass


def test_word_times_of_a_server_without_any_are_a_mistake() -> None:
    with (
        OpenAIDouble("openai") as double,
        pytest.raises(ConfigError, match="has no word times"),
        client_of(double, word_times=True),
    ):
        pass


def test_capabilities_tell_what_changes_the_sound() -> None:
    with OpenAIDouble("kokoro") as double, client_of(double) as client:
        capabilities = client.capabilities
    assert capabilities.voices == frozenset({"alloy", "af_heart", "zf_xiaobei"})
    assert capabilities.emotions == {Emotion.NEUTRAL}
    assert capabilities.engine.startswith("kokoro-double-1@unknown")


def test_what_changes_the_sound_is_part_of_the_engines_name() -> None:
    with (
        OpenAIDouble("openai") as double,
        client_of(double) as free,
        client_of(double, instructions=False) as plain,
    ):
        assert free.capabilities.engine != plain.capabilities.engine


def test_one_of_two_servers_may_go_in_the_middle() -> None:
    with OpenAIDouble("openai") as one, OpenAIDouble("openai") as two, client_of(one, two) as client:
        speak(client, request_for(voice_for("openai")))
        one.serving.stop()
        for seed in range(4):
            assert len(speak(client, request_for(voice_for("openai"), seed=seed)).samples)
        two.serving.stop()
        with pytest.raises(TransientBackendError, match="no endpoint answers any more"):
            asyncio.run(client.synthesize(request_for(voice_for("openai"))))
