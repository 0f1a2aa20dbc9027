"""An engine factory for newer torchaudio, which reads files through a package that may be missing: the real model,
with the one function that reads prompts replaced by soundfile. Imported inside CosyVoice's environment only.
"""

import soundfile
import torch
import torchaudio.functional
from worker.messages import EngineSettings
from worker.model import CosyVoiceEngine, open_engine


def open_with_soundfile(settings: EngineSettings) -> CosyVoiceEngine:
    """`worker.model:open_engine`, and then the patch: prompts are read when voices are registered."""
    engine = open_engine(settings)
    import cosyvoice.cli.frontend

    cosyvoice.cli.frontend.load_wav = _load_wav
    return engine


def _load_wav(wav: str, target_sr: int, min_sr: int = 16_000) -> torch.Tensor:
    samples, rate_hz = soundfile.read(wav, dtype="float32", always_2d=True)
    if rate_hz < min_sr:
        raise ValueError(f"{wav}: {rate_hz} Hz; wanted {min_sr} Hz or more")
    mono = torch.from_numpy(samples.T).mean(dim=0, keepdim=True)
    return torchaudio.functional.resample(mono, rate_hz, target_sr)
