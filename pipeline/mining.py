"""Mining real recordings: who speaks when, what happened there, which stretches are worth keeping, and why.

::

    hear       per recording, cached: the slow part, in several processes
    decide     events -> segments -> gates: from the cache, milliseconds per recording
    write      segments.jsonl  audit.jsonl  summary.json  errors.jsonl  filter.json  rttm/
               timelines.jsonl  quarantine.jsonl            the same in the types of generated dialogues
               dialogues.jsonl  audio/                      where audio is asked for, and the rights allow it
    draw       timelines/                                   where figures are asked for

Killed at any moment, the next call hears what is missing and writes the same files. With other thresholds nothing is
heard again. Results depend neither on the number of workers nor on the order in which they finish. Recordings are
decided about and written one by one: memory holds one of them, however many there are.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import __version__
from pipeline.backends.vad.frames import find_frame_detector
from pipeline.cached_listening import Listener
from pipeline.core.heard import Frames, Heard, evidence_of, measures_of
from pipeline.core.mined_rows import ParamsRow, ProvenanceRow, SegmentRow, Surroundings, segment_row
from pipeline.core.mining.audit import audit_events, audit_recording, audit_segment, audit_uncut
from pipeline.core.mining.calibration import Calibration
from pipeline.core.mining.candidates import Candidate
from pipeline.core.mining.events import find_events
from pipeline.core.mining.quality import (
    SegmentMeasures,
    segment_problems,
    structure_problems,
    unrelated_share,
)
from pipeline.core.mining.segment_audio import SegmentAudio
from pipeline.core.mining.segments import find_segments
from pipeline.core.mining.splits import assign_splits
from pipeline.core.mining.summary import MadeBy, MiningSummary, Outcome
from pipeline.core.mining.timeline import dialogue_id_of
from pipeline.core.mining.voices import (
    DiarizedEvidence,
    calibrations_of,
    diarization_problems,
    unreliable_speakers,
    voted,
)
from pipeline.diarizing import one_channel
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language
from pipeline.domain.mining import AuditRow, AuditValue, RecordedActivity, Recording, Segment
from pipeline.io.mining_cache import MiningCache
from pipeline.io.recordings.declaration import Declaration, recordings_of
from pipeline.io.recordings.given import files_of
from pipeline.io.run_directory import RunDirectory
from pipeline.io.same_content import first_of_same
from pipeline.io.written_files import WrittenFiles
from pipeline.mined_dialogues import check_rights, timelines_of
from pipeline.mined_results import Mined, MiningResults
from pipeline.ports import Diarizer
from pipeline.stages import seeds
from pipeline.wiring import directory_of

Told = Callable[[Heard, bool], None]
"""Is told of every recording that is heard, and whether it had been heard before."""
Draw = Callable[[SegmentRow, Frames | None, Path], None]
"""Draws a kept segment as a file."""


class Mine:
    """A declaration and the directory that its results go to."""

    def __init__(
        self,
        declaration: Declaration,
        base: Path,
        out: Path,
        diarizer: Diarizer | None = None,
    ) -> None:
        """Raises ConfigError where the declaration asks for audio or splits that its recordings cannot have, or `out`
        holds what is to be read, or a generated run."""
        self.declaration = declaration
        self.recordings, self.without_rights = recordings_of(declaration)
        self.out = out
        self._base = base
        if declaration.export_audio:
            check_rights(self.recordings, declaration.i_have_rights)
        _check_directory(out)
        _check_apart(self.recordings, base, out)
        _check_names(self.recordings)
        self._assigned = assign_splits(self.recordings, declaration.splits, _contents(self.recordings, base))
        made_of = one_channel(declaration.diarizer, base, declaration.events, declaration.timbre, diarizer)
        self._cache = MiningCache(out / "activity")
        self._listener = Listener(base, declaration.listening, made_of, self._cache)
        self._calibrations: dict[str, Calibration] | None = None
        """By corpus; found in all that was heard, before anything is decided."""
        self._failed: dict[str, Heard] = {}
        """What could not be heard in this call, and is not kept."""
        decides = {"workers": 1, "export_audio": False, "i_have_rights": False, "audio": SegmentAudio()}
        self._config_sha256 = declaration.model_copy(update=decides).fingerprint()  # of what decides

    def run(self, told: Told, draw: Draw | None = None) -> MiningSummary:
        """Hear what has not been heard, decide, write, draw. Raises ConfigError where the directory is in use."""
        with RunDirectory(self.out).locked():
            self.hear(told)
            return self.write(draw)

    def hear(self, told: Told) -> None:
        """Fill the cache."""
        waiting = []
        for recording in self.recordings:
            known = self._listener.find(recording)
            if known is None:
                waiting.append(recording)
            else:
                told(known, True)
        for heard in self._listener.hear_all(waiting, self.declaration.workers):
            if heard.activity is None:
                self._failed[heard.recording_id] = heard
            told(heard, False)

    def write(self, draw: Draw | None = None) -> MiningSummary:
        """Decide about everything that was heard, and write it down."""
        summary = self._write()
        self._draw(draw)
        return summary

    def _write(self) -> MiningSummary:
        calibrations = self._calibrations = calibrations_in(self._cache, self.declaration)
        with MiningResults(self.out, self._base, self.declaration) as results:
            for name in self.without_rights:
                results.refuse(name)
            for recording in self.recordings:
                heard = self._heard(recording)
                split = self._assigned[recording.recording_id].split
                results.add(recording, heard, self.decide(recording, heard), split)
            return results.finish(self._made_by(), calibrations)

    def _heard(self, recording: Recording) -> Heard:
        """As it was heard; a recording that changed on disk since then is heard again."""
        failed = self._failed.get(recording.recording_id)
        return failed or self._listener.find(recording) or self._listener.hear(recording)

    def decide(self, recording: Recording, heard: Heard) -> Mined:
        """Events, segments and reasons of one recording; pure but for the frames, which are read from the cache."""
        probed, activity = heard.probed, heard.activity
        duration_s = probed.duration_s if probed else (_duration_s(activity) if activity else 0.0)
        limits, frames = self._limits_of(recording), self._cache.load_frames(heard)
        judged = judge(limits, heard, frames, recording.language)
        if activity is None or judged.problems:
            return _refused(heard, duration_s, judged)
        candidates = judged.candidates
        rate, name = activity.sampling_rate, heard.recording_id
        extraction = find_segments(activity, candidates, limits.segments, limits.events)
        kept: list[tuple[Segment, SegmentMeasures]] = []
        audit: list[AuditRow] = [audit_recording(name, duration_s, ()), *audit_events(name, rate, candidates)]
        for segment in extraction.segments:
            measures = measures_of(segment, activity, frames, probed)
            problems = segment_problems(measures, limits.quality)
            audit.append(audit_segment(segment, problems))
            if not problems:
                kept.append((segment, measures))
        audit.extend(audit_uncut(name, rate, extraction.uncut))
        segments = tuple(segment for segment, _ in kept)
        outcome = Outcome(
            name, duration_s, "ok", segments, tuple(audit), activity.bleed_db, judged.structure_checked
        )
        return self._written(recording, heard, activity, kept, outcome, limits)

    def _limits_of(self, recording: Recording) -> Declaration:
        """The declaration, with the threshold of the recording's corpus."""
        if self._calibrations is None:
            self._calibrations = calibrations_in(self._cache, self.declaration)
        return calibrated(self.declaration, self._calibrations.get(recording.rights.corpus))

    def _written(
        self,
        recording: Recording,
        heard: Heard,
        activity: RecordedActivity,
        kept: list[tuple[Segment, SegmentMeasures]],
        outcome: Outcome,
        limits: Declaration,
    ) -> Mined:
        """What is kept, as rows and as timelines."""
        assigned = self._assigned[recording.recording_id]
        segments = outcome.segments
        made = timelines_of(recording, activity, segments, assigned, limits.events, limits.splits)
        dialogues = {one.segment.segment_id: one.timeline.dialogue_id for one in made.placed}
        provenance = self._provenance(activity, heard.voices, limits)
        surroundings = Surroundings.of(activity, heard.probed, limits.events)
        rows = tuple(
            segment_row(
                segment,
                recording,
                measures,
                provenance,
                surroundings,
                assigned,
                dialogues.get(segment.segment_id),
            )
            for segment, measures in kept
        )
        return Mined(outcome, rows, made)

    def _draw(self, draw: Draw | None) -> None:
        """What an earlier call drew goes: segments of one name are others under other thresholds."""
        folder, drawn = self.out / "timelines", set[str]()
        files = WrittenFiles(folder, self.out / ".written-timelines.txt")
        if draw is not None:
            for row, frames in self._kept():
                name = f"{dialogue_id_of(row.segment_id)}.png"
                files.add([name])
                drawn.add(name)
                draw(row, frames, folder / name)
        files.keep(drawn)

    def _kept(self) -> Iterator[tuple[SegmentRow, Frames | None]]:
        """Every kept segment of what was heard, with its recording's frames: what a figure of it needs."""
        for recording in self.recordings:
            heard = self._listener.find(recording)
            if heard is not None and heard.activity is not None:
                frames = self._cache.load_frames(heard)
                for row in self.decide(recording, heard).rows:
                    yield row, frames

    def _made_by(self) -> MadeBy:
        listening, diarizer = self.declaration.listening, self.declaration.diarizer
        versions = {"humdial-pipeline": __version__, "detector": find_frame_detector(listening.detector).name}
        if diarizer is not None:
            versions["diarizer"] = diarizer.model
        return MadeBy(config_sha256=self._config_sha256, versions=versions)

    def _provenance(
        self, activity: RecordedActivity, voices: DiarizedEvidence | None, limits: Declaration
    ) -> ProvenanceRow:
        by_ear = activity.mode == "two_channel"
        found_by = find_frame_detector(limits.listening.detector).name if by_ear else None
        return ProvenanceRow(
            version=__version__,
            config_sha256=self._config_sha256,
            detector=voices.model if voices is not None else found_by,
            params=ParamsRow(
                events=limits.events,
                segments=limits.segments,
                quality=limits.quality,
                timbre=limits.timbre if voices is not None else None,
                suppression=limits.listening.suppression if by_ear else None,
            ),
            i_have_rights=limits.i_have_rights,
        )


