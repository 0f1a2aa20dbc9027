"""A speaker-embedding network in ONNX from a file of yours: WeSpeaker's, or CAM++ as 3D-Speaker and CosyVoice have it.

    samples --speech only, 16 kHz--> fbank [1, num_frames, 80] --less its mean--> network --> [dim] of length 1

`onnxruntime` (MIT) runs it, `kaldi-native-fbank` (Apache-2.0) makes what it was trained on: Kaldi's own settings,
but for WeSpeaker's networks, whose input is called `feats`. Nothing is downloaded.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import soxr
import xxhash

from pipeline.core.vad import CLIP_SETTINGS, detect_speech
from pipeline.domain.errors import ConfigError, TerminalBackendError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_RATE_HZ = 16_000
_BINS = 80
_LEAST_SPEECH_S = 1.0
"""Below it nobody is told apart: encoders are trained on two to six seconds."""
_PAUSE_S = 0.3
"""Longer silences are none of the voice."""

Wave = npt.NDArray[np.float32]
Features = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Family:
    """What its networks were trained on."""

    window: str
    scale: float


_WESPEAKER = _Family("hamming", 32768.0)
_KALDI = _Family("povey", 1.0)


class OnnxVoiceEncoder:
    """Implements VoiceEncoder. Equal samples give equal points, whichever thread asks."""

    def __init__(self, model: Path) -> None:
        """Raises ConfigError for a file that is not there or is no such network, and for missing packages."""
        if not model.is_file():
            raise ConfigError(
                f"voice encoder: {model}: no such file; wanted a network in ONNX; remedy: WeSpeaker's "
                "voxceleb_resnet34_LM.onnx or cnceleb_resnet34_LM.onnx, or the campplus.onnx of a CosyVoice model"
            )
        self._session = _load(model)
        self._input = self._session.get_inputs()[0].name
        self._family = _family_of(model, self._session)
        self._name = f"{model.stem}-{xxhash.xxh3_64(model.read_bytes()).hexdigest()[:8]}"

    @property
    def name(self) -> str:
        """`<file>-<digest of the weights>`"""
        return self._name

    def embed(self, samples: Wave, sampling_rate: int) -> npt.NDArray[np.float32] | None:
        """The voice in `[num_samples]`, `[dim]` of length 1; None below one second of speech."""
        wave = soxr.resample(samples, sampling_rate, _RATE_HZ).astype(np.float32)
        runs = detect_speech(wave, _RATE_HZ, _PAUSE_S, CLIP_SETTINGS)
        if sum(map(len, runs)) < _LEAST_SPEECH_S * _RATE_HZ:
            return None
        said = np.concatenate([wave[run.start : run.end] for run in runs])
        features = _fbank(said, self._family)
        point = np.asarray(self._session.run(None, {self._input: features[None]})[0]).reshape(-1)
        length = float(np.linalg.norm(point))
        if not np.isfinite(length) or length == 0.0:
            raise TerminalBackendError(
                f"voice encoder: {self._name}: a point of length {length}; remedy: another network"
            )
        return np.asarray(point / length, dtype=np.float32)


def _load(model: Path) -> "InferenceSession":
    try:
        import kaldi_native_fbank  # noqa: F401 - missing packages are told of at the start
        import onnxruntime
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"voice encoder: {error.name} is not installed; remedy: pip install 'humdial-pipeline[similarity]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own exceptions share no base
        raise ConfigError(f"voice encoder: {model}: cannot be loaded: {error}") from error


def _family_of(model: Path, session: "InferenceSession") -> _Family:
    inputs = [(one.name, tuple(one.shape)) for one in session.get_inputs()]
    (name, shape), *others = inputs
    fits = len(shape) == 3 and (shape[2] == _BINS or isinstance(shape[2], str))  # a name: any number
    if others or not fits:
        raise ConfigError(
            f"voice encoder: {model}: takes {inputs}; wanted one input [batch, frames, {_BINS}]: a network that "
            "is given samples or other features is none of WeSpeaker's or 3D-Speaker's"
        )
    return _WESPEAKER if name == "feats" else _KALDI


def _fbank(wave: Wave, family: _Family) -> Features:
    """`[num_frames, 80]`: log energies of mel bands per 10 ms, less their mean over time."""
    import kaldi_native_fbank

    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = _RATE_HZ
    options.frame_opts.dither = 0.0
    options.frame_opts.window_type = family.window
    options.mel_opts.num_bins = _BINS
    fbank = kaldi_native_fbank.OnlineFbank(options)
    fbank.accept_waveform(_RATE_HZ, (wave * np.float32(family.scale)).tolist())
    fbank.input_finished()
    frames = np.stack([fbank.get_frame(number) for number in range(fbank.num_frames_ready)])
    return np.asarray(frames - frames.mean(axis=0), dtype=np.float32)
