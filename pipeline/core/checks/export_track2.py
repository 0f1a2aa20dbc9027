"""An export of HumDial Track 2 against the documented rules and against its own manifest."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
    text_lines,
)
from pipeline.core.checks.export_sound import WantedSound, check_sound
from pipeline.core.checks.export_track2_files import (
    Annotated,
    Annotation,
    read_grid,
    read_segments,
    read_words,
)
from pipeline.core.exports.manifest import ExportRow, Layout
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.scene import Scene

_ID = re.compile(r"\d{4}_\d{4}(_add)?")
_FOLDER = re.compile(
    r"HD-Track2/HD-Track2-(?P<layout>train|dev)/HD-Track2-(?P=layout)-(?P<lang>zh|en)/[^/]+"
    r"|test/(?P<cn>cn|en)_test_nondev/[a-z_]+"
)
_EVALUATION = re.compile(
    r"evaluation/(dev|test)-(zh|en)/dev/(json_group/\.keep|[^/]+/(clean_)?"
    r"(?P<id>\d{4}_\d{4}(_add)?)(_output|_sentence)?\.(wav|json))"
)
_WITHOUT_CLEAN_TWIN = frozenset({Scene.PAUSE_HANDLING, Scene.THIRD_PARTY_BEFORE})
_Read = Callable[[Annotated], Annotation]


@dataclass(frozen=True, slots=True)
class _Files:
    """Names of one dialogue's files, without its folder."""

    needed: frozenset[str]
    optional: frozenset[str]


class Track2Check:
    """The check of one export: iterate over `findings`, then read the tables."""

    def __init__(self, material: ExportMaterial, limits: ExportLimits) -> None:
        self._material = material
        self._limits = limits
        self._seen = Seen(limits)
        self._named: set[str] = set()
        self._ids: set[str] = set()
        self._counts: Counter[tuple[str, Layout, Language]] = Counter()
        self.dialogues = 0
        self.duration_s = 0.0

    def findings(self, advance: Callable[[], None]) -> Iterator[ExportFinding]:
        """Everything that is wrong; `advance` is told of every dialogue of the manifest."""
        for row in manifest_rows(text_lines(self._material, MANIFEST), ExportRow):
            if isinstance(row, ExportFinding):
                yield row
                continue
            self.dialogues += 1
            self._ids.add(row.export_id)
            self._counts[(row.scene.value if row.scene else "none", row.layout, row.language)] += 1
            yield from self._dialogue(row)
            advance()
        yield from self._seen.repeated()
        yield from self._strays()

    def tables(self) -> tuple[Rows, ...]:
        """Dialogues by scene, layout and language."""
        columns = sorted({(layout, language) for _, layout, language in self._counts})
        head = ("scene", *(f"{layout.value} {language.value}" for layout, language in columns))
        scenes = sorted({scene for scene, _, _ in self._counts})
        return ((head, *((s, *(str(self._counts[(s, *column)]) for column in columns)) for s in scenes)),)

    def _dialogue(self, row: ExportRow) -> Iterator[ExportFinding]:
        if not _ID.fullmatch(row.export_id):
            detail = f"id {row.export_id!r}; wanted dddd_dddd, which the official scripts match"
            yield finding_of(ExportCode.BAD_ID, MANIFEST, row.export_id, detail)
        yield from self._place(row)
        yield from self._seen.dialogue(row.export_id, row.dialogue_id, row.split)
        yield from self._seen.text(row.export_id, row.split, (s.text for s in row.supervisions))
        persons = (voice.person for voice in row.voices)
        yield from self._seen.sources(row.export_id, row.split, persons, row.provenance.seed_id)
        files = _files_of(row)
        present = {name for name in files.needed | files.optional if self._path(row, name) in self._paths}
        self._named.update(self._path(row, name) for name in present)
        for name in sorted(files.needed - present):
            yield finding_of(
                ExportCode.MISSING_FILE, self._path(row, name), row.export_id, "is not there; export again"
            )
        for name in sorted(present):
            if name.endswith(".wav"):
                yield from self._sound(row, name)
            else:
                yield from self._annotation(row, name)

    @property
    def _paths(self) -> frozenset[str]:
        return self._material.paths

    def _path(self, row: ExportRow, name: str) -> str:
        return f"{row.directory}/{name}"

    def _place(self, row: ExportRow) -> Iterator[ExportFinding]:
        match = _FOLDER.fullmatch(row.directory)
        language = None if match is None else (match["lang"] or match["cn"].replace("cn", "zh"))
        layout = None if match is None else (match["layout"] or "test")
        if (layout, language) != (row.layout.value, row.language.value):
            wanted = f"the {row.layout.value} layout for {row.language.value}"
            detail = f"is in {row.directory!r}; wanted a folder of {wanted}"
            yield finding_of(ExportCode.MISPLACED, MANIFEST, row.export_id, detail)

    def _sound(self, row: ExportRow, name: str) -> Iterator[ExportFinding]:
        clean = name.startswith("clean_")
        # A clean twin whose first exchange is cut out is shorter; its own segments say by how much.
        shorter = clean and row.scene is Scene.DIRECTED_AT_OTHERS
        wanted = WantedSound(
            self._path(row, name),
            row.export_id,
            min_samples=1,
            duration_s=None if shorter else row.duration_s,
        )
        sound, faults = check_sound(wanted, self._material, self._limits)
        yield from faults
        if sound is None:
            return
        duration_s = sound.num_samples / sound.sampling_rate
        if not clean:
            assistant = name.endswith("_output.wav")
            said = " ".join(s.text for s in row.supervisions if (s.speaker is Speaker.ASSISTANT) is assistant)
            yield from self._seen.audio(wanted.path, sound.digest, row.export_id, row.split, said)
            if not assistant:
                self.duration_s += duration_s
        if shorter and duration_s >= row.duration_s:
            detail = (
                f"lasts {duration_s:.4f} s; wanted less than {row.duration_s:.4f} s, the first exchange "
                "being cut out"
            )
            yield finding_of(ExportCode.DURATION_OFF, wanted.path, row.export_id, detail)

    def _annotation(self, row: ExportRow, name: str) -> Iterator[ExportFinding]:
        path = self._path(row, name)
        text = self._material.read_text(path)
        if text is None:
            yield finding_of(ExportCode.MALFORMED_LINE, path, row.export_id, "is not UTF-8; export again")
            return
        read = _reader_of(row, name)
        annotation = read(Annotated(path, row.export_id, text, self._limits))
        yield from annotation.findings
        if annotation.findings or name.startswith("clean_"):
            return
        duration_s = annotation.duration_s
        if duration_s is not None and abs(duration_s - row.duration_s) > self._limits.duration_s:
            detail = f"says {duration_s:.4f} s, the manifest {row.duration_s:.4f} s"
            yield finding_of(ExportCode.DURATION_OFF, path, row.export_id, detail)
        if read is not read_words:
            yield from self._turns(row, path, annotation)

    def _turns(self, row: ExportRow, path: str, annotation: Annotation) -> Iterator[ExportFinding]:
        """Segments begin where turns do, and end there unless the next one has begun."""
        wanted = _turns_of(row, everybody=path.endswith(".TextGrid"))
        near = len(wanted) == len(annotation.times) and all(
            abs(got - want) <= self._limits.duration_s
            for one, other in zip(annotation.times, wanted, strict=True)
            for got, want in zip(one, other, strict=True)
        )
        if not near:
            detail = f"has segments at {annotation.times}, the manifest has turns at {wanted}"
            yield finding_of(ExportCode.MANIFEST_DIFFERS, path, row.export_id, detail)

    def _strays(self) -> Iterator[ExportFinding]:
        yield from missing_sidecars(self._material)
        for path in sorted(self._paths - SIDECARS - self._named):
            match = _EVALUATION.fullmatch(path)
            clean_sentence = "/clean_" in path and path.endswith("_sentence.json")
            known = match is not None and (match["id"] is None or match["id"] in self._ids)
            if not known or clean_sentence:
                detail = "belongs to no dialogue of the manifest; scripts take whatever lies in a folder"
                yield finding_of(ExportCode.STRAY_FILE, path, None, detail)


