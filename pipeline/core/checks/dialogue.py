"""One dialogue: its record, held against its audio by levels and by voice activity."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.core.checks.bleed import without_bleed
from pipeline.core.checks.findings import Code, Finding, Limits, Place
from pipeline.core.checks.signals import Pcm, level_db, mask
from pipeline.core.checks.sound import SoundCheck
from pipeline.core.checks.speech import SpeechCheck
from pipeline.core.hearing import Runs, hear
from pipeline.core.turntaking import IPU_SILENCE_S, TalkTimes, activity_of, talk_times
from pipeline.core.vad import detect_speech
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Track
from pipeline.domain.span import Span, to_samples
from pipeline.domain.timeline import AudioFile, Dialogue

_EXPLAINS_EDGES = frozenset({Code.SILENT_SUPERVISION, Code.SPEECH_AFTER_TRUNCATION})
"""Where one of these was found, an onset or end that is off is no news."""

_LOUDER_DB = 6.0
"""In recorded talk both channels hear everybody: they are swapped where each side is louder on the other's."""

Detect = Callable[[Pcm, int], tuple[Span, ...]]
"""Runs of speech in one channel at its rate, without padding and with every silence kept."""


def detect_runs(samples: Pcm, sampling_rate: int) -> tuple[Span, ...]:
    """The embedded detector."""
    return detect_speech(samples, sampling_rate, min_silence_s=0.0)


@dataclass(frozen=True, slots=True)
class DialogueCheck:
    """What was measured in one dialogue."""

    findings: tuple[Finding, ...]
    onset_errors_s: tuple[float, ...] = ()
    """Heard minus recorded, of every supervision whose onset can be told."""
    end_errors_s: tuple[float, ...] = ()
    recorded: TalkTimes | None = None
    """Speech and overlap by the record's words; None where they, or the audio, cannot be measured."""
    heard: TalkTimes | None = None
    """The same by voice activity, merged to IPUs likewise."""


def check_dialogue(
    dialogue: Dialogue,
    samples: Pcm,
    sampling_rate: int,
    limits: Limits | None = None,
    detect: Detect = detect_runs,
) -> tuple[Finding, ...]:
    """Everything that is wrong with one dialogue and its audio `[num_samples, 2]` int16; empty if nothing."""
    return measure_dialogue(dialogue, samples, sampling_rate, limits, detect).findings


def measure_dialogue(
    dialogue: Dialogue,
    samples: Pcm,
    sampling_rate: int,
    limits: Limits | None = None,
    detect: Detect = detect_runs,
) -> DialogueCheck:
    """`check_dialogue`, with what was measured on the way.

    Swapped tracks are one finding, not one per span: the rest is then measured on the tracks put right.
    """
    limits = limits or Limits()
    if samples.dtype != np.int16:
        raise ConfigError(f"check: wanted int16 samples, got {samples.dtype}; read the file as PCM16")
    place = Place(dialogue.timeline, sampling_rate)
    findings = list(_words(place))
    words_are_sound = not findings
    misfit = _misfit(place, dialogue.audio, samples)
    if misfit is not None:
        return DialogueCheck((*findings, misfit))
    findings.extend(_length(place, dialogue.audio, samples))
    if _swapped(place, samples, limits):
        detail = "speech is on the other channel throughout; wanted channel 0 user, channel 1 assistant"
        findings.append(place.finding(Code.TRACKS_SWAPPED, detail))
        samples = samples[:, ::-1]
    runs = _runs(samples, sampling_rate, limits, detect)
    speech = SpeechCheck(place, limits, runs)
    findings.extend(speech.outside(samples))
    findings.extend(SoundCheck(place, limits).findings(samples))
    explained = {f.supervision_id for f in findings if f.code in _EXPLAINS_EDGES}
    heard = hear(place.timeline, runs)
    for one in heard:
        if one.supervision.supervision_id not in explained:
            findings.extend(speech.supervision(one))
    return DialogueCheck(
        findings=tuple(findings),
        onset_errors_s=tuple(
            (one.onset - one.supervision.span.start) / sampling_rate for one in heard if one.onset is not None
        ),
        end_errors_s=tuple(
            (one.end - one.supervision.span.end) / sampling_rate for one in heard if one.end is not None
        ),
        recorded=talk_times(activity_of(place.timeline).ipus()) if words_are_sound else None,
        heard=talk_times(runs, to_samples(IPU_SILENCE_S, sampling_rate)),
    )


def _runs(samples: Pcm, sampling_rate: int, limits: Limits, detect: Detect) -> tuple[Runs, Runs]:
    """Speech by track; in recorded talk without the other side's, which each microphone hears too."""
    user, assistant = (detect(np.ascontiguousarray(samples[:, t.channel]), sampling_rate) for t in Track)
    if limits.silence_outside:
        return user, assistant
    return without_bleed((user, assistant), samples, sampling_rate)


def _misfit(place: Place, audio: AudioFile, samples: Pcm) -> Finding | None:
    """What makes every other measurement meaningless."""
    channels = samples.shape[1] if samples.ndim == 2 else samples.ndim
    if channels != 2 or samples.ndim != 2:
        detail = f"the audio has {channels} channel(s), wanted 2: user, assistant"
        return place.finding(Code.CHANNEL_COUNT, detail)
    rate = place.sampling_rate
    if {rate} != {place.timeline.sampling_rate, audio.sampling_rate}:
        said = f"{place.timeline.sampling_rate} Hz (timeline), {audio.sampling_rate} Hz (audio record)"
        return place.finding(Code.RATE_MISMATCH, f"the audio has {rate} Hz, the record says {said}")
    return None


def _length(place: Place, audio: AudioFile, samples: Pcm) -> Iterator[Finding]:
    if {len(samples)} != {place.timeline.num_samples, audio.num_samples}:
        said = f"{place.timeline.num_samples} (timeline), {audio.num_samples} (audio record)"
        detail = f"the audio has {len(samples)} samples, the record says {said}"
        yield place.finding(Code.LENGTH_MISMATCH, detail)


def _swapped(place: Place, samples: Pcm, limits: Limits) -> bool:
    """Each channel is heard only while the other one should be, where only one of them should be."""
    on_track = [[s for s in place.timeline.supervisions if s.track is track] for track in Track]
    spoken = [mask(supervisions, len(samples)) for supervisions in on_track]
    levels = []
    for mine, other in ((0, 1), (1, 0)):
        alone = spoken[mine] & ~spoken[other]
        if alone.any():
            levels.append((level_db(samples[alone, mine]), level_db(samples[alone, other])))
    if not limits.silence_outside:
        return bool(levels) and all(here < there - _LOUDER_DB for here, there in levels)
    return bool(levels) and all(here < limits.speech_dbfs < there for here, there in levels)


def _words(place: Place) -> Iterator[Finding]:
    """Words out of order or outside of their supervision: a fault of the record alone."""
    for supervision in place.timeline.supervisions:
        position, end = supervision.span.start, supervision.span.end
        for word in supervision.words:
            at = (word.span.start, word.span.end)
            if not position <= at[0] < at[1] <= end:
                detail = (
                    f"word {word.text!r} of {supervision.supervision_id!r} is at samples {at[0]}-{at[1]}, wanted "
                    f"inside {position}-{end}: after the word before it, before the supervision's end"
                )
                yield place.finding(Code.WORDS_OUTSIDE, detail, at, supervision)
            position = max(position, word.span.end)
