"""The files of a mining call, written recording by recording: memory holds one of them, however many there are.

::

    segments.jsonl  audit.jsonl  errors.jsonl  timelines.jsonl  quarantine.jsonl    grow together, appear together
    dialogues.jsonl  audio/                                                         where audio is asked for
    rttm/  filter.json  summary.json                                                the summary last
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pipeline.core.heard import Heard
from pipeline.core.mined_rows import SegmentRow
from pipeline.core.mining.audit import audit_recording, because, in_words
from pipeline.core.mining.calibration import Calibration
from pipeline.core.mining.summary import MadeBy, MiningSummary, MiningTally, Outcome, Written
from pipeline.core.mining.timeline import dialogue_id_of
from pipeline.domain.labels import Split
from pipeline.domain.mining import AuditValue, RecordedActivity, Recording, RejectCode
from pipeline.domain.record import Record
from pipeline.io.files import write_text
from pipeline.io.mined_files import QUARANTINE, TIMELINES, Write, growing_records
from pipeline.io.recordings.declaration import Declaration
from pipeline.io.recordings.rttm import rttm_name, write_rttm
from pipeline.io.run_directory import RunDirectory
from pipeline.io.written_files import WrittenFiles
from pipeline.mined_dialogues import NOTHING_KEPT, AudioExport, RecordingTimelines, withdraw_audio

Stage = Literal["declare", "hear", "decide"]


class MiningError(Record):
    """A line of `errors.jsonl`: a recording that could not be used, in words."""

    recording_id: str
    stage: Stage
    """Where it was refused: by its declaration, by what was heard, or by what that came to."""
    code: RejectCode
    detail: str


@dataclass(frozen=True, slots=True)
class Mined:
    """All that came of one recording."""

    outcome: Outcome
    rows: tuple[SegmentRow, ...] = ()
    made: RecordingTimelines = NOTHING_KEPT


class MiningResults:
    """Use as a context manager: `add` every recording, then `finish`. Nothing appears where the block fails."""

    def __init__(self, out: Path, base: Path, declaration: Declaration) -> None:
        self._out, self._declaration = out, declaration
        self._directory = RunDirectory(out)
        self._audio: AudioExport | None = None
        if declaration.export_audio:
            self._audio = AudioExport(self._directory, base, declaration.audio, declaration.i_have_rights)
        self._files = ExitStack()
        self._tally = MiningTally()
        self._count = 0
        self._exported: list[int] = []
        self._rttm: set[str] = set()
        self._rttm_files = WrittenFiles(out / "rttm", out / ".written-rttm.txt")

    def __enter__(self) -> Self:
        def grow(name: str) -> Write:
            return self._files.enter_context(growing_records(self._out / name))

        self._segment, self._audit = grow("segments.jsonl"), grow("audit.jsonl")
        self._error, self._timeline = grow("errors.jsonl"), grow(TIMELINES)
        self._refusal = grow(QUARANTINE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.__exit__(kind, error, trace)

    def refuse(self, recording_id: str) -> None:
        """A recording that states no rights."""
        problem = because(RejectCode.RIGHTS)
        refused = audit_recording(recording_id, 0.0, (problem,))
        self._audit(refused)
        self._refused("declare", recording_id, problem)
        self._tally.add(Outcome(recording_id, 0.0, "rejected", audit=(refused,)))

    def add(self, recording: Recording, heard: Heard, mined: Mined, split: Split) -> None:
        """What came of the next recording of the declaration."""
        files = self._cut_out(recording, mined)
        for row in mined.rows:
            path = files.get(dialogue_id_of(row.segment_id))
            self._segment(row.model_copy(update={"dialogue_audio": path}))
        for line in mined.outcome.audit:
            self._audit(line)
        for placed in mined.made.placed:
            self._timeline(placed.timeline)
        for refusal in mined.made.refusals:
            self._refusal(refusal)
        if mined.outcome.status != "ok":
            problem = mined.outcome.audit[0].values[0]
            stage: Stage = "hear" if heard.activity is None else "decide"
            self._refused(stage, heard.recording_id, problem, heard.detail)
        if heard.activity is not None:
            self._write_rttm(heard.activity)
        reasons = tuple(refusal.reason for refusal in mined.made.refusals)
        self._tally.add(mined.outcome, split, Written(len(mined.made.placed), len(files), reasons))

    def _refused(
        self, stage: Stage, recording_id: str, problem: AuditValue, detail: str | None = None
    ) -> None:
        words = detail or in_words(recording_id, problem)
        self._error(MiningError(recording_id=recording_id, stage=stage, code=problem.code, detail=words))

    def _write_rttm(self, activity: RecordedActivity) -> None:
        name = rttm_name(activity.recording_id)
        self._rttm_files.add([name])
        self._rttm.add(name)
        write_rttm(self._out / "rttm", activity)

    def _cut_out(self, recording: Recording, mined: Mined) -> dict[str, str]:
        """Files by dialogue."""
        index, self._count = self._count, self._count + 1
        if self._audio is None:
            return {}
        dialogues = self._audio.export(index, recording, mined.made)
        if dialogues:
            self._exported.append(index)
        return {one.timeline.dialogue_id: one.audio.path for one in dialogues}

    def finish(self, made_by: MadeBy, calibrations: Mapping[str, Calibration]) -> MiningSummary:
        """Write what belongs to the corpus as a whole, and let everything take its place."""
        if self._audio is None:
            withdraw_audio(self._directory)
        else:
            for refusal in self._audio.finish(self._count, self._exported):
                self._refusal(refusal)
                self._tally.quarantined[refusal.reason] += 1
        self._files.close()
        self._rttm_files.keep(self._rttm)
        write_text(self._out / "filter.json", self._declaration.model_dump_json(indent=1))
        summary = self._tally.summary(made_by, calibrations)
        write_text(self._out / "summary.json", summary.model_dump_json(indent=1))
        return summary
