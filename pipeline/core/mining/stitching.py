"""A recording that was diarized hour by hour, put together: labels of two pieces are matched where they overlap.

::

    piece 1   A ### B ## A ####|## B #
    piece 2            |    Y ##|## X # Y ###        Y is A, X is B: same voice, same time in what both heard
                       '--shared--'
                               cut far from any overlap
"""

from itertools import count

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from pipeline.core.mining.voices import cosine
from pipeline.domain.diarization import RATE_HZ, Diarization, DiarizedSpeaker, LocalTracks
from pipeline.domain.errors import PipelineError
from pipeline.domain.span import Span

PIECE_S = 3600
SHARED_S = 300
WHOLE_S = 7200
"""Recordings up to this length are diarized in one go."""

_LEAST_MATCH = 0.5
_LEAST_SHARED_SPEECH_S = 60.0
_EVENT_MARGIN_S = 10.0
_GRID_S = 0.1


class UnmatchedPiecesError(PipelineError):
    """Two pieces of a recording do not tell who is who; the recording is refused as unreliably diarized."""


def pieces_of(num_samples: int) -> tuple[Span, ...]:
    """Pieces to diarize: the whole up to two hours, else hours that share five minutes with the next.

    >>> [piece.seconds(RATE_HZ) for piece in pieces_of(RATE_HZ * 9000)]
    [(0.0, 3600.0), (3300.0, 6900.0), (6600.0, 9000.0)]
    """
    if num_samples <= WHOLE_S * RATE_HZ:
        return (Span(0, num_samples),)
    piece, shared = PIECE_S * RATE_HZ, SHARED_S * RATE_HZ
    starts = range(0, num_samples - shared, piece - shared)
    return tuple(Span(start, min(start + piece, num_samples)) for start in starts)


def stitch(pieces: tuple[tuple[int, Diarization], ...]) -> Diarization:
    """One diarization of pieces given with their offsets, in order; the first piece names the labels.

    Raises UnmatchedPiecesError where two pieces share too little speech or no label of one resembles one of the other.
    """
    whole = _moved(*pieces[0])
    for offset, piece in pieces[1:]:
        whole = _joined(whole, _moved(offset, piece), Span(offset, whole.num_samples))
    return whole


def _moved(offset: int, piece: Diarization) -> Diarization:
    """The piece on the recording's clock."""
    speakers = tuple(
        DiarizedSpeaker(s.label, tuple(span.shift(offset) for span in s.talkspurts), s.embedding)
        for s in piece.speakers
    )
    local = piece.local
    starts = tuple(start + offset for start in local.starts)
    return Diarization(
        offset + piece.num_samples, speakers, LocalTracks(starts, local.num_samples, local.active)
    )


def _joined(first: Diarization, second: Diarization, shared: Span) -> Diarization:
    names = _names_of(first, second, shared)
    cut = _cut_in(shared, (first, second))
    known = {s.label: s for s in first.speakers}
    later = {names[s.label]: s for s in second.speakers}
    speakers = []
    for label in (*known, *(name for name in later if name not in known)):
        before, after = known.get(label), later.get(label)
        spans = _inside(before, 0, cut) + _inside(after, cut, second.num_samples)
        voice = before.embedding if before is not None else None
        if voice is None and after is not None:
            voice = after.embedding
        speakers.append(DiarizedSpeaker(label, spans, voice))
    return Diarization(second.num_samples, tuple(speakers), _local(first.local, second.local, cut))


def _names_of(first: Diarization, second: Diarization, shared: Span) -> dict[str, str]:
    """The label of the first diarization for every label of the second; a new one where nobody resembles it."""
    speech = [_mask(d, shared) for d in (first, second)]
    shared_s = float((speech[0].any(axis=0) & speech[1].any(axis=0)).sum() * _GRID_S)
    if shared_s < _LEAST_SHARED_SPEECH_S:
        raise UnmatchedPiecesError(
            f"pieces of a long recording share {shared_s:.0f} s of speech; wanted {_LEAST_SHARED_SPEECH_S:.0f} s to "
            "tell who is who: cut the recording at its silence"
        )
    likeness = np.array(
        [
            [_likeness(a, b, speech[0][i], speech[1][j]) for j, b in enumerate(second.speakers)]
            for i, a in enumerate(first.speakers)
        ]
    )
    rows, columns = linear_sum_assignment(-likeness)
    matched = {
        second.speakers[j].label: first.speakers[i].label
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
        if likeness[i, j] >= _LEAST_MATCH
    }
    if not matched:
        raise UnmatchedPiecesError(
            f"the best match of speakers between two pieces is {likeness.max():.2f}; wanted {_LEAST_MATCH} or more"
        )
    taken = {s.label for s in first.speakers}
    fresh = (name for n in count(1) if (name := f"SPEAKER_{n:02d}") not in taken)
    return {s.label: matched.get(s.label) or next(fresh) for s in second.speakers}


def _likeness(
    a: DiarizedSpeaker, b: DiarizedSpeaker, spoken_a: npt.NDArray[np.bool_], spoken_b: npt.NDArray[np.bool_]
) -> float:
    """Mean of the voices' cosine and of the share of time in common (Dice); of the latter alone without voices."""
    total = int(spoken_a.sum() + spoken_b.sum())
    together = 2 * int((spoken_a & spoken_b).sum()) / total if total else 0.0
    alike = cosine(a.embedding, b.embedding)
    return together if alike is None else (together + alike) / 2


def _mask(diarization: Diarization, shared: Span) -> npt.NDArray[np.bool_]:
    """`[speakers, steps]` of 0.1 s: who speaks in the shared stretch."""
    step = round(_GRID_S * RATE_HZ)
    mask = np.zeros((len(diarization.speakers), -(-len(shared) // step)), dtype=bool)
    for row, speaker in zip(mask, diarization.speakers, strict=True):
        for span in speaker.talkspurts:
            part = span.overlap(shared)
            if part is not None:
                row[(part.start - shared.start) // step : -(-(part.end - shared.start) // step)] = True
    return mask


def _cut_in(shared: Span, both: tuple[Diarization, Diarization]) -> int:
    """The sample nearest to the middle that is 10 s from any overlap; where there is none, the farthest from all."""
    busy = np.flatnonzero(np.logical_or(*(_mask(d, shared).sum(axis=0) > 1 for d in both)))
    steps = np.arange(-(-len(shared) // round(_GRID_S * RATE_HZ)))
    middle = len(steps) // 2
    if len(busy):
        away = np.abs(steps[:, None] - busy[None, :]).min(axis=1) * _GRID_S
        free = np.flatnonzero(away >= _EVENT_MARGIN_S)
        at = int(free[np.argmin(np.abs(free - middle))]) if len(free) else int(np.argmax(away))
    else:
        at = middle
    return shared.start + round(at * _GRID_S * RATE_HZ)


def _inside(speaker: DiarizedSpeaker | None, start: int, end: int) -> tuple[Span, ...]:
    if speaker is None or start >= end:
        return ()
    return tuple(part for span in speaker.talkspurts if (part := span.overlap(Span(start, end))))


def _local(first: LocalTracks, second: LocalTracks, cut: int) -> LocalTracks:
    """Chunks whose middle lies before the cut from the first, the others from the second."""
    half = first.num_samples // 2
    keep = [i for i, start in enumerate(first.starts) if start + half < cut]
    then = [i for i, start in enumerate(second.starts) if start + half >= cut]
    starts = tuple(first.starts[i] for i in keep) + tuple(second.starts[i] for i in then)
    return LocalTracks(starts, first.num_samples, np.concatenate((first.active[keep], second.active[then])))
