"""Changing a clip's sampling rate, once, where it enters."""

from dataclasses import replace

import numpy as np
import soxr

from pipeline.domain.span import Span
from pipeline.domain.voice import Clip
from pipeline.domain.words import Word


def resample_clip(clip: Clip, sampling_rate: int) -> Clip:
    """The same clip at another rate (soxr HQ); word times are scaled with it."""
    if clip.sampling_rate == sampling_rate:
        return clip
    samples = np.asarray(
        soxr.resample(clip.samples, clip.sampling_rate, sampling_rate, quality="HQ"), dtype=np.float32
    )
    scale = sampling_rate / clip.sampling_rate
    words: list[Word] = []
    position = 0
    for index, word in enumerate(clip.words):
        # Rounding must neither empty a word nor push one out of the clip.
        left = len(clip.words) - 1 - index
        start = max(position, min(round(word.span.start * scale), len(samples) - left - 1))
        end = max(start + 1, min(round(word.span.end * scale), len(samples) - left))
        words.append(replace(word, span=Span(start=start, end=end)))
        position = end
    return Clip(
        samples=np.ascontiguousarray(np.clip(samples, -1.0, 1.0)),
        sampling_rate=sampling_rate,
        words=tuple(words),
        engine=clip.engine,
        making=clip.making,
    )
