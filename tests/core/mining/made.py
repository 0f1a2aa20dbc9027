"""Invented talk: who speaks when, in seconds, as a recording's activity at 1,000 Hz."""

from hypothesis import strategies as st

from pipeline.core.mining.candidates import NO_EVIDENCE, Candidate, Evidence
from pipeline.core.mining.events import find_events
from pipeline.core.mining.limits import EventLimits
from pipeline.domain.labels import Language
from pipeline.domain.mining import RecordedActivity, SpeakerActivity, TimedWord
from pipeline.domain.span import Span

RATE = 1000

Times = tuple[tuple[float, float], ...]
Said = tuple[tuple[str, float, float], ...]


def span(start_s: float, end_s: float, rate: int = RATE) -> Span:
    return Span(round(start_s * rate), round(end_s * rate))


def talk(
    *speakers: Times, total_s: float = 60.0, words: dict[str, Said] | None = None, rate: int = RATE
) -> RecordedActivity:
    """Speakers A, B, C ... with these talkspurts."""
    said = words or {}
    return RecordedActivity(
        recording_id="rec",
        sampling_rate=rate,
        num_samples=round(total_s * rate),
        mode="given_words" if words else "two_channel",
        speakers=tuple(
            SpeakerActivity(
                speaker=name,
                channel=index,
                talkspurts=tuple(span(*times, rate) for times in spurts),
                words=tuple(
                    TimedWord(text=text, span=span(start, end, rate))
                    for text, start, end in said.get(name, ())
                ),
            )
            for index, (name, spurts) in enumerate(zip("ABCDEF", speakers, strict=False))
        ),
    )


def at(
    activity: RecordedActivity,
    onset_s: float,
    limits: EventLimits | None = None,
    language: Language | None = None,
    evidence: Evidence = NO_EVIDENCE,
) -> Candidate:
    """The only candidate with this onset."""
    onset = round(onset_s * activity.sampling_rate)
    (found,) = [c for c in find_events(activity, limits, language, evidence) if c.event.onset == onset]
    return found


@st.composite
def conversations(draw: st.DrawFn, speakers: int = 2) -> RecordedActivity:
    """Talk in which no two talkspurts of different speakers start at once."""
    lines: list[Times] = []
    starts: set[int] = set()
    for _ in range(speakers):
        at_ms, spurts = draw(st.integers(0, 3000)), []
        for silence, length in draw(
            st.lists(st.tuples(st.integers(1, 4000), st.integers(50, 6000)), max_size=12)
        ):
            start = at_ms + silence
            while start in starts:
                start += 1
            starts.add(start)
            spurts.append((start / 1000, (start + length) / 1000))
            at_ms = start + length
        lines.append(tuple(spurts))
    last = max((end for line in lines for _, end in line), default=0.0)
    return talk(*lines, total_s=last + draw(st.integers(1, 5000)) / 1000)


def moved(activity: RecordedActivity, by: int = 0, times: int = 1) -> RecordedActivity:
    """Later by so many samples, then at so many times the sampling rate."""
    return RecordedActivity(
        recording_id=activity.recording_id,
        sampling_rate=activity.sampling_rate * times,
        num_samples=(activity.num_samples + by) * times,
        mode=activity.mode,
        speakers=tuple(
            SpeakerActivity(
                speaker=speaker.speaker,
                channel=speaker.channel,
                talkspurts=tuple(
                    Span((s.start + by) * times, (s.end + by) * times) for s in speaker.talkspurts
                ),
            )
            for speaker in activity.speakers
        ),
    )
