"""Mining real recordings: who speaks when, what happened there, which stretches are worth keeping, and why.

::

    hear       per recording, cached: the slow part, in several processes
    decide     events -> segments -> gates: from the cache, milliseconds per recording
    write      segments.jsonl  audit.jsonl  summary.json  errors.jsonl  filter.json  rttm/

Killed at any moment, the next call hears what is missing and writes the same files. With other thresholds nothing is
heard again. Results depend neither on the number of workers nor on the order in which they finish.
"""

import hashlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import __version__
from pipeline.backends.vad.frames import FrameDetector, find_frame_detector
from pipeline.core.heard import Frames, Heard, evidence_of, measures_of
from pipeline.core.mined_rows import ProvenanceRow, SegmentRow, Surroundings, segment_row
from pipeline.core.mining.audit import audit_events, audit_recording, audit_segment, audit_uncut, because
from pipeline.core.mining.candidates import Candidate
from pipeline.core.mining.events import find_events
from pipeline.core.mining.quality import segment_problems, structure_problems
from pipeline.core.mining.segments import find_segments
from pipeline.core.mining.summary import MiningSummary, Outcome, summarise
from pipeline.core.mining.voices import (
    DiarizedEvidence,
    diarization_problems,
    unreliable_speakers,
    voted,
)
from pipeline.diarizing import may_be_diarized, one_channel
from pipeline.domain.labels import Language
from pipeline.domain.mining import AuditRow, AuditValue, RecordedActivity, Recording, RejectCode, Segment
from pipeline.domain.record import Record
from pipeline.io.files import write_text
from pipeline.io.jsonl import write_records
from pipeline.io.mining_cache import MiningCache, content_key
from pipeline.io.recordings.declaration import Declaration, recordings_of
from pipeline.io.recordings.rttm import write_rttm
from pipeline.io.run_directory import RunDirectory
from pipeline.listening import VERSION as LISTENING_VERSION
from pipeline.listening import listen_to
from pipeline.ports import Diarizer

Told = Callable[[Heard, bool], None]
"""Is told of every recording that is heard, and whether it had been heard before."""


class MiningError(Record):
    """A line of `errors.jsonl`: a recording that could not be used, in words."""

    recording_id: str
    code: RejectCode
    detail: str


@dataclass(frozen=True, slots=True)
class Mined:
    """All that came of one recording."""

    outcome: Outcome
    rows: tuple[SegmentRow, ...]


