"""An engine without a model: it makes sound that passes for speech, and fails as it was told to.

Runs inside the worker's engine process, by `--engine tests.backends.cosyvoice_worker.double_engine:open_double`.
`double.py` beside it starts a worker with it and says how faults are scripted.
"""

import hashlib
import os
import signal
import time
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from pipeline.backends.cosyvoice.worker.messages import EngineSettings, Greeting, Job, Mode, Reference
from pipeline.backends.cosyvoice.worker.text import count_units

Fault = Literal[
    "error",
    "stuck",
    "crash",
    "empty",
    "nan",
    "silence",
    "leading_silence",
    "clipped",
    "spoken_instruction",
    "too_long",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
"""In the order in which they are drawn: the first that strikes is the one."""
ONCE: tuple[Fault, ...] = ("error", "stuck", "crash")
"""Faults of the process, not of the text: the same request succeeds when it is sent again."""

Samples = npt.NDArray[np.float32]
HAPPY = "请非常开心地说一句话。"


class DoubleOptions(BaseModel):
    """How the double behaves; `double.running_worker` fills it in."""

    model_config = ConfigDict(extra="forbid")

    rates: dict[Fault, float] = {}
    fault_seed: int = 0
    script: dict[str, Fault] = {}
    """Fault by request id, at every try."""
    once_dir: str
    """Where it is remembered which faults of the process have struck."""
    sample_rate: int = 24_000
    speakers: list[str] = ["中文女", "英文男"]
    modes: list[Mode] = ["sft", "zero_shot", "instruct"]
    load_s: float = 0.0
    synthesis_s: float = 0.0
    grows_mb: int = 0
    """Memory that every request leaves behind."""
    fails_to_load: bool = False
    warm_up_wav: str | None = None


class Double:
    """Audio by text, voice and seed; nothing else changes it."""

    def __init__(self, options: DoubleOptions) -> None:
        self._options = options
        self._leak: list[bytes] = []
        self.greeting = Greeting(
            model="double",
            revision="double-1",
            sample_rate=options.sample_rate,
            device="cpu",
            speakers=options.speakers,
            modes=options.modes,
            languages=["zh", "en"],
            emotions={"happy": HAPPY} if "instruct" in options.modes else {},
            tags=["[laughter]", "[breath]", "<strong>", "</strong>"],
            warm_up=None
            if options.warm_up_wav is None
            else Reference(key="warm-up", path=options.warm_up_wav, prompt_text="希望你以后能够做的更好。"),
        )

    def synthesize(self, job: Job) -> Samples:
        if job.request_id != "warm-up":
            self._leak.append(b"\1" * (self._options.grows_mb << 20))
            time.sleep(self._options.synthesis_s)
        fault = self._fault(job)
        if fault == "stuck":
            time.sleep(3600)
        if fault == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault == "error":
            raise RuntimeError("the double was told to fail")
        return damage(speak(job, self._options.sample_rate), fault, self._options.sample_rate)

    def _fault(self, job: Job) -> Fault | None:
        if job.request_id in self._options.script:
            return self._options.script[job.request_id]
        if job.request_id == "warm-up" or job.request_id.startswith("voice-"):
            return None
        return next((fault for fault in FAULTS if self._strikes(fault, job)), None)

    def _strikes(self, fault: Fault, job: Job) -> bool:
        rate = self._options.rates.get(fault, 0.0)
        digest = _digest(f"{self._options.fault_seed}/{fault}/{_voice(job)}/{job.text}/{job.seed}")
        if int.from_bytes(digest[:8], "big") / 2.0**64 >= rate:
            return False
        if fault not in ONCE:
            return True
        try:
            (Path(self._options.once_dir) / digest.hex()).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def speak(job: Job, rate_hz: int) -> Samples:
    """Syllables of a buzzing voice: 0.2 s per Han character, 0.34 s per word, between 50 ms of silence."""
    units = count_units(job.text)
    rng = np.random.default_rng(int.from_bytes(_digest(f"{_voice(job)}/{job.text}/{job.seed}")[:8], "big"))
    pitch_hz = 110 + int.from_bytes(_digest(_voice(job))[:2], "big") % 110
    scale = 1.8 if job.kind == "backchannel" and units.han + units.words == 1 else 1.0
    lengths_s = [0.2 * scale] * units.han + [0.34] * units.words
    syllables = [_syllable(length_s / job.speed, pitch_hz, rate_hz, rng) for length_s in lengths_s]
    edge = np.zeros(round(0.05 * rate_hz))
    return np.concatenate([edge, *syllables, edge]).astype(np.float32)


def _syllable(
    length_s: float, pitch_hz: float, rate_hz: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Harmonics under a hump, with a formant of its own and some breath."""
    num_samples = round(length_s * rng.uniform(0.85, 1.15) * rate_hz)
    time_s = np.arange(num_samples) / rate_hz
    formant_hz = rng.uniform(400, 2000)
    f0_hz = pitch_hz * rng.uniform(0.9, 1.1)
    harmonics = np.arange(1, 16)[:, None]
    weights = 1 / (1 + ((harmonics * f0_hz - formant_hz) / 500) ** 2) / np.sqrt(harmonics)
    voiced = (weights * np.sin(2 * np.pi * f0_hz * harmonics * time_s)).sum(axis=0)
    hump = np.sin(np.pi * (np.arange(num_samples) + 0.5) / num_samples) ** 0.5
    sound = voiced / (np.abs(voiced).max() + 1e-9) + 0.02 * rng.standard_normal(num_samples)
    return np.asarray(0.35 * hump * sound)


def damage(samples: Samples, fault: Fault | None, rate_hz: int) -> Samples:
    """What a fault of the audio makes of it."""
    if fault == "empty":
        return samples[:0]
    if fault == "nan":
        return np.where(np.arange(len(samples)) % 100 == 7, np.float32(np.nan), samples)
    if fault == "silence":
        return np.zeros(30 * rate_hz, np.float32)
    if fault == "leading_silence":
        return np.concatenate([np.zeros(3 * rate_hz, np.float32), samples])
    if fault == "clipped":
        return np.clip(samples * 20, -0.99, 0.99).astype(np.float32)
    if fault == "spoken_instruction":  # it takes at least as long as what was wanted, and then some
        return np.tile(samples, 8)
    if fault == "too_long":
        return np.resize(samples, 28 * rate_hz).astype(np.float32)
    return samples


def _voice(job: Job) -> str:
    if job.reference is not None:
        return job.reference.key
    return job.speaker or ""


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def open_double(settings: EngineSettings) -> Double:
    """The factory that the worker calls."""
    options = DoubleOptions.model_validate(settings.options)
    time.sleep(options.load_s)
    if options.fails_to_load:
        raise RuntimeError("the double was told not to load")
    return Double(options)
