"""An export for InteractSpeech against the rules of its demos and against its own manifest.

::

    <folder>/dialogue_speaker{a,b}.wav    float32, equally long, zero outside the intervals ---+
    <folder>/information.json             lines and intervals, one to one                    ---+--> findings
    manifest.jsonl                        the same turns, words, marks and lengths?          ---+
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipeline.core.checks.export_across import Seen
from pipeline.core.checks.export_balance import Rows
from pipeline.core.checks.export_findings import (
    MANIFEST,
    SIDECARS,
    ExportCode,
    ExportFinding,
    ExportLimits,
    ExportMaterial,
    finding_of,
    manifest_rows,
    missing_sidecars,
)
from pipeline.core.checks.export_findings import text_lines as lines_of
from pipeline.core.checks.export_interactspeech_text import TextLine, Told, read_information
from pipeline.core.exports.interactspeech import InteractSpeechDialogue
from pipeline.domain.labels import Language, Speaker, Split

RATE_HZ = 22_050
MOST_PUBLISHED = 2
"""Marks of a dialogue in the demos and their paper."""
_SIDES = {Speaker.USER: "a", Speaker.ASSISTANT: "b"}
Turns = tuple[tuple[float, float, Speaker, str], ...]
"""Start and end, s, speaker and words."""


@dataclass(frozen=True, slots=True)
class FloatSound:
    """An audio file, its samples included."""

    encoding: str
    """`WAV/FLOAT` ..."""
    sampling_rate: int
    samples: npt.NDArray[np.float32]
    """`[num_samples, channels]`."""


class TrackMaterial(ExportMaterial, Protocol):
    """An export's directory, of which samples are read, too."""

    def read_samples(self, path: str) -> FloatSound | None:
        """What an audio file holds, None where nobody can read it, or where it holds what is no number."""
        ...


