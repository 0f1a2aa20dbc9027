"""The embedded synthesizer as its callers see it."""

import asyncio
import hashlib
import os
import platform
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.backends.espeak import EspeakSynthesizer
from pipeline.backends.espeak.folder import find_installation
from pipeline.backends.espeak.process import EngineRequest, WorkerProcess
from pipeline.backends.espeak.silence import LONGEST_PAUSE_S
from pipeline.core.tokens import words_of
from pipeline.domain.errors import ConfigError, RecordError, TerminalBackendError, TransientBackendError
from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.quarantine import Reason
from pipeline.domain.takes import Take
from pipeline.domain.voice import SpeechRequest, Voice
from pipeline.io.voices import load_catalogue

pytest.importorskip("espeakng_loader", reason="the extra 'espeak' is not installed")

VOICES = {voice.voice_id: voice for voice in load_catalogue() if voice.backend == "espeak"}
SENTENCES = {
    Language.EN: (
        "Well, I don't know, maybe a bit of rain would help.",
        "Stop!",
        "Mm-hmm.",
        "Could you tell me, please, when the next train leaves?",
        "A well-known singer bought six thick thistle sticks; really: six.",
    ),
    Language.ZH: (
        "你好，我觉得服务不错，不知道你怎么样。",
        "嗯。",
        "我用iPhone打电话，可以吗？",
        "对不起，请你再说一遍；我没听清楚。",
        "苹果、梨、香蕉，都很好吃！",
    ),
}


def ask(
    text: str,
    voice_id: str,
    *,
    emotion: Emotion = Emotion.NEUTRAL,
    style: Style = Style.PLAIN,
    seed: int = 0,
    voice: Voice | None = None,
) -> SpeechRequest:
    chosen = voice or VOICES[voice_id]
    return SpeechRequest(
        text=text, language=chosen.language, voice=chosen, emotion=emotion, style=style, seed=seed
    )


def speak(synthesizer: EspeakSynthesizer, *requests: SpeechRequest) -> list[Take]:
    async def gather() -> list[Take]:
        return list(await asyncio.gather(*(synthesizer.synthesize(request) for request in requests)))

    return asyncio.run(gather())


def heard(clip: Take) -> tuple[str, tuple[object, ...]]:
    """Everything that must be equal in equal clips."""
    return hashlib.sha256(clip.samples.tobytes()).hexdigest(), clip.words


@pytest.fixture(scope="module")
def synthesizer() -> Iterator[EspeakSynthesizer]:
    with EspeakSynthesizer(workers=2) as shared:
        yield shared


def mixed_requests() -> list[SpeechRequest]:
    return [
        ask(text, f"{language.value}-{speaker}", emotion=emotion, seed=index)
        for language, texts in SENTENCES.items()
        for index, text in enumerate(texts)
        for speaker, emotion in (("f01", Emotion.NEUTRAL), ("m07", Emotion.ANGER))
    ]


def test_clips_are_bit_exact_whatever_the_order_and_number_of_workers(synthesizer: EspeakSynthesizer) -> None:
    requests = mixed_requests()
    wanted = [heard(clip) for clip in speak(synthesizer, *requests)]
    shuffled = list(range(len(requests)))
    random.Random(7).shuffle(shuffled)
    for workers in (1, 3):
        with EspeakSynthesizer(workers=workers) as other:
            clips = speak(other, *(requests[index] for index in shuffled))
            assert [heard(clip) for clip in clips] == [wanted[index] for index in shuffled]
    assert len({digest for digest, _ in wanted}) == len(requests)


def test_a_killed_worker_is_replaced_and_says_the_same(synthesizer: EspeakSynthesizer) -> None:
    request = ask(SENTENCES[Language.EN][0], "en-f02")
    wanted = heard(speak(synthesizer, request)[0])
    with EspeakSynthesizer(workers=1) as other:
        for _ in range(2):
            (before,) = other.process_ids
            os.kill(before, signal.SIGKILL)
            assert heard(speak(other, request)[0]) == wanted
            assert other.process_ids != (before,)


def test_killing_workers_midway_changes_no_clip(synthesizer: EspeakSynthesizer) -> None:
    requests = [ask(text, "zh-m01", seed=n) for n in range(6) for text in SENTENCES[Language.ZH]]
    wanted = [heard(clip) for clip in speak(synthesizer, *requests)]

    async def murder(other: EspeakSynthesizer) -> list[Take]:
        work = asyncio.gather(*(other.synthesize(request) for request in requests))
        await asyncio.sleep(0.05)
        for worker in other.process_ids:
            os.kill(worker, signal.SIGKILL)
        return list(await work)

    with EspeakSynthesizer(workers=2) as other:
        speak(other, *requests[:2])
        assert len(other.process_ids) == 2
        assert [heard(clip) for clip in asyncio.run(murder(other))] == wanted


