"""An export's audio files: format, length, silence."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.core.checks.export_findings import (
    ExportCode,
    ExportFinding,
    ExportLimits,
    ExportMaterial,
    Sound,
)


@dataclass(frozen=True, slots=True)
class WantedSound:
    """An audio file that has to be there."""

    path: str
    export_id: str
    min_samples: int = 0
    """Readers drop what is shorter."""
    num_samples: int | None = None
    """What the manifest says; None where it says nothing."""
    duration_s: float | None = None
    """The same, in seconds."""
    may_be_silent: bool = False


def check_sound(
    wanted: WantedSound, material: ExportMaterial, limits: ExportLimits
) -> tuple[Sound | None, tuple[ExportFinding, ...]]:
    """What the file holds, and what is wrong with it."""
    if wanted.path not in material.paths:
        detail = "is named in the export and not there; export the run again"
        return None, (_finding(ExportCode.MISSING_FILE, wanted, detail),)
    sound = material.read_sound(wanted.path)
    if sound is None:
        detail = "cannot be decoded; wanted a wav file: export the run again"
        return None, (_finding(ExportCode.UNREADABLE_AUDIO, wanted, detail),)
    return sound, tuple(_faults(wanted, sound, limits))


def _faults(wanted: WantedSound, sound: Sound, limits: ExportLimits) -> Iterator[ExportFinding]:
    got = (sound.container, sound.encoding, sound.channels, sound.sampling_rate)
    if got != ("WAV", "PCM_16", 1, limits.sampling_rate):
        detail = (
            f"is {sound.container} {sound.encoding}, {sound.channels} channel(s), {sound.sampling_rate} Hz; "
            f"wanted WAV PCM_16, 1 channel, {limits.sampling_rate} Hz"
        )
        yield _finding(ExportCode.SAMPLE_FORMAT, wanted, detail)
    duration_s = sound.num_samples / sound.sampling_rate
    if sound.num_samples < wanted.min_samples:
        detail = (
            f"holds {sound.num_samples} samples; readers drop dialogues with less than {wanted.min_samples}"
        )
        yield _finding(ExportCode.SHORT_AUDIO, wanted, detail)
    if wanted.num_samples is not None and sound.num_samples != wanted.num_samples:
        detail = f"holds {sound.num_samples} samples, the manifest says {wanted.num_samples}"
        yield _finding(ExportCode.DURATION_OFF, wanted, detail)
    if wanted.duration_s is not None and abs(duration_s - wanted.duration_s) > limits.duration_s:
        detail = f"lasts {duration_s:.4f} s, the manifest says {wanted.duration_s:.4f} s"
        yield _finding(ExportCode.DURATION_OFF, wanted, detail)
    if sound.silent and not wanted.may_be_silent:
        yield _finding(ExportCode.SILENT_AUDIO, wanted, "holds nothing but zeros; wanted speech")


def _finding(code: ExportCode, wanted: WantedSound, detail: str) -> ExportFinding:
    return ExportFinding(code=code, path=wanted.path, export_id=wanted.export_id, detail=detail)