class InteractSpeechCheck:
    """The check of one export: iterate over `findings`, then read the tables."""

    def __init__(self, material: TrackMaterial, limits: ExportLimits) -> None:
        self._material = material
        self._limits = limits
        self._seen = Seen(limits)
        self._named: set[str] = set()
        self._counts: dict[tuple[Split, Language], Counter[str]] = {}
        self.dialogues = 0
        self.duration_s = 0.0

    def findings(self, advance: Callable[[], None]) -> Iterator[ExportFinding]:
        """Everything that is wrong; `advance` is told of every dialogue of the manifest."""
        for row in manifest_rows(lines_of(self._material, MANIFEST), InteractSpeechDialogue):
            if isinstance(row, ExportFinding):
                yield row
                continue
            yield from self._dialogue(row)
            advance()
        yield from missing_sidecars(self._material)
        for path in sorted(self._material.paths - SIDECARS - self._named):
            detail = (
                "belongs to no dialogue of the manifest; wanted two tracks and information.json per folder"
            )
            yield finding_of(ExportCode.STRAY_FILE, path, None, detail)
        yield from self._seen.repeated()

    def tables(self) -> tuple[Rows, ...]:
        """Lines, marks and backchannels by split and language."""
        kinds = ("dialogues", "lines", "marked", "backchannels", "asides")
        return (
            (
                ("split", "language", *kinds),
                *(
                    (split.value, language.value, *(str(counts[kind]) for kind in kinds))
                    for (split, language), counts in sorted(self._counts.items())
                ),
            ),
        )

    def _dialogue(self, row: InteractSpeechDialogue) -> Iterator[ExportFinding]:
        self.dialogues += 1
        yield from _place(row)
        yield from self._seen.dialogue(row.export_id, row.dialogue_id, row.split)
        yield from self._seen.text(row.export_id, row.split, (s.text for s in row.supervisions))
        persons = (voice.person for voice in row.voices)
        yield from self._seen.sources(row.export_id, row.split, persons, row.provenance.seed_id)
        information = f"{row.directory}/information.json"
        told: Told | None = None
        if information in self._material.paths:
            self._named.add(information)
            told = read_information(information, row.export_id, self._material.read_text(information))
            yield from told.findings
        else:
            detail = "is not there; export the run again"
            yield finding_of(ExportCode.MISSING_FILE, information, row.export_id, detail)
        lengths: dict[str, int] = {}
        for speaker in _SIDES:
            yield from self._track(row, speaker, told, lengths)
        if len(set(lengths.values())) > 1:
            spelled = ", ".join(f"{name} {length}" for name, length in lengths.items())
            detail = f"has tracks of {spelled} samples; wanted them equally long"
            yield finding_of(ExportCode.DURATION_OFF, row.directory, row.export_id, detail)
        if told is not None and told.lines:
            self._count(row, told.lines)
            yield from _contradictions(row, told, information, self._limits)

    def _count(self, row: InteractSpeechDialogue, lines: tuple[TextLine, ...]) -> None:
        counts = self._counts.setdefault((row.split, row.language), Counter())
        counts.update(
            dialogues=1,
            lines=len(lines),
            marked=sum(line.marked for line in lines),
            backchannels=len(row.backchannel_lines),
            asides=len(row.aside_lines),
        )

    def _track(
        self, row: InteractSpeechDialogue, speaker: Speaker, told: Told | None, lengths: dict[str, int]
    ) -> Iterator[ExportFinding]:
        path = f"{row.directory}/dialogue_speaker{_SIDES[speaker]}.wav"
        self._named.add(path)
        if path not in self._material.paths:
            detail = "is not there; export the run again"
            yield finding_of(ExportCode.MISSING_FILE, path, row.export_id, detail)
            return
        sound = self._material.read_samples(path)
        if sound is None:
            detail = "cannot be decoded, or holds what is no number; wanted a wav file: export the run again"
            yield finding_of(ExportCode.UNREADABLE_AUDIO, path, row.export_id, detail)
            return
        lengths[f"speaker{_SIDES[speaker]}"] = len(sound.samples)
        if speaker is Speaker.USER:
            self.duration_s += len(sound.samples) / sound.sampling_rate
        faults = tuple(sound_faults(sound, row.duration_s, self._limits))
        for code, detail in faults:
            yield finding_of(code, path, row.export_id, detail)
        text = " ".join(s.text for s in row.supervisions if s.speaker is speaker)
        digest = hashlib.sha256(np.ascontiguousarray(sound.samples).tobytes()).hexdigest()
        yield from self._seen.audio(path, digest, row.export_id, row.split, text)
        if told is not None and not any(code is ExportCode.SAMPLE_FORMAT for code, _ in faults):
            intervals = tuple(line.interval for line in told.lines if line.speaker is speaker)
            for code, detail in voicing_faults(sound.samples[:, 0], intervals):
                yield finding_of(code, path, row.export_id, detail)


def sound_faults(
    sound: FloatSound, duration_s: float, limits: ExportLimits
) -> Iterator[tuple[ExportCode, str]]:
    """What is wrong with a track as a file: 22,050 Hz, mono, float32 within -1...1, as long as the dialogue."""
    channels = sound.samples.shape[1]
    if (sound.encoding, channels, sound.sampling_rate) != ("WAV/FLOAT", 1, RATE_HZ):
        yield (
            ExportCode.SAMPLE_FORMAT,
            f"is {sound.encoding}, {channels} channel(s), {sound.sampling_rate} Hz; wanted WAV/FLOAT, 1 channel, "
            f"{RATE_HZ} Hz",
        )
    peak = float(np.max(np.abs(sound.samples)))
    if peak > 1:
        yield ExportCode.SAMPLE_FORMAT, f"reaches {peak:.3f}; wanted -1...1"
    if peak == 0:
        yield ExportCode.SILENT_AUDIO, "holds nothing but zeros; wanted speech"
    got_s = len(sound.samples) / sound.sampling_rate
    if abs(got_s - duration_s) > limits.duration_s:
        yield ExportCode.DURATION_OFF, f"lasts {got_s:.4f} s, the manifest says {duration_s:.4f} s"


def voicing_faults(
    samples: npt.NDArray[np.float32], intervals: tuple[tuple[int, int], ...]
) -> Iterator[tuple[ExportCode, str]]:
    """Speech in every interval, digital zero outside them."""
    outside = np.ones(len(samples), dtype=bool)
    for start, end in intervals:
        if end > len(samples):
            detail = f"has {len(samples)} samples; the interval [{start}, {end}) ends after them"
            yield ExportCode.TIMES_OFF, detail
        if start < len(samples) and not samples[start:end].any():
            yield ExportCode.SILENT_AUDIO, f"is zero all over the interval [{start}, {end}); wanted its line"
        outside[start:end] = False
    loud = np.flatnonzero(outside & (samples != 0))
    if len(loud):
        detail = f"has {len(loud)} samples that are not zero outside its intervals, from {loud[0]} on"
        yield ExportCode.TIMES_OFF, detail


