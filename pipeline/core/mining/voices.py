"""What a diarization says about the voices around each overlap: the evidence that the timbre votes are cast on.

::

    incumbent   #############=====                 before: its clear speech nearest to the onset, up to 3 s
    initiator                =====##########       after:  that of whoever is alone longest, nearest to the end
                         y0  |    | t1

Everything here depends on how talkspurts are cleaned and on where speech is looked for, never on what a vote needs
in order to count: those thresholds are free to change, and nothing is heard again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from pipeline.core.mining.activity import Talk, overlapping_starts, talk_of
from pipeline.core.mining.calibration import Calibration, ThresholdRule, Trials, calibrate, trials_of
from pipeline.core.mining.candidates import Candidate
from pipeline.core.mining.limits import EventLimits
from pipeline.core.mining.timbre import (
    LocalSolo,
    TimbreLimits,
    VoiceEvidence,
    cast_votes,
    speaker_problems,
    with_votes,
)
from pipeline.domain.diarization import RATE_HZ, Diarization, LocalTracks
from pipeline.domain.mining import AuditValue, RecordedActivity, SpeakerActivity
from pipeline.domain.record import Record
from pipeline.domain.span import Span

Voice = npt.NDArray[np.float32]
Embed = Callable[[tuple[Span, ...]], Voice | None]
"""The voice in these spans of a recording, heard as one; None where none can be told."""

_CENTROID_MIN_S = 10.0
"""Clear speech that a speaker's centroid is made of."""
_CENTROID_AWAY_S = 5.0
"""Speech that near an event is left out of the centroids that it is compared with."""
_CENTROID_PIECES = 40
"""Of a long recording, so many pieces per speaker, evenly spread: two minutes of speech."""
_TRIAL_STRETCHES = 12
"""Of each speaker and length, evenly spread: 66 pairs of the same voice."""
_CLEAN_CHUNK_S = 10.0
_CLEAN_S = 2.0
"""Time alone in a chunk of 10 s from which a diarizer takes a voice."""


class OverlapEvidence(Record):
    """What two of the votes on one candidate are cast on."""

    local: LocalSolo | None
    voices: VoiceEvidence | None


class DiarizedEvidence(Record):
    """All that the events need to know about a diarization beside who speaks when; cosines, never a voice itself."""

    model: str
    clean_chunks: dict[str, int]
    """By label: chunks of 10 s in which it is alone for 2 s or more."""
    centroid_cos: float | None
    """Of the two who speak most."""
    overlaps: dict[str, OverlapEvidence]
    """By event id, as `find_events` gives it."""
    trials: tuple[Trials, ...]
    """For the threshold of the corpus, at the shortest and the longest speech that a voice is told from."""


def voted(
    candidates: tuple[Candidate, ...], known: DiarizedEvidence, timbre: TimbreLimits, take_min_solo_s: float
) -> tuple[Candidate, ...]:
    """Step 8: candidates with the votes that this evidence casts."""
    events = {c.event.event_id: c.event for c in candidates}
    found = {name: evidence for name, evidence in known.overlaps.items() if name in events}
    votes = {
        name: cast_votes(events[name], evidence.local, evidence.voices, timbre, take_min_solo_s)
        for name, evidence in found.items()
    }
    voices = {name: evidence.voices for name, evidence in found.items() if evidence.voices is not None}
    return with_votes(candidates, votes, voices, timbre)


def calibrations_of(
    evidence: Iterable[tuple[str, DiarizedEvidence]], rule: ThresholdRule = "eer"
) -> dict[str, Calibration]:
    """By corpus, from (corpus, evidence on one of its recordings), in any order.

    A threshold is one encoder's: where a cache still holds what another one heard, the one with more trials counts.
    """
    by_corpus: dict[str, dict[str, list[Trials]]] = {}
    for corpus, known in evidence:
        by_corpus.setdefault(corpus, {}).setdefault(known.model, []).extend(known.trials)
    found = {}
    for corpus, by_model in sorted(by_corpus.items()):
        model = max(sorted(by_model), key=lambda name: len(by_model[name]))
        found[corpus] = calibrate(by_model[model], model, rule)
    return found


