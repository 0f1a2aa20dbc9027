"""Mined calls for tests: a declaration, and what the command makes of it."""

import json
from collections.abc import Mapping
from pathlib import Path

from pipeline.core.mining.summary import MiningSummary
from pipeline.domain.mining import Rights
from pipeline.domain.timeline import Dialogue, Timeline
from pipeline.io.jsonl import read_records
from pipeline.io.recordings.declaration import Declaration, DeclaredRecording
from pipeline.mining import Mine
from tests.calls import TALK_A, TALK_B

RIGHTS = Rights(
    corpus="made-up",
    licence_id="CC0-1.0",
    consent_basis="invented",
    redistribution_allowed=True,
    derivative_allowed=True,
)


def one(name: str, *audio: str, **more: object) -> DeclaredRecording:
    """A recording in English."""
    return DeclaredRecording.model_validate({"recording_id": name, "audio": audio, "language": "en", **more})


def declared(*recordings: DeclaredRecording, **settings: object) -> Declaration:
    """They and what is said about all of them."""
    return Declaration.model_validate({"rights": RIGHTS, "recordings": recordings, "workers": 1, **settings})


def mined(declaration: Declaration, base: Path, out: Path) -> MiningSummary:
    """Mine; nobody watches."""
    return Mine(declaration, base, out).run(lambda heard, kept: None)


def timelines(out: Path) -> list[Timeline]:
    return list(read_records(out / "timelines.jsonl", Timeline))


def dialogues(out: Path) -> list[Dialogue]:
    return list(read_records(out / "dialogues.jsonl", Dialogue))


def rows(path: Path) -> list[Mapping[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write_words(path: Path, names: tuple[str, str] = ("A", "B")) -> None:
    """What is said in `tests.calls.call`, a word per half second."""
    lines: list[str] = []
    for name, spans in zip(names, (TALK_A, TALK_B), strict=True):
        for start, end in spans:
            count = max(1, int((end - start) / 0.5))
            step = (end - start) / count
            texts = ["uh-huh"] if end - start < 1 else [f"word{number}" for number in range(count)]
            lines.extend(
                json.dumps(
                    {"speaker": name, "start": start + i * step, "end": start + (i + 1) * step, "text": text}
                )
                for i, text in enumerate(texts)
            )
    path.write_text("\n".join(lines))