def _place(row: InteractSpeechDialogue) -> Iterator[ExportFinding]:
    head, separator, number = row.export_id.rpartition("--")
    if not separator or not number.isdecimal() or not head.isascii() or "/" in head:
        detail = f"id {row.export_id!r}; wanted HUMDIAL_<language>--<split>--<number>"
        yield finding_of(ExportCode.BAD_ID, MANIFEST, row.export_id, detail)
    elif head != f"HUMDIAL_{row.language.name}--{row.split.value}":
        detail = f"is in {row.split.value}, {row.language.value}; wanted what its id says"
        yield finding_of(ExportCode.MISPLACED, MANIFEST, row.export_id, detail)
    if row.directory != row.export_id or row.layout.value != row.split.value:
        detail = (
            f"is in {row.directory!r}, layout {row.layout.value}; wanted {row.export_id!r}, {row.split.value}"
        )
        yield finding_of(ExportCode.MISPLACED, MANIFEST, row.export_id, detail)


def _contradictions(
    row: InteractSpeechDialogue, told: Told, path: str, limits: ExportLimits
) -> Iterator[ExportFinding]:
    marked = tuple(index for index, line in enumerate(told.lines) if line.marked)
    for what, said, known in (
        ("dialog_index", told.index, row.export_id.rpartition("--")[2]),
        ("marked lines", marked, row.marked_lines),
        ("more marks than published", len(marked) > MOST_PUBLISHED, row.more_than_published),
    ):
        if said != known:
            detail = f"{what}: {said}, the manifest says {known}"
            yield finding_of(ExportCode.MANIFEST_DIFFERS, path, row.export_id, detail)
    named = {*row.backchannel_lines, *row.aside_lines}
    if any(index not in range(len(told.lines)) for index in named):
        detail = f"names lines {sorted(named)} of {len(told.lines)}; wanted lines that are there"
        yield finding_of(ExportCode.MANIFEST_DIFFERS, MANIFEST, row.export_id, detail)
    turns = _turns_of(row)
    if len(turns) != len(told.lines):
        detail = f"has {len(told.lines)} lines, the manifest {len(turns)} turns of two speakers"
        yield finding_of(ExportCode.MANIFEST_DIFFERS, path, row.export_id, detail)
        return
    for index, (line, (start_s, end_s, speaker, words)) in enumerate(zip(told.lines, turns, strict=True)):
        start, end = (sample / RATE_HZ for sample in line.interval)
        near = max(abs(start - start_s), abs(end - end_s)) <= limits.duration_s
        if line.speaker is not speaker or not near:
            detail = (
                f"line {index}: {line.speaker.value} at [{start:.4f}, {end:.4f}) s, the manifest has "
                f"{speaker.value} at [{start_s:.4f}, {end_s:.4f}) s"
            )
            yield finding_of(ExportCode.MANIFEST_DIFFERS, path, row.export_id, detail)
        if _squashed(line.voiced) != _squashed(words):
            detail = f"line {index}: is {line.voiced!r} before its mark, the manifest has {words!r}"
            yield finding_of(ExportCode.MANIFEST_DIFFERS, path, row.export_id, detail)


def _turns_of(row: InteractSpeechDialogue) -> Turns:
    """Turns of the two speakers by onset."""
    turns: dict[int, tuple[float, float, Speaker, str]] = {}
    for s in sorted(row.supervisions, key=lambda s: s.start_s):
        if s.speaker in _SIDES:
            start, end, _, words = turns.get(s.turn, (s.start_s, s.end_s, s.speaker, ""))
            turns[s.turn] = (start, max(end, s.end_s), s.speaker, words + s.text)
    return tuple(sorted(turns.values(), key=lambda turn: turn[0]))


def _squashed(words: str) -> str:
    """Words without spaces, of which languages and line breaks have theirs, nor the dash of a broken word."""
    return "".join(words.split()).rstrip("-")
