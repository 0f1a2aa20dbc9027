"""Stage 5: rendering. Timelines and clips become two-channel audio."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from pipeline.core.assembly import assemble
from pipeline.domain.record import Record
from pipeline.domain.timeline import Dialogue, Timeline
from pipeline.ports import ClipStore, DialogueAudioSink
from pipeline.stages.shard import Shard

NAME = "render"
VERSION = 2


class Config(Record):
    """What the audio files are like."""

    sampling_rate: int = Field(default=24_000, ge=8_000, le=48_000)
    """Of clips and timelines, in Hz; clips are resampled to it once, where they enter."""
    format: Literal["flac", "wav"] = "flac"


@dataclass(frozen=True, slots=True)
class Deps:
    """What the stage needs from the outside."""

    clips: ClipStore
    audio: DialogueAudioSink

    def fingerprint(self) -> str:
        """Nothing: clips are named by the timelines."""
        return ""


def run(shard: Shard[Timeline], config: Config, deps: Deps) -> Shard[Dialogue]:
    """Mix and write every dialogue."""
    dialogues = tuple(_render(timeline, config, deps) for timeline in shard.records)
    return Shard(index=shard.index, records=dialogues)


def _render(timeline: Timeline, config: Config, deps: Deps) -> Dialogue:
    samples = assemble(timeline, deps.clips.load_clip)
    audio = deps.audio.write_audio(timeline.dialogue_id, samples, timeline.sampling_rate, config.format)
    return Dialogue(timeline=timeline, audio=audio)
