"""What levels tell: clipping, loudness, fades, and whether both are heard at an interruption's onset."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.core.checks.findings import Code, Finding, Limits, Place
from pipeline.core.checks.signals import (
    FULL_SCALE,
    Pcm,
    active_level_db,
    frame_levels_db,
    level_db,
    mask,
    runs,
)
from pipeline.core.loudness import integrated_loudness_lufs
from pipeline.domain.labels import Speaker, Track
from pipeline.domain.timeline import Event, Supervision


@dataclass(frozen=True, slots=True)
class SoundCheck:
    """Levels of one dialogue's tracks, held against its record."""

    place: Place
    limits: Limits

    def findings(self, samples: Pcm) -> Iterator[Finding]:
        """Everything that levels tell about `[num_samples, 2]`."""
        timeline = self.place.timeline
        for track in Track:
            yield from self._clipping(track, samples[:, track.channel])
        for supervision in timeline.supervisions:
            yield from self._supervision(supervision, samples[:, supervision.track.channel])
        for event in timeline.events:
            yield from self._overlap(event, samples)
        yield from self._loudness(samples)

    def _on(self, track: Track) -> list[Supervision]:
        return [s for s in self.place.timeline.supervisions if s.track is track]

    def _clipping(self, track: Track, signal: Pcm) -> Iterator[Finding]:
        wide = np.abs(signal.astype(np.int32))
        clipped = [run for run in runs(wide >= FULL_SCALE - 1) if run[1] - run[0] >= 3]
        beyond = np.flatnonzero(wide >= FULL_SCALE)
        if not clipped and not len(beyond):
            return
        if max(sum(end - start for start, end in clipped), len(beyond)) < self.limits.clipped_share * len(
            signal
        ):
            return
        at = clipped[0] if clipped else (int(beyond[0]), int(beyond[0]) + 1)
        detail = (
            f"the {track.value} track has {len(clipped)} runs of 3 or more full-scale samples and {len(beyond)} "
            "samples at 0 dBFS; wanted none: lower the gain"
        )
        yield self.place.finding(Code.CLIPPING, detail, at)

    def _supervision(self, supervision: Supervision, signal: Pcm) -> Iterator[Finding]:
        start, end = supervision.span.start, supervision.span.end
        name = supervision.supervision_id
        heard = signal[start:end]
        active_db = active_level_db(heard, self.place.sampling_rate)
        if active_db < self.limits.speech_dbfs:
            detail = (
                f"{name!r} has {active_db:.1f} dBFS where it speaks, wanted {self.limits.speech_dbfs} or more"
            )
            yield self.place.finding(Code.SILENT_SUPERVISION, detail, (start, end), supervision)
            return
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
        last_db, before_db = level_db(heard[-last:]), level_db(before)
        if last_db > self.limits.speech_dbfs and last_db - before_db > self.limits.fade_db:
            detail = (
                f"{supervision.supervision_id!r} breaks off with {last_db:.1f} dBFS in its last {last} samples and "
                f"{before_db:.1f} before; wanted a fade of {-self.limits.fade_db} dB or more"
            )
            end = supervision.span.end
            yield self.place.finding(Code.TRUNCATION_NOT_FADED, detail, (end - last, end), supervision)

    def _overlap(self, event: Event, samples: Pcm) -> Iterator[Finding]:
        """Both tracks above silence in one 10 ms frame between the onset and the host's end."""
        if not event.type.is_interruption or event.host is None:
            return
        host = self.place.timeline.supervision(event.host)
        incoming = self.place.timeline.supervision(event.supervision_id)
        if host.track is incoming.track:
            return  # heard on one channel, so not separable by measuring
        window = round(self.limits.overlap_window_s * self.place.sampling_rate)
        # An interrupter may open with a word as short as its host's breath: what counts is its whole turn.
        turn = [s.span for s in self.place.timeline.supervisions if s.turn == incoming.turn]
        end = min(host.span.end, turn[-1].end, turn[0].end + window)
        if end - event.onset < self.limits.overlap_least_s * self.place.sampling_rate:
            return
        both = [
            frame_levels_db(samples[event.onset : end, s.track.channel], self.place.sampling_rate)
            > self.limits.silence_dbfs
            for s in (host, incoming)
        ]
        if not np.any(both[0] & both[1]):
            detail = (
                f"{event.type.value}: {incoming.supervision_id!r} and its host {host.supervision_id!r} are not heard "
                "together after its onset; wanted speech on both tracks"
            )
            stretch = (event.onset, max(event.onset, end))
            yield self.place.finding(Code.EVENT_WITHOUT_OVERLAP, detail, stretch, incoming)

    def _loudness(self, samples: Pcm) -> Iterator[Finding]:
        """Per speaker near the microphone, over its own speech: a bystander is meant to be quieter."""
        wanted = self.limits.loudness_lufs
        if wanted is None:
            return
        for speaker in Speaker:
            near = [
                s for s in self.place.timeline.supervisions if s.speaker is speaker and s.distance is None
            ]
            if not near:
                continue
            track = near[0].track
            others = [s for s in self._on(track) if s.speaker is not speaker or s.distance is not None]
            own = mask(near, len(samples)) & ~mask(others, len(samples))
            if not own.any():
                continue
            speech = samples[own, track.channel]
            lufs = integrated_loudness_lufs(speech, self.place.sampling_rate)
            peak_db = 20 * math.log10(max(1.0, float(np.abs(speech.astype(np.int32)).max())) / FULL_SCALE)
            off = lufs - wanted
            if off > self.limits.loudness_tolerance_lu or (
                off < -self.limits.loudness_tolerance_lu and peak_db < self.limits.peak_dbfs
            ):
                detail = (
                    f"{speaker.value} has {lufs:.1f} LUFS on the {track.value} track (peak {peak_db:.1f} dBFS), "
                    f"wanted {wanted} +/- {self.limits.loudness_tolerance_lu} LUFS"
                )
                yield self.place.finding(Code.LOUDNESS_OUT_OF_RANGE, detail)