def diarization_problems(
    activity: RecordedActivity, known: DiarizedEvidence, timbre: TimbreLimits
) -> tuple[AuditValue, ...]:
    """What the figures of the two who speak most say against a recording."""
    chunks = {name: known.clean_chunks[name] for name in _by_speech(activity)[:2]}
    return speaker_problems(chunks, known.centroid_cos, timbre)


def unreliable_speakers(
    activity: RecordedActivity, known: DiarizedEvidence, timbre: TimbreLimits
) -> frozenset[str]:
    """Labels beyond the two main ones that are heard alone too little to be believed."""
    others = _by_speech(activity)[2:]
    return frozenset(name for name in others if known.clean_chunks[name] < timbre.min_clean_chunks)


def _by_speech(activity: RecordedActivity) -> list[str]:
    amounts = {s.speaker: sum(map(len, s.talkspurts)) for s in activity.speakers}
    return sorted((name for name, amount in amounts.items() if amount), key=lambda n: (-amounts[n], n))


@dataclass(frozen=True, slots=True)
class Voices:
    """A diarizer's ear for one recording."""

    model: str
    embed: Embed | None
    """None where the rights allow no biometric processing: then two votes are left."""


def diarized_activity(
    recording_id: str, diarization: Diarization, sampling_rate: int, num_samples: int
) -> RecordedActivity:
    """Labelled speech on the recording's own clock, cropped to it."""
    return RecordedActivity(
        recording_id=recording_id,
        sampling_rate=sampling_rate,
        num_samples=num_samples,
        mode="mono_diarized",
        speakers=tuple(
            SpeakerActivity(
                speaker=speaker.label,
                channel=0,
                talkspurts=_on_clock(speaker.talkspurts, sampling_rate, num_samples),
            )
            for speaker in diarization.speakers
        ),
    )


def _on_clock(spans: tuple[Span, ...], rate: int, num_samples: int) -> tuple[Span, ...]:
    moved = []
    for span in spans:
        start, end = (min(round(at * rate / RATE_HZ), num_samples) for at in (span.start, span.end))
        if start < end:
            moved.append(Span(start, end))
    return tuple(moved)


def evidence_on(
    activity: RecordedActivity,
    diarization: Diarization,
    events: EventLimits,
    timbre: TimbreLimits,
    voices: Voices,
) -> DiarizedEvidence:
    """Evidence on every candidate of a diarized recording. Spans given to `voices.embed` are the activity's."""
    talk = talk_of(activity, events.ipu_gap_s, events.min_ipu_s)
    clear = {n: clear_speech(talk, s, timbre.emb_guard_s) for s, n in enumerate(talk.names)}
    centroids = {n: _Centroid.of(spans, talk.sampling_rate, timbre, voices) for n, spans in clear.items()}
    overlaps = {}
    for x, i, y, j in overlapping_starts(talk):
        onset, end = talk.starts[y][j], min(talk.ends[x][i], talk.ends[y][j])
        around = _Around(talk, timbre, Span(onset, end), x, y)
        event_id = f"{activity.recording_id}:{onset}:{talk.names[x]}:{talk.names[y]}"
        overlaps[event_id] = OverlapEvidence(
            local=local_solo(diarization.local, around.overlap, talk.sampling_rate, timbre.window_s),
            voices=_voices_around(around, clear, centroids, voices),
        )
    return DiarizedEvidence(
        model=voices.model,
        clean_chunks={s.label: _clean_chunks(s.label, diarization) for s in diarization.speakers},
        centroid_cos=_main_cosine(diarization) if voices.embed else None,
        overlaps=overlaps,
        trials=_trials(clear, talk.sampling_rate, timbre, voices),
    )


def _trials(
    clear: Mapping[str, tuple[Span, ...]], sampling_rate: int, timbre: TimbreLimits, voices: Voices
) -> tuple[Trials, ...]:
    """Of equally long stretches, each from another place: two halves of one breath would be too easy."""
    made = []
    for duration_s in sorted({timbre.emb_min_s, timbre.emb_window_s}) if voices.embed else ():
        length = round(duration_s * sampling_rate)
        heard = {name: _stretches(spans, length, voices) for name, spans in clear.items()}
        made.append(trials_of(heard, duration_s))
    return tuple(made)


