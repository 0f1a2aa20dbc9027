"""What is found in real recordings: speech by speaker, events, segments, and why anything was left out.

Recording -> Activity (cached) -> candidates -> MinedEvent -> Segment
                                     every one of them an AuditRow
"""

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.domain.labels import Language, Split
from pipeline.domain.record import Record
from pipeline.domain.span import Span

Mode = Literal["given_words", "given_rttm", "two_channel", "mono_diarized"]
"""Where it is known from who speaks when."""


class MinedType(StrEnum):
    """Classes of the event decision tree (closed set)."""

    INTERRUPTION = "interruption"
    FAILED_INTERRUPTION = "failed_interruption"
    BACKCHANNEL = "backchannel"
    GAP_BACKCHANNEL = "gap_backchannel"
    TERMINAL_OVERLAP = "terminal_overlap"
    SIMULTANEOUS_START = "simultaneous_start"
    RESUME_OVER_BACKCHANNEL = "resume_over_backchannel"
    SHORT_INCURSION = "short_incursion"
    NO_INCUMBENT_FLOOR = "no_incumbent_floor"
    UNDECIDED = "undecided"
    MULTIPARTY_OVERLAP = "multiparty_overlap"

    @property
    def is_ambiguous(self) -> bool:
        """Audited, never an anchor of a segment: what was meant cannot be told."""
        return self in (MinedType.NO_INCUMBENT_FLOOR, MinedType.SHORT_INCURSION, MinedType.UNDECIDED)


class RejectCode(StrEnum):
    """Why an event, a segment or a recording was left out."""

    # events
    OVERLAP_TOO_SHORT = "overlap_too_short"
    OVERLAP_TOO_LONG = "overlap_too_long"
    EVENT_AMBIGUOUS = "event_ambiguous"
    TIMBRE_CONFLICT = "timbre_conflict"
    TIMBRE_ABSTAIN = "timbre_abstain"
    WINDOW_TOO_SHORT = "window_too_short"
    CONTEXT_MISSING = "context_missing"
    LAUGHTER_ONLY = "laughter_only"
    NONSPEECH = "nonspeech"
    TRANSCRIPT_MISSING = "transcript_missing"
    # segments
    NO_BOUNDARY_SILENCE = "no_boundary_silence"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    EXTRA_SPEAKER = "extra_speaker"
    LOW_SNR = "low_snr"
    CLIPPING = "clipping"
    LOW_BANDWIDTH = "low_bandwidth"
    TOO_FEW_EVENTS = "too_few_events"
    # recordings
    ONE_SPEAKER = "one_speaker"
    DIARIZATION_UNRELIABLE = "diarization_unreliable"
    DUPLICATE_CHANNEL = "duplicate_channel"
    CROSSTALK = "crosstalk"
    CHANNEL_SWAP_SUSPECT = "channel_swap_suspect"
    CHANNELS_UNRELATED = "channels_unrelated"
    CHANNEL_COUNT = "channel_count"
    """More than two channels, or one and nobody to tell its speakers apart."""
    RIGHTS = "rights"
    IO_ERROR = "io_error"
    BACKEND_FAILED = "backend_failed"
    """The diarizer failed at this one; the next call asks it again."""

    @property
    def is_error(self) -> bool:
        """Whether nothing is known of the recording, instead of something against it."""
        return self in (RejectCode.IO_ERROR, RejectCode.BACKEND_FAILED)


class Rights(Record):
    """What may be done with a corpus. Copied onto every segment; a recording without one is refused."""

    corpus: str
    corpus_version: str | None = None
    licence_id: str
    redistribution_allowed: bool = False
    commercial_allowed: bool = False
    derivative_allowed: bool = False
    """Transcripts are copied only where it is."""
    biometric_processing_allowed: bool = False
    """Speaker embeddings are made only where it is."""
    manifest_publishable: bool = False
    consent_basis: str = Field(min_length=1)
    """`corpus-terms`, `recorded-consent` ..."""
    attribution: str = ""


class Recording(Record):
    """One conversation to be mined, as its declaration names it. Paths are relative to the declaration."""

    recording_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")
    audio: tuple[str, ...]
    """One file (one or two channels), or two files of one channel each; empty where only words or RTTM are."""
    rttm: str | None = None
    words: str | None = None
    """A file with word times."""
    speakers: tuple[str, ...] = ()
    """Names by channel; A and B where none are given."""
    language: Language | None = None
    split: Split | None = None
    dyadic: bool = True
    """Whether there are known to be two speakers."""
    rights: Rights


