"""Whisper on known text, through `faster-whisper` (MIT) and ctranslate2: a CPU is enough, torch is not needed.

Nothing is recognised. The decoder is made to read the text, and where its cross attention looks while it does is
when the text is said: dynamic time warping over the attention of the heads that follow the sound::

    tokens     | we|ll|,| yes|.|            text -> tokens -> characters -> words
    frames     0 3  5  9 11   20            of 20 ms

The model is a directory on this machine; nothing is ever downloaded.
"""

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
import soxr
import xxhash

from pipeline.core.aligned_words import Piece, lay_words, times_of_words
from pipeline.domain.errors import ConfigError, RecordError, TerminalBackendError, TransientBackendError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason
from pipeline.domain.words import Word

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

_RATE_HZ = 16_000
_FRAME_S = 0.02
_LONGEST_S = 30.0
"""The encoder's window."""
_MOST_TOKENS = 440
"""The decoder's 448 positions, less the prompt."""
_FILES = ("model.bin", "config.json", "tokenizer.json")
_REMEDY = "remedy: `hf download Systran/faster-whisper-small --local-dir DIRECTORY`, and name that directory"

Wave = npt.NDArray[np.float32]


class WhisperAligner:
    """Implements Aligner on a model in ctranslate2's format. Use as a context manager."""

    def __init__(self, model: Path) -> None:
        self._model = _load(model)
        self._name = f"whisper-{model.name}@{_digest(model / 'model.bin')}"
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="whisper")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    @property
    def name(self) -> str:
        """`whisper-<directory>@<digest of the weights>`"""
        return self._name

    @property
    def resolution_ms(self) -> float:
        """Of a frame of the encoder. Word ends are off by about 100 ms, whatever the frames are."""
        return _FRAME_S * 1000

    async def align(
        self, samples: Wave, sampling_rate: int, text: str, language: Language
    ) -> tuple[Word, ...]:
        """See the port. Raises RecordError for a clip of more than 30 s."""
        work = asyncio.get_running_loop().run_in_executor
        return await work(self._thread, self._align, samples, sampling_rate, text, language)

    def _align(self, samples: Wave, sampling_rate: int, text: str, language: Language) -> tuple[Word, ...]:
        length_s = len(samples) / sampling_rate
        tokens = self._model.hf_tokenizer.encode(_written(text, language), add_special_tokens=False)
        if not 0 < length_s <= _LONGEST_S or not 0 < len(tokens.ids) <= _MOST_TOKENS:
            raise RecordError(
                Reason.BAD_AUDIO,
                f"{self._name}: {length_s:.1f} s and {len(tokens.ids)} tokens; wanted some, and not more than "
                f"{_LONGEST_S:.0f} s and {_MOST_TOKENS} tokens",
            )
        wave = soxr.resample(samples, sampling_rate, _RATE_HZ).astype(np.float32)
        try:
            starts_s = self._token_starts_s(wave, list(tokens.ids), language)
        except RuntimeError as error:  # of ctranslate2: memory, mostly
            raise TransientBackendError(f"{self._name}: {error}") from error
        if len(starts_s) != len(tokens.ids) + 1:
            raise RecordError(Reason.BAD_AUDIO, f"{self._name}: finds no way through {text!r}")
        pieces = _pieces(tokens.offsets, starts_s, len(_written("", language)))
        return lay_words(text, times_of_words(text, pieces), len(samples), sampling_rate)

    def _token_starts_s(self, wave: Wave, tokens: list[int], language: Language) -> list[float]:
        """Where each token begins, and where the last one ends."""
        from faster_whisper.audio import pad_or_trim

        features = self._model.feature_extractor(wave)
        heard = self._model.encode(pad_or_trim(features))
        prompt, num_frames = self._prompt(language), features.shape[-1] - 1
        (aligned,) = self._model.model.align(heard, prompt, [tokens], num_frames, median_filter_width=7)
        starts_s: dict[int, float] = {}
        for token, frame in aligned.alignments:
            starts_s.setdefault(token, frame * _FRAME_S)
        return [starts_s[token] for token in sorted(starts_s)]

    def _prompt(self, language: Language) -> list[int]:
        names = ["<|startoftranscript|>"]
        if self._model.model.is_multilingual:
            names += [f"<|{language.value}|>", "<|transcribe|>"]
        elif language is not Language.EN:
            raise TerminalBackendError(f"{self._name}: knows English only, got {language.value}; {_REMEDY}")
        return [self._model.hf_tokenizer.token_to_id(name) for name in names]


def _written(text: str, language: Language) -> str:
    """As it stands in what the model was trained on: English begins with a blank."""
    return f" {text}" if language is Language.EN else text


def _pieces(offsets: Sequence[tuple[int, int]], starts_s: Sequence[float], lead: int) -> list[Piece]:
    """Tokens on the text's own positions; `lead` characters stand before it."""
    spans = zip(offsets, starts_s[:-1], starts_s[1:], strict=True)
    return [
        Piece(max(first - lead, 0), last - lead, start_s, end_s)
        for (first, last), start_s, end_s in spans
        if last > lead
    ]


def _load(model: Path) -> "WhisperModel":
    missing = [name for name in _FILES if not (model / name).is_file()]
    if missing:
        raise ConfigError(f"whisper: {model}: {', '.join(missing)} not there; {_REMEDY}")
    if not json.loads((model / "config.json").read_text(encoding="utf-8")).get("alignment_heads"):
        raise ConfigError(f"whisper: {model}: config.json names no alignment_heads; {_REMEDY}")
    try:
        from faster_whisper import WhisperModel
    except ModuleNotFoundError as error:
        raise ConfigError(
            "whisper: faster-whisper is not installed; remedy: pip install 'humdial-pipeline[align]'"
        ) from error
    try:
        return WhisperModel(
            str(model), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
        )
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"whisper: {model}: cannot be loaded: {error}; {_REMEDY}") from error


def _digest(weights: Path) -> str:
    digest = xxhash.xxh3_64()
    with weights.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()[:8]
