"""Every threshold of the event decision tree, under the names of the specification, with where it comes from.

Switchboard stands for 1,155 two-sided conversations (125.5 h) with hand-aligned words.
"""

from typing import Self

from pydantic import Field, model_validator

from pipeline.domain.labels import Language
from pipeline.domain.mining import MinedType
from pipeline.domain.record import Record


class EventLimits(Record):
    """Thresholds of `find_events`. Comparisons are inclusive."""

    ipu_gap_s: float = Field(default=0.20, ge=0)
    """Own gaps up to this belong to the talkspurt around them."""
    min_ipu_s: float = Field(default=0.10, ge=0)
    """Shorter talkspurts are dropped; keeps 99.6 % of backchannels (Switchboard)."""
    min_overlap_s: float = Field(default=0.20, ge=0)
    """Annotators agree within 0.2 s; drops 30 % of the onsets (Switchboard)."""
    max_overlap_s: float = Field(default=5.0, gt=0)
    """18 cases in 125 h (Switchboard)."""
    sim_start_tol_s: float = Field(default=0.20, ge=0)
    """Starts this near are simultaneous ..."""
    joint_silence_s: float = Field(default=0.20, ge=0)
    """... where nobody had spoken for this long."""
    bc_max_dur_s: float = Field(default=1.0, gt=0)
    """Longest backchannel by timing: 97.8 % of them (Switchboard)."""
    bc_max_dur_lexicon_s: float = Field(default=1.5, gt=0)
    """Longest backchannel whose words are in the lexicon."""
    bc_prev_silence_s: float = Field(default=1.0, ge=0)
    """Own silence before a backchannel by timing."""
    bc_next_silence_s: float = Field(default=0.0, ge=0)
    """Own silence after it; asking for any lowers F1 (Switchboard)."""
    bc_before_sim: bool = True
    """Backchannels before simultaneous starts: F1 0.726 -> 0.750 (Switchboard)."""
    incumbent_bc_check: bool = True
    """Whether the incumbent may turn out to be a listener (step 4)."""
    bc_resume_exclude: bool = False
    """Whether a backchannel that leads straight into a turn is none; else it is tagged `precedes_turn`."""
    bc_lexicon: tuple[Language, ...] = (Language.EN,)
    """Languages whose lexicon decides where there are words; timing decides for the others."""
    bc_assessments: bool = False
    """Whether `wow` or `that's true` count as backchannels (the wide sense)."""
    lexicon_max_tokens: int = Field(default=4, ge=1)
    """Words (Chinese: syllables after repeats are collapsed) of a backchannel."""
    window_s: float = Field(default=2.0, gt=0)
    """Before and after: 1.5 to 2.0 s tell best who talks (Switchboard)."""
    before_min_solo_s: float = Field(default=0.5, ge=0)
    """Time alone that makes an incumbent: contamination 7 % -> 1 % (Switchboard)."""
    take_min_solo_s: float = Field(default=0.5, ge=0)
    """Time alone afterwards that holds the floor."""
    terminal_tol_s: float = Field(default=0.5, ge=0)
    """Who starts that near to the incumbent's end only comes early."""
    failed_min_dur_s: float = Field(default=1.0, gt=0)
    """A bid of that length is a substantial one ..."""
    failed_min_words: int = Field(default=3, ge=1)
    """... or one of so many words outside the lexicon's core."""
    third_speaker_s: float = Field(default=0.10, ge=0)
    """Speech of a third speaker in the overlap that makes it one of more than two parties."""
    context_after_s: float = Field(default=1.0, ge=0)
    """What the recording must still hold after the overlap for the floor to be judged."""
    precedes_gap_s: float = Field(default=0.5, ge=0)
    """A backchannel whose speaker goes on within this ..."""
    precedes_length_s: float = Field(default=1.0, ge=0)
    """... for this long is tagged `precedes_turn`."""
    event_snr_min_db: float = 10.0
    """Initiator's level over its noise floor, where it was measured."""
    words_required: bool = False
    """Whether an initiator without a transcript is refused."""

    @model_validator(mode="after")
    def _some_overlap_counts(self) -> Self:
        if self.min_overlap_s > self.max_overlap_s:
            raise ValueError(
                f"event limits: wanted min_overlap_s <= max_overlap_s, got {self.min_overlap_s} and "
                f"{self.max_overlap_s}; lower the first or raise the second, or no overlap counts"
            )
        return self


class SegmentLimits(Record):
    """Thresholds of `find_segments`."""

    require: tuple[MinedType, ...] = (
        MinedType.INTERRUPTION,
        MinedType.FAILED_INTERRUPTION,
        MinedType.BACKCHANNEL,
    )
    """Classes that a segment is cut for."""
    min_events: int = Field(default=1, ge=1)
    """How many of them a segment must hold."""
    min_len_s: float = Field(default=10.0, gt=0)
    target_len_s: float = Field(default=30.0, gt=0)
    max_len_s: float = Field(default=60.0, gt=0)
    pre_context_s: float = Field(default=3.0, ge=0)
    """Between the cut and the anchor; what voice activity projection needs to see."""
    post_context_s: float = Field(default=3.0, ge=0)
    """Between the end of the initiator's talkspurt and the cut."""
    boundary_silence_s: float = Field(default=0.30, gt=0)
    """Joint silence that is cut in; 823 of them per hour (Switchboard) ..."""
    relaxed_boundary_silence_s: float = Field(default=0.20, gt=0)
    """... and what will do where no such pair of cuts fits."""

    @model_validator(mode="after")
    def _some_class_is_cut_for(self) -> Self:
        if all(kind.is_ambiguous for kind in self.require):
            got = ", ".join(self.require) or "none"
            fit = ", ".join(kind for kind in MinedType if not kind.is_ambiguous)
            raise ValueError(
                f"require: wanted one class or more that a segment can be cut for, got {got}; name some among {fit}"
            )
        return self

    @model_validator(mode="after")
    def _context_fits(self) -> Self:
        if self.pre_context_s + self.post_context_s >= self.max_len_s:
            raise ValueError(
                "segment limits: wanted pre_context_s + post_context_s < max_len_s, got "
                f"{self.pre_context_s} + {self.post_context_s} and {self.max_len_s}; ask for less context, or allow "
                "longer segments"
            )
        return self

    @model_validator(mode="after")
    def _relaxed_is_less(self) -> Self:
        if self.relaxed_boundary_silence_s > self.boundary_silence_s:
            raise ValueError(
                "segment limits: wanted relaxed_boundary_silence_s <= boundary_silence_s, got "
                f"{self.relaxed_boundary_silence_s} and {self.boundary_silence_s}; lower the first: it is what will do "
                "where no longer silence fits"
            )
        return self

    @model_validator(mode="after")
    def _lengths_fit(self) -> Self:
        if not self.min_len_s <= self.target_len_s <= self.max_len_s:
            raise ValueError(
                f"segment limits: wanted min_len_s <= target_len_s <= max_len_s, got {self.min_len_s}, "
                f"{self.target_len_s}, {self.max_len_s}"
            )
        return self
