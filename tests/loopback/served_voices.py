"""Voices to be cloned that are made on the spot - a catalogue, and a recording of each - and runs in them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

from pipeline.config import RunConfig
from pipeline.domain.labels import Split
from tests.runs import small_config

RATE_HZ = 24_000
TRANSCRIPTS = {"en": "Good morning, how are you today?", "zh": "早上好，你今天怎么样？"}
SPLITS = tuple(split.value for split in Split)
SCENES = ("follow_up_question", "user_backchannel")
PATIENCE = {"timeout_s": 1.0, "first_pause_s": 0.02, "longest_pause_s": 0.2, "give_up_after_s": 60.0}
"""A deadline is what a stuck request costs; a worker that is started again takes its seconds."""


def recording(path: Path, pitch_hz: float) -> None:
    """Three seconds of a buzz in syllables, at the level of speech."""
    seconds = np.arange(3 * RATE_HZ) / RATE_HZ
    harmonics = sum(np.sin(2 * np.pi * pitch_hz * n * seconds) / n for n in range(1, 12))
    hump = 0.2 * np.abs(np.sin(2 * np.pi * 2.2 * seconds))
    soundfile.write(path, (hump * harmonics / 3).astype(np.float32), RATE_HZ, subtype="PCM_16")


def write_catalogue(
    directory: Path,
    splits: Sequence[str] = SPLITS,
    speakers: int = 3,
    backends: Sequence[str] = ("cosyvoice",),
) -> Path:
    """`speakers` persons per language and split; each has a voice of every backend, espeak's own by its name."""
    directory.mkdir(parents=True, exist_ok=True)
    voices: list[dict[str, object]] = []
    for index, (language, split, number) in enumerate(
        (language, split, number)
        for language in TRANSCRIPTS
        for split in splits
        for number in range(speakers)
    ):
        speaker = f"{language}-{split}-{number}"
        path = directory / f"{speaker}.wav"
        recording(path, 100 + 6 * index)
        for backend in backends:
            voices.append(_row(speaker, language, split, number, backend, path))
    catalogue = directory / "voices.yaml"
    catalogue.write_text(json.dumps({"voices": voices}), encoding="utf-8")
    return catalogue


def _row(speaker: str, language: str, split: str, number: int, backend: str, path: Path) -> dict[str, object]:
    row: dict[str, object] = {
        "voice_id": f"{backend}-{speaker}",
        "speaker": speaker,
        "language": language,
        "gender": ("female", "male")[number % 2],
        "split": split,
        "backend": backend,
        "backend_voice": speaker,
        "median_f0_hz": 150.0,
        "licence": {
            "id": "CC0-1.0",
            "non_commercial": False,
            "share_alike": False,
            "redistributable": True,
            "attribution": "",
        },
    }
    if backend == "espeak":
        prefix = {"en": "en-us", "zh": "cmn"}[language]
        return {**row, "backend_voice": f"{prefix}+humdial-{'fm'[number % 2]}0{number + 1}"}
    return {
        **row,
        "reference": {
            "audio": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "transcript": TRANSCRIPTS[language],
            "duration_s": 3.0,
        },
        "consent": "nobody's voice: made of sines",
    }


def served_config(
    url: str,
    catalogue: Path,
    *,
    limit: int = 3,
    max_in_flight: int = 4,
    scenes: Sequence[str] = SCENES,
    speech: Mapping[str, object] | None = None,
) -> RunConfig:
    """The small run of `tests.runs` in the voices of a catalogue, spoken by a CosyVoice worker.

    `limit` dialogues per language; a request may take half a second, and a little more by its length. `speech`
    replaces keys of the section.
    """
    sources = [{"reader": "jsonl", "path": "demo", "language": name, "limit": limit} for name in TRANSCRIPTS]
    section: dict[str, object] = {
        "backend": "cosyvoice",
        "voices": str(catalogue),
        "cosyvoice": {
            "endpoints": [{"base_url": url, "max_in_flight": max_in_flight}],
            "patience": PATIENCE,
            "slowest": 0.1,
        },
    }
    return small_config(
        seeds={"sources": sources, "scenes": dict.fromkeys(scenes, 1.0), "splits": {"train": 1.0}},
        speech={**section, **(speech or {})},
    )
