"""CosyVoice itself, versions 1, 2 and 3: the only module that touches its classes.

What upstream leaves to its callers, and others stumbled over (numbers are those of its issue tracker):

* A model directory that does not exist is taken for the name of a download: paths are checked first.
* Keywords that a class does not have raise: they are filtered by its signature.
* `inference_instruct2` with a registered speaker drops the instruction (#1400): it uses the prompt text that the
  speaker was registered with. So the speaker is registered once more, with the instruction as its prompt text.
* Version 3 wants `<|endofprompt|>` in every prompt text, else an assertion fails in a thread (#1704); version 2
  reads the instruction aloud without it (#1802).
* The text front end is off: text comes normalised. Its normaliser would be downloaded at the start.
* Nothing streams (artefacts, #1919), fp16 is off (NaN, #1930), generators are exhausted (abandoned ones leak).
"""

import hashlib
import importlib
import inspect
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .messages import YAMLS, EngineSettings, Greeting, Job, Mode, Reference

WORKER_VERSION = 1
"""Part of the revision. Raised with what this worker's own code changes of the sound: instructions and prompts, the
choice of mode and recording, edges that are cut."""
_END_OF_PROMPT = "<|endofprompt|>"
_ASSISTANT = "You are a helpful assistant."
_SOUNDS = (
    "[breath] [noise] [laughter] [cough] [clucking] [accent] [quick_breath] [hissing] [sigh] [vocalized-noise] "
    "[lipsmack] [mn] <strong> </strong> <laughter> </laughter>"
)
_CLASSES = {1: "CosyVoice", 2: "CosyVoice2", 3: "CosyVoice3"}
EMOTIONS: dict[int, dict[str, str]] = {
    1: {},
    2: {
        label: f"用{word}的语气说这句话"
        for label, word in {
            "happy": "高兴",
            "sad": "悲伤",
            "surprise": "惊讶",
            "anger": "愤怒",
            "fear": "恐惧",
            "disgust": "厌恶",
            "calm": "冷静",
            "serious": "严肃",
        }.items()
    },
    # The three that the model was taught; others are ignored or spoken aloud (#1084, #1263).
    3: {
        "happy": "请非常开心地说一句话。",
        "sad": "请非常伤心地说一句话。",
        "anger": "请非常生气地说一句话。",
    },
}
_PROMPT = ("asset/zero_shot_prompt.wav", "希望你以后能够做的比我还好呦。")
_DIGESTED = 1 << 20


class _Tensor(Protocol):
    def numpy(self) -> npt.NDArray[np.float32]: ...


class _Model(Protocol):
    """What is used of the classes."""

    sample_rate: int

    def list_available_spks(self) -> list[str]: ...

    def add_zero_shot_spk(self, prompt_text: str, prompt_wav: str, zero_shot_spk_id: str) -> bool: ...

    def inference_sft(
        self, tts_text: str, spk_id: str, *, stream: bool, speed: float, text_frontend: bool
    ) -> Iterable[Mapping[str, _Tensor]]: ...

    def inference_zero_shot(
        self,
        tts_text: str,
        prompt_text: str,
        prompt_wav: str,
        *,
        zero_shot_spk_id: str,
        stream: bool,
        speed: float,
        text_frontend: bool,
    ) -> Iterable[Mapping[str, _Tensor]]: ...

    def inference_instruct2(
        self,
        tts_text: str,
        instruct_text: str,
        prompt_wav: str,
        *,
        zero_shot_spk_id: str,
        stream: bool,
        speed: float,
        text_frontend: bool,
    ) -> Iterable[Mapping[str, _Tensor]]: ...


class CosyVoiceEngine:
    """One loaded model."""

    def __init__(
        self, model: _Model, version: int, set_seed: Callable[[int], None], greeting: Greeting
    ) -> None:
        self.greeting = greeting
        self._model = model
        self._version = version
        self._set_seed = set_seed
        self._registered: set[str] = set()

    def synthesize(self, job: Job) -> npt.NDArray[np.float32]:
        """All of it, or nothing where the model yields nothing."""
        chunks = [np.asarray(chunk["tts_speech"].numpy(), dtype=np.float32) for chunk in self._speak(job)]
        if not chunks:
            return np.zeros(0, dtype=np.float32)
        whole: npt.NDArray[np.float32] = np.concatenate(chunks, axis=1)[0]
        return whole

    def _speak(self, job: Job) -> Iterable[Mapping[str, _Tensor]]:
        if job.mode == "sft":
            self._set_seed(job.seed)
            return self._model.inference_sft(
                job.text, job.speaker or "", stream=False, speed=job.speed, text_frontend=False
            )
        if job.reference is None:
            raise ValueError(f"request {job.request_id!r}: mode {job.mode} without a recording")
        if job.mode == "zero_shot":
            key = self._register(job.reference, self.prompt_text(job.reference.prompt_text))
            self._set_seed(job.seed)  # after the registration, which a later request does without
            return self._model.inference_zero_shot(
                job.text, "", "", zero_shot_spk_id=key, stream=False, speed=job.speed, text_frontend=False
            )
        instruction = self.instruction_text(job.instruction or "")
        key = self._register(job.reference, instruction)
        self._set_seed(job.seed)
        return self._model.inference_instruct2(
            job.text,
            instruction,
            "",
            zero_shot_spk_id=key,
            stream=False,
            speed=job.speed,
            text_frontend=False,
        )

    def prompt_text(self, transcript: str) -> str:
        """What a voice is registered with for `zero_shot`."""
        return f"{_ASSISTANT}{_END_OF_PROMPT}{transcript}" if self._version == 3 else transcript

    def instruction_text(self, instruction: str) -> str:
        """What a voice is registered with for `instruct`."""
        lead = f"{_ASSISTANT} " if self._version == 3 else ""
        return f"{lead}{instruction}{_END_OF_PROMPT}"

    def _register(self, reference: Reference, prompt_text: str) -> str:
        """Register a recording under a name that says with which prompt text; once is enough."""
        key = f"{reference.key}#{hashlib.sha256(prompt_text.encode()).hexdigest()[:16]}"
        if key not in self._registered:
            self._model.add_zero_shot_spk(prompt_text, reference.path, key)
            self._registered.add(key)
        return key


