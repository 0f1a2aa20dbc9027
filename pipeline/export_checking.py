"""Checking an export: what readers of the field will find in it, and whether its manifest tells the truth."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from pydantic import Field

from pipeline.core.checks.export_answered import check_opens2s, check_osum_echat
from pipeline.core.checks.export_balance import Rows
from pipeline.core.checks.export_easy_turn import EasyTurnCheck
from pipeline.core.checks.export_findings import MANIFEST, ExportCode, ExportFinding, ExportLimits
from pipeline.core.checks.export_interactspeech import FloatSound, InteractSpeechCheck, TrackMaterial
from pipeline.core.checks.export_track1 import Track1Check
from pipeline.core.checks.export_track2 import Track2Check
from pipeline.core.exports.format_names import FormatName
from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record
from pipeline.io.export_tree import ExportFiles, find_export
from pipeline.io.recordings.audio import UnreadableAudioError, open_audio


class FormatCheck(Protocol):
    """The check of one format's exports."""

    dialogues: int
    """Of the manifest, read so far."""
    duration_s: float
    """Of the audio, read so far."""

    def findings(self, advance: Callable[[], None]) -> Iterator[ExportFinding]:
        """Everything that is wrong."""
        ...

    def tables(self) -> tuple[Rows, ...]:
        """What was counted."""
        ...


CHECKS: dict[FormatName, Callable[[TrackMaterial, ExportLimits], FormatCheck]] = {
    FormatName.HUMDIAL_TRACK1: Track1Check,
    FormatName.HUMDIAL_TRACK2: Track2Check,
    FormatName.OSUM_ECHAT: check_osum_echat,
    FormatName.OPENS2S: check_opens2s,
    FormatName.EASY_TURN: EasyTurnCheck,
    FormatName.INTERACTSPEECH: InteractSpeechCheck,
}


class ExportTracks(ExportFiles):
    """An export's files, and the samples of those that are not PCM16."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._root = directory

    def read_samples(self, path: str) -> FloatSound | None:
        """What an audio file holds, None where it cannot be decoded or holds what is no number."""
        try:
            source = open_audio((self._root / path,))
            (samples,) = source.blocks(source.num_samples)
        except UnreadableAudioError:
            return None
        return FloatSound(source.encoding, source.sampling_rate, samples)


class ExportSummary(Record):
    """The last line of `humdial check --json` for an export."""

    format: str
    dialogues: int = Field(ge=0)
    refused: int = Field(ge=0)
    """Dialogues of the run that the format could not hold."""
    hours: float = Field(ge=0)
    """Of audio; of dual-track formats, of the user's side."""
    tables: tuple[Rows, ...]
    findings: dict[str, int]
    """By code, the commonest first."""


class ExportCheck:
    """The check of one export: iterate over `findings`, then read `summary`."""

    def __init__(self, directory: Path, limits: ExportLimits | None = None) -> None:
        """Raises ConfigError where there is no export of a format that is checked here."""
        stamp = find_export(directory)
        if stamp is None:
            raise ConfigError(f"{directory}: is no finished export; wanted what `humdial export` wrote")
        known = {name.value: check for name, check in CHECKS.items()}
        if stamp.format not in known:
            raise ConfigError(
                f"{directory}: is an export of {stamp.format}, which no check knows; wanted {', '.join(known)}"
            )
        self._stamp = stamp
        self._check = known[stamp.format](ExportTracks(directory), limits or ExportLimits())
        self._counts: Counter[str] = Counter()
        self.num_dialogues = stamp.num_dialogues
        """As the export says of itself."""

    def findings(self, advance: Callable[[], None] = lambda: None) -> Iterator[ExportFinding]:
        """Everything that is wrong; `advance` is told of every dialogue."""
        for finding in self._check.findings(advance):
            self._counts[finding.code.value] += 1
            yield finding
        if self._check.dialogues != self.num_dialogues:
            detail = (
                f"has {self._check.dialogues} dialogues, {self.num_dialogues} were exported; export again"
            )
            self._counts[ExportCode.MANIFEST_DIFFERS.value] += 1
            yield ExportFinding(
                code=ExportCode.MANIFEST_DIFFERS, path=MANIFEST, export_id=None, detail=detail
            )

    def summary(self) -> ExportSummary:
        """Figures of what was checked so far."""
        return ExportSummary(
            format=self._stamp.format,
            dialogues=self._check.dialogues,
            refused=self._stamp.num_refusals,
            hours=round(self._check.duration_s / 3600, 6),
            tables=self._check.tables(),
            findings=dict(self._counts.most_common()),
        )
