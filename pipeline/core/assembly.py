"""From a timeline and its clips to two-channel audio, sample-exact."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, oaconvolve, sosfilt

from pipeline.domain.timeline import Distance, Supervision, Timeline

Pcm = npt.NDArray[np.int16]
Wave = npt.NDArray[np.float32]

FULL_SCALE = 32_768.0


def assemble(timeline: Timeline, load_clip: Callable[[str], Pcm]) -> Pcm:
    """Mix the clips of a timeline into `[num_samples, 2]` int16: channel 0 user, channel 1 assistant.

    Inside a span the track holds the clip's first `len(span)` samples, scaled by the speaker's gain, faded
    where truncated, moved away from the microphone where it has a distance; outside all spans it holds
    digital silence. Sums are rounded to the nearest integer once, at the end.
    """
    tracks = np.zeros((2, timeline.num_samples), dtype=np.float32)
    gains = {v.speaker: np.float32(10.0 ** (v.gain_db / 20.0)) for v in timeline.voicing}
    for supervision in timeline.supervisions:
        wave = shape(load_clip(supervision.clip), supervision, timeline.sampling_rate)
        span = supervision.span
        tracks[supervision.track.channel, span.start : span.end] += wave * gains[supervision.speaker]
    return to_pcm16(tracks).T


def shape(clip: Pcm, supervision: Supervision, sampling_rate: int) -> Wave:
    """The part of a clip that is heard, in integer units as float32, before the speaker's gain."""
    wave = clip[: len(supervision.span)].astype(np.float32)
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
    return np.clip(np.rint(wave), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