def _files_of(row: ExportRow) -> _Files:
    """What the layout wants of a dialogue, and what it allows."""
    name = row.export_id
    speaks = any(s.speaker is Speaker.ASSISTANT for s in row.supervisions)
    if row.layout is Layout.TRAIN:
        needed = {f"{name}.wav", f"{name}.TextGrid"} | ({f"{name}_output.wav"} if speaks else set())
        return _Files(frozenset(needed), frozenset())
    test = row.layout is Layout.TEST
    words = "_timestamp" if test else ""
    needed = {f"{name}.wav", f"{name}{words}.json", f"{name}{'' if test else '_sentence'}.json"}
    assistant = {f"{name}_output.wav", f"{name}_output{words}.json"} if speaks else set()
    if row.scene not in _WITHOUT_CLEAN_TWIN:
        needed |= {f"clean_{name}.wav", f"clean_{name}{words}.json"}
        if test and row.scene is Scene.DIRECTED_AT_OTHERS:
            needed.add(f"clean_{name}.json")
    if test:
        return _Files(frozenset(needed), frozenset(assistant))
    return _Files(frozenset(needed | assistant), frozenset())


def _reader_of(row: ExportRow, name: str) -> _Read:
    if name.endswith(".TextGrid"):
        return read_grid
    if row.layout is Layout.TEST:
        return read_words if name.endswith("_timestamp.json") else read_segments
    return read_segments if name.endswith("_sentence.json") else read_words


def _turns_of(row: ExportRow, *, everybody: bool) -> list[tuple[float, float]]:
    """(start, end) of the turns by onset: of all, clamped to the next one's onset, or of the user's microphone."""
    turns: dict[int, tuple[float, float]] = {}
    for s in row.supervisions:
        if everybody or s.speaker is not Speaker.ASSISTANT:
            start, end = turns.get(s.turn, (s.start_s, s.end_s))
            turns[s.turn] = (min(start, s.start_s), max(end, s.end_s))
    ordered = sorted(turns.values())
    if not everybody:
        return ordered
    onsets = [start for start, _ in ordered[1:]]
    return [
        (start, end if onset is None else min(end, onset))
        for (start, end), onset in zip(ordered, [*onsets, None], strict=True)
    ]
