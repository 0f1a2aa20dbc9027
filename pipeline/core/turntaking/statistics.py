"""What a conversation, or a thousand, sounds like in figures: the quantities of `turntaking-reference/1`."""

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum

import numpy as np
from pydantic import Field

from pipeline.domain.errors import ConfigError
from pipeline.domain.record import Record


class Quantity(StrEnum):
    """Samples that are collected, under the names of the reference's distributions.

    The last three have rates but no table there. Those of backchannels and turns are collected only where
    somebody said which words are backchannels.
    """

    FTO = "fto"
    FTO_TURN_TO_TURN = "fto_turn_to_turn"
    FTO_INTO_BACKCHANNEL = "fto_into_backchannel"
    FTO_OUT_OF_BACKCHANNEL = "fto_out_of_backchannel"
    GAP = "gap"
    OVERLAP_BETWEEN = "overlap_between"
    OVERLAP_WITHIN = "overlap_within"
    PAUSE = "pause"
    IPU_DURATION = "ipu_duration"
    IPU_DURATION_NO_BACKCHANNEL = "ipu_duration_no_backchannel"
    TURN_DURATION = "turn_duration"
    BACKCHANNEL_DURATION = "backchannel_duration"
    BACKCHANNEL_STANDALONE_DURATION = "backchannel_standalone_duration"
    BACKCHANNEL_ONSET_IN_PARTNER_IPU = "backchannel_onset_in_partner_ipu"
    BACKCHANNEL_ONSET_FRACTION_OF_PARTNER_IPU = "backchannel_onset_fraction_of_partner_ipu"
    BACKCHANNEL_SINCE_PARTNER_WORD_END = "backchannel_since_partner_word_end"
    INTERRUPTION_OVERLAP = "interruption_overlap"
    INTERRUPTION_CONTINUATION = "interruption_continuation"
    TERMINAL_OVERLAP_OVERLAP = "terminal_overlap_overlap"
    TERMINAL_OVERLAP_CONTINUATION = "terminal_overlap_continuation"
    FLOOR_TAKING_CONTINUATION = "floor_taking_continuation"
    INTERRUPTION_ONSET_IN_IPU = "interruption_onset_in_ipu"
    INTERRUPTION_ONSET_FRACTION_OF_IPU = "interruption_onset_fraction_of_ipu"
    INTERRUPTION_ONSET_IN_TURN = "interruption_onset_in_turn"
    INTERRUPTION_ONSET_FRACTION_OF_TURN = "interruption_onset_fraction_of_turn"
    FAILED_INTERRUPTION_DURATION = "failed_interruption_duration"
    FAILED_INTERRUPTION_OVERLAP = "failed_interruption_overlap"
    SIMULTANEOUS_START_OVERLAP = "simultaneous_start_overlap"
    TIMING_BACKCHANNEL_OVERLAP = "timing_backchannel_overlap"
    SHORT_INCURSION_OVERLAP = "short_incursion_overlap"
    SHORT_FLOOR_CHANGE_OVERLAP = "short_floor_change_overlap"


class TurnTakingStatistics(Record):
    """Sums and samples, so that pooling conversations is addition and every ratio is taken last.

    ::

        total_s       |----------------------------------------|   first onset to last end
        speech_any_s   =============   =========  ==============
        overlap_s              ====                   ==
    """

    conversations: int = Field(ge=0)
    total_s: float = Field(ge=0)
    speech_any_s: float = Field(ge=0)
    overlap_s: float = Field(ge=0)
    """Two or more speak."""
    three_or_more_s: float = Field(ge=0)
    speech_s: float = Field(ge=0)
    """Summed over speakers."""
    dominant_speech_s: float = Field(ge=0)
    """Of each conversation's most talkative speaker."""
    samples: Mapping[Quantity, tuple[float, ...]]
    """In seconds (fractions for `..._fraction_...`), in order of time. A quantity that could not be
    measured is absent; one that was measured and never happened is empty."""
    unclassified: int = Field(ge=0)
    """Steps between speakers with silence and overlap mixed: neither gap nor overlap."""
    backchannels_inside: int = Field(ge=0)
    """Backchannels that start inside an IPU of the partner."""
    backchannels_standalone: int = Field(ge=0)
    """Backchannels whose IPU holds nothing else."""

    @property
    def overlap_over_total_time(self) -> float:
        """Overlap ratio A: overlap / (first onset to last end); NaN without speech."""
        return _share(self.overlap_s, self.total_s)

    @property
    def overlap_over_speech_time(self) -> float:
        """Overlap ratio B, *the* overlap ratio of this project: overlap / time in which anybody speaks."""
        return _share(self.overlap_s, self.speech_any_s)

    @property
    def joint_silence_over_total_time(self) -> float:
        """Share of the time in which nobody speaks."""
        return _share(self.total_s - self.speech_any_s, self.total_s)

    @property
    def three_or_more_over_total_time(self) -> float:
        """Share of the time in which three or more speak."""
        return _share(self.three_or_more_s, self.total_s)

    @property
    def dominant_speech_share(self) -> float:
        """Share of all speech that the more talkative speaker has; 0.5 is balanced between two."""
        return _share(self.dominant_speech_s, self.speech_s)

    @property
    def p_overlap_at_speaker_change(self) -> float:
        """Share of speaker changes that overlap; NaN where there is none."""
        overlaps = len(self.sample(Quantity.OVERLAP_BETWEEN))
        return _share(overlaps, len(self.sample(Quantity.FTO)))

    def sample(self, quantity: Quantity) -> tuple[float, ...]:
        """All values of one quantity; ConfigError where this activity does not tell."""
        if quantity not in self.samples:
            raise ConfigError(
                f"turn-taking: {quantity.value!r} was not measured; transitions want exactly two speakers, "
                "backchannel quantities want to know which words are backchannels"
            )
        return self.samples[quantity]

    def per_min(self, quantity: Quantity) -> float:
        """How often it happens per minute of conversation."""
        return _share(len(self.sample(quantity)) * 60, self.total_s)

    def s_per_min(self, quantity: Quantity) -> float:
        """Its summed length per minute of conversation."""
        return _share(math.fsum(self.sample(quantity)) * 60, self.total_s)

    def quantile(self, quantity: Quantity, level: float) -> float:
        """Sample quantile, linear between order statistics; NaN for an empty sample."""
        values = self.sample(quantity)
        return float(np.quantile(values, level)) if values else math.nan


def pool(many: Iterable[TurnTakingStatistics]) -> TurnTakingStatistics:
    """Add up conversations: ratios and rates of the result weigh every second alike, not every conversation.

    A quantity is kept where all of them measured it: half a sample would misstate its rate.
    """
    parts = tuple(many)
    shared = [quantity for quantity in Quantity if parts and all(quantity in part.samples for part in parts)]
    return TurnTakingStatistics(
        conversations=sum(part.conversations for part in parts),
        total_s=math.fsum(part.total_s for part in parts),
        speech_any_s=math.fsum(part.speech_any_s for part in parts),
        overlap_s=math.fsum(part.overlap_s for part in parts),
        three_or_more_s=math.fsum(part.three_or_more_s for part in parts),
        speech_s=math.fsum(part.speech_s for part in parts),
        dominant_speech_s=math.fsum(part.dominant_speech_s for part in parts),
        samples={q: tuple(value for part in parts for value in part.samples[q]) for q in shared},
        unclassified=sum(part.unclassified for part in parts),
        backchannels_inside=sum(part.backchannels_inside for part in parts),
        backchannels_standalone=sum(part.backchannels_standalone for part in parts),
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
