"""Check finished dialogues by measuring the audio again: what a record says is a claim, not evidence.

    record   user  |== query ==|     |== stop! ==|        claims spans, words, events, voices
    audio    ch 0  ~~~~~~~~~~~~      ~~~~~~~~~~~~         -> sound where claimed, silence elsewhere,
             ch 1               ~~~~~~~~~                    fades, levels, overlap at the onset

Nothing here calls the code that planned, timed or mixed the dialogue.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from pipeline.core.loudness import integrated_loudness_lufs
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Speaker, Split, Track
from pipeline.domain.record import Record
from pipeline.domain.timeline import AudioFile, Dialogue, Event, Supervision, Timeline

Pcm = npt.NDArray[np.int16]
Stretch = tuple[int, int]
"""Half-open, in samples."""

FULL_SCALE = 32_768.0


class Code(StrEnum):
    """What can be wrong with a dialogue or a dataset."""

    MISSING_AUDIO = "missing_audio"
    """Found by whoever opens the file: nothing there, or nothing that can be decoded."""
    LENGTH_MISMATCH = "length_mismatch"
    RATE_MISMATCH = "rate_mismatch"
    CHANNEL_COUNT = "channel_count"
    TRACKS_SWAPPED = "tracks_swapped"
    SOUND_OUTSIDE_SPANS = "sound_outside_spans"
    SPEECH_AFTER_TRUNCATION = "speech_after_truncation"
    SILENT_SUPERVISION = "silent_supervision"
    TRUNCATION_NOT_FADED = "truncation_not_faded"
    WORDS_OUTSIDE = "words_outside"
    CLIPPING = "clipping"
    EVENT_WITHOUT_OVERLAP = "event_without_overlap"
    LOUDNESS_OUT_OF_RANGE = "loudness_out_of_range"
    DUPLICATE_DIALOGUE_ID = "duplicate_dialogue_id"
    DUPLICATE_AUDIO = "duplicate_audio"
    DUPLICATE_TEXT = "duplicate_text"
    VOICE_IN_TWO_SPLITS = "voice_in_two_splits"
    SEED_IN_TWO_SPLITS = "seed_in_two_splits"


class Finding(Record):
    """One fault: what, in which dialogue, where in it, and what was found and wanted, for a person."""

    code: Code
    dialogue_id: str
    supervision_id: str | None
    start_s: float | None
    end_s: float | None
    detail: str


class Limits(Record):
    """Where a measurement becomes a finding."""

    speech_dbfs: float = -50.0
    """A supervision whose active part is quieter is silent."""
    silence_dbfs: float = -60.0
    """An edge of a supervision, or a moment of an overlap, that is quieter holds no speech."""
    edge_s: float = 0.1
    """Clips are trimmed: speech begins and ends within so long of its span's borders."""
    fade_db: float = -18.0
    """Last tenth of a truncated supervision's fade against as much as a whole fade before it: a linear fade
    has -20 dB, half a cosine -35 dB, speech that just stops some 0 dB."""
    loudness_lufs: float = -23.0
    loudness_tolerance_lu: float = 2.0
    peak_dbfs: float = -3.2
    """A speaker too quiet for the target is all right where its peaks reach this: turned up, it would clip."""
    overlap_window_s: float = 0.5
    """Both must be heard together within so long of an interruption's onset."""


def check_dialogue(
    dialogue: Dialogue, samples: Pcm, sampling_rate: int, limits: Limits | None = None
) -> tuple[Finding, ...]:
    """Everything that is wrong with one dialogue and its audio `[num_samples, 2]` int16; empty if nothing.

    Swapped tracks are one finding, not one per span: the rest is then measured on the tracks put right.
    """
    measurement = _Measurement(dialogue.timeline, dialogue.audio, sampling_rate, limits or Limits())
    return tuple(measurement.findings(samples))


def check_dataset(dialogues: Iterable[Dialogue]) -> tuple[Finding, ...]:
    """What only shows across dialogues: duplicates, and voices or seeds that two splits share.

    Reads `dialogues` once. The later of two duplicates is the one that is found.
    """
    findings: list[Finding] = []
    first: dict[tuple[Code, str], str] = {}
    split_of: dict[tuple[Code, str], tuple[Split, str]] = {}
    reported: set[tuple[Code, str, Split]] = set()
    for dialogue in dialogues:
        timeline = dialogue.timeline
        for code, key, what in _identities(dialogue):
            if (code, key) in first:
                other = first[code, key]
                findings.append(
                    _across(code, timeline, f"same {what} as an earlier dialogue, {other!r}; keep one")
                )
            first.setdefault((code, key), timeline.dialogue_id)
        for code, key in _split_keys(timeline):
            split, other = split_of.setdefault((code, key), (timeline.split, timeline.dialogue_id))
            if split is not timeline.split and (code, key, timeline.split) not in reported:
                reported.add((code, key, timeline.split))
                detail = (
                    f"{key!r} is in {split.value} ({other!r}) and in {timeline.split.value}; wanted one split"
                )
                findings.append(_across(code, timeline, detail))
    return tuple(findings)


