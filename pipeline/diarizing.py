"""Hearing one channel with two or more people on it: who speaks when is the diarizer's word, and its voices are asked.

one channel -> pieces of an hour or two -> labels -> one activity
                    '-> speech around each overlap -> voices -> cosines, kept; the voices are not
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from pipeline.backends.pyannote import load_diarizer
from pipeline.backends.pyannote.model_files import name_model
from pipeline.core.mining.audit import because
from pipeline.core.mining.limits import EventLimits
from pipeline.core.mining.stitching import UnmatchedPiecesError, pieces_of, stitch
from pipeline.core.mining.timbre import TimbreLimits
from pipeline.core.mining.voices import DiarizedEvidence, Voice, Voices, diarized_activity, evidence_on
from pipeline.domain.diarization import RATE_HZ, DiarizerChoice
from pipeline.domain.errors import BackendError, PipelineError
from pipeline.domain.mining import AuditValue, RecordedActivity, Recording, RejectCode
from pipeline.domain.record import Record
from pipeline.domain.span import Span
from pipeline.io.recordings.audio import AudioSource
from pipeline.ports import Diarizer

Wave = npt.NDArray[np.float32]

_BLOCK_S = 60
_MOST_ROUNDED_UP = 16
"""Samples that a resampler may give beyond the exact number."""


class DiarizerFailedError(PipelineError):
    """One recording could not be diarized: it is refused, and asked about again at the next call."""


@dataclass(frozen=True, slots=True)
class Diarized:
    """What a diarizer heard, or why it could tell nobody apart."""

    activity: RecordedActivity | None
    voices: DiarizedEvidence | None = None
    problems: tuple[AuditValue, ...] = ()
    detail: str | None = None


class _MeasuredAs(Record):
    """All that the evidence on voices depends on: other thresholds than these are free to change."""

    model: str
    cleaned: tuple[float, float]
    sought: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class OneChannel:
    """How recordings of one channel are heard. Picklable: the model is loaded in the process that hears."""

    choice: DiarizerChoice
    events: EventLimits
    timbre: TimbreLimits
    diarizer: Diarizer | None = None
    """Takes the place of the one that `choice` names."""

    def fingerprint(self, recording: Recording) -> str:
        """Of everything that changes what is heard."""
        timbre, events = self.timbre, self.events
        measured = _MeasuredAs(
            model=self.diarizer.name if self.diarizer else name_model(self.choice),
            cleaned=(events.ipu_gap_s, events.min_ipu_s),
            sought=(
                timbre.window_s,
                timbre.emb_window_s,
                timbre.emb_min_s,
                timbre.emb_guard_s,
                timbre.emb_search_s,
                float(recording.rights.biometric_processing_allowed),
            ),
        )
        return measured.fingerprint()

    def hear(self, recording: Recording, source: AudioSource) -> Diarized:
        """Diarize a recording and gather what its voices say about each overlap.

        Raises DiarizerFailedError where a diarizer that could be loaded fails at this one; what keeps it from being
        loaded keeps it from every recording, and is raised as it is.
        """
        diarizer = self._loaded()
        try:
            return self._diarized(diarizer, recording, source)
        except BackendError as error:
            raise DiarizerFailedError(f"{recording.recording_id}: {error}") from error

    def _diarized(self, diarizer: Diarizer, recording: Recording, source: AudioSource) -> Diarized:
        scale = source.sampling_rate / RATE_HZ
        total = max(int(source.num_samples / scale), 1)
        try:
            whole = stitch(
                tuple(
                    (
                        piece.start,
                        diarizer.diarize(
                            read_at_16k(source, round(piece.start * scale), round(piece.end * scale)),
                            recording.recording_id,
                            2 if recording.dyadic else None,
                        ),
                    )
                    for piece in pieces_of(total)
                )
            )
        except UnmatchedPiecesError as error:
            problems = (because(RejectCode.DIARIZATION_UNRELIABLE),)
            return Diarized(None, problems=problems, detail=f"{recording.recording_id}: {error}")
        if not whole.speakers:
            problems = (because(RejectCode.ONE_SPEAKER, 0, 2),)
            return Diarized(None, problems=problems, detail=f"{recording.recording_id}: nobody is heard")
        activity = diarized_activity(recording.recording_id, whole, source.sampling_rate, source.num_samples)

        def embed(spans: tuple[Span, ...]) -> Voice | None:
            return diarizer.embed(np.concatenate([read_at_16k(source, s.start, s.end) for s in spans]))

        voices = Voices(diarizer.name, embed if recording.rights.biometric_processing_allowed else None)
        return Diarized(activity, evidence_on(activity, whole, self.events, self.timbre, voices))

    def _loaded(self) -> Diarizer:
        return self.diarizer or _load(self.choice)


def one_channel(
    choice: DiarizerChoice | None,
    base: Path,
    events: EventLimits,
    timbre: TimbreLimits,
    diarizer: Diarizer | None = None,
) -> OneChannel | None:
    """How a declaration in `base` has recordings of one channel heard; None where it names no diarizer."""
    if choice is None:
        return None
    if (base / choice.model).is_dir():
        choice = choice.model_copy(update={"model": str((base / choice.model).absolute())})
    return OneChannel(choice, events, timbre, diarizer)


def may_be_diarized(recording: Recording) -> bool:
    """Whether a diarizer may be asked: nobody says who speaks when, and two channels may turn out to be one."""
    return bool(recording.audio) and recording.words is None and recording.rttm is None


@lru_cache(maxsize=1)
def _load(choice: DiarizerChoice) -> Diarizer:
    """Once per process."""
    return load_diarizer(choice)


def read_at_16k(source: AudioSource, start: int, end: int) -> Wave:
    """Samples [start, end) of all channels together, at 16 kHz; read by the minute, and held once."""
    rate = source.sampling_rate
    stream = None if rate == RATE_HZ else soxr.ResampleStream(rate, RATE_HZ, 1, dtype="float32")
    heard = np.empty(math.ceil((end - start) * RATE_HZ / rate) + _MOST_ROUNDED_UP, np.float32)
    filled = 0
    for at in range(start, end, _BLOCK_S * rate):
        stop = min(at + _BLOCK_S * rate, end)
        block = np.asarray(source.excerpt(at, stop).mean(axis=1), np.float32)
        if stream is not None:
            block = stream.resample_chunk(block, last=stop == end)
        heard[filled : filled + len(block)] = block
        filled += len(block)
    return heard[:filled]
