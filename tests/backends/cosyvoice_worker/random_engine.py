"""The real model with two things replaced, for tests; imported inside CosyVoice's environment only.

Prompts are read by soundfile where torchaudio is so new that it reads files through another package. Language models
of version 2 and 3 with random weights never stop, and are stopped after two speech tokens for a text token.
"""

from functools import partial
from pathlib import Path

import soundfile
import torch
import torchaudio
import torchaudio.functional
from worker.messages import EngineSettings
from worker.model import CosyVoiceEngine, open_engine, version_of

SPEECH_TOKENS_PER_TEXT_TOKEN = 2


def open_random(settings: EngineSettings) -> CosyVoiceEngine:
    """`worker.model:open_engine`, and then the patches: nothing has been spoken yet."""
    engine = open_engine(settings)
    if tuple(map(int, torchaudio.__version__.split(".")[:2])) >= (2, 9):
        import cosyvoice.cli.frontend

        cosyvoice.cli.frontend.load_wav = _load_wav
    if version_of(Path(settings.model_dir)) > 1:
        llm = engine._model.model.llm
        llm.inference = partial(llm.inference, max_token_text_ratio=SPEECH_TOKENS_PER_TEXT_TOKEN)
    return engine


def _load_wav(wav: str, target_sr: int, min_sr: int = 16_000) -> torch.Tensor:
    samples, rate_hz = soundfile.read(wav, dtype="float32", always_2d=True)
    if rate_hz < min_sr:
        raise ValueError(f"{wav}: {rate_hz} Hz; wanted {min_sr} Hz or more")
    mono = torch.from_numpy(samples.T).mean(dim=0, keepdim=True)
    return torchaudio.functional.resample(mono, rate_hz, target_sr)