def open_engine(settings: EngineSettings) -> CosyVoiceEngine:
    """Load the model of `settings.model_dir` with the code of `settings.root`."""
    root, model_dir = Path(settings.root).resolve(), Path(settings.model_dir).resolve()
    version = version_of(model_dir)
    _prepare(root)
    library = importlib.import_module("cosyvoice.cli.cosyvoice")
    common = importlib.import_module("cosyvoice.utils.common")
    logging.getLogger().setLevel(logging.WARNING)  # the library logs every text at DEBUG
    accepted = inspect.signature(getattr(library, _CLASSES[version]).__init__).parameters
    wanted = {"load_jit": False, "load_trt": settings.load_trt, "load_vllm": False, "fp16": False}
    keywords = {name: value for name, value in wanted.items() if name in accepted}
    model: _Model = library.AutoModel(model_dir=str(model_dir), **keywords)
    return CosyVoiceEngine(
        model,
        version,
        common.set_all_random_seed,
        _greeting(model, version, root, model_dir, settings.load_trt),
    )


def version_of(model_dir: Path) -> int:
    """1, 2 or 3, in the order in which the library looks; raises FileNotFoundError."""
    for version, name in enumerate(YAMLS, 1):
        if (model_dir / name).is_file():
            return version
    raise FileNotFoundError(f"{model_dir}: holds none of {', '.join(YAMLS)}")


def _prepare(root: Path) -> None:
    """Make the checkout importable, and keep it from downloading."""
    sys.path[:0] = [str(root), str(root / "third_party" / "Matcha-TTS")]
    os.environ["TQDM_DISABLE"] = "1"
    # Without a normaliser the front end says so and goes on; with one it first fetches its rules.
    sys.modules.update({"wetext": None, "ttsfrd": None})  # type: ignore[dict-item]


def _greeting(model: _Model, version: int, root: Path, model_dir: Path, load_trt: bool) -> Greeting:
    speakers = list(model.list_available_spks())
    can: dict[Mode, bool] = {"sft": bool(speakers), "zero_shot": True, "instruct": version > 1}
    recording, transcript = root / _PROMPT[0], _PROMPT[1]
    return Greeting(
        model=_ascii(model_dir.name),
        revision=revision_of(root, model_dir, load_trt),
        sample_rate=model.sample_rate,
        device="cuda" if importlib.import_module("torch").cuda.is_available() else "cpu",
        speakers=speakers,
        modes=[mode for mode, able in can.items() if able],
        languages=["zh", "en"],
        emotions=EMOTIONS[version],
        tags=_SOUNDS.split() if version > 1 else [],
        # The library computes the prompt's spectrogram of 24 kHz audio for a 22.05 kHz model.
        prompt_warnings=["v1_prompt_rate"] if version == 1 else [],
        warm_up=Reference(key="warm-up", path=str(recording), prompt_text=transcript)
        if recording.is_file()
        else None,
    )


def revision_of(root: Path, model_dir: Path, load_trt: bool) -> str:
    """`<code>-<weights>-w<worker>`, and `-trt` with another decoder: clips of another revision are other clips.

    Weights are digested by name, size, and first and last MB: the archives that torch writes end with a checksum
    of every tensor.
    """
    digest = hashlib.sha256()
    for path in sorted(model_dir.glob("*")):
        if path.suffix in (".pt", ".yaml", ".onnx") and path.is_file():
            with path.open("rb") as file:
                size = path.stat().st_size
                digest.update(f"{path.name}\0{size}\0".encode() + file.read(_DIGESTED))
                file.seek(max(0, size - _DIGESTED))
                digest.update(file.read(_DIGESTED))
    decoder = "-trt" if load_trt else ""
    return f"{_commit(root)}-{digest.hexdigest()[:12]}-w{WORKER_VERSION}{decoder}"


def _commit(root: Path) -> str:
    """The checkout's commit, by git's own files; an image without them says it in COSYVOICE_COMMIT."""
    try:
        head = _head(root / ".git")
    except (OSError, UnicodeDecodeError):
        head = None
    return _ascii(head or os.environ.get("COSYVOICE_COMMIT") or "unknown")[:7]


def _head(git: Path) -> str | None:
    """What HEAD points to: itself, a file of its branch, or after `git gc` a line `<commit> <branch>` among others."""
    if git.is_file():  # of a submodule: `gitdir: <where it is>`
        git = git.parent / git.read_text(encoding="utf-8").strip().removeprefix("gitdir: ")
    head = (git / "HEAD").read_text(encoding="ascii").strip()
    if not head.startswith("ref: "):
        return head
    branch = head.removeprefix("ref: ")
    if (git / branch).is_file():
        return (git / branch).read_text(encoding="ascii").strip()
    packed = (line.split() for line in (git / "packed-refs").read_text(encoding="utf-8").splitlines())
    return next((words[0] for words in packed if words[1:] == [branch]), None)


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii")[:128]
