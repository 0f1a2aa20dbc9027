"""Planning, assembling and writing against the way peers do it, and against the bare cost."""

import tracemalloc
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydub import AudioSegment

from pipeline.core.assembly import assemble
from pipeline.core.timing.dyad import dyad_law
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.timeline import Timeline
from pipeline.io.audio import RunAudio, write_audio
from pipeline.io.references import load_reference
from pipeline.io.store import Store
from pipeline.stages import timing
from pipeline.stages.shard import Shard
from tests.bench.dialogues import long_dialogue, store_clips
from tests.bench.measure import Row, side_by_side

CONFIG = timing.Config()


class _Bench:
    """Some dialogues of one length, and every way of rendering them."""

    def __init__(self, directory: Path, dialogues: int, sentences: int) -> None:
        reference = load_reference("switchboard")
        self.deps = timing.Deps(
            root_seed=0, reference=reference, dyads=dyad_law(reference), stages=("timing-1",), dial=0.0
        )
        self.store = Store(directory / "store")
        self.audio = RunAudio(directory)
        self.spoken = tuple(long_dialogue(number, sentences) for number in range(dialogues))
        store_clips(self.store, self.spoken[0])
        self.timelines = self.plan()
        self.assembled = [assemble(timeline, self.store.load_clip) for timeline in self.timelines]
        self.seconds = sum(t.num_samples / t.sampling_rate for t in self.timelines) / dialogues
        self.directory = directory

    def plan(self) -> tuple[Timeline, ...]:
        return timing.run(Shard(index=0, records=self.spoken), CONFIG, self.deps).records

    def assemble_all(self) -> None:
        for timeline in self.timelines:
            assemble(timeline, self.store.load_clip)

    def ours(self, file_format: str = "wav") -> None:
        for timeline in self.plan():
            samples = assemble(timeline, self.store.load_clip)
            self.audio.write_audio(timeline.dialogue_id, samples, timeline.sampling_rate, file_format)

    def pydub_way(self) -> None:
        """Overlay every clip on two silent segments, then export both as one file: what generators do."""
        for timeline in self.timelines:
            rate = timeline.sampling_rate
            length_ms = timeline.num_samples * 1000 / rate
            tracks = [AudioSegment.silent(duration=length_ms, frame_rate=rate) for _ in range(2)]
            gains = {v.speaker: v.gain_db for v in timeline.voicing}
            for supervision in timeline.supervisions:
                path, _ = self.store._clip_paths(supervision.clip)
                clip = AudioSegment.from_wav(path).apply_gain(gains[supervision.speaker])
                channel = supervision.track.channel
                tracks[channel] = tracks[channel].overlay(clip, position=supervision.span.start * 1000 / rate)
            stereo = AudioSegment.from_mono_audiosegments(*tracks)
            stereo.export(self.directory / "pydub.wav", format="wav").close()

    def bare(self) -> None:
        """Read the clips and write as many samples as there are: nobody can be faster."""
        for timeline, samples in zip(self.timelines, self.assembled, strict=True):
            for supervision in timeline.supervisions:
                self.store.load_clip(supervision.clip)
            with wave.open(str(self.directory / "bare.wav"), "wb") as file:
                file.setparams((2, 2, timeline.sampling_rate, 0, "NONE", ""))
                file.writeframes(samples.tobytes())

    def flac_alone(self) -> None:
        for timeline, samples in zip(self.timelines, self.assembled, strict=True):
            write_audio(self.directory / "alone.flac", samples, timeline.sampling_rate, "flac")


def measure(directory: Path) -> Iterator[Row]:
    short, long = _Bench(directory / "short", 30, 30), _Bench(directory / "long", 6, 120)
    ours, peers, bare, flac, alone, planning, assembling = side_by_side(
        5,
        short.ours,
        short.pydub_way,
        short.bare,
        lambda: short.ours("flac"),
        short.flac_alone,
        short.plan,
        short.assemble_all,
    )
    per = f"{short.seconds:.0f} s dialogues, {1e3 * ours / len(short.spoken):.1f} ms each"
    yield Row("plan + assemble + wav", "pydub way", peers / ours, "at least", 3.5, per)
    yield Row(
        "plan + assemble + wav", "bare cost", ours / bare, "at most", 1.6, f"bare {1e3 * bare / 30:.1f} ms"
    )
    yield Row("plan + assemble + flac", "flac alone", flac / alone, "at most", 1.3, "level 0")
    yield Row("planning", "assembling", planning / assembling, "at most", 0.3, "")
    ours, peers = side_by_side(3, long.ours, long.pydub_way)
    yield Row(
        "plan + assemble + wav", "pydub way", peers / ours, "at least", 20, f"{long.seconds:.0f} s dialogues"
    )
    yield _rounding(short)
    yield from _growth(directory / "growth")


def _rounding(bench: _Bench) -> Row:
    """Error of the written samples against the same mix in float64, in steps of PCM16."""
    timeline, samples = bench.timelines[0], bench.assembled[0]
    exact = np.zeros((timeline.num_samples, 2))
    gains = {v.speaker: 10.0 ** (v.gain_db / 20) for v in timeline.voicing}
    for supervision in timeline.supervisions:
        span = supervision.span
        clip = bench.store.load_clip(supervision.clip).astype(np.float64)
        exact[span.start : span.end, supervision.track.channel] += clip * gains[supervision.speaker]
    speaking = exact != 0
    error = float(np.sqrt(np.mean((samples[speaking] - exact[speaking]) ** 2)))
    return Row("PCM16 rounding", "exact mix, rms LSB", error, "at most", 0.30, "float64 reference")


def _growth(directory: Path) -> Iterator[Row]:
    """Time per dialogue and peak memory, from a few dialogues to a hundred times as many."""
    bench = _Bench(directory, 1, 30)
    spoken = bench.spoken[0]

    def many(count: int) -> None:
        for number in range(count):
            script = spoken.script.model_copy(update={"dialogue_id": f"en-bench-{number}"})
            one: SpokenScript = spoken.model_copy(update={"script": script})
            (timeline,) = timing.run(Shard(index=0, records=(one,)), CONFIG, bench.deps).records
            assemble(timeline, bench.store.load_clip)

    few, lots = 20, 400
    few_s, lots_s = side_by_side(3, lambda: many(few), lambda: many(lots))
    yield Row(
        f"{lots} dialogues",
        f"{few} dialogues",
        (lots_s / lots) / (few_s / few),
        "at most",
        1.1,
        "time per dialogue",
    )
    peaks = []
    for count in (few, lots):
        tracemalloc.start()
        many(count)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    yield Row(
        f"{lots} dialogues",
        f"{few} dialogues",
        peaks[1] / peaks[0],
        "at most",
        1.2,
        f"peak {peaks[1] / 1e6:.0f} MB",
    )