class Mine:
    """A declaration and the directory that its results go to."""

    def __init__(
        self,
        declaration: Declaration,
        base: Path,
        out: Path,
        diarizer: Diarizer | None = None,
    ) -> None:
        self.declaration = declaration
        self.recordings, self.without_rights = recordings_of(declaration)
        self._base = base
        self.out = out
        self._one_channel = one_channel(
            declaration.diarizer, base, declaration.events, declaration.timbre, diarizer
        )
        self._cache = MiningCache(out / "activity")
        self._config_sha256 = declaration.model_copy(update={"workers": 1}).fingerprint()  # of what decides

    def run(self, told: Told) -> MiningSummary:
        """Hear what has not been heard, decide, write. Raises ConfigError where the directory is in use."""
        with RunDirectory(self.out).locked():
            self.hear(told)
            return self.write()

    def hear(self, told: Told) -> None:
        """Fill the cache."""
        waiting = []
        for recording in self.recordings:
            known = self._cache.find(recording.recording_id, self._key(recording))
            if known is None:
                waiting.append(recording)
            else:
                told(known, True)
        for heard in self._heard_anew(waiting):
            told(heard, False)

    def _heard_anew(self, waiting: list[Recording]) -> Iterator[Heard]:
        find_frame_detector(
            self.declaration.listening.detector
        )  # a missing package is said once, and at once
        if self.declaration.workers == 1 or len(waiting) < 2:
            for recording in waiting:
                yield self.hear_one(recording)
            return
        # Not forked: libraries that have started threads do not survive that.
        context = multiprocessing.get_context("spawn")
        workers = min(self.declaration.workers, len(waiting))
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
            futures = [pool.submit(self.hear_one, recording) for recording in waiting]
            for future in as_completed(futures):
                yield future.result()

    def hear_one(self, recording: Recording) -> Heard:
        """Hear one recording and keep what was heard."""
        detector: FrameDetector = find_frame_detector(self.declaration.listening.detector)
        key = self._key(recording)
        listening = self.declaration.listening
        heard, frames = listen_to(recording, self._base, listening, detector, self._one_channel)
        self._cache.put(key, heard, frames)
        return heard

    def _key(self, recording: Recording) -> str:
        """Of all that what is heard depends on."""
        names = (*recording.audio, recording.rttm, recording.words)
        files = tuple(self._base / name for name in names if name is not None)
        try:
            content = content_key(files)
        except OSError as error:
            content = f"unreadable {error.errno}"
        how = self.declaration.listening.fingerprint()
        what = recording.model_copy(update={"rights": None}).model_dump_json(
            exclude={"rights", "split", "language"}
        )
        detector = find_frame_detector(self.declaration.listening.detector).name
        parts = [str(LISTENING_VERSION), detector, how, what, content]
        if self._one_channel is not None and may_be_diarized(recording):
            parts.append(self._one_channel.fingerprint(recording))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def write(self) -> MiningSummary:
        """Decide about everything that was heard, and write it down."""
        outcomes = [
            Outcome(name, 0.0, "rejected", audit=(audit_recording(name, 0.0, (because(RejectCode.RIGHTS),)),))
            for name in self.without_rights
        ]
        errors: list[MiningError] = []
        spoken: set[Path] = set()

        def rows() -> Iterator[SegmentRow]:
            for recording in self.recordings:
                # Where it changed on disk since it was heard, it is heard again.
                heard = self._cache.find(recording.recording_id, self._key(recording)) or self.hear_one(
                    recording
                )
                mined = self.decide(recording, heard)
                outcomes.append(mined.outcome)
                if heard.detail is not None:
                    code = heard.problems[0].code
                    errors.append(
                        MiningError(recording_id=heard.recording_id, code=code, detail=heard.detail)
                    )
                if heard.activity is not None:
                    spoken.add(write_rttm(self.out / "rttm", heard.activity))
                yield from mined.rows

        write_records(self.out / "segments.jsonl", rows())
        write_records(self.out / "audit.jsonl", (row for outcome in outcomes for row in outcome.audit))
        write_records(self.out / "errors.jsonl", errors)
        write_text(self.out / "filter.json", self.declaration.model_dump_json(indent=1))
        for path in set((self.out / "rttm").glob("*.rttm")) - spoken:
            path.unlink()
        summary = summarise(outcomes)
        write_text(self.out / "summary.json", summary.model_dump_json(indent=1))
        return summary

    def decide(self, recording: Recording, heard: Heard) -> Mined:
        """Events, segments and reasons of one recording; pure but for the frames, which are read from the cache."""
        probed, activity = heard.probed, heard.activity
        duration_s = probed.duration_s if probed else (_duration_s(activity) if activity else 0.0)
        if activity is None:
            return _refused(heard, duration_s, heard.problems)
        limits, frames = self.declaration, self._cache.load_frames(heard)
        if heard.voices is not None:
            indistinct = diarization_problems(activity, heard.voices, limits.timbre)
            if indistinct:
                return _refused(heard, duration_s, indistinct)
        candidates = candidates_of(self.declaration, activity, frames, heard.voices, recording.language)
        unrelated = structure_problems(candidates, limits.quality)
        if unrelated:
            return _refused(heard, duration_s, unrelated)
        rate, name = activity.sampling_rate, heard.recording_id
        extraction = find_segments(activity, candidates, limits.segments, limits.events)
        surroundings = Surroundings.of(activity, probed, limits.events)
        kept: list[Segment] = []
        rows: list[SegmentRow] = []
        audit: list[AuditRow] = [audit_recording(name, duration_s, ()), *audit_events(name, rate, candidates)]
        for segment in extraction.segments:
            measures = measures_of(segment, activity, frames, probed)
            problems = segment_problems(measures, limits.quality)
            audit.append(audit_segment(segment, problems))
            if not problems:
                kept.append(segment)
                provenance = self._provenance(activity, heard.voices)
                rows.append(segment_row(segment, recording, measures, provenance, surroundings))
        audit.extend(audit_uncut(name, rate, extraction.uncut))
        outcome = Outcome(name, duration_s, "ok", tuple(kept), tuple(audit), activity.bleed_db)
        return Mined(outcome, tuple(rows))

    def kept(self) -> Iterator[tuple[SegmentRow, Frames | None]]:
        """Every kept segment of what was heard, with its recording's frames: what a figure of it needs."""
        for recording in self.recordings:
            heard = self._cache.find(recording.recording_id, self._key(recording))
            if heard is not None and heard.activity is not None:
                frames = self._cache.load_frames(heard)
                for row in self.decide(recording, heard).rows:
                    yield row, frames

    def _provenance(self, activity: RecordedActivity, voices: DiarizedEvidence | None) -> ProvenanceRow:
        by_ear = activity.mode == "two_channel"
        found_by = find_frame_detector(self.declaration.listening.detector).name if by_ear else None
        return ProvenanceRow(
            version=__version__,
            config_sha256=self._config_sha256,
            detector=voices.model if voices is not None else found_by,
        )


def candidates_of(
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


def _end_with_parent() -> None:
    """Workers of a killed command would wait for work for ever: each watches its parent."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)  # what it was writing has a temporary name

    threading.Thread(target=watch, daemon=True).start()


def _refused(heard: Heard, duration_s: float, problems: tuple[AuditValue, ...]) -> Mined:
    broken = any(problem.code is RejectCode.IO_ERROR for problem in problems)
    audit = (audit_recording(heard.recording_id, duration_s, problems),)
    return Mined(Outcome(heard.recording_id, duration_s, "error" if broken else "rejected", audit=audit), ())


def _duration_s(activity: RecordedActivity) -> float:
    return activity.num_samples / activity.sampling_rate