def _stretches(clear: tuple[Span, ...], length: int, voices: Voices) -> tuple[Voice, ...]:
    """Voices in the middle of some of those that are long enough."""
    long_enough = [span for span in clear if len(span) >= length]
    if voices.embed is None or not long_enough:
        return ()
    count = min(len(long_enough), _TRIAL_STRETCHES)
    chosen = np.unique(np.linspace(0, len(long_enough) - 1, count).round().astype(int)).tolist()
    middles = (long_enough[index].start + (len(long_enough[index]) - length) // 2 for index in chosen)
    heard = (voices.embed((Span(start, start + length),)) for start in middles)
    return tuple(voice for voice in heard if voice is not None)


def clear_speech(talk: Talk, speaker: int, guard_s: float) -> tuple[Span, ...]:
    """Stretches in which a speaker talks and nobody else is heard within `guard_s`."""
    guard = round(guard_s * talk.sampling_rate)
    others = sorted(
        (max(start - guard, 0), end + guard)
        for other in range(len(talk.names))
        if other != speaker
        for start, end in zip(talk.starts[other], talk.ends[other], strict=True)
    )
    found = []
    first = 0
    for start, end in zip(talk.starts[speaker], talk.ends[speaker], strict=True):
        while first < len(others) and others[first][1] <= start:
            first += 1
        at = start
        for begin, stop in others[first:]:
            if begin >= end:
                break
            if begin > at:
                found.append(Span(at, begin))
            at = max(at, stop)
        if at < end:
            found.append(Span(at, end))
    return tuple(found)


def local_solo(local: LocalTracks, overlap: Span, sampling_rate: int, window_s: float) -> LocalSolo | None:
    """Time alone of each local track before and after an overlap, in the chunk that lies best around it.

    No label and no voice is involved: the tracks of one chunk are told apart by the segmentation alone. None where
    there is no chunk.
    """
    if not local.starts:
        return None
    scale = RATE_HZ / sampling_rate
    middle = (overlap.start + overlap.end) * scale / 2
    chunk = int(np.argmin([abs(start + local.num_samples / 2 - middle) for start in local.starts]))
    active = local.active[chunk]
    alone = active & (active.sum(axis=1, keepdims=True) == 1)
    frame = local.num_samples / len(active)
    centres = local.starts[chunk] + (np.arange(len(active)) + 0.5) * frame
    start, end, window = overlap.start * scale, overlap.end * scale, window_s * RATE_HZ
    before = alone[(centres >= start - window) & (centres < start)].sum(axis=0) * frame / RATE_HZ
    after = alone[(centres >= end) & (centres < end + window)].sum(axis=0) * frame / RATE_HZ
    return LocalSolo(before_s=_rounded(before), after_s=_rounded(after))


def _rounded(seconds: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(s), 3) for s in seconds)


@dataclass(frozen=True, slots=True)
class _Around:
    """A candidate's surroundings."""

    talk: Talk
    timbre: TimbreLimits
    overlap: Span
    x: int
    y: int

    def holder_after(self) -> str | None:
        """Who is alone longest in the window after the overlap."""
        window = round(self.timbre.window_s * self.talk.sampling_rate)
        end = self.overlap.end
        alone = [(self.talk.solo(s, end, end + window), s == self.x, s) for s in (self.x, self.y)]
        longest, _, speaker = max(alone)
        return self.talk.names[speaker] if longest else None

    def nearest(self, spans: tuple[Span, ...], after: bool) -> tuple[Span, ...]:
        """The speech that is nearest to the overlap on one side, by start; in all no more than a window's length."""
        rate = self.talk.sampling_rate
        guard, search = round(self.timbre.emb_guard_s * rate), round(self.timbre.emb_search_s * rate)
        if after:
            start, end = self.overlap.end + guard, self.overlap.end + search
        else:
            start, end = max(self.overlap.start - search, 0), self.overlap.start - guard
        left = round(self.timbre.emb_window_s * rate)
        if end <= start:
            return ()
        inside = [part for span in spans if (part := span.overlap(Span(start, end)))]
        chosen: list[Span] = []
        for part in inside if after else reversed(inside):
            length = min(len(part), left)
            if not length:
                break
            taken = Span(part.start, part.start + length) if after else Span(part.end - length, part.end)
            chosen.append(taken)
            left -= length
        return tuple(sorted(chosen, key=lambda span: span.start))


