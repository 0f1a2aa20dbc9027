"""Mixtures of two voices on one channel, made on the fly from a run: what a segmentation learns from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from pipeline.core.turntaking.activity import activity_of
from pipeline.domain.diarization import RATE_HZ
from pipeline.domain.span import Span
from pipeline.domain.timeline import Dialogue, Supervision

Wave = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

CHUNK_S = 5.0
_SAME_SPEECH_S = 0.2
"""Words with less than this between them are one stretch of speech."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A person's utterance at 16 kHz, and where in it there is speech."""

    samples: Wave
    speech: Mask


def read_dialogues(run: Path, split: str) -> list[Dialogue]:
    """Dialogues of one split; splits share no voice."""
    lines = (run / "dialogues.jsonl").read_text("utf-8").splitlines()
    return [d for d in map(Dialogue.from_line, lines) if d.timeline.split == split]


def read_tracks(run: Path, dialogue: Dialogue) -> npt.NDArray[np.float32]:
    """`[num_samples, 2]` at 16 kHz."""
    samples, rate = soundfile.read(run / dialogue.audio.path, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(samples, rate, RATE_HZ), np.float32)


def speech_of(dialogue: Dialogue) -> tuple[tuple[Span, ...], ...]:
    """Stretches of speech per track, at 16 kHz: the reference."""
    scale = RATE_HZ / dialogue.timeline.sampling_rate
    ipus = activity_of(dialogue.timeline).ipus(_SAME_SPEECH_S)
    return tuple(tuple(Span(round(s.start * scale), round(s.end * scale)) for s in own) for own in ipus)


def utterances_of(run: Path, split: str) -> dict[str, list[Utterance]]:
    """What every person of a split says while alone on a track."""
    found: dict[str, list[Utterance]] = {}
    for dialogue in read_dialogues(run, split):
        tracks = read_tracks(run, dialogue)
        persons = {voicing.speaker: voicing.person for voicing in dialogue.timeline.voicing}
        supervisions = dialogue.timeline.supervisions
        for supervision in supervisions:
            crossed = any(
                other is not supervision
                and other.track == supervision.track
                and other.span.overlap(supervision.span)
                for other in supervisions
            )
            if not crossed and supervision.distance is None:
                heard = _cut(tracks, supervision, dialogue.timeline.sampling_rate)
                found.setdefault(persons[supervision.speaker], []).append(heard)
    return found


def _cut(tracks: Wave, supervision: Supervision, rate: int) -> Utterance:
    scale = RATE_HZ / rate
    start, end = round(supervision.span.start * scale), round(supervision.span.end * scale)
    samples = tracks[start:end, supervision.track.channel]
    speech = np.zeros(len(samples), dtype=bool)
    closest = round(_SAME_SPEECH_S * RATE_HZ)
    reached = -closest
    for word in supervision.words:
        begin, stop = (max(round(at * scale) - start, 0) for at in (word.span.start, word.span.end))
        speech[reached if begin - reached < closest and reached >= 0 else begin : stop] = True
        reached = stop
    return Utterance(np.ascontiguousarray(samples), speech)


class Mixer:
    """Draws chunks in which none, one or two of a set of people speak, often at once."""

    def __init__(self, people: dict[str, list[Utterance]], seed: int) -> None:
        self._people = [people[name] for name in sorted(people)]
        self._rng = np.random.default_rng(seed)

    def draw(self, count: int) -> tuple[Wave, Mask]:
        """`[count, num_samples]` and who speaks when, `[count, num_samples, 3]`."""
        drawn = [self._draw() for _ in range(count)]
        return np.stack([samples for samples, _ in drawn]), np.stack([speech for _, speech in drawn])

    def _draw(self) -> tuple[Wave, Mask]:
        rng, length = self._rng, round(CHUNK_S * RATE_HZ)
        samples, speech = np.zeros(length, np.float32), np.zeros((length, 3), dtype=bool)
        talking = int(rng.choice([0, 1, 2], p=[0.03, 0.17, 0.8]))
        for track, person in enumerate(rng.choice(len(self._people), talking, replace=False).tolist()):
            gain, tilt = 10 ** rng.uniform(-0.4, 0.1), rng.uniform(-0.4, 0.4)
            at = int(rng.uniform(-2.0, 2.5) * RATE_HZ)
            while at < length:
                utterance = self._people[person][rng.integers(len(self._people[person]))]
                _place(samples, speech[:, track], utterance, at, gain, tilt)
                at += len(utterance.samples) + int(rng.exponential(1.2) * RATE_HZ)
        level = 10 ** (rng.uniform(-4.0, -1.8))
        noise = np.convolve(rng.standard_normal(length + 4), rng.uniform(-0.2, 1.0, 5), "valid") * level
        return np.asarray((samples + noise) * 10 ** rng.uniform(-0.8, 0.2), np.float32), speech


def _place(
    samples: Wave, speech: npt.NDArray[np.bool_], utterance: Utterance, at: int, gain: float, tilt: float
) -> None:
    begin, end = max(at, 0), min(at + len(utterance.samples), len(samples))
    if begin >= end:
        return
    own = utterance.samples[begin - at : end - at] * gain
    samples[begin:end] += own
    samples[begin + 1 : end] -= tilt * own[:-1]
    speech[begin:end] |= utterance.speech[begin - at : end - at]
