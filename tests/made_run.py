"""A finished run on disk, made of dialogues with made-up clips: what `check` and `describe` read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pipeline.config import parse_config
from pipeline.core.assembly import assemble
from pipeline.domain.timeline import Dialogue, Timeline
from pipeline.io.audio import RunAudio
from pipeline.run_records import RunDescription, Versions
from tests.spoken import load_clip

LOUDNESS_LUFS = -11.9
"""What the noise of made-up clips has at their gain of -6 dB."""


def write_run(
    directory: Path,
    timelines: Sequence[Timeline],
    loudness_lufs: float = LOUDNESS_LUFS,
    file_format: Literal["flac", "wav"] = "flac",
) -> tuple[Dialogue, ...]:
    """Render the timelines and write `audio/`, `dialogues.jsonl` and `run.json`."""
    audio = RunAudio(directory)
    dialogues = tuple(
        Dialogue(
            timeline=one,
            audio=audio.write_audio(
                one.dialogue_id, assemble(one, load_clip), one.sampling_rate, file_format
            ),
        )
        for one in timelines
    )
    lines = "".join(one.to_line() + "\n" for one in dialogues)
    (directory / "dialogues.jsonl").write_text(lines, encoding="utf-8")
    config = {
        "seeds": {"sources": [{"reader": "jsonl", "path": "demo", "language": "en"}]},
        "speech": {"loudness_lufs": loudness_lufs},
    }
    description = RunDescription(
        config=parse_config(json.loads(json.dumps(config)), "test"),
        versions=Versions(pipeline="0", python="3", stages={}, deps={}, packages={}),
        num_dialogues=len(dialogues),
        refusals={},
        calibration=None,
    )
    (directory / "run.json").write_text(description.to_line(), encoding="utf-8")
    return dialogues