def calibrations_in(cache: MiningCache, declaration: Declaration) -> dict[str, Calibration]:
    """A threshold of voices per corpus, from its recordings that were diarized; none where none is asked for."""
    if declaration.diarizer is None or declaration.timbre.emb_threshold != "calibrate":
        return {}
    recordings, _ = recordings_of(declaration)
    corpora = {one.recording_id: one.rights.corpus for one in recordings}
    heard = (
        (corpora[one.recording_id], one.voices)
        for one in cache.entries()
        if one.voices is not None and one.recording_id in corpora
    )
    return calibrations_of(heard, declaration.timbre.emb_threshold_rule)


def calibrated(declaration: Declaration, calibration: Calibration | None) -> Declaration:
    """With the threshold of a corpus."""
    return declaration.model_copy(update={"timbre": declaration.timbre.calibrated(calibration)})


@dataclass(frozen=True, slots=True)
class Judged:
    """A recording's candidates, or what is against it as a whole."""

    candidates: tuple[Candidate, ...] = ()
    problems: tuple[AuditValue, ...] = ()
    structure_checked: bool = False


def judge(limits: Declaration, heard: Heard, frames: Frames | None, language: Language | None) -> Judged:
    """What was heard comes to, under the thresholds of its corpus."""
    activity, voices = heard.activity, heard.voices
    if activity is None:
        return Judged(problems=heard.problems)
    if voices is not None and (indistinct := diarization_problems(activity, voices, limits.timbre)):
        return Judged(problems=indistinct)
    candidates = _candidates_of(limits, activity, frames, voices, language)
    _, overlaps = unrelated_share(candidates)
    checked = overlaps >= limits.quality.structure_min_candidates
    unrelated = structure_problems(candidates, limits.quality)
    return Judged(() if unrelated else candidates, unrelated, checked)


