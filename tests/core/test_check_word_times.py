"""Who tells other word times than whom: which clips are drawn, and what is compared."""

from dataclasses import replace

import pytest

from pipeline.core.checks.word_times import ClipSample, WordTimeTally, clips_of, recorded_words
from pipeline.domain.labels import Language
from pipeline.domain.span import Span
from pipeline.domain.timeline import AudioFile, Dialogue
from pipeline.domain.words import TimeSource, Word
from pipeline.io.references import load_reference
from tests.core.timing.dialogues import made_up
from tests.timed import time_dialogues

RATE = 1000


def dialogues(count: int) -> list[Dialogue]:
    timelines = time_dialogues([made_up(number) for number in range(count)], load_reference("switchboard"))
    return [
        Dialogue(
            timeline=one,
            audio=AudioFile(
                path=f"audio/{one.dialogue_id}.flac",
                digest="xxh3:" + "0" * 32,
                num_bytes=1,
                num_samples=one.num_samples,
                sampling_rate=one.sampling_rate,
            ),
        )
        for one in timelines
    ]


MADE = dialogues(8)


def test_only_clips_that_lie_whole_and_alone_in_their_track_are_drawn() -> None:
    drawn = [clip for dialogue in MADE for clip in clips_of(dialogue)]
    assert drawn
    for clip in drawn:
        one = clip.supervision
        assert not one.truncated
        assert one.distance is None
        assert len(one.words) >= 3
        beside = [s for s in clip.dialogue.timeline.supervisions if s is not one and s.track is one.track]
        assert all(other.span.overlap(one.span) is None for other in beside)
    everything = [s for dialogue in MADE for s in dialogue.timeline.supervisions]
    assert any(s.truncated or s.distance for s in everything)
    assert len(drawn) < len(everything)


def test_talk_of_which_only_the_times_are_known_has_no_words_to_align() -> None:
    dialogue = MADE[0]
    heard = tuple(
        one.model_copy(update={"words": tuple(replace(w, source=TimeSource.DETECTOR) for w in one.words)})
        for one in dialogue.timeline.supervisions
    )
    mined = dialogue.model_copy(
        update={"timeline": dialogue.timeline.model_copy(update={"supervisions": heard})}
    )
    assert clips_of(dialogue)
    assert clips_of(mined) == ()


def test_a_sample_does_not_depend_on_the_order_of_dialogues() -> None:
    forward, backward, all_of_them = ClipSample(5), ClipSample(5), ClipSample(1000)
    for dialogue, other in zip(MADE, reversed(MADE), strict=True):
        forward.show(dialogue)
        backward.show(other)
        all_of_them.show(dialogue)
    assert len(forward.clips()) == 5
    assert forward.clips() == backward.clips()
    assert len(all_of_them.clips()) == sum(len(clips_of(dialogue)) for dialogue in MADE)


def test_recorded_words_are_on_the_clips_own_clock() -> None:
    clip = clips_of(MADE[0])[0]
    words = recorded_words(clip)
    assert words is not None
    assert words[0].span.start == clip.supervision.words[0].span.start - clip.supervision.span.start
    assert words[-1].span.end <= len(clip.supervision.span)
    guessed = tuple(replace(word, source=TimeSource.ESTIMATE) for word in clip.supervision.words)
    estimated = replace(clip, supervision=clip.supervision.model_copy(update={"words": guessed}))
    assert recorded_words(estimated) is None


def words(*ends: int, sources: str = "aaaa") -> tuple[Word, ...]:
    names = {"a": TimeSource.ALIGNER, "e": TimeSource.ESTIMATE, "n": TimeSource.ENGINE}
    return tuple(
        Word(text, Span(start, end), names[source])
        for text, start, end, source in zip("一二三四", (0, *ends), ends, sources, strict=False)
    )


def test_ends_of_words_but_the_last_are_compared_pair_by_pair() -> None:
    tally = WordTimeTally()
    tally.add(
        Language.ZH,
        {
            "recorded": words(100, 200, 300, 400, sources="nnnn"),
            "whisper": words(110, 190, 340, 900),
            "estimate": words(100, 200, 300, 400, sources="eeee"),
        },
        RATE,
    )
    tally.add(
        Language.EN,
        {"recorded": words(100, 200, sources="nn"), "estimate": words(70, 200, sources="ee")},
        RATE,
    )
    found = {(d.language.value, d.one, d.other): d for d in tally.disagreements()}
    assert list(found) == [
        ("en", "recorded", "estimate"),
        ("zh", "recorded", "whisper"),
        ("zh", "recorded", "estimate"),
        ("zh", "whisper", "estimate"),
    ]
    whisper = found["zh", "recorded", "whisper"]
    assert (whisper.clips, whisper.words) == (1, 3)
    assert (whisper.mean_ms, whisper.p50_ms) == (pytest.approx(40 / 3, abs=0.01), pytest.approx(10))
    assert found["zh", "recorded", "estimate"].p95_ms == 0
    assert found["en", "recorded", "estimate"].mean_ms == pytest.approx(-30)


def test_what_an_engine_did_not_say_is_not_held_against_others() -> None:
    tally = WordTimeTally()
    engine = words(
        100, 200, 300, 400, sources="nenn"
    )  # the second has no event: neither its start nor its end
    tally.add(Language.ZH, {"recorded": engine, "estimate": words(150, 250, 310, 400, sources="eeee")}, RATE)
    (found,) = tally.disagreements()
    assert (found.words, found.mean_ms) == (1, pytest.approx(10))
