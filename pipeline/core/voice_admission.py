"""Whether a voice may be cloned from a recording: its figures and its transcript against what engines need.

    measures + transcript --limits of its use--> problems: each with its figure, what was wanted, and a remedy
                                             '-> doubts: worth a look, refused for none of them

Engines are given 16 kHz or more and 30 s or less, word for word what is said, and of short texts they want short
references; a figure that is out of bounds comes back in everything that is spoken with the voice.
"""

from collections.abc import Iterator

from pydantic import Field

from pipeline.core.speakable import speakable
from pipeline.core.tokens import is_character, words_of
from pipeline.core.voice_measures import VoiceMeasures
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Gender, Language
from pipeline.domain.record import Record


class RecordingLimits(Record):
    """What a recording of one use has to be like."""

    duration_s: tuple[float, float] = (3.0, 30.0)
    sampling_rate: int = 16_000
    """At least: engines hear a voice at 16 kHz or 24 kHz."""
    bandwidth_hz: float = Field(default=5000.0, gt=0)
    """At least: a telephone's band ends at 3.4 kHz, whatever the file's rate."""
    level_dbfs: float = Field(default=-40.0, le=0)
    snr_db: float = 18.0
    """As `measure_voice` tells it: between what clean speech in one breath and noisy speech read as."""
    clipped_share: float = Field(default=0.0005, ge=0)
    silence_s: float = Field(default=1.0, gt=0)
    """At either end: engines learn it, and begin with a pause."""
    han_s: tuple[float, float] = (0.1, 0.5)
    """Shortest and longest time of one Chinese character, on the average; people read at 0.15 to 0.35."""
    word_s: tuple[float, float] = (0.14, 0.9)
    """The same of one English word; people read at 0.25 to 0.5."""
    allowance_s: float = Field(default=0.6, ge=0)
    """Added to the longest time: a pause."""
    longest_transcript: int = 300
    """Characters: what the CosyVoice worker takes."""
    most_words: int | None = None
    """English words and half the Chinese characters; None: as many as there is time for."""


REFERENCE = RecordingLimits()
"""A speaker, or a speaker in a mood."""
SHORT_REFERENCE = RecordingLimits(duration_s=(2.0, 4.0), silence_s=0.5, most_words=6)
"""For backchannels: two or three seconds and six words, else engines speak its end instead of the text."""

USUAL_F0_HZ = {Gender.FEMALE: (145.0, 400.0), Gender.MALE: (60.0, 185.0)}
"""Medians of adults' reading voices lie within it, nearly all of them."""


class VoiceProblem(Record):
    """Why a recording is refused."""

    figure: str
    """What was measured: `snr`, `duration`, `transcript` ..."""
    got: str
    wanted: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.figure}: {self.got}; wanted {self.wanted}; remedy: {self.remedy}"


_ENCODINGS = tuple(
    f"{kind} {bits}" for kind in ("WAV", "WAVEX") for bits in ("PCM_16", "PCM_24", "PCM_32", "FLOAT")
)
"""What every engine reads, and the CosyVoice worker without a library."""


def file_problems(encoding: str, channels: int) -> tuple[VoiceProblem, ...]:
    """What is wrong with the file: nothing is converted here, so that the copy is what was recorded."""
    problems = []
    if encoding not in _ENCODINGS:
        problems.append(
            _problem(
                "encoding",
                encoding,
                "a wav file of 16, 24 or 32 bits or float",
                "ffmpeg -i CLIP -c:a pcm_s24le CLIP.wav, from the best copy that there is",
            )
        )
    if channels != 1:
        problems.append(
            _problem(
                "channels",
                f"{channels} channels",
                "1: engines mix them, and two microphones or two speakers become one voice",
                "ffmpeg -i CLIP -af pan=mono|c0=c0 CLIP.wav, with the channel that is meant",
            )
        )
    return tuple(problems)


def recording_problems(measures: VoiceMeasures, limits: RecordingLimits) -> tuple[VoiceProblem, ...]:
    """What is wrong with the sound; empty where nothing is."""
    if measures.level_dbfs is None:
        return (
            _problem(
                "speech", "nobody is heard", "a person who speaks", "give the recording, not a silent file"
            ),
        )
    return (*_length_problems(measures, limits), *_quality_problems(measures, limits))


def transcript_problems(
    measures: VoiceMeasures, transcript: str, language: Language, limits: RecordingLimits
) -> tuple[VoiceProblem, ...]:
    """What is wrong with the transcript, by itself or beside the recording's length."""
    return (*_text_problems(transcript, language, limits), *_pace_problems(measures, transcript, limits))


def doubts(measures: VoiceMeasures, gender: Gender) -> tuple[str, ...]:
    """What a person should look at: pitch and gender that rarely go together."""
    low, high = USUAL_F0_HZ[gender]
    f0_hz = measures.median_f0_hz
    if f0_hz is None or low <= f0_hz <= high:
        return ()
    return (
        f"median f0 is {f0_hz:.0f} Hz, rare for a {gender.value} voice ({low:.0f} to {high:.0f} Hz): is it one?",
    )


