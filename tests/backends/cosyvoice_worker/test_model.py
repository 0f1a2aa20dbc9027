"""What is asked of CosyVoice's classes, by version: the traps of upstream are avoided, and seen to be."""

import hashlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.backends.cosyvoice.worker import model
from pipeline.backends.cosyvoice.worker.engine_process import answer
from pipeline.backends.cosyvoice.worker.gate import judge
from pipeline.backends.cosyvoice.worker.messages import EngineSettings, Job
from pipeline.backends.cosyvoice.worker.model import WORKER_VERSION, CosyVoiceEngine, revision_of, version_of
from tests.backends.cosyvoice_worker.asking import ask, speak, upload
from tests.backends.cosyvoice_worker.double import PACKAGES, started
from tests.backends.cosyvoice_worker.double_engine import Double, open_double
from tests.backends.cosyvoice_worker.fake_checkout import calls, write_checkout

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PACKED = f"""# pack-refs with: peeled fully-peeled sorted
{"9" * 40} refs/heads/other
{COMMIT} refs/heads/main
^{"8" * 40}"""
TRANSCRIPT = "好的，没问题。"
V3_PROMPT = f"You are a helpful assistant.<|endofprompt|>{TRANSCRIPT}"
SPEAKERS = {1: ("中文女", "英文男"), 2: (), 3: ()}


class Served(NamedTuple):
    root: Path
    url: str

    def said(self, text: str) -> list[dict[str, object]]:
        """Calls that spoke a text."""
        return [one for one in calls(self.root) if one.get("text") == text]


Serve = Callable[[int], Served]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """The worker as it is started beside CosyVoice: by its own name, from its own directory. One per version."""
    with ExitStack() as running:

        @cache
        def serve_version(version: int) -> Served:
            root = tmp_path_factory.mktemp(f"v{version}")
            model_dir = write_checkout(root, version, SPEAKERS[version])
            command = ["--root", str(root), "--model-dir", str(model_dir), "--port", "0"]
            program = (sys.executable, "-m", "worker")
            worker = running.enter_context(
                started(command, root / "voices", wait_s=30, program=program, python_path=(PACKAGES,))
            )
            assert upload(worker.url, prompt_text=TRANSCRIPT).status == 201
            return Served(root, worker.url)

        yield serve_version


@pytest.mark.parametrize(
    ("version", "keywords", "modes", "num_emotions"),
    [
        (1, {"load_jit": False, "load_trt": False, "fp16": False}, ["sft", "zero_shot"], 0),
        (
            2,
            {"load_jit": False, "load_trt": False, "load_vllm": False, "fp16": False},
            ["zero_shot", "instruct"],
            8,
        ),
        (3, {"load_trt": False, "load_vllm": False, "fp16": False}, ["zero_shot", "instruct"], 3),
    ],
)
def test_each_class_is_given_the_keywords_that_it_has_and_full_precision(
    serve: Serve, version: int, keywords: dict[str, bool], modes: list[str], num_emotions: int
) -> None:
    served = serve(version)
    name = f"CosyVoice{version if version > 1 else ''}"
    assert calls(served.root)[0] == {"call": "load", "version": name, **keywords}
    capabilities = ask(f"{served.url}/v1/capabilities").json
    assert capabilities["sample_rate"] == (22_050 if version == 1 else 24_000)
    assert capabilities["modes"] == modes
    assert len(capabilities["emotions"]) == num_emotions
    assert capabilities["model"] == f"model-{version}"


def test_a_built_in_voice_is_spoken_by_sft_with_its_seed_and_without_front_end(serve: Serve) -> None:
    served = serve(1)
    wishes = {"spoken_text": "Good morning.", "language": "en", "voice": "英文男", "seed": 41, "speed": 1.25}
    spoken = speak(served.url, **wishes)
    assert (spoken.status, spoken.meta["mode_used"], spoken.meta["warnings"]) == (200, "sft", [])
    assert 0.2 < spoken.meta["duration_s"] < 1.2
    (call,) = served.said("Good morning.")
    assert call == {
        "call": "sft",
        "text": "Good morning.",
        "prompt_text": None,
        "stream": False,
        "speed": 1.25,
        "text_frontend": False,
        "seed": 41,
    }


@pytest.mark.parametrize(
    ("version", "prompt_text", "warnings"),
    [(1, TRANSCRIPT, ["v1_prompt_rate"]), (2, TRANSCRIPT, []), (3, V3_PROMPT, [])],
)
def test_a_recorded_voice_is_registered_once_and_version_3_gets_its_prefix(
    serve: Serve, version: int, prompt_text: str, warnings: list[str]
) -> None:
    served = serve(version)
    for seed in (1, 2):
        spoken = speak(served.url, voice="anna", spoken_text="早上好啊。", seed=seed)
        assert (spoken.status, spoken.meta["mode_used"]) == (200, "zero_shot")
        assert spoken.meta["warnings"] == warnings
    added = [one["prompt_text"] for one in calls(served.root) if one["call"] == "add"]
    assert added.count(prompt_text) == 1
    heard = [(one["call"], one["prompt_text"], one["seed"]) for one in served.said("早上好啊。")]
    assert heard == [("zero_shot", prompt_text, 1), ("zero_shot", prompt_text, 2)]


