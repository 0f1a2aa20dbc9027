"""Evidence for the timbre votes, from a made-up diarizer and made-up voices; no model."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.mining.activity import talk_of, union
from pipeline.core.mining.events import find_events
from pipeline.core.mining.limits import EventLimits
from pipeline.core.mining.timbre import TimbreLimits, embed_vote, label_vote, local_vote
from pipeline.core.mining.voices import (
    DiarizedEvidence,
    Voices,
    calibrations_of,
    clear_speech,
    cosine,
    diarized_activity,
    evidence_on,
    local_solo,
)
from pipeline.domain.diarization import RATE_HZ, Diarization, DiarizedSpeaker, LocalTracks
from pipeline.domain.mining import RecordedActivity
from pipeline.domain.span import Span

Voice = npt.NDArray[np.float32]

VOICES = {"A": np.array([1, 0], np.float32), "B": np.array([0, 1], np.float32)}
TALK_A = ((0.0, 14.0), (20.0, 26.0), (40.0, 54.0))
TALK_B = ((13.0, 19.0), (27.0, 39.0), (46.0, 46.5))


def spans(talk: tuple[tuple[float, float], ...]) -> tuple[Span, ...]:
    return tuple(Span(round(a * RATE_HZ), round(b * RATE_HZ)) for a, b in talk)


def chunks(talks: list[tuple[tuple[float, float], ...]], duration_s: float) -> LocalTracks:
    """Chunks of 10 s every second, 100 frames each; in every other chunk the tracks are the other way round."""
    starts = np.arange(0, max(duration_s - 10, 0) + 1)
    active = np.zeros((len(starts), 100, 3), dtype=bool)
    for index, start in enumerate(starts):
        centres = start + (np.arange(100) + 0.5) / 10
        for track, talk in enumerate(talks):
            for a, b in talk:
                active[index, (centres >= a) & (centres < b), (track + index) % 2] = True
    return LocalTracks(tuple(int(s) * RATE_HZ for s in starts), 10 * RATE_HZ, active)


def diarization(duration_s: float = 55.0) -> Diarization:
    talks = {"A": TALK_A, "B": TALK_B}
    speakers = tuple(DiarizedSpeaker(name, spans(talk), VOICES[name]) for name, talk in talks.items())
    return Diarization(round(duration_s * RATE_HZ), speakers, chunks(list(talks.values()), duration_s))


def long_diarization() -> Diarization:
    """Two minutes in which every 10 s A is interrupted by B, or the other way round."""
    turns = [("AB"[index % 2], (index * 10.0, index * 10.0 + 11.0)) for index in range(18)]
    talks = {name: tuple(times for who, times in turns if who == name) for name in "AB"}
    speakers = tuple(DiarizedSpeaker(name, spans(talk), VOICES[name]) for name, talk in talks.items())
    return Diarization(200 * RATE_HZ, speakers, chunks(list(talks.values()), 200.0))


LONG = long_diarization()


def long_ear(asked: tuple[Span, ...]) -> Voice | None:
    voice = np.zeros(2, np.float32)
    for speaker in LONG.speakers:
        for own in speaker.talkspurts:
            for span in asked:
                part = own.overlap(span)
                voice += VOICES[speaker.label] * (len(part) if part else 0)
    return voice if voice.any() else None


def permuted(made: Diarization, seed: int) -> Diarization:
    """The same talkspurts, each with a label drawn anew."""
    rng = np.random.default_rng(seed)
    everything = sorted((s for one in made.speakers for s in one.talkspurts), key=lambda s: s.start)
    labels = rng.integers(0, 2, len(everything))
    speakers = tuple(
        DiarizedSpeaker(
            name,
            union(span for span, label in zip(everything, labels, strict=True) if label == index),
            VOICES[name],
        )
        for index, name in enumerate("AB")
    )
    return Diarization(made.num_samples, speakers, made.local)


def heard_in(asked: tuple[Span, ...], rate: int = RATE_HZ) -> Voice | None:
    """A made-up ear: the mixture of the voices in these spans, by time."""
    voice = np.zeros(2, np.float32)
    for name, talk in (("A", TALK_A), ("B", TALK_B)):
        for a, b in talk:
            for span in asked:
                voice += VOICES[name] * max(min(b, span.end / rate) - max(a, span.start / rate), 0)
    return voice if voice.any() else None


def evidence(
    rate: int = RATE_HZ, embed: bool = True, timbre: TimbreLimits | None = None
) -> tuple[RecordedActivity, DiarizedEvidence]:
    made = diarization()
    activity = diarized_activity("call", made, rate, 55 * rate)
    voices = Voices("made-up", (lambda asked: heard_in(asked, rate)) if embed else None)
    return activity, evidence_on(activity, made, EventLimits(), timbre or TimbreLimits(), voices)


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_three_votes_agree_on_whose_voice_follows_an_overlap(rate: int) -> None:
    activity, known = evidence(rate)
    limits, votes = TimbreLimits(), {}
    for candidate in find_events(activity):
        found = known.overlaps.get(candidate.event.event_id)
        if found is not None:
            votes[candidate.event.type.value] = (
                label_vote(candidate.event, 0.5),
                local_vote(found.local, limits),
                embed_vote(found.voices, limits)[0],
            )
    assert votes["interruption"] == ("changed",) * 3
    assert votes["backchannel"] == ("same",) * 3


def test_every_candidate_with_an_overlap_has_evidence_under_its_own_id() -> None:
    activity, known = evidence()
    overlapping = {c.event.event_id for c in find_events(activity) if c.event.overlap}
    assert overlapping == set(known.overlaps)


def test_without_biometric_rights_no_voice_is_embedded_or_compared() -> None:
    _, known = evidence(embed=False)
    assert known.centroid_cos is None
    assert all(found.voices is None and found.local is not None for found in known.overlaps.values())


def test_votes_fall_to_chance_where_labels_are_permuted() -> None:
    """Labels handed out anew for every talkspurt: what a voice says of an overlap is a coin's word, not the tree's."""

    def agreement(seed: int | None) -> float:
        made = LONG if seed is None else permuted(LONG, seed)
        activity = diarized_activity("call", made, RATE_HZ, made.num_samples)
        known = evidence_on(activity, made, EventLimits(), TimbreLimits(), Voices("made-up", long_ear))
        votes = [
            (label_vote(c.event, 0.5), embed_vote(known.overlaps[c.event.event_id].voices, TimbreLimits())[0])
            for c in find_events(activity)
            if c.event.overlap
        ]
        cast = [label == embed for label, embed in votes if label and embed]
        # An abstention is no agreement: with labels that hold both voices, no centroid is anybody's.
        return sum(cast) / max(len(votes), 1)

    assert agreement(None) >= 0.95
    assert sum(map(agreement, range(3))) / 3 <= 0.6


def test_trials_are_of_equal_stretches_of_one_label_and_of_two() -> None:
    found = evidence()[1].trials
    assert [one.duration_s for one in found] == [1.0, 3.0]
    # A is alone in four places (B's word splits the last of its turns), B in two: 6 + 1 pairs, and 4 x 2
    assert [(len(one.same), len(one.different)) for one in found] == [(7, 8), (7, 8)]
    assert {cos for one in found for cos in one.same} == {1.0}
    assert {cos for one in found for cos in one.different} == {0.0}
    assert evidence(embed=False)[1].trials == ()


@given(st.permutations(range(4)))
def test_corpora_are_calibrated_each_by_itself_in_any_order(order: list[int]) -> None:
    known = evidence()[1]
    rows = [("one", known), ("two", known), ("one", known), ("one", known)]
    found = calibrations_of([rows[index] for index in order])
    assert {name: one.n_trials for name, one in found.items()} == {"one": 90, "two": 30}
    assert (found["one"].calibrated, found["two"].calibrated) == (True, False)


def test_clean_chunks_count_chunks_with_two_seconds_alone() -> None:
    assert evidence()[1].clean_chunks == {"A": 5, "B": 3}


def test_the_main_voices_are_compared() -> None:
    assert evidence()[1].centroid_cos == 0.0


def test_too_little_speech_for_a_voice_is_no_evidence() -> None:
    (first, *_) = evidence(timbre=TimbreLimits(emb_min_s=3.5))[1].overlaps.values()
    assert first.voices is not None
    assert first.voices.cos_before_after is None
    assert first.voices.cos_after_incumbent is None


def test_speech_past_the_end_is_cropped_to_the_recording() -> None:
    activity = diarized_activity("call", diarization(), 8000, 50 * 8000)
    assert activity.speakers[0].talkspurts[-1] == Span(40 * 8000, 50 * 8000)


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        ([1, 0], [1, 0], 1.0),
        ([1, 0], [0, 2], 0.0),
        ([1, 0], [-3, 0], -1.0),
        ([0, 0], [1, 0], None),
        ([np.nan, 0], [1, 0], None),
        (None, [1, 0], None),
    ],
)
def test_a_voice_that_is_zero_or_no_number_is_a_missing_one(
    first: list[float] | None, second: list[float], wanted: float | None
) -> None:
    known = None if first is None else np.array(first, np.float32)
    assert cosine(known, np.array(second, np.float32)) == wanted


def test_local_tracks_that_swap_are_two_voices() -> None:
    solo = local_solo(diarization().local, Span(13 * RATE_HZ, 14 * RATE_HZ), RATE_HZ, 2.0)
    assert solo is not None
    assert np.argmax(solo.before_s) != np.argmax(solo.after_s)
    assert max(solo.before_s) == pytest.approx(2.0, abs=0.1)


def test_no_chunks_are_no_local_vote() -> None:
    empty = LocalTracks((), RATE_HZ, np.zeros((0, 10, 3), dtype=bool))
    assert local_solo(empty, Span(0, 10), RATE_HZ, 2.0) is None


lengths = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=8)


@given(lengths, lengths, st.integers(0, 5))
def test_clear_speech_is_the_speaker_s_own_and_keeps_its_distance(
    a: list[tuple[int, int]], b: list[tuple[int, int]], guard: int
) -> None:
    rate, talks = 10, []
    for pairs in (a, b):
        ends = np.cumsum(pairs).tolist()
        talks.append(tuple(Span(start, end) for start, end in zip(ends[::2], ends[1::2], strict=True)))
    speakers = tuple(DiarizedSpeaker(n, talk, None) for n, talk in zip("AB", talks, strict=True))
    none = LocalTracks((), 1, np.zeros((0, 1, 1), dtype=bool))
    made = Diarization(1000, speakers, none)
    talk = talk_of(diarized_activity("x", made, RATE_HZ, 1000), 0.0, 0.0)
    talk = type(talk)(talk.names, rate, *(getattr(talk, f) for f in talk.__slots__[2:]))
    wanted = {
        s
        for span in talks[0]
        for s in range(span.start, span.end)
        if all(not other.start - guard <= s < other.end + guard for other in talks[1])
    }
    clear = clear_speech(talk, 0, guard / rate)
    assert {s for span in clear for s in range(span.start, span.end)} == wanted
