"""Corpora on disk: the hand-written fixtures, each in its corpus' native layout, and audio made up on the spot.

And what a declaration says of them.
"""

import shutil
from pathlib import Path

import numpy as np
import soundfile

from pipeline.domain.mining import Recording
from pipeline.io.recordings.declaration import Declaration, read_declaration, recordings_of

RIGHTS = "rights: {corpus: my-calls, licence_id: CC0-1.0, consent_basis: invented}"

DATA = Path(__file__).parents[2] / "data" / "recordings"
CANDOR_ID = "00000000-1111-2222-3333-444444444444"
HARPER_ID = "00112233aabbccdd"


def make_audio(path: Path, channels: int, seconds: float = 4.0, rate: int = 8000) -> None:
    """Noise, another one per channel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(channels).normal(0, 0.05, (round(seconds * rate), channels))
    kind = {".mp3": "MP3", ".sph": "NIST", ".flac": "FLAC"}.get(path.suffix, "WAV")
    subtype = {".sph": "ULAW", ".mp3": "MPEG_LAYER_III"}.get(path.suffix, "PCM_16")
    soundfile.write(path, noise, rate, format=kind, subtype=subtype)


def make_candor(folder: Path) -> None:
    shutil.copytree(DATA / "candor", folder)
    make_audio(folder / CANDOR_ID / "processed" / f"{CANDOR_ID}.mp3", 2, rate=16_000)


def make_fisher(folder: Path) -> None:
    shutil.copytree(DATA / "fisher", folder)
    make_audio(folder / "fe_03_p1_sph1" / "audio" / "999" / "fe_03_99999.sph", 2)


def make_switchboard(folder: Path) -> None:
    shutil.copytree(DATA / "switchboard", folder)
    make_audio(folder / "swb1_d1" / "data" / "sw09999.sph", 2)
    make_audio(folder / "swb1_d2" / "data" / "sw09998.sph", 2)


def make_ami(folder: Path) -> None:
    shutil.copytree(DATA / "ami", folder)
    for name in ("Mix-Headset", "Headset-0", "Headset-1", "Headset-2"):
        make_audio(folder / "ES9999a" / "audio" / f"ES9999a.{name}.wav", 1, rate=16_000)


def make_harper_valley(folder: Path) -> None:
    shutil.copytree(DATA / "harper_valley", folder)
    make_audio(folder / "audio" / "caller" / f"{HARPER_ID}.wav", 1)
    make_audio(folder / "audio" / "agent" / f"{HARPER_ID}.wav", 1, seconds=6.05)


def make_calls(folder: Path) -> None:
    for name in ("mon-agent", "mon-caller", "tue-agent"):
        make_audio(folder / f"{name}.wav", 1)


def make_worded_call(folder: Path) -> None:
    make_audio(folder / "sub" / "call.WAV", 2)
    shutil.copy(DATA / "two_words.jsonl", folder / "sub" / "call.jsonl")


def make_rttm(folder: Path) -> None:
    shutil.copytree(DATA / "rttm", folder / "rttm")
    make_audio(folder / "wav" / "left.flac", 1)


def declared(folder: Path, sources: str, more: str = "") -> Declaration:
    path = folder / "mine.yaml"
    path.write_text(f"{more}\nsources:\n  - {sources}\n", encoding="utf-8")
    return read_declaration(path)


def recordings(folder: Path, sources: str, more: str = "") -> tuple[Recording, ...]:
    found, without = recordings_of(declared(folder, sources, more))
    assert not without
    return found
