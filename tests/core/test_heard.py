"""What the gates of a segment ask about is measured inside it, and nowhere else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.heard import Frames, measures_of
from pipeline.domain.mining import MinedEvent, MinedType, RecordedActivity, Segment, SpeakerActivity
from pipeline.domain.span import Span

RATE = 8000
FRAME = 80
NUM_FRAMES = 400
LEVELS = np.random.default_rng(8).integers(0, 200, (2, NUM_FRAMES)).astype(np.uint8)


def activity_of(spurts: list[tuple[int, int]]) -> RecordedActivity:
    """One who talks at these samples, and one who never does."""
    spans = tuple(Span(start, end) for start, end in spurts)
    return RecordedActivity(
        recording_id="r",
        sampling_rate=RATE,
        num_samples=NUM_FRAMES * FRAME,
        mode="two_channel",
        speakers=(
            SpeakerActivity(speaker="A", channel=0, talkspurts=spans),
            SpeakerActivity(speaker="B", channel=1, talkspurts=()),
        ),
    )


def segment_of(span: Span) -> Segment:
    event = MinedEvent(
        event_id="e",
        type=MinedType.BACKCHANNEL,
        initiator="B",
        incumbent="A",
        onset=span.start,
        overlap=None,
        initiator_span=span,
        incumbent_span=span,
        rule="2",
        confidence=1.0,
        margins=(),
    )
    return Segment(
        segment_id="s",
        recording_id="r",
        span=span,
        sampling_rate=RATE,
        mode="two_channel",
        events=(event,),
        anchors=("e",),
        boundary_silence_s=(0.3, 0.3),
    )


def selected_db(levels: np.ndarray, share: float) -> float:
    """The level that this share of the others is below."""
    return float(np.sort(levels)[min(int(share * len(levels)), len(levels) - 1)]) / 2


@given(
    st.lists(st.integers(0, NUM_FRAMES * FRAME), max_size=30, unique=True).map(sorted),
    st.integers(0, NUM_FRAMES - 1),
    st.integers(1, NUM_FRAMES),
)
def test_signal_and_noise_are_those_of_the_segment_s_own_frames(
    borders: list[int], first: int, length: int
) -> None:
    """However many talkspurts lie before and after it."""
    last = min(first + length, NUM_FRAMES)
    spurts = list(zip(borders[::2], borders[1::2], strict=False))
    frames = Frames(LEVELS, np.zeros((2, NUM_FRAMES), np.uint16))
    measures = measures_of(segment_of(Span(first * FRAME, last * FRAME)), activity_of(spurts), frames, None)
    touched = [any(s // FRAME <= f <= e // FRAME for s, e in spurts) for f in range(first, last)]
    speaking, own = np.array(touched, bool), LEVELS[0, first:last]
    wanted = ()
    if speaking.any() and not speaking.all():
        wanted = (round(selected_db(own[speaking], 0.9) - selected_db(own[~speaking], 0.1), 2),)
    assert measures.snr_db == wanted
