"""Exports for trainers of replies, `osum-echat` and `opens2s`, against what their readers want.

Both have a line per dialogue and one manifest, whose n-th row of a file is about the n-th line of it::

    train/en.jsonl   line 1      line 2      line 3
    manifest.jsonl   row 1       row 2       row 3       of those that name train/en.jsonl

They differ in how a line is spelled: `read_osum_line` and `read_opens2s_line` make the same `AnsweredLine` of it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator

from pipeline.core.checks.export_across import Seen
from pipeline.core.checks.export_answered_lines import (
    AnsweredLine,
    read_opens2s_line,
    read_osum_line,
)
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
from pipeline.core.exports.exchange_clips import AnsweredDialogue
from pipeline.domain.labels import Speaker

_ID = re.compile(r"task[1-3]_(?P<turns>[345])_(?P<lang>zh|en)_\d{4}_\d{4}")
_LINES = re.compile(r"(?:train|dev|test)/(?:zh|en)\.jsonl")


class AnsweredCheck:
    """The check of one export: iterate over `findings`, then read the tables."""

    def __init__(
        self,
        material: ExportMaterial,
        limits: ExportLimits,
        read_line: Callable[[str, int, str], AnsweredLine],
    ) -> None:
        self._material = material
        self._limits = limits
        self._read_line = read_line
        self._seen = Seen(limits)
        self._balance = Balance()
        self._lines: dict[str, list[AnsweredLine]] = {}
        self._rows: dict[str, list[AnsweredDialogue]] = {}
        """Both by the file of the lines, in order."""
        self._named: set[str] = set()
        self.dialogues = 0
        self.duration_s = 0.0

    def findings(self, advance: Callable[[], None]) -> Iterator[ExportFinding]:
        """Everything that is wrong; `advance` is told of every dialogue of the manifest."""
        yield from self._read()
        for row in manifest_rows(text_lines(self._material, MANIFEST), AnsweredDialogue):
            if isinstance(row, ExportFinding):
                yield row
                continue
            self._rows.setdefault(row.lines, []).append(row)
            yield from self._dialogue(row)
            advance()
        for path in sorted(self._lines.keys() | self._rows.keys()):
            yield from self._file(path)
        yield from self._strays()
        yield from self._seen.repeated()
        yield from self._balance.findings(self._limits)

    def tables(self) -> tuple[Rows, ...]:
        """Balance of feelings and of numbers of turns."""
        return self._balance.emotion_table(), self._balance.turn_table()

    def _read(self) -> Iterator[ExportFinding]:
        """The lines, each for itself. Keys that come twice overwrite each other's members of a shard."""
        keys: dict[str, str] = {}
        for path in sorted(p for p in self._material.paths if _LINES.fullmatch(p)):
            self._named.add(path)
            lines = self._lines.setdefault(path, [])
            if self._material.read_text(path) is None:
                yield finding_of(ExportCode.MALFORMED_LINE, path, None, "is not UTF-8; wanted JSON lines")
            for number, text in enumerate(text_lines(self._material, path), start=1):
                line = self._read_line(path, number, text)
                lines.append(line)
                yield from line.findings
                if line.key is None:
                    continue
                first = keys.setdefault(line.key, f"{path} line {number}")
                if first != f"{path} line {number}":
                    detail = f"line {number}: the key is that of {first}; keep one"
                    yield finding_of(ExportCode.DUPLICATE_ID, path, line.key, detail)

    def _dialogue(self, row: AnsweredDialogue) -> Iterator[ExportFinding]:
        self.dialogues += 1
        self._balance.add(row.split, row.language, row.arc)
        yield from _place(row)
        yield from self._seen.dialogue(row.export_id, row.dialogue_id, row.split)
        yield from self._seen.text(row.export_id, row.split, row.texts)
        persons = (voice.person for voice in row.voices)
        yield from self._seen.sources(row.export_id, row.split, persons, row.provenance.seed_id)
        words = {Speaker.USER: iter(row.texts), Speaker.ASSISTANT: iter(row.responses)}
        for clip in row.clips:
            self._named.add(clip.path)
            text = next(words.get(clip.speaker, iter(())), "")
            least = self._limits.min_user_samples if clip.speaker is Speaker.USER else 1
            wanted = WantedSound(clip.path, row.export_id, least, clip.num_samples)
            sound, faults = check_sound(wanted, self._material, self._limits)
            yield from faults
            if sound is not None:
                self.duration_s += sound.num_samples / sound.sampling_rate
                yield from self._seen.audio(clip.path, sound.digest, row.export_id, row.split, text)

    def _file(self, path: str) -> Iterator[ExportFinding]:
        """Lines and rows side by side; where there are not as many, nobody can say which is about which."""
        lines, rows = self._lines.get(path, []), self._rows.get(path, [])
        for line in lines:
            for audio in line.audio():
                if audio not in self._material.paths:
                    detail = f"names {audio}, which is not there; export the run again"
                    yield finding_of(ExportCode.MISSING_FILE, path, line.key, detail)
        if len(lines) != len(rows):
            detail = f"has {len(lines)} lines, the manifest {len(rows)} dialogues of it; export the run again"
            yield finding_of(ExportCode.MANIFEST_DIFFERS, path, None, detail)
            return
        for line, row in zip(lines, rows, strict=True):
            if line.whole:
                yield from self._contradictions(path, line, row)

    def _contradictions(
        self, path: str, line: AnsweredLine, row: AnsweredDialogue
    ) -> Iterator[ExportFinding]:
        users = [clip for clip in row.clips if clip.speaker is Speaker.USER]
        answers = [clip.path for clip in row.clips if clip.speaker is Speaker.ASSISTANT]
        for what, said, known in (
            ("key is", line.key, row.export_id),
            ("user audio is", line.user_audio, tuple(clip.path for clip in users)),
            ("responses are", line.responses, row.responses),
            ("last response's audio is", line.last_response_audio, answers[-1] if answers else None),
            ("question is", line.question, row.texts[-1] if row.texts else None),
            ("emotion is", line.emotion, row.arc.feelings[-1].emotion.value),
        ):
            if said is not None and said != known:
                detail = f"{what} {said!r}, the manifest says {known!r}"
                yield finding_of(ExportCode.MANIFEST_DIFFERS, path, row.export_id, detail)
        if line.last_duration_s is not None and users:
            known_s = users[-1].num_samples / self._limits.sampling_rate
            if abs(line.last_duration_s - known_s) > self._limits.duration_s:
                detail = f"says {line.last_duration_s:.4f} s, the manifest {known_s:.4f} s"
                yield finding_of(ExportCode.DURATION_OFF, path, row.export_id, detail)

    def _strays(self) -> Iterator[ExportFinding]:
        yield from missing_sidecars(self._material)
        for path in sorted(self._material.paths - SIDECARS - self._named):
            detail = "is named by no line and no manifest; wanted nothing beside what the export is made of"
            yield finding_of(ExportCode.STRAY_FILE, path, None, detail)


