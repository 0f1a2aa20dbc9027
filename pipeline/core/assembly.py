"""From a timeline and its clips to two-channel audio, sample-exact."""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, oaconvolve, sosfilt

from pipeline.domain.labels import Track
from pipeline.domain.timeline import Distance, Supervision, Timeline

Pcm = npt.NDArray[np.int16]
Wave = npt.NDArray[np.float32]

FULL_SCALE = 32_768.0


def assemble(timeline: Timeline, load_clip: Callable[[str], Pcm]) -> Pcm:
    """Mix the clips of a timeline into `[num_samples, 2]` int16: channel 0 user, channel 1 assistant.

    Inside a span the track holds the clip's first `len(span)` samples, scaled by the speaker's gain, faded
    where truncated, moved away from the microphone where it has a distance; outside all spans it holds
    digital silence. Sums are rounded to the nearest integer once.

    The file is mostly silence and single speakers, so it is never held in float32 as a whole: each stretch
    of speech is mixed in a buffer of its own, which stays in the processor's cache.
    """
    mixed = np.zeros((timeline.num_samples, 2), dtype=np.int16)
    gains = {v.speaker: np.float32(10.0 ** (v.gain_db / 20.0)) for v in timeline.voicing}
    for stretch in _stretches(timeline):
        start, end = stretch[0].span.start, max(one.span.end for one in stretch)
        buffer = np.zeros(end - start, dtype=np.float32)
        for one in stretch:
            wave = shape(load_clip(one.clip), one, gains[one.speaker], timeline.sampling_rate)
            if len(stretch) == 1:
                buffer = wave
            else:
                buffer[one.span.start - start : one.span.end - start] += wave
        mixed[start:end, stretch[0].track.channel] = to_pcm16(buffer)
    return mixed


def _stretches(timeline: Timeline) -> Iterator[tuple[Supervision, ...]]:
    """Supervisions of one track that overlap each other, together; all others alone."""
    for track in Track:
        pending: list[Supervision] = []
        end = 0
        for supervision in timeline.supervisions:
            if supervision.track is not track:
                continue
            if pending and supervision.span.start >= end:
                yield tuple(pending)
                pending = []
            pending.append(supervision)
            end = max(end, supervision.span.end)
        if pending:
            yield tuple(pending)


def shape(clip: Pcm, supervision: Supervision, gain: np.float32, sampling_rate: int) -> Wave:
    """The part of a clip that is heard, `[len(span)]` float32 in integer units, at the speaker's gain."""
    wave: Wave = np.multiply(clip[: len(supervision.span)], gain, dtype=np.float32)
    if supervision.distance is not None:
        wave = move_away(wave, supervision.distance, sampling_rate)
    if supervision.fade_samples:
        wave[-supervision.fade_samples :] *= _fade_out(supervision.fade_samples)
    return wave


def move_away(wave: Wave, distance: Distance, sampling_rate: int) -> Wave:
    """Render speech from further away: lower, duller, in a small room; the same length.

    The room is exponentially decaying noise behind the direct sound (Moorer 1979), scaled to the wanted
    direct-to-reverberant ratio. Its tail after the clip's end is cut under a 10 ms fade, because nothing
    may sound outside a supervision's span.
    """
    response = _room_response(distance, sampling_rate)
    lowpass = butter(2, min(distance.lowpass_hz, 0.45 * sampling_rate), fs=sampling_rate, output="sos")
    dull = sosfilt(lowpass, wave)
    wet = oaconvolve(dull, response)[: len(wave)] * 10.0 ** (distance.level_db / 20.0)
    fade = min(round(0.01 * sampling_rate), len(wet))
    wet[len(wet) - fade :] *= _fade_out(fade)
    return np.asarray(wet, dtype=np.float32)


@lru_cache(maxsize=64)
def _room_response(distance: Distance, sampling_rate: int) -> Wave:
    """Impulse response `[num_samples]`: a direct impulse, then noise decaying by 60 dB in RT60; unit energy."""
    count = max(2, round(distance.reverberation_s * sampling_rate))
    noise = np.random.Generator(np.random.PCG64(distance.seed)).standard_normal(count)
    seconds = np.arange(count) / sampling_rate
    tail = noise * 10.0 ** (-3.0 * seconds / distance.reverberation_s)
    tail[: round(0.002 * sampling_rate)] = 0.0  # the first reflections arrive after some 0.7 m of detour
    energy = float(np.sum(tail**2)) or 1.0
    tail *= np.sqrt(10.0 ** (-distance.direct_to_reverberant_db / 10.0) / energy)
    tail[0] = 1.0
    return np.asarray(tail / np.sqrt(np.sum(tail**2)), dtype=np.float32)


@lru_cache(maxsize=64)
def _fade_out(num_samples: int) -> Wave:
    """Half a raised cosine, `[num_samples]`, from 1 to 0."""
    phase = np.arange(1, num_samples + 1, dtype=np.float64) / num_samples
    return np.asarray(0.5 * (1.0 + np.cos(np.pi * phase)), dtype=np.float32)


def to_pcm16(wave: Wave) -> Pcm:
    """Round to the nearest int16, ties to even; values in integer units, limited to the range."""
    rounded = np.rint(wave)
    return np.clip(rounded, -FULL_SCALE, FULL_SCALE - 1, out=rounded).astype(np.int16)