class TimedWord(Record):
    """A word of a transcript, in samples of the recording's clock."""

    text: str
    span: Span


class SpeakerActivity(Record):
    """When one speaker is active, after post-processing: talkspurts by start, disjoint, in samples."""

    speaker: str
    channel: int | None
    talkspurts: tuple[Span, ...]
    words: tuple[TimedWord, ...] = ()


class RecordedActivity(Record):
    """Who speaks when in one recording: all that the events need, and what is cached."""

    recording_id: str
    sampling_rate: int = Field(gt=0)
    num_samples: int = Field(gt=0)
    mode: Mode
    speakers: tuple[SpeakerActivity, ...] = Field(min_length=1)
    bleed_db: tuple[float, ...] = ()
    """Per channel: the level at which the other side is heard in it, relative to its own channel."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for speaker in self.speakers:
            before = 0
            for span in speaker.talkspurts:
                if span.start < before or span.end > self.num_samples:
                    raise ValueError(
                        f"{self.recording_id}/{speaker.speaker}: talkspurts must be ordered, disjoint and inside"
                    )
                before = span.end
        return self


class Margin(Record):
    """One test on an event's way through the tree: how far the value was from its threshold."""

    test: str
    value: float
    threshold: float


class TimbreVotes(Record):
    """Whose voice follows the overlap: three votes, each `same` (the incumbent's), `changed` or abstaining."""

    label: Literal["same", "changed"] | None
    local: Literal["same", "changed"] | None
    embed: Literal["same", "changed"] | None
    cos_before_after: float | None
    margin: float | None
    win_before_s: float | None = None
    """Speech that the voice before was told from; None where voices were not asked."""
    win_after_s: float | None = None
    model: str | None


class EventContext(Record):
    """What was measured around an event, for its row in `segments.jsonl`. None: nothing there to measure."""

    incumbent_solo_before_s: float
    """Alone in the window before the onset."""
    initiator_solo_before_s: float
    incumbent_solo_after_s: float
    """Alone in the window after the overlap."""
    initiator_solo_after_s: float
    fto_s: float
    """Onset minus the incumbent's end; negative where they overlap."""
    prev_own_silence_s: float | None
    next_own_silence_s: float | None
    incumbent_prev_silence_s: float | None
    joint_silence_before_s: float | None
    lexicon_match: bool | None = None
    """Whether the initiator's words are a listener's; None where no lexicon was asked."""
    lexicon_verified: bool | None = None


class MinedEvent(Record):
    """One candidate that was given a class. Times in samples of the recording's clock."""

    event_id: str
    type: MinedType
    initiator: str
    incumbent: str
    onset: int = Field(ge=0)
    overlap: Span | None
    """None for a backchannel in a gap; one that is too short to count is still there."""
    initiator_span: Span
    incumbent_span: Span
    rule: str
    """Number of the step that decided; `gap` for a backchannel in a silence; `7u` where an incomplete incumbent
    made a terminal overlap an interruption."""
    confidence: float = Field(ge=0, le=1)
    margins: tuple[Margin, ...]
    """The two smallest."""
    tags: tuple[str, ...] = ()
    incumbent_complete: Literal["yes", "no", "unknown"] = "unknown"
    timbre: TimbreVotes | None = None
    context: EventContext | None = None


class Segment(Record):
    """A stretch of a recording that is worth keeping, with every event whose onset is inside."""

    segment_id: str
    recording_id: str
    span: Span
    sampling_rate: int = Field(gt=0)
    mode: Mode
    events: tuple[MinedEvent, ...] = Field(min_length=1)
    anchors: tuple[str, ...] = Field(min_length=1)
    """Ids of the events that it was cut for."""
    boundary_silence_s: tuple[float, float]


class AuditValue(Record):
    """A value that was tested and what it was tested against."""

    code: RejectCode
    value: float | None
    threshold: float | None


class AuditRow(Record):
    """A line of `audit.jsonl`: one candidate, accepted or not, with every reason, the first failing one first."""

    candidate_id: str
    level: Literal["event", "segment", "recording"]
    recording_id: str
    start_s: float
    end_s: float
    proposed_type: str
    decision: Literal["accept", "reject", "ambiguous"]
    reasons: tuple[RejectCode, ...]
    values: tuple[AuditValue, ...]
    rule: str | None
    confidence: float | None
