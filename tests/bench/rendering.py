"""Planning, assembling and writing against the way peers do it, and against the bare cost.

All ways render the same dialogues, from the same stored clips, no two of which are alike.
"""

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydub import AudioSegment  # type: ignore[import-untyped]

from pipeline.core.assembly import assemble
from pipeline.core.timing.dyad import dyad_law
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.timeline import Supervision, Timeline
from pipeline.io.audio import RunAudio, read_pcm16, write_audio
from pipeline.io.references import load_reference
from pipeline.io.store import Store
from pipeline.stages import timing
from pipeline.stages.shard import Shard
from tests.bench.dialogues import long_dialogue, store_clips
from tests.bench.measure import Row, item_by_item

CONFIG = timing.Config()
SHORT, LONG = 100, 6
"""Dialogues of about 100 s and of about 400 s."""
SHORT_SENTENCES, LONG_SENTENCES = 27, 108
MAX_LAG = 64
"""Samples to either side of a recorded onset in which a clip is looked for: pydub's are up to 24 off."""

Pcm = npt.NDArray[np.int16]


class _Bench:
    """Some dialogues of one length, and every way of rendering one of them."""

    def __init__(self, directory: Path, dialogues: int, sentences: int) -> None:
        reference = load_reference("switchboard")
        self._deps = timing.Deps(
            root_seed=0, reference=reference, dyads=dyad_law(reference), stages=("timing-1",), dial=0.0
        )
        self.store = Store(directory / "store")
        self._audio = RunAudio(directory)
        self._directory = directory
        self.spoken = tuple(long_dialogue(number, sentences) for number in range(dialogues))
        store_clips(self.store, self.spoken)
        self.timelines = {one.script.dialogue_id: self.plan(one) for one in self.spoken}
        self.seconds = sum(t.num_samples / t.sampling_rate for t in self.timelines.values()) / dialogues
        self._assembled: Pcm = np.zeros((0, 2), dtype=np.int16)

    def timeline(self, spoken: SpokenScript) -> Timeline:
        return self.timelines[spoken.script.dialogue_id]

    def prepare(self, spoken: SpokenScript) -> None:
        """Have the samples at hand that the bare ways write."""
        self._assembled = assemble(self.timeline(spoken), self.store.load_clip)

    def plan(self, spoken: SpokenScript) -> Timeline:
        (timeline,) = timing.run(Shard(index=0, records=(spoken,)), CONFIG, self._deps).records
        return timeline

    def assemble(self, spoken: SpokenScript) -> Pcm:
        return assemble(self.timeline(spoken), self.store.load_clip)

    def ours(self, spoken: SpokenScript, file_format: str = "wav") -> Path:
        timeline = self.plan(spoken)
        samples = assemble(timeline, self.store.load_clip)
        written = self._audio.write_audio("ours", samples, timeline.sampling_rate, file_format)
        return self._directory / written.path

    def ours_in_flac(self, spoken: SpokenScript) -> Path:
        return self.ours(spoken, "flac")

    def pydub_way(self, spoken: SpokenScript) -> Path:
        """Overlay every clip on two silent segments, then export both as one file: what generators do.

        Positions are whole milliseconds, pydub's unit.
        """
        timeline, path = self.timeline(spoken), self._directory / "pydub.wav"
        rate = timeline.sampling_rate
        length_ms = 1 + timeline.num_samples * 1000 // rate
        tracks = [AudioSegment.silent(duration=length_ms, frame_rate=rate) for _ in range(2)]
        gains = {v.speaker: v.gain_db for v in timeline.voicing}
        for supervision in timeline.supervisions:
            clip = AudioSegment.from_wav(self._clip_path(supervision)).apply_gain(gains[supervision.speaker])
            channel = supervision.track.channel
            tracks[channel] = tracks[channel].overlay(clip, position=supervision.span.start * 1000 // rate)
        AudioSegment.from_mono_audiosegments(*tracks).export(path, format="wav").close()
        return path

    def bare(self, spoken: SpokenScript) -> None:
        """Read the clips and write as many samples as there are: nobody can be faster."""
        timeline = self.timeline(spoken)
        for supervision in timeline.supervisions:
            self.store.load_clip(supervision.clip)
        with wave.open(str(self._directory / "bare.wav"), "wb") as file:
            file.setparams((2, 2, timeline.sampling_rate, 0, "NONE", ""))
            file.writeframes(self._assembled.tobytes())

    def flac_alone(self, spoken: SpokenScript) -> None:
        rate = self.timeline(spoken).sampling_rate
        write_audio(self._directory / "alone.flac", self._assembled, rate, "flac")

    def _clip_path(self, supervision: Supervision) -> Path:
        return self.store._clip_paths(supervision.clip)[0]


def measure(directory: Path) -> Iterator[Row]:
    short = _Bench(directory / "short", SHORT, SHORT_SENTENCES)
    yield from _short(short)
    yield _rounding(short)
    yield _onsets(short)
    long = _Bench(directory / "long", LONG, LONG_SENTENCES)
    ours, peers = item_by_item(long.spoken, long.prepare, long.ours, long.pydub_way)
    note = f"{LONG} of {long.seconds:.0f} s, {1e3 * ours:.1f} and {1e3 * peers:.0f} ms each"
    yield Row("plan + assemble + wav", "pydub way", peers / ours, "at least", 20, note)


def _short(bench: _Bench) -> Iterator[Row]:
    ours, peers, bare, flac, alone, planning, assembling = item_by_item(
        bench.spoken,
        bench.prepare,
        bench.ours,
        bench.pydub_way,
        bench.bare,
        bench.ours_in_flac,
        bench.flac_alone,
        bench.plan,
        bench.assemble,
    )
    each = f"{SHORT} of {bench.seconds:.0f} s, {1e3 * ours:.1f} and {1e3 * peers:.1f} ms each"
    yield Row("plan + assemble + wav", "pydub way", peers / ours, "at least", 3.5, each)
    yield Row("plan + assemble + wav", "bare cost", ours / bare, "at most", 1.6, f"bare {1e3 * bare:.1f} ms")
    note = f"level 0, {1e3 * flac:.1f} and {1e3 * alone:.1f} ms"
    yield Row("plan + assemble + flac", "flac alone", flac / alone, "at most", 1.3, note)
    note = f"{1e3 * planning:.1f} and {1e3 * assembling:.1f} ms"
    yield Row("planning", "assembling", planning / assembling, "at most", 0.3, note)


def _rounding(bench: _Bench) -> Row:
    """Error of the written samples against the same mix in float64, in steps of PCM16."""
    spoken = bench.spoken[0]
    timeline, samples = bench.timeline(spoken), bench.assemble(spoken)
    exact = np.zeros((timeline.num_samples, 2))
    gains = {v.speaker: 10.0 ** (v.gain_db / 20) for v in timeline.voicing}
    for supervision in timeline.supervisions:
        span = supervision.span
        clip = bench.store.load_clip(supervision.clip).astype(np.float64)
        exact[span.start : span.end, supervision.track.channel] += clip * gains[supervision.speaker]
    speaking = exact != 0
    error = float(np.sqrt(np.mean((samples[speaking] - exact[speaking]) ** 2)))
    return Row("PCM16 rounding", "exact mix, rms LSB", error, "at most", 0.30, "float64 reference")


def _onsets(bench: _Bench) -> Row:
    """Where clips are found in the files that were written, against where the records say."""
    some = bench.spoken[:20]
    found = {
        way.__name__: [lag for one in some for lag in _lags(bench, bench.timeline(one), way(one))]
        for way in (bench.ours, bench.ours_in_flac, bench.pydub_way)
    }
    worst = {name: max(map(abs, lags)) for name, lags in found.items()}
    count = len(found["ours"])
    note = f"{count} clips in wav and in flac; pydub way: up to {worst['pydub_way']}"
    return Row(
        "onsets, samples off", "records", max(worst["ours"], worst["ours_in_flac"]), "at most", 0, note
    )


def _lags(bench: _Bench, timeline: Timeline, path: Path) -> Iterator[int]:
    """By how many samples each clip lies off its recorded place, by correlation with the decoded file."""
    samples, _ = read_pcm16(path)
    padded = np.pad(samples.astype(np.float64), ((MAX_LAG, MAX_LAG), (0, 0)))
    for supervision in timeline.supervisions:
        clip = bench.store.load_clip(supervision.clip)
        part = slice(len(clip) // 2, len(clip) // 2 + 4_096)
        start = supervision.span.start + part.start  # of the padded file: MAX_LAG before the recorded place
        heard = padded[start : start + 4_096 + 2 * MAX_LAG, supervision.track.channel]
        yield int(np.argmax(np.correlate(heard, clip[part].astype(np.float64), "valid"))) - MAX_LAG