def _identities(dialogue: Dialogue) -> Iterator[tuple[Code, str, str]]:
    timeline = dialogue.timeline
    yield Code.DUPLICATE_DIALOGUE_ID, timeline.dialogue_id, "id"
    yield Code.DUPLICATE_AUDIO, dialogue.audio.sha256, "audio"
    said = (f"{s.speaker.value}: {' '.join(s.text.casefold().split())}" for s in timeline.supervisions)
    yield Code.DUPLICATE_TEXT, hashlib.sha256("\n".join(said).encode()).hexdigest(), "text"


def _split_keys(timeline: Timeline) -> Iterator[tuple[Code, str]]:
    for person in sorted({voicing.person for voicing in timeline.voicing}):
        yield Code.VOICE_IN_TWO_SPLITS, person
    yield Code.SEED_IN_TWO_SPLITS, timeline.provenance.seed_id


def _across(code: Code, timeline: Timeline, detail: str) -> Finding:
    return Finding(
        code=code,
        dialogue_id=timeline.dialogue_id,
        supervision_id=None,
        start_s=None,
        end_s=None,
        detail=detail,
    )


@dataclass(frozen=True, slots=True)
class _Measurement:
    """One dialogue's record, to be held against its audio."""

    timeline: Timeline
    audio: AudioFile
    rate: int
    limits: Limits

    def findings(self, samples: Pcm) -> Iterator[Finding]:
        """All of them; what makes the rest meaningless ends the search."""
        yield from self._words()
        if samples.dtype != np.int16:
            raise ConfigError(f"check: wanted int16 samples, got {samples.dtype}; read the file as PCM16")
        channels = samples.shape[1] if samples.ndim == 2 else samples.ndim
        if channels != 2 or samples.ndim != 2:
            detail = f"the audio has {channels} channel(s), wanted 2: user, assistant"
            yield self._finding(Code.CHANNEL_COUNT, detail)
            return
        if {self.rate} != {self.timeline.sampling_rate, self.audio.sampling_rate}:
            said = (
                f"{self.timeline.sampling_rate} Hz (timeline), {self.audio.sampling_rate} Hz (audio record)"
            )
            yield self._finding(Code.RATE_MISMATCH, f"the audio has {self.rate} Hz, the record says {said}")
            return
        if {len(samples)} != {self.timeline.num_samples, self.audio.num_samples}:
            said = f"{self.timeline.num_samples} (timeline), {self.audio.num_samples} (audio record)"
            detail = f"the audio has {len(samples)} samples, the record says {said}"
            yield self._finding(Code.LENGTH_MISMATCH, detail)
        if self._swapped(samples):
            detail = "speech is on the other channel throughout; wanted channel 0 user, channel 1 assistant"
            yield self._finding(Code.TRACKS_SWAPPED, detail)
            samples = samples[:, ::-1]
        for track in Track:
            yield from self._outside(track, samples[:, track.channel])
            yield from self._clipping(track, samples[:, track.channel])
        for supervision in self.timeline.supervisions:
            yield from self._supervision(supervision, samples[:, supervision.track.channel])
        for event in self.timeline.events:
            yield from self._overlap(event, samples)
        yield from self._loudness(samples)

    def _finding(
        self, code: Code, detail: str, stretch: Stretch | None = None, supervision: Supervision | None = None
    ) -> Finding:
        start, end = stretch or (None, None)
        return Finding(
            code=code,
            dialogue_id=self.timeline.dialogue_id,
            supervision_id=supervision.supervision_id if supervision else None,
            start_s=None if start is None else round(start / self.rate, 6),
            end_s=None if end is None else round(end / self.rate, 6),
            detail=detail,
        )

    def _words(self) -> Iterator[Finding]:
        for supervision in self.timeline.supervisions:
            position, end = supervision.span.start, supervision.span.end
            for word in supervision.words:
                at = (word.span.start, word.span.end)
                if not position <= at[0] < at[1] <= end:
                    detail = (
                        f"word {word.text!r} of {supervision.supervision_id!r} is at samples {at[0]}-{at[1]}, wanted "
                        f"inside {position}-{end}: after the word before it, before the supervision's end"
                    )
                    yield self._finding(Code.WORDS_OUTSIDE, detail, at, supervision)
                position = max(position, word.span.end)

    def _on(self, track: Track) -> list[Supervision]:
        return [s for s in self.timeline.supervisions if s.track is track]

    def _swapped(self, samples: Pcm) -> bool:
        """Each channel is heard only while the other one should be, where only one of them should be."""
        spoken = [_mask(self._on(track), len(samples)) for track in Track]
        levels = []
        for mine, other in ((0, 1), (1, 0)):
            alone = spoken[mine] & ~spoken[other]
            if alone.any():
                levels.append((_level_db(samples[alone, mine]), _level_db(samples[alone, other])))
        return bool(levels) and all(here < self.limits.speech_dbfs < there for here, there in levels)

    def _outside(self, track: Track, signal: Pcm) -> Iterator[Finding]:
        """One finding per stretch between spans that holds anything but digital silence."""
        supervisions = self._on(track)
        for start, end in _runs(~_mask(supervisions, len(signal))):
            sounding = np.flatnonzero(signal[start:end])
            if not len(sounding):
                continue
            stretch = (start + int(sounding[0]), start + int(sounding[-1]) + 1)
            peak_db = 20 * math.log10(float(np.abs(signal[start:end].astype(np.int32)).max()) / FULL_SCALE)
            what = f"{len(sounding)} non-zero samples, peak {peak_db:.1f} dBFS, on the {track.value} track"
            broken = next((s for s in supervisions if s.truncated and s.span.end == start), None)
            if broken and stretch[0] - start < self.limits.edge_s * self.rate:
                detail = (
                    f"{what} right after {broken.supervision_id!r} broke off; wanted silence from its end on"
                )
                yield self._finding(Code.SPEECH_AFTER_TRUNCATION, detail, stretch, broken)
            else:
                yield self._finding(Code.SOUND_OUTSIDE_SPANS, f"{what}, where nobody speaks", stretch)

    def _clipping(self, track: Track, signal: Pcm) -> Iterator[Finding]:
        wide = np.abs(signal.astype(np.int32))
        runs = [run for run in _runs(wide >= FULL_SCALE - 1) if run[1] - run[0] >= 3]
        beyond = np.flatnonzero(wide >= FULL_SCALE)
        if not runs and not len(beyond):
            return
        at = runs[0] if runs else (int(beyond[0]), int(beyond[0]) + 1)
        detail = (
            f"the {track.value} track has {len(runs)} runs of 3 or more full-scale samples and {len(beyond)} "
            "samples at 0 dBFS; wanted none: lower the gain"
        )
        yield self._finding(Code.CLIPPING, detail, at)

    def _supervision(self, supervision: Supervision, signal: Pcm) -> Iterator[Finding]:
        start, end = supervision.span.start, supervision.span.end
        name = supervision.supervision_id
        heard = signal[start:end]
        active_db = _active_level_db(heard, self.rate)
        if active_db < self.limits.speech_dbfs:
            detail = (
                f"{name!r} has {active_db:.1f} dBFS where it speaks, wanted {self.limits.speech_dbfs} or more"
            )
            yield self._finding(Code.SILENT_SUPERVISION, detail, (start, end), supervision)
            return
        edge = max(1, round(self.limits.edge_s * self.rate))
        for border, part, at in (
            ("onset", heard[:edge], (start, min(end, start + edge))),
            ("end", heard[-edge:], (max(start, end - edge), end)),
        ):
            level_db = _level_db(part)
            if level_db < self.limits.silence_dbfs:
                detail = (
                    f"{name!r} is silent for {self.limits.edge_s} s at its {border} ({level_db:.1f} dBFS): "
                )
                yield self._finding(Code.SILENT_SUPERVISION, detail + f"the {border} is off", at, supervision)
        if supervision.truncated and not self._shared_end(supervision):
            yield from self._fade(supervision, heard)

    def _shared_end(self, supervision: Supervision) -> bool:
        """Somebody else sounds on the same track as it ends: its fade cannot be told from the mixture."""
        end, before = supervision.span.end, supervision.span.end - 2 * supervision.fade_samples
        others = (s.span for s in self._on(supervision.track) if s is not supervision)
        return any(span.start < end and span.end > before for span in others)

    def _fade(self, supervision: Supervision, heard: Pcm) -> Iterator[Finding]:
        fade = supervision.fade_samples
        last = max(1, fade // 10)
        before = heard[max(0, len(heard) - last - fade) : len(heard) - last]
        last_db, before_db = _level_db(heard[-last:]), _level_db(before)
        if last_db > self.limits.speech_dbfs and last_db - before_db > self.limits.fade_db:
            detail = (
                f"{supervision.supervision_id!r} breaks off with {last_db:.1f} dBFS in its last {last} samples and "
                f"{before_db:.1f} before; wanted a fade of {-self.limits.fade_db} dB or more"
            )
            end = supervision.span.end
            yield self._finding(Code.TRUNCATION_NOT_FADED, detail, (end - last, end), supervision)

    def _overlap(self, event: Event, samples: Pcm) -> Iterator[Finding]:
        """Both tracks above silence in one 10 ms frame between the onset and the host's end."""
        if not event.type.is_interruption or event.host is None:
            return
        host = self.timeline.supervision(event.host)
        incoming = self.timeline.supervision(event.supervision_id)
        if host.track is incoming.track:
            return  # heard on one channel, so not separable by measuring
        window = round(self.limits.overlap_window_s * self.rate)
        end = min(host.span.end, incoming.span.end, event.onset + window)
        both = [
            _frame_levels_db(samples[event.onset : end, s.track.channel], self.rate)
            > self.limits.silence_dbfs
            for s in (host, incoming)
        ]
        if not np.any(both[0] & both[1]):
            detail = (
                f"{event.type.value}: {incoming.supervision_id!r} and its host {host.supervision_id!r} are not heard "
                "together after its onset; wanted speech on both tracks"
            )
            stretch = (event.onset, max(event.onset, end))
            yield self._finding(Code.EVENT_WITHOUT_OVERLAP, detail, stretch, incoming)

    def _loudness(self, samples: Pcm) -> Iterator[Finding]:
        """Per speaker near the microphone, over its own speech: a bystander is meant to be quieter."""
        for speaker in Speaker:
            near = [s for s in self.timeline.supervisions if s.speaker is speaker and s.distance is None]
            if not near:
                continue
            track = near[0].track
            others = [s for s in self._on(track) if s.speaker is not speaker or s.distance is not None]
            own = _mask(near, len(samples)) & ~_mask(others, len(samples))
            if not own.any():
                continue
            speech = samples[own, track.channel]
            lufs = integrated_loudness_lufs(speech, self.rate)
            peak_db = 20 * math.log10(max(1.0, float(np.abs(speech.astype(np.int32)).max())) / FULL_SCALE)
            off = lufs - self.limits.loudness_lufs
            if off > self.limits.loudness_tolerance_lu or (
                off < -self.limits.loudness_tolerance_lu and peak_db < self.limits.peak_dbfs
            ):
                detail = (
                    f"{speaker.value} has {lufs:.1f} LUFS on the {track.value} track (peak {peak_db:.1f} dBFS), "
                    f"wanted {self.limits.loudness_lufs} +/- {self.limits.loudness_tolerance_lu} LUFS"
                )
                yield self._finding(Code.LOUDNESS_OUT_OF_RANGE, detail)


def _mask(supervisions: Iterable[Supervision], num_samples: int) -> npt.NDArray[np.bool_]:
    """`[num_samples]`, true inside any of the spans."""
    mask = np.zeros(num_samples, dtype=bool)
    for supervision in supervisions:
        mask[supervision.span.start : supervision.span.end] = True
    return mask


def _runs(mask: npt.NDArray[np.bool_]) -> list[Stretch]:
    """Stretches of true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _level_db(signal: Pcm) -> float:
    """RMS level in dBFS, 0 for a full-scale square wave; -inf for silence or nothing."""
    power = float(np.mean(np.square(signal.astype(np.float64)))) if len(signal) else 0.0
    return 10 * math.log10(power / FULL_SCALE**2) if power else -math.inf


def _frame_levels_db(signal: Pcm, sampling_rate: int) -> npt.NDArray[np.float64]:
    """RMS level per 10 ms, the last frame as long as what is left; -inf for silence."""
    starts = np.arange(0, len(signal), max(1, round(0.01 * sampling_rate)))
    levels = np.full(len(starts), -np.inf)
    if len(starts):
        energy = np.add.reduceat(np.square(signal.astype(np.float64)), starts)
        power = energy / np.diff(np.append(starts, len(signal))) / FULL_SCALE**2
        np.log10(power, out=levels, where=power > 0)
    return 10 * levels


def _active_level_db(signal: Pcm, sampling_rate: int) -> float:
    """Level of the frames within 20 dB of the loudest: speech without its pauses."""
    levels = _frame_levels_db(signal, sampling_rate)
    if not len(levels) or levels.max() == -math.inf:
        return -math.inf
    active = levels[levels > levels.max() - 20]
    return 10 * math.log10(float(np.mean(10 ** (active / 10))))
