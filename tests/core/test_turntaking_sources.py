"""Who speaks when, out of timelines and of real recordings."""

import os
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.turntaking import activity_of, talk_times
from pipeline.domain.events import EventType
from pipeline.domain.labels import Emotion, Gender, Language, Recipe, Speaker, Split, Style
from pipeline.domain.licence import Licence
from pipeline.domain.scene import Scene
from pipeline.domain.span import Span
from pipeline.domain.timeline import Provenance, Supervision, Timeline, Voicing
from pipeline.domain.words import TimeSource, Word
from pipeline.io.rttm import read_rttm
from tests.placed import event_of

RATE = 1000


def _word(start: int, end: int) -> Word:
    return Word(text="la", span=Span(start=start, end=end), source=TimeSource.ENGINE)


def _supervision(name: str, turn: int, speaker: Speaker, *words: tuple[int, int]) -> Supervision:
    return Supervision(
        supervision_id=name,
        turn=turn,
        speaker=speaker,
        span=Span(start=words[0][0], end=words[-1][1]),
        text="la",
        planned_text="la",
        words=tuple(_word(*word) for word in words),
        emotion=Emotion.NEUTRAL,
        style=Style.PLAIN,
        clip="0",
        clip_samples=words[-1][1] - words[0][0],
        engine="tone-1",
        fade_samples=0,
        distance=None,
    )


def test_a_timeline_speaks_by_track_and_marks_its_backchannels() -> None:
    voices = (Speaker.USER, Speaker.ASSISTANT, Speaker.THIRD_PARTY)
    host = _supervision("host", 0, Speaker.ASSISTANT, (0, 900), (1200, 2000))
    other = _supervision("other", 1, Speaker.THIRD_PARTY, (100, 300))
    listener = _supervision("bc", 2, Speaker.USER, (400, 600))
    timeline = Timeline(
        dialogue_id="d",
        language=Language.EN,
        recipe=Recipe.FULL_DUPLEX,
        scene=Scene.USER_BACKCHANNEL,
        split=Split.TRAIN,
        topic="tea",
        sampling_rate=RATE,
        num_samples=3000,
        profile="test",
        supervisions=(host, other, listener),
        events=(event_of(EventType.BACKCHANNEL, listener, host),),
        unsaid=(),
        voicing=tuple(
            Voicing(speaker=s, voice_id=s.value, person=s.value, gender=Gender.FEMALE, gain_db=0)
            for s in voices
        ),
        licence=Licence(
            id="CC0-1.0", non_commercial=False, share_alike=False, redistributable=True, attribution=""
        ),
        provenance=Provenance(seed_id="s", author=(), root_seed=0, stages=()),
    )
    found = activity_of(timeline)
    assert found.ipus() == (
        (Span(start=100, end=600),),  # third party and user, 100 ms apart
        (Span(start=0, end=900), Span(start=1200, end=2000)),
    )
    assert found.backchannels == (((Span(start=400, end=600),),), ())


def shared_data() -> Path:
    named = os.environ.get("HUMDIAL_SHARED_DATA")
    return Path(named) if named else Path(__file__).parents[3] / "shared" / "data"


def real_rttm() -> list[Path]:
    return sorted((shared_data() / "audio" / "ami_pyannote").glob("*.rttm"))


@pytest.mark.skipif(not real_rttm(), reason="the sample recordings (HUMDIAL_SHARED_DATA) are not here")
def test_overlap_of_real_meetings_is_what_a_millisecond_grid_counts() -> None:
    for path in real_rttm():
        for recording in read_rttm(path, sampling_rate=1000).recordings:
            speakers = recording.activity.speakers
            grid = np.zeros((len(speakers), 60_000), dtype=bool)
            for row, own in enumerate(speakers):
                for span in own:
                    grid[row, span.start : span.end] = True
            overlap = int((grid.sum(axis=0) >= 2).sum())
            assert overlap > 1000
            assert talk_times(speakers).overlap == overlap