def test_a_worker_that_cannot_stay_alive_is_a_transient_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mortal = tmp_path / "worker.py"
    greeting = '{"sampling_rate": 22050, "version": "1"}'
    mortal.write_text(
        f"import os\nos.write(1, len({greeting!r}).to_bytes(4, 'big') + {greeting!r}.encode())\nos.read(0, 1)\n"
    )
    monkeypatch.setattr("pipeline.backends.espeak.process._WORKER", mortal)
    with (
        EspeakSynthesizer(workers=1) as other,
        pytest.raises(TransientBackendError, match="died twice over 'Stop!'"),
    ):
        speak(other, ask("Stop!", "en-f01"))


def test_a_silent_worker_meets_its_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mute = tmp_path / "worker.py"
    greeting = '{"sampling_rate": 22050, "version": "1"}'
    mute.write_text(
        f"import os\nos.write(1, len({greeting!r}).to_bytes(4, 'big') + {greeting!r}.encode())\n"
        "while os.read(0, 4096): pass\n"
    )
    monkeypatch.setattr("pipeline.backends.espeak.process._WORKER", mute)
    with EspeakSynthesizer(workers=1, deadline_s=1) as other:
        with pytest.raises(TransientBackendError, match="deadline of 1 s"):
            speak(other, ask("Stop!", "en-f01"))
        assert other.process_ids == ()


def test_the_engine_that_dies_over_a_text_refuses_that_text_only() -> None:
    worker = WorkerProcess(find_installation(), deadline_s=5)
    try:
        broken = EngineRequest(
            text="Hello.",
            voice="en-us",
            seed=1,
            rate_wpm=2**70,  # no C int: the child fails, the server stays
            pitch=50,
            pitch_range=50,
            volume=65,
            deadline_s=5,
        )
        worker.start()
        before = worker.pid
        with pytest.raises(RecordError, match="ArgumentError") as refusal:
            worker.speak(broken)
        assert refusal.value.reason is Reason.SYNTHESIS_FAILED
        events, pcm = worker.speak(broken.model_copy(update={"rate_wpm": 175}))
        assert events
        assert len(pcm) > 1000
        assert worker.pid == before
    finally:
        worker.close()


def test_closing_leaves_no_process_and_no_folder() -> None:
    other = EspeakSynthesizer(workers=2)
    speak(other, *(ask(text, "en-m01") for text in SENTENCES[Language.EN]))
    processes = other.process_ids
    folders = [Path(_command_line(pid)[-1]) for pid in processes]
    assert all(folder.is_dir() for folder in folders)
    other.close()
    other.close()
    assert not any(_runs(pid) for pid in processes)
    assert not any(folder.parent.exists() for folder in folders)


def test_a_worker_ends_when_its_parent_is_killed() -> None:
    program = (
        "import time\n"
        "from pipeline.backends.espeak import EspeakSynthesizer\n"
        "other = EspeakSynthesizer(workers=1)\n"
        "print(*other.process_ids, flush=True)\n"
        "time.sleep(60)\n"
    )
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=root)
    assert parent.stdout is not None
    with parent.stdout as output:
        worker = int(output.readline())
        folder = Path(_command_line(worker)[-1])
        assert folder.is_dir()
        parent.kill()
        parent.wait()
    give_up = time.monotonic() + 5
    while (_runs(worker) or folder.parent.exists()) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert not _runs(worker)
    assert not folder.parent.exists()


def _command_line(pid: int) -> list[str]:
    if not Path("/proc").is_dir():
        pytest.skip("needs /proc to look at processes")
    return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    "text", ["", " ", "...", "，。", "room 12", "a <b>c</b>", "50 %", "\U0001f600", "x" * 2001]
)
def test_unspeakable_text_is_refused(synthesizer: EspeakSynthesizer, text: str) -> None:
    with pytest.raises(RecordError) as refusal:
        speak(synthesizer, ask(text, "en-f01"))
    assert refusal.value.reason is Reason.UNSPEAKABLE_TEXT


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backend_voice": "en-us+nobody"}, "knows no voice 'en-us\\+nobody'"),
        ({"backend": "other"}, "wanted an espeak voice for en"),
        ({"language": Language.ZH}, "wanted an espeak voice for en"),
    ],
)
def test_a_voice_that_cannot_be_used_is_named(
    synthesizer: EspeakSynthesizer, changes: dict[str, str], message: str
) -> None:
    voice = VOICES["en-f01"].model_copy(update=changes)
    request = SpeechRequest(
        text="Hello.", language=Language.EN, voice=voice, emotion=Emotion.NEUTRAL, style=Style.PLAIN, seed=0
    )
    with pytest.raises(TerminalBackendError, match=message):
        speak(synthesizer, request)


def test_a_missing_engine_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(ConfigError, match=r"pip install 'humdial-pipeline\[espeak\]'"):
        EspeakSynthesizer()


def test_an_engine_that_does_not_load_names_its_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "libespeak-ng.so"
    broken.write_bytes(b"no library")
    monkeypatch.setattr("espeakng_loader.get_library_path", lambda: str(broken))
    with pytest.raises(ConfigError, match="does not start"):
        EspeakSynthesizer()