@pytest.mark.parametrize(
    ("version", "changes", "heard"),
    [
        (2, {"emotion": "fear"}, "用恐惧的语气说这句话<|endofprompt|>"),
        (2, {"instruction": "小声说"}, "小声说<|endofprompt|>"),
        (3, {"emotion": "anger"}, "You are a helpful assistant. 请非常生气地说一句话。<|endofprompt|>"),
        (
            3,
            {"instruction": "请用四川话表达。"},
            "You are a helpful assistant. 请用四川话表达。<|endofprompt|>",
        ),
    ],
)
def test_an_instruction_reaches_the_model_although_the_voice_is_registered(
    serve: Serve, version: int, changes: dict[str, str], heard: str
) -> None:
    served = serve(version)
    wish = next(iter(changes))
    text = {"emotion": "晚上好啊。", "instruction": "中午好啊。"}[wish]
    spoken = speak(served.url, voice="anna", spoken_text=text, **changes)
    assert (spoken.status, spoken.meta["mode_used"]) == (200, "instruct")
    assert spoken.meta["applied"][wish] is True
    (call,) = served.said(text)
    assert (call["call"], call["prompt_text"]) == ("instruct2", heard)


def test_an_emotion_that_version_3_was_not_taught_is_not_claimed(serve: Serve) -> None:
    spoken = speak(serve(3).url, voice="anna", spoken_text="我有点怕。", emotion="fear")
    assert spoken.meta["mode_used"] == "zero_shot"
    assert spoken.meta["applied"]["emotion"] is False
    assert spoken.meta["warnings"] == ["emotion_not_applied"]


def test_a_model_that_yields_nothing_is_bad_audio(serve: Serve) -> None:
    spoken = speak(serve(1).url, spoken_text="嗯", kind="backchannel")
    assert (spoken.status, spoken.error["details"]) == (422, {"reason": "too_short", "num_samples": 0})


class _FailsInAThread(Double):
    """Makes audio, although its language model failed: what version 3 does without its marker."""

    def synthesize(self, job: Job) -> npt.NDArray[np.float32]:
        def fail() -> None:
            raise AssertionError("no end of prompt")

        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        return super().synthesize(job)


def test_what_fails_in_a_thread_of_the_model_is_an_error_and_no_audio(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    job = Job(request_id="r", text="你好", language="zh", kind="turn", mode="sft", speaker="中文女")
    double = open_double(EngineSettings(factory="-", options={"once_dir": str(tmp_path)}))
    assert answer(double, job)[0].refused is None
    double.__class__ = _FailsInAThread
    reply, samples = answer(double, job)
    assert reply.refused is not None
    assert reply.refused.reason is None
    assert "no end of prompt" in reply.refused.message
    assert not len(samples)
    assert "no end of prompt" in capfd.readouterr().err


def test_the_version_is_that_of_the_yaml_and_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert version_of(write_checkout(tmp_path / "a", 3)) == 3
    with pytest.raises(FileNotFoundError, match="nowhere"):
        version_of(tmp_path / "nowhere")


def test_other_weights_code_worker_and_decoder_are_other_revisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COSYVOICE_COMMIT", raising=False)
    model_dir = write_checkout(tmp_path, 1)
    (model_dir / "llm.pt").write_bytes(b"a" * 3_000_000)
    first = revision_of(tmp_path, model_dir, load_trt=False)
    assert first.startswith("unknown-")
    (model_dir / "llm.pt").write_bytes(b"a" * 2_999_999 + b"b")
    second = revision_of(tmp_path, model_dir, load_trt=False)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(f"{COMMIT}\n")
    third = revision_of(tmp_path, model_dir, load_trt=False)
    assert third == f"0123456-{second.removeprefix('unknown-')}"
    assert third.endswith(f"-w{WORKER_VERSION}")
    fourth = revision_of(tmp_path, model_dir, load_trt=True)
    assert fourth == f"{third}-trt"
    monkeypatch.setattr(model, "WORKER_VERSION", WORKER_VERSION + 1)
    fifth = revision_of(tmp_path, model_dir, load_trt=False)
    assert len({first, second, third, fourth, fifth}) == 5


@pytest.mark.parametrize(
    "files",
    [
        {".git/HEAD": COMMIT},
        {".git/HEAD": "ref: refs/heads/main", ".git/refs/heads/main": COMMIT},
        {".git/HEAD": "ref: refs/heads/main", ".git/packed-refs": PACKED},
        {
            ".git/HEAD": "ref: refs/heads/main",
            ".git/refs/heads/main": COMMIT,
            ".git/packed-refs": PACKED.replace("0123456", "9999999"),
        },
        {".git": "gitdir: ../modules/here", "../modules/here/HEAD": COMMIT},
    ],
    ids=["detached", "branch", "packed", "moved since it was packed", "submodule"],
)
def test_the_commit_is_found_wherever_git_keeps_it(tmp_path: Path, files: dict[str, str]) -> None:
    root = tmp_path / "checkout"
    model_dir = write_checkout(root, 1)
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{content}\n")
    assert revision_of(root, model_dir, load_trt=False).startswith("0123456-")


def test_what_changes_the_sound_raises_the_version_of_the_worker() -> None:
    """Edges that are cut, prompts and instructions. Where this fails, clips of before are other clips: raise
    WORKER_VERSION, and note its digest here."""
    time_s = np.arange(30_000) / 24_000
    sound = (0.3 * np.sin(2 * np.pi * 200 * time_s) * (time_s > 0.1) * (time_s < 1.1)).astype(np.float32)
    passed = judge(sound, 24_000, text="你好吗朋友", kind="turn")
    unloaded = [CosyVoiceEngine(None, version, None, None) for version in (1, 2, 3)]  # type: ignore[arg-type]
    heard = [
        hashlib.sha256(passed.samples.tobytes()).hexdigest(),
        passed.trimmed_lead_s,
        model.EMOTIONS,
        [(one.prompt_text("你好。"), one.instruction_text("小声说")) for one in unloaded],
    ]
    digest = hashlib.sha256(json.dumps(heard, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:12]
    assert {WORKER_VERSION: digest} == {1: "1104fa312925"}