def _length_problems(measures: VoiceMeasures, limits: RecordingLimits) -> Iterator[VoiceProblem]:
    low, high = limits.duration_s
    if not low <= measures.duration_s <= high:
        remedy = (
            "cut it at a pause" if measures.duration_s > high else "give a longer passage of the same speaker"
        )
        yield _problem("duration", f"{measures.duration_s:.2f} s", f"{low:g} to {high:g} s", remedy)
    for name, found_s in (("silence before", measures.lead_s), ("silence after", measures.tail_s)):
        if found_s > limits.silence_s:
            yield _problem(name, f"{found_s:.2f} s", f"{limits.silence_s:g} s or less", "cut it off")


def _quality_problems(measures: VoiceMeasures, limits: RecordingLimits) -> Iterator[VoiceProblem]:
    if measures.sampling_rate < limits.sampling_rate:
        yield _problem(
            "sampling rate",
            f"{measures.sampling_rate} Hz",
            f"{limits.sampling_rate} Hz or more",
            "give the original: a file that is brought to a higher rate has no more in it",
        )
    elif measures.bandwidth_hz is not None and measures.bandwidth_hz < limits.bandwidth_hz:
        yield _problem(
            "bandwidth",
            f"sound up to {measures.bandwidth_hz:.0f} Hz",
            f"{limits.bandwidth_hz:.0f} Hz or more",
            "record it with a microphone, not over a telephone",
        )
    if measures.level_dbfs is not None and measures.level_dbfs < limits.level_dbfs:
        yield _problem(
            "level",
            f"{measures.level_dbfs:.1f} dBFS",
            f"{limits.level_dbfs:.0f} dBFS or more",
            "record it louder",
        )
    if measures.snr_db is not None and measures.snr_db < limits.snr_db:
        yield _problem(
            "noise",
            f"{measures.snr_db:.1f} dB under the speech",
            f"{limits.snr_db:.0f} dB or more",
            "record it in a quieter room, nearer to the microphone",
        )
    if measures.clipped_share > limits.clipped_share:
        yield _problem(
            "clipping",
            f"{measures.clipped_share:.3%} of samples on flat tops",
            f"{limits.clipped_share:.3%} or less",
            "record it again with less gain; making it quieter mends nothing",
        )
    if measures.median_f0_hz is None:
        yield _problem(
            "voice", "no voiced sound", "a voice that is heard", "give speech that is not whispered"
        )


def _text_problems(transcript: str, language: Language, limits: RecordingLimits) -> Iterator[VoiceProblem]:
    words = words_of(transcript)
    if not words:
        yield _problem("transcript", "no word", "what is said, word for word", "write it down")
        return
    if len(transcript) > limits.longest_transcript:
        yield _problem(
            "transcript",
            f"{len(transcript)} characters",
            f"{limits.longest_transcript} or less",
            "cut recording and transcript at a pause",
        )
    if language is Language.ZH and not any(map(is_character, words)):
        yield _problem("transcript", "no Chinese character", "Mandarin", "give the right --language")
        return
    yield from _unspoken(transcript, language)
    if limits.most_words is not None and _short_words(words) > limits.most_words:
        yield _problem(
            "transcript",
            f"{len(words)} words",
            f"{limits.most_words} English words or {2 * limits.most_words} Chinese characters at most",
            "give a shorter one",
        )


def _unspoken(transcript: str, language: Language) -> Iterator[VoiceProblem]:
    """Digits and symbols are no words: engines take the transcript as it is."""
    try:
        spoken = speakable(transcript, language)
    except RecordError as error:
        yield _problem(
            "transcript", error.detail, f"{language.value} words", "write every word as it is said"
        )
        return
    if _plain(spoken) != _plain(transcript):
        yield _problem(
            "transcript",
            f"{transcript[:60]!r}",
            "words as they are said, no digits or symbols",
            f"if it was said so: {spoken[:80]!r}",
        )


def _pace_problems(
    measures: VoiceMeasures, transcript: str, limits: RecordingLimits
) -> Iterator[VoiceProblem]:
    words = words_of(transcript)
    if not words or not measures.spoken_s:
        return
    characters = sum(map(is_character, words))
    others = len(words) - characters
    shortest_s = characters * limits.han_s[0] + others * limits.word_s[0]
    longest_s = characters * limits.han_s[1] + others * limits.word_s[1] + limits.allowance_s
    if not shortest_s <= measures.spoken_s <= longest_s:
        yield _problem(
            "transcript",
            f"{len(words)} words for {measures.spoken_s:.2f} s of speech",
            f"{shortest_s:.2f} to {longest_s:.2f} s for so many",
            "write exactly what is said: engines speak what a transcript holds too little or too much of",
        )


def _short_words(words: tuple[str, ...]) -> float:
    characters = sum(map(is_character, words))
    return len(words) - characters + characters / 2


def _plain(text: str) -> tuple[str, ...]:
    return tuple(word.replace("\u2019", "'").casefold() for word in words_of(text))


def _problem(figure: str, got: str, wanted: str, remedy: str) -> VoiceProblem:
    return VoiceProblem(figure=figure, got=got, wanted=wanted, remedy=remedy)