@pytest.mark.parametrize("workers", [0, -1])
def test_a_synthesizer_has_a_worker(workers: int) -> None:
    with pytest.raises(ConfigError, match="workers >= 1"):
        EspeakSynthesizer(workers=workers)


def test_the_engine_name_changes_with_the_voices(tmp_path: Path, synthesizer: EspeakSynthesizer) -> None:
    (tmp_path / "x01").write_text("language variant\nname humdial-x01\npitch 80 120\n")
    with EspeakSynthesizer(workers=1, voices=tmp_path) as other:
        assert other.capabilities.engine != synthesizer.capabilities.engine
        assert other.capabilities.engine.startswith("espeak-ng-1.52.0+")


ENGINE = "espeak-ng-1.52.0+0b7e4a2d"
GOLDEN = {"en-f01": "5c9c272a883aa156", "zh-m01": "ca2659efda4d3977"}


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="golden clips are of linux x86_64"
)
def test_audio_does_not_change_unless_the_engine_name_does(synthesizer: EspeakSynthesizer) -> None:
    """Where this fails on purpose, raise PROCESSING (unless a table changed) and write both down anew."""
    clips = speak(synthesizer, *(ask(SENTENCES[VOICES[name].language][0], name) for name in GOLDEN))
    found = {
        name: hashlib.sha256(clip.samples.tobytes()).hexdigest()[:16]
        for name, clip in zip(GOLDEN, clips, strict=True)
    }
    assert (synthesizer.capabilities.engine, found) == (ENGINE, GOLDEN)


@pytest.mark.parametrize("language", list(Language))
def test_words_start_and_end_where_the_sound_does(synthesizer: EspeakSynthesizer, language: Language) -> None:
    """Against another detector: 10 ms frames within 35 dB of the loudest."""
    voices = [voice.voice_id for voice in VOICES.values() if voice.language is language]
    requests = [
        ask(text, voice_id, emotion=emotion)
        for text in SENTENCES[language]
        for voice_id, emotion in zip(
            voices[::4], (Emotion.NEUTRAL, Emotion.SAD, Emotion.FEAR, Emotion.HAPPY), strict=True
        )
    ]
    errors_ms = []
    for clip in speak(synthesizer, *requests):
        start_s, end_s = _energy_bounds_s(clip)
        errors_ms.append(1000 * abs(start_s - clip.words[0].span.start / clip.sampling_rate))
        errors_ms.append(1000 * abs(end_s - clip.words[-1].span.end / clip.sampling_rate))
        assert clip.words[0].span.start <= 0.006 * clip.sampling_rate
        assert len(clip.samples) - clip.words[-1].span.end <= 0.011 * clip.sampling_rate
    assert np.percentile(errors_ms, 95) <= 20
    assert max(errors_ms) <= 60


def _frames_db(clip: Take) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], float]:
    frame = clip.sampling_rate // 100
    count = len(clip.samples) // frame
    power = np.square(clip.samples[: count * frame].reshape(count, frame).astype(np.float64)).mean(axis=1)
    return 10 * np.log10(power / power.max() + 1e-12), frame / clip.sampling_rate


def _energy_bounds_s(clip: Take) -> tuple[float, float]:
    level_db, frame_s = _frames_db(clip)
    loud = np.flatnonzero(level_db > -35)
    return float(loud[0] * frame_s), float((loud[-1] + 1) * frame_s)


@pytest.mark.parametrize("emotion", [Emotion.NEUTRAL, Emotion.SAD])
def test_pauses_inside_an_utterance_do_not_split_it(synthesizer: EspeakSynthesizer, emotion: Emotion) -> None:
    requests = [
        ask(text, f"{lang.value}-f03", emotion=emotion) for lang, texts in SENTENCES.items() for text in texts
    ]
    longest_ms = []
    for clip in speak(synthesizer, *requests):
        level_db, frame_s = _frames_db(clip)
        loud = np.flatnonzero(level_db > -40)
        longest_ms.append(1000 * frame_s * max(np.diff(loud), default=1) - 1000 * frame_s)
    assert max(longest_ms) <= 1000 * LONGEST_PAUSE_S + 20
    assert max(longest_ms) >= 1000 * LONGEST_PAUSE_S - 20  # the commas are still there


def test_a_clip_says_every_word_of_its_text(synthesizer: EspeakSynthesizer) -> None:
    requests = mixed_requests()
    for request, clip in zip(requests, speak(synthesizer, *requests), strict=True):
        assert tuple(word.text for word in clip.words) == words_of(request.text)


def test_one_synthesizer_serves_several_event_loops(synthesizer: EspeakSynthesizer) -> None:
    request = ask("Right.", "en-m03")
    assert heard(speak(synthesizer, request)[0]) == heard(speak(synthesizer, request)[0])


def test_a_curly_apostrophe_sounds_like_a_straight_one(synthesizer: EspeakSynthesizer) -> None:
    straight, curly = speak(synthesizer, ask("I don't.", "en-m03"), ask("I don\u2019t.", "en-m03"))
    assert np.array_equal(straight.samples, curly.samples)