def _candidates_of(
    declaration: Declaration,
    activity: RecordedActivity,
    frames: Frames | None,
    voices: DiarizedEvidence | None,
    language: Language | None,
) -> tuple[Candidate, ...]:
    """Every candidate; those of a diarized recording with the votes of its voices."""
    limits, timbre = declaration.events, declaration.timbre
    evidence = evidence_of(activity, frames, limits)
    if voices is None:
        return find_events(activity, limits, language, evidence)
    evidence = replace(evidence, unreliable_speakers=unreliable_speakers(activity, voices, timbre))
    found = find_events(activity, limits, language, evidence)
    return voted(found, voices, timbre, limits.take_min_solo_s)


def _check_directory(out: Path) -> None:
    """A generated run is not to be overwritten by mined talk."""
    if (out / directory_of(seeds.NAME)).exists():
        raise ConfigError(
            f"filter: {out} holds a generated run; wanted a directory of its own: choose another --out"
        )


def _check_apart(recordings: Sequence[Recording], base: Path, out: Path) -> None:
    """What is read is not among what is written: it would be replaced, or mined again as if it were another."""
    results = out.resolve()
    for recording in recordings:
        for path in files_of(recording, base):
            as_named = path.parent.resolve() / path.name  # which may be a link to somewhere else
            if any(one.is_relative_to(results) for one in (as_named, path.resolve())):
                raise ConfigError(
                    f"filter: recording {recording.recording_id!r}: {path} is inside {out}, which is for results; "
                    "choose another --out, outside of the folders that recordings are in"
                )


def _contents(recordings: Sequence[Recording], base: Path) -> dict[str, tuple[str, ...]]:
    """Audio by what it holds, whatever it is called; words where there is no audio. One RTTM may be of many."""
    files = {
        one.recording_id: tuple(base / name for name in one.audio or (one.words,) if name is not None)
        for one in recordings
    }
    first = first_of_same(path for paths in files.values() for path in paths)
    return {name: tuple(str(first[path]) for path in paths) for name, paths in files.items()}


def _check_names(recordings: Sequence[Recording]) -> None:
    """Dialogues and their files are named after recordings, with `-` where those have `:`."""
    names = Counter(dialogue_id_of(one.recording_id).casefold() for one in recordings)
    for one in recordings:
        if names[dialogue_id_of(one.recording_id).casefold()] > 1:
            raise ConfigError(
                f"filter: recording_id {one.recording_id!r} and another differ in ':' and '-' alone, so their "
                "dialogues would be called the same; rename one"
            )


def _refused(heard: Heard, duration_s: float, judged: Judged) -> Mined:
    broken = any(problem.code.is_error for problem in judged.problems)
    audit = (audit_recording(heard.recording_id, duration_s, judged.problems),)
    return Mined(
        Outcome(
            heard.recording_id,
            duration_s,
            "error" if broken else "rejected",
            audit=audit,
            structure_checked=judged.structure_checked,
        )
    )


def _duration_s(activity: RecordedActivity) -> float:
    return activity.num_samples / activity.sampling_rate