@dataclass(frozen=True, slots=True)
class _Centroid:
    """A speaker's voice, piece by piece, so that those near an event can be left out."""

    pieces: tuple[tuple[Span, Voice], ...]
    sampling_rate: int

    @classmethod
    def of(
        cls, clear: tuple[Span, ...], sampling_rate: int, timbre: TimbreLimits, voices: Voices
    ) -> "_Centroid":
        """Embed pieces of a window's length or less."""
        longest, shortest = (round(s * sampling_rate) for s in (timbre.emb_window_s, timbre.emb_min_s))
        cut = [
            Span(at, min(at + longest, span.end))
            for span in clear
            for at in range(span.start, span.end, longest)
            if min(at + longest, span.end) - at >= shortest
        ]
        if voices.embed is None or not cut:
            return cls((), sampling_rate)
        chosen = np.unique(np.linspace(0, len(cut) - 1, min(len(cut), _CENTROID_PIECES)).round().astype(int))
        heard = ((cut[index], voices.embed((cut[index],))) for index in chosen.tolist())
        return cls(tuple((span, voice) for span, voice in heard if voice is not None), sampling_rate)

    def away_from(self, overlap: Span) -> Voice | None:
        """The mean voice, each piece by its length; None where too little was said elsewhere."""
        margin = round(_CENTROID_AWAY_S * self.sampling_rate)
        near = Span(max(overlap.start - margin, 0), overlap.end + margin)
        far = [(span, voice) for span, voice in self.pieces if span.overlap(near) is None]
        if sum(len(span) for span, _ in far) < _CENTROID_MIN_S * self.sampling_rate:
            return None
        return np.asarray(sum(len(span) * voice for span, voice in far), np.float32)


def _voices_around(
    around: _Around,
    clear: Mapping[str, tuple[Span, ...]],
    centroids: Mapping[str, _Centroid],
    voices: Voices,
) -> VoiceEvidence | None:
    if voices.embed is None:
        return None
    rate, shortest = around.talk.sampling_rate, around.timbre.emb_min_s
    x, y = around.talk.names[around.x], around.talk.names[around.y]
    holder = around.holder_after()
    before = around.nearest(clear[x], after=False)
    after = around.nearest(clear[holder], after=True) if holder else ()
    before_s, after_s = (sum(map(len, spans)) / rate for spans in (before, after))
    voice_before = voices.embed(before) if before_s >= shortest else None
    voice_after = voices.embed(after) if after_s >= shortest else None
    return VoiceEvidence(
        cos_before_after=cosine(voice_before, voice_after),
        cos_after_incumbent=cosine(voice_after, centroids[x].away_from(around.overlap)),
        cos_after_initiator=cosine(voice_after, centroids[y].away_from(around.overlap)),
        speech_before_s=round(before_s, 3),
        speech_after_s=round(after_s, 3),
        model=voices.model,
    )


def cosine(first: Voice | None, second: Voice | None) -> float | None:
    """How alike two voices are, -1...1; None where either is missing, zero or no number at all."""
    if first is None or second is None:
        return None
    lengths = float(np.linalg.norm(first)) * float(np.linalg.norm(second))
    if not np.isfinite(lengths) or lengths <= 0:
        return None
    return round(float(first @ second) / lengths, 4)


def _clean_chunks(label: str, diarization: Diarization) -> int:
    """Chunks, one after the other, in which a label is alone for 2 s."""
    length, least = round(_CLEAN_CHUNK_S * RATE_HZ), _CLEAN_S * RATE_HZ
    talk = talk_of(diarized_activity("", diarization, RATE_HZ, diarization.num_samples), 0.0, 0.0)
    speaker = talk.names.index(label)
    starts = range(0, diarization.num_samples, length)
    return sum(talk.solo(speaker, start, start + length) >= least for start in starts)


def _main_cosine(diarization: Diarization) -> float | None:
    """Of the two labels that speak most; None where a voice is missing."""
    ranked = sorted(diarization.speakers, key=lambda s: (-sum(map(len, s.talkspurts)), s.label))
    main = list(combinations(ranked[:2], 2))
    return cosine(main[0][0].embedding, main[0][1].embedding) if main else None