def check_osum_echat(material: ExportMaterial, limits: ExportLimits) -> AnsweredCheck:
    """The check of an `osum-echat` export."""
    return AnsweredCheck(material, limits, read_osum_line)


def check_opens2s(material: ExportMaterial, limits: ExportLimits) -> AnsweredCheck:
    """The check of an `opens2s` export."""
    return AnsweredCheck(material, limits, read_opens2s_line)


def _place(row: AnsweredDialogue) -> Iterator[ExportFinding]:
    """The id, the file and the turns of one row have to speak of one thing."""
    match = _ID.fullmatch(row.export_id)
    if match is None:
        detail = f"id {row.export_id!r}; wanted task<n>_<turns>_<zh|en>_dddd_dddd"
        yield finding_of(ExportCode.BAD_ID, MANIFEST, row.export_id, detail)
    elif (int(match["turns"]), match["lang"]) != (len(row.texts), row.language.value):
        detail = f"has {len(row.texts)} turns in {row.language.value}; wanted what its id says"
        yield finding_of(ExportCode.MISPLACED, MANIFEST, row.export_id, detail)
    wanted = f"{row.split.value}/{row.language.value}.jsonl"
    if row.lines != wanted:
        detail = f"has its line in {row.lines}; wanted {wanted}"
        yield finding_of(ExportCode.MISPLACED, MANIFEST, row.export_id, detail)
    by_speaker = Counter(clip.speaker for clip in row.clips)
    counts = (
        len(row.texts),
        len(row.responses),
        by_speaker[Speaker.USER],
        by_speaker[Speaker.ASSISTANT] or len(row.texts),
        len(row.arc.feelings),
    )
    if len(set(counts)) > 1:
        detail = (
            f"has {counts[0]} texts, {counts[1]} responses, {counts[2]} user and {by_speaker[Speaker.ASSISTANT]} "
            f"response clips, {counts[4]} feelings; wanted one of each per turn, of response clips all or none"
        )
        yield finding_of(ExportCode.TURN_NUMBERS, MANIFEST, row.export_id, detail)
