"""What a check finds, and where a measurement becomes a finding."""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.domain.record import Record
from pipeline.domain.timeline import Supervision, Timeline

Stretch = tuple[int, int]
"""Half-open, in samples."""


class Code(StrEnum):
    """What can be wrong with a dialogue or a dataset."""

    MISSING_AUDIO = "missing_audio"
    """Found by whoever opens the file: nothing there, or nothing that can be decoded."""
    TRUNCATED_FILE = "truncated_file"
    """Fewer bytes than when it was written, and fewer samples in them, or none that can be decoded."""
    AUDIO_CHANGED = "audio_changed"
    """Not the bytes that were written: what was changed shows in other findings, or in nothing else (speech
    played backwards has its levels, onsets and ends where they were)."""
    LENGTH_MISMATCH = "length_mismatch"
    RATE_MISMATCH = "rate_mismatch"
    CHANNEL_COUNT = "channel_count"
    TRACKS_SWAPPED = "tracks_swapped"
    SOUND_OUTSIDE_SPANS = "sound_outside_spans"
    """Anything but digital silence where nobody speaks."""
    UNRECORDED_SPEECH = "unrecorded_speech"
    """The same, and it is speech."""
    SPEECH_AFTER_TRUNCATION = "speech_after_truncation"
    """A speaker who breaks off, or yields, and goes on."""
    SILENT_SUPERVISION = "silent_supervision"
    ONSET_OFF = "onset_off"
    END_OFF = "end_off"
    TRUNCATION_NOT_FADED = "truncation_not_faded"
    WORDS_OUTSIDE = "words_outside"
    """In the record: out of order, or outside of their supervision."""
    WORDS_IN_SILENCE = "words_in_silence"
    """In the audio: nobody is heard where they are said to be spoken."""
    CLIPPING = "clipping"
    EVENT_WITHOUT_OVERLAP = "event_without_overlap"
    LOUDNESS_OUT_OF_RANGE = "loudness_out_of_range"
    DUPLICATE_DIALOGUE_ID = "duplicate_dialogue_id"
    DUPLICATE_AUDIO = "duplicate_audio"
    DUPLICATE_TEXT = "duplicate_text"
    NEAR_DUPLICATE_DIALOGUES = "near_duplicate_dialogues"
    """Most of what is said in one is said in the other."""
    VOICE_IN_TWO_SPLITS = "voice_in_two_splits"
    SEED_IN_TWO_SPLITS = "seed_in_two_splits"
    EDGES_IMPRECISE = "edges_imprecise"
    """Of the dataset: too many onsets or ends are too far off."""
    OVERLAP_RATIO_OFF = "overlap_ratio_off"
    """Of the dataset: what is heard together is not what the records say."""


class Finding(Record):
    """One fault: what, in which dialogue, where in it, and what was found and wanted, for a person."""

    code: Code
    dialogue_id: str | None
    """None: a fault of the dataset as a whole."""
    supervision_id: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    detail: str


class Limits(Record):
    """Where a measurement becomes a finding.

    As they are, of generated dialogues, which promise silence where nobody speaks; `RECORDED` is of recorded talk.
    """

    speech_dbfs: float = -50.0
    """A supervision whose active part is quieter is silent."""
    silence_dbfs: float = -60.0
    """A moment of an overlap that is quieter holds no speech."""
    edge_s: float = 0.12
    """Clips are trimmed: speech is heard to begin and end within so long of its span's borders."""
    edges_p95_s: float = 0.04
    """Of all onsets, and of all ends, 95 in 100 are so near."""
    unrecorded_s: float = 0.12
    """So much speech where nobody speaks is speech, and no noise."""
    word_share: float = 0.1
    """A word of which less is heard lies in silence."""
    silent_words_s: float = 0.0
    """Words in silence of so long and more together are a finding."""
    silence_outside: bool = True
    """Nothing sounds where nobody speaks, and a track holds nobody else. Else there is a room on both tracks."""
    clipped_share: float = 0.0
    """Of a track's samples, so many may be at full scale in a row."""
    overlap_ratio: float = 0.01
    """Measured and recorded overlap ratio of the dataset differ by no more."""
    fade_db: float = -18.0
    """Last tenth of a truncated supervision's fade against as much as a whole fade before it: a linear fade
    has -20 dB, half a cosine -35 dB, speech that just stops some 0 dB."""
    loudness_lufs: float | None = -23.0
    """None: nobody promised any."""
    loudness_tolerance_lu: float = 2.0
    peak_dbfs: float = -3.2
    """A speaker too quiet for the target is all right where its peaks reach this: turned up, it would clip."""
    overlap_window_s: float = 0.5
    """Both must be heard together within so long of an interruption's onset ..."""
    overlap_least_s: float = 0.02
    """... where the record has them together for so long: less is lost in the 5 ms that a clip leads in with."""


RECORDED = Limits(
    speech_dbfs=-60.0,
    silence_dbfs=-70.0,
    edge_s=0.25,
    edges_p95_s=0.2,
    unrecorded_s=0.5,
    silent_words_s=0.5,
    silence_outside=False,
    clipped_share=0.001,
    overlap_ratio=0.05,
    loudness_lufs=None,
)
"""Of talk that was recorded, not made: annotators agree on its onsets within 0.2 s (TurnBench), so nothing is asked to
be nearer; a cough is no speech; levels are what they are, and clipping is what mining lets pass."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where findings of one dialogue are: turns samples into seconds."""

    timeline: Timeline
    sampling_rate: int

    def finding(
        self, code: Code, detail: str, stretch: Stretch | None = None, supervision: Supervision | None = None
    ) -> Finding:
        """A finding in this dialogue."""
        start, end = stretch or (None, None)
        return Finding(
            code=code,
            dialogue_id=self.timeline.dialogue_id,
            supervision_id=supervision.supervision_id if supervision else None,
            start_s=None if start is None else round(start / self.sampling_rate, 6),
            end_s=None if end is None else round(end / self.sampling_rate, 6),
            detail=detail,
        )
