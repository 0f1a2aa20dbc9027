"""Who speaks when, from files that say so: RTTM, or a transcript that times words or turns."""

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pipeline.domain.errors import ConfigError
from pipeline.domain.mining import RecordedActivity, Recording, SpeakerActivity, TimedWord
from pipeline.domain.span import Span
from pipeline.io.recordings.alignment import aligning_transcript
from pipeline.io.recordings.audio import AudioSource, UnreadableAudioError
from pipeline.io.recordings.transcripts.spoken import SpeakerWords, SpokenWord
from pipeline.io.recordings.words import Transcript, read_transcript, transcript_files
from pipeline.io.rttm import RTTM_SAMPLING_RATE, read_rttm

_PAST_THE_END_S = 1.0
"""Transcripts round their last times up; so far they may run over."""


@dataclass(frozen=True, slots=True)
class Speech:
    """One speaker's talkspurts, by start and disjoint, and words."""

    talkspurts: tuple[Span, ...]
    words: tuple[TimedWord, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenSpeech:
    """Stretches and words per speaker, in seconds."""

    mode: Literal["given_words", "given_rttm"]
    stretches: tuple[tuple[str, tuple[tuple[Decimal, Decimal], ...]], ...]
    words: tuple[tuple[str, tuple[SpokenWord, ...]], ...] = ()
    by_channel: tuple[str, ...] = ()
    """Who is on which of two channels, where that is known."""

    sampling_rate = RTTM_SAMPLING_RATE
    """Of the clock where there is no audio to take one from."""

    @property
    def num_samples(self) -> int:
        """Up to the last end, on that clock."""
        ends = (end for _, spans in self.stretches for _, end in spans)
        return round(max(ends, default=Decimal(0)) * self.sampling_rate)

    def at(self, sampling_rate: int) -> tuple[tuple[str, Speech], ...]:
        """Speech per speaker on a clock."""
        words = dict(self.words)
        return tuple(
            (name, Speech(_spans(spans, sampling_rate), _timed(words.get(name, ()), sampling_rate)))
            for name, spans in self.stretches
        )


def files_of(recording: Recording, base: Path) -> tuple[Path, ...]:
    """Every file that what is heard of a recording depends on, named by it or not, whether it exists or not."""
    audio = tuple(base / name for name in recording.audio)
    aligned_by = aligning_transcript(audio)
    rttm = () if recording.rttm is None else (base / recording.rttm,)
    words = () if recording.words is None else transcript_files(base / recording.words)
    return tuple(dict.fromkeys((*audio, *((aligned_by,) if aligned_by else ()), *rttm, *words)))


class UnusableRecording(Recording):
    """One whose corpus lacks something that it needs: a file, or who is on which channel."""

    problem: str


def read_given(recording: Recording, base: Path) -> GivenSpeech | None:
    """Words if the recording has some, else RTTM, else None.

    Raises UnreadableAudioError where the file cannot be read or says nothing about this recording, or the recording
    cannot be used at all.
    """
    if isinstance(recording, UnusableRecording):
        raise UnreadableAudioError(recording.problem)
    try:
        if recording.words is not None:
            return _from_transcript(read_transcript(base / recording.words), recording.speakers)
        if recording.rttm is not None:
            given = _from_rttm(base / recording.rttm, recording.recording_id)
            return replace(given, by_channel=recording.speakers if len(recording.speakers) == 2 else ())
    except ConfigError as error:
        raise UnreadableAudioError(str(error)) from error
    return None


def as_given(spoken: SpeakerWords) -> GivenSpeech:
    """Whoever says a word speaks as long as it lasts."""
    stretches = tuple((name, tuple((word.start_s, word.end_s) for word in words)) for name, words in spoken)
    return GivenSpeech("given_words", stretches, spoken)


def _from_transcript(transcript: Transcript, speakers: tuple[str, ...]) -> GivenSpeech:
    """Speakers that a corpus calls by their channels (A and B) get the names that the recording gives the channels.

    Turns are stretches like those of RTTM: of none of their words it is known when it was said.
    """
    named = len(speakers) == len(set(speakers)) == 2
    names = dict(zip(transcript.sides, speakers, strict=True)) if transcript.sides and named else {}
    given = as_given(tuple((names.get(name, name), words) for name, words in transcript.spoken))
    given = replace(given, by_channel=speakers if named else transcript.sides)
    return given if transcript.timed == "words" else replace(given, mode="given_rttm", words=())


def given_activity(recording_id: str, given: GivenSpeech, source: AudioSource | None) -> RecordedActivity:
    """Speech as it is given, on the clock of the audio where there is any, cut where that ends.

    Raises UnreadableAudioError where nobody says anything, or where so much lies past the end that it must be of
    another recording.
    """
    rate = given.sampling_rate if source is None else source.sampling_rate
    total = given.num_samples if source is None else source.num_samples
    if not total:
        raise UnreadableAudioError(f"{recording_id}: its words or RTTM hold no speech")
    end_s = given.num_samples / given.sampling_rate
    if end_s > total / rate + _PAST_THE_END_S:
        what = "words" if given.mode == "given_words" else "turns or RTTM"
        raise UnreadableAudioError(
            f"{recording_id}: its {what} end at {end_s:.3f} s, its audio at {total / rate:.3f} s; wanted no more than "
            f"{_PAST_THE_END_S:g} s past the end; name those of this recording, or audio that was not cut off"
        )
    inside = Span(0, total)
    by_channel = given.by_channel if source is not None and source.channels == 2 else ()
    speakers = []
    for name, speech in given.at(rate):
        spurts = tuple(part for span in speech.talkspurts if (part := span.overlap(inside)))
        words = tuple(word for word in speech.words if inside.covers(word.span))
        channel = by_channel.index(name) if name in by_channel else None
        speakers.append(SpeakerActivity(speaker=name, channel=channel, talkspurts=spurts, words=words))
    return RecordedActivity(
        recording_id=recording_id,
        sampling_rate=rate,
        num_samples=total,
        mode=given.mode,
        speakers=tuple(speakers),
    )


def _from_rttm(path: Path, recording_id: str) -> GivenSpeech:
    found = read_rttm(path)
    if found.refusals:
        first = found.refusals[0]
        raise UnreadableAudioError(f"{first.record_id}: {first.detail}; correct the line, or take it out")
    names = {recording_id, recording_id.rpartition(":")[2]}
    fitting = [r for r in found.recordings if r.uri in names or len(found.recordings) == 1]
    if not fitting:
        known = ", ".join(r.uri for r in found.recordings[:5]) or "none"
        raise UnreadableAudioError(f"{path}: nothing about {recording_id}; recordings in the file: {known}")
    rate = Decimal(RTTM_SAMPLING_RATE)
    one = fitting[0]
    return GivenSpeech(
        "given_rttm",
        tuple(
            (name, tuple((span.start / rate, span.end / rate) for span in spans))
            for name, spans in zip(one.speakers, one.activity.speakers, strict=True)
        ),
    )


def _spans(stretches: tuple[tuple[Decimal, Decimal], ...], rate: int) -> tuple[Span, ...]:
    """Disjoint: stretches that overlap or touch are one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((round(start * rate), round(end * rate)) for start, end in stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return tuple(Span(start, end) for start, end in merged)


def _timed(words: tuple[SpokenWord, ...], rate: int) -> tuple[TimedWord, ...]:
    """Words that last for a sample at least, by start."""
    samples = ((round(word.start_s * rate), round(word.end_s * rate), word.text) for word in words)
    return tuple(TimedWord(text=text, span=Span(a, b)) for a, b, text in sorted(samples) if b > a)
