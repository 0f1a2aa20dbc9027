"""What voice activity tells: where each supervision is heard, and what is heard that no record speaks of.

record   |== query ==|            |== answer ==~|
heard      |= = ====|     |==|    |====      ===|===|
           ^onset   ^end  unrecorded   ^words    goes on after it broke off
                                       in silence
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.core.checks.findings import Code, Finding, Limits, Place, Stretch
from pipeline.core.checks.signals import FULL_SCALE, Pcm, level_of, mask, runs
from pipeline.core.hearing import Heard, Runs, heard_samples
from pipeline.core.turntaking import ipus
from pipeline.domain.labels import Track
from pipeline.domain.timeline import Supervision

_CLOSURE_S = 0.1
"""Silence inside a word, as before a stop's burst: the word is heard on both sides of it."""


@dataclass(frozen=True, slots=True)
class SpeechCheck:
    """Runs of speech on one dialogue's tracks (0 user, 1 assistant), held against its record."""

    place: Place
    limits: Limits
    runs: tuple[Runs, Runs]

    def outside(self, samples: Pcm) -> Iterator[Finding]:
        """One finding per stretch between spans of `[num_samples, 2]` that is not digital silence.

        Of recorded talk: that holds speech, as there is no such silence in a room.
        """
        for track in Track:
            signal = samples[:, track.channel]
            spoken = [s for s in self.place.timeline.supervisions if s.track is track]
            for start, end in runs(~mask(spoken, len(signal))):
                sounding = np.flatnonzero(signal[start:end])
                if len(sounding):
                    peak_db = level_of(int(np.abs(signal[start:end].astype(np.int32)).max()) / FULL_SCALE)
                    stretch = (start + int(sounding[0]), start + int(sounding[-1]) + 1)
                    what = f"{len(sounding)} non-zero samples, peak {peak_db:.1f} dBFS, on the {track.value} track"
                    yield from self._outside(track, stretch, start, what)

    def _outside(self, track: Track, stretch: Stretch, border: int, what: str) -> Iterator[Finding]:
        heard_s = heard_samples(self.runs[track.channel], *stretch) / self.place.sampling_rate
        if not self.limits.silence_outside:
            if heard_s >= self.limits.unrecorded_s:
                yield self._unrecorded(heard_s, what, stretch)
            return
        broken = self._broken_off_at(track, border)
        if broken and stretch[0] - border < self.limits.edge_s * self.place.sampling_rate:
            detail = f"{what} right after {broken.supervision_id!r} broke off; wanted silence from its end on"
            yield self.place.finding(Code.SPEECH_AFTER_TRUNCATION, detail, stretch, broken)
        elif heard_s >= self.limits.unrecorded_s:
            yield self._unrecorded(heard_s, what, stretch)
        else:
            yield self.place.finding(Code.SOUND_OUTSIDE_SPANS, f"{what}, where nobody speaks", stretch)

    def _unrecorded(self, heard_s: float, what: str, stretch: Stretch) -> Finding:
        detail = f"{heard_s:.2f} s of speech where no supervision is recorded: {what}"
        return self.place.finding(Code.UNRECORDED_SPEECH, detail, stretch)

    def _broken_off_at(self, track: Track, sample: int) -> Supervision | None:
        """Who is truncated there, or yields without being truncated."""
        timeline = self.place.timeline
        yielding = {e.host for e in timeline.events if e.effect.takes_floor}
        for s in timeline.supervisions:
            if s.track is track and s.span.end == sample and (s.truncated or s.supervision_id in yielding):
                return s
        return None

    def supervision(self, heard: Heard) -> Iterator[Finding]:
        """Not heard, heard too early or late, or silent where words are recorded."""
        one = heard.supervision
        if not heard.audible:
            detail = f"no speech is heard where {one.supervision_id!r} is recorded"
            yield self.place.finding(Code.SILENT_SUPERVISION, detail, (one.span.start, one.span.end), one)
            return
        for code, at, wanted in (
            (Code.ONSET_OFF, heard.onset, one.span.start),
            (Code.END_OFF, heard.end, one.span.end),
        ):
            off_s = 0.0 if at is None else (at - wanted) / self.place.sampling_rate
            if at is not None and abs(off_s) > self.limits.edge_s:
                what = "begin" if code is Code.ONSET_OFF else "end"
                detail = (
                    f"{one.supervision_id!r} is heard to {what} {off_s * 1000:+.0f} ms off its record, "
                    f"wanted within {self.limits.edge_s * 1000:.0f} ms"
                )
                yield self.place.finding(code, detail, (min(at, wanted), max(at, wanted)), one)
        yield from self._words(heard)

    def _words(self, heard: Heard) -> Iterator[Finding]:
        """One finding per row of words of which next to nothing is heard, between onset and end."""
        one = heard.supervision
        closure = round(_CLOSURE_S * self.place.sampling_rate)
        bridged = ipus(self.runs[one.track.channel], closure)
        onset, end = heard.onset or one.span.start, heard.end or one.span.end
        silent = [
            max(word.span.start, onset) < min(word.span.end, end)
            and heard_samples(bridged, word.span.start, word.span.end)
            < self.limits.word_share * len(word.span)
            for word in one.words
        ]
        for first, beyond in runs(np.asarray(silent)):
            lost = one.words[first:beyond]
            named = " ".join(word.text for word in lost)
            detail = f"{named!r} of {one.supervision_id!r} lies in silence; wanted speech where words are"
            stretch = (lost[0].span.start, lost[-1].span.end)
            if stretch[1] - stretch[0] < self.limits.silent_words_s * self.place.sampling_rate:
                continue
            yield self.place.finding(Code.WORDS_IN_SILENCE, detail, stretch, one)
