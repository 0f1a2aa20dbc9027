"""An export of HumDial Track 1 against the documented rules and against its own manifest.

::

    *.jsonl -----> lines: fields, ids, labels, tags, scorable?      ---+
    *.wav -------> there? format, length, silence, duplicates       ---+--> findings, balance tables
    manifest ----> the same dialogues, texts and lengths?           ---+
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline.core.checks.export_across import Seen
from pipeline.core.checks.export_balance import Balance, Rows
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
    text_lines,
)
from pipeline.core.checks.export_sound import WantedSound, check_sound
from pipeline.core.checks.export_track1_lines import LinesFile, ReadLine, read_line
from pipeline.core.exports.track1_names import RANKED, Track1Layout
from pipeline.core.exports.track1_rows import Track1Dialogue
from pipeline.domain.labels import Speaker

_WITH_TWINS = (Track1Layout.TEST, Track1Layout.SUBMISSION)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A line and the file that it was found in."""

    path: str
    read: ReadLine


class Track1Check:
    """The check of one export: iterate over `findings`, then read the tables."""

    def __init__(self, material: ExportMaterial, limits: ExportLimits) -> None:
        self._material = material
        self._limits = limits
        self._seen = Seen(limits)
        self._balance = Balance()
        self._said: dict[str, _Kept] = {}
        """Official lines by id."""
        self._scored: dict[str, _Kept] = {}
        """The judges' lines by id."""
        self._named: set[str] = set()
        """Files that something names."""
        self.dialogues = 0
        self.duration_s = 0.0

    def findings(self, advance: Callable[[], None]) -> Iterator[ExportFinding]:
        """Everything that is wrong; `advance` is told of every dialogue of the manifest."""
        yield from self._lines()
        rows: Counter[str] = Counter()
        for row in manifest_rows(text_lines(self._material, MANIFEST), Track1Dialogue):
            if isinstance(row, ExportFinding):
                yield row
                continue
            rows[row.export_id] += 1
            yield from self._dialogue(row)
            advance()
        for export_id in sorted(self._said.keys() - rows.keys()):
            detail = "is not in the manifest; wanted its source and licence there"
            yield finding_of(ExportCode.MANIFEST_DIFFERS, self._said[export_id].path, export_id, detail)
        yield from self._files()
        yield from self._seen.repeated()
        yield from self._balance.findings(self._limits)

    def tables(self) -> tuple[Rows, ...]:
        """Balance of feelings and of numbers of turns, and repeated audio, of what was checked so far."""
        repeats = (
            ("audio files", "words and samples of another"),
            (str(self._seen.files), str(self._seen.repeats)),
        )
        return self._balance.emotion_table(), self._balance.turn_table(), repeats

    def _lines(self) -> Iterator[ExportFinding]:
        for path in sorted(self._material.paths - SIDECARS):
            if not path.endswith(".jsonl"):
                continue
            file = LinesFile.of(path)
            if file is None:
                continue  # a stray file, found with the others
            self._named.add(path)
            if self._material.read_text(path) is None:
                yield finding_of(ExportCode.MALFORMED_LINE, path, None, "is not UTF-8; wanted JSON lines")
            for number, line in enumerate(text_lines(self._material, path), start=1):
                read = read_line(file, number, line)
                yield from read.findings
                self._named.update(read.audio)
                yield from self._missing(path, read)
                if read.export_id is not None:
                    kept = self._said if file.official else self._scored
                    yield from _keep(kept, read.export_id, _Kept(path, read))

    def _missing(self, path: str, read: ReadLine) -> Iterator[ExportFinding]:
        for audio in read.audio:
            if audio not in self._material.paths:
                detail = f"names {audio}, which is not there; export the run again"
                yield finding_of(ExportCode.MISSING_FILE, path, read.export_id, detail)

    def _dialogue(self, row: Track1Dialogue) -> Iterator[ExportFinding]:
        self.dialogues += 1
        self._balance.add(row.split, row.language, row.arc)
        yield from self._seen.dialogue(row.export_id, row.dialogue_id, row.split)
        yield from self._seen.text(row.export_id, row.split, row.texts)
        persons = (voice.person for voice in row.voices)
        yield from self._seen.sources(row.export_id, row.split, persons, row.provenance.seed_id)
        yield from self._differences(row)
        for clip, text in zip(row.clips, _spoken(row), strict=True):
            self._named.add(clip.path)
            least = self._limits.min_user_samples if clip.speaker is Speaker.USER else 1
            wanted = WantedSound(clip.path, row.export_id, least, clip.num_samples)
            sound, faults = check_sound(wanted, self._material, self._limits)
            yield from faults
            if sound is not None:
                self.duration_s += sound.num_samples / sound.sampling_rate
                yield from self._seen.audio(clip.path, sound.digest, row.export_id, row.split, text)

    def _differences(self, row: Track1Dialogue) -> Iterator[ExportFinding]:
        """What a line says has to be what the manifest says; test lines say little, so their twins are read too."""
        official, scored = self._said.get(row.export_id), self._scored.get(row.export_id)
        if official is None:
            detail = f"is in the manifest and not in {row.lines}; export the run again"
            yield finding_of(ExportCode.MANIFEST_DIFFERS, row.lines, row.export_id, detail)
        elif official.path != row.lines:
            detail = f"the manifest has it in {row.lines}"
            yield finding_of(ExportCode.MANIFEST_DIFFERS, official.path, row.export_id, detail)
        if scored is None and row.layout in _WITH_TWINS and row.arc.task in RANKED:
            detail = "has no line below scoring/, without which the judges have no history"
            yield finding_of(ExportCode.NOT_SCORABLE, row.lines, row.export_id, detail)
        for kept in (official, scored):
            if kept is not None:
                yield from _contradictions(row, kept)

    def _files(self) -> Iterator[ExportFinding]:
        yield from missing_sidecars(self._material)
        for path in sorted(self._material.paths - SIDECARS - self._named):
            detail = "is named by no line and no manifest; wanted nothing beside what the export is made of"
            yield finding_of(ExportCode.STRAY_FILE, path, None, detail)


def _keep(lines: dict[str, _Kept], export_id: str, kept: _Kept) -> Iterator[ExportFinding]:
    if export_id in lines:
        detail = f"the id is in {lines[export_id].path} already; keep one"
        yield finding_of(ExportCode.DUPLICATE_ID, kept.path, export_id, detail)
        return
    lines[export_id] = kept


def _contradictions(row: Track1Dialogue, kept: _Kept) -> Iterator[ExportFinding]:
    emotions = tuple(feeling.emotion.value for feeling in row.arc.feelings)
    for what, said, known in (
        ("texts", kept.read.texts, row.texts),
        ("feelings", kept.read.emotions, emotions),
        ("responses", kept.read.responses, row.responses),
    ):
        if said and said != known:
            detail = f"{what} are {said}, the manifest says {known}"
            yield finding_of(ExportCode.MANIFEST_DIFFERS, kept.path, row.export_id, detail)
    unknown = sorted(set(kept.read.audio) - {clip.path for clip in row.clips})
    if unknown:
        detail = f"names {', '.join(unknown)}, which the manifest does not know"
        yield finding_of(ExportCode.MANIFEST_DIFFERS, kept.path, row.export_id, detail)


def _spoken(row: Track1Dialogue) -> list[str]:
    """What each clip says: user turns and responses in their order."""
    words = {Speaker.USER: iter(row.texts), Speaker.ASSISTANT: iter(row.responses)}
    return [next(words.get(clip.speaker, iter(())), "") for clip in row.clips]
