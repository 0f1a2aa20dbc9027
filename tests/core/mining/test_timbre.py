from typing import Literal

import pytest

from pipeline.core.mining.calibration import Trials, calibrate
from pipeline.core.mining.candidates import Candidate
from pipeline.core.mining.events import find_events
from pipeline.core.mining.timbre import (
    LocalSolo,
    TimbreLimits,
    VoiceEvidence,
    Vote,
    cast_votes,
    embed_vote,
    label_vote,
    local_vote,
    speaker_problems,
    verdict_of,
    with_votes,
)
from pipeline.domain.mining import MinedEvent, MinedType, RejectCode, TimbreVotes
from tests.core.mining.made import Times, at, talk

LIMITS = TimbreLimits()


def interruption() -> MinedEvent:
    return at(talk(((0, 5),), ((3, 8),)), 3).event


def failed() -> MinedEvent:
    return at(talk(((0, 10),), ((3, 5),)), 3).event


@pytest.mark.parametrize(
    ("a", "b", "vote"),
    [
        (((0, 5),), ((3, 8),), "changed"),
        (((0, 5),), ((3, 5.5),), "changed"),
        (((0, 5),), ((3, 5.499),), None),
        (((0, 10),), ((3, 5),), "same"),
        (((0, 5),), ((3, 5),), None),
    ],
)
def test_the_label_vote_is_who_is_alone_longest_afterwards(a: Times, b: Times, vote: Vote | None) -> None:
    assert label_vote(at(talk(a, b), 3).event, min_solo_s=0.5) == vote


@pytest.mark.parametrize(
    ("before", "after", "vote"),
    [
        ((2.0, 0.1, 0.0), (1.5, 0.2, 0.0), "same"),
        ((2.0, 0.1, 0.0), (0.2, 1.5, 0.0), "changed"),
        ((0.5, 0.0, 0.0), (0.0, 0.5, 0.0), "changed"),
        ((0.499, 0.0, 0.0), (0.0, 1.0, 0.0), None),
        ((1.0, 0.0, 0.0), (0.0, 0.499, 0.0), None),
        ((), (), None),
    ],
)
def test_the_local_vote_compares_the_busiest_tracks(
    before: tuple[float, ...], after: tuple[float, ...], vote: Vote | None
) -> None:
    assert local_vote(LocalSolo(before_s=before, after_s=after), LIMITS) == vote
    assert local_vote(None, LIMITS) is None


@pytest.mark.parametrize(
    ("incumbent", "initiator", "speech_s", "vote"),
    [
        (0.7, 0.6, 3.0, "same"),
        (0.7, 0.601, 3.0, None),
        (0.6, 0.7, 3.0, "changed"),
        (0.601, 0.7, 3.0, None),
        (0.9, 0.1, 1.0, "same"),
        (0.9, 0.1, 0.999, None),
        (None, 0.1, 3.0, None),
        (0.9, None, 3.0, None),
    ],
)
def test_the_embedding_vote_asks_whose_centroid_is_nearer(
    incumbent: float | None, initiator: float | None, speech_s: float, vote: Vote | None
) -> None:
    voices = VoiceEvidence(
        cos_after_incumbent=incumbent, cos_after_initiator=initiator, speech_after_s=speech_s
    )
    assert embed_vote(voices, LIMITS)[0] == vote


@pytest.mark.parametrize(
    ("threshold", "before_after", "speech_s", "vote"),
    [
        (0.4, 0.4, 1.0, "same"),
        (0.4, 0.399, 1.0, "changed"),
        (0.4, 0.9, 0.999, None),
        (0.4, None, 3.0, None),
        (None, 0.9, 3.0, None),
        ("calibrate", 0.9, 3.0, None),  # not yet
    ],
)
def test_without_a_centroid_the_calibrated_threshold_votes(
    threshold: float | Literal["calibrate"] | None,
    before_after: float | None,
    speech_s: float,
    vote: Vote | None,
) -> None:
    limits = TimbreLimits(emb_threshold=threshold)
    voices = VoiceEvidence(
        cos_before_after=before_after,
        cos_after_incumbent=0.1,
        cos_after_initiator=None,
        speech_after_s=speech_s,
    )
    assert embed_vote(voices, limits) == (vote, None)


@pytest.mark.parametrize("declared", [None, 0.4])
def test_only_who_asks_is_calibrated(declared: float | None) -> None:
    enough = Trials(duration_s=1.0, same=(0.7,) * 20, different=(0.1,) * 20)
    calibration = calibrate([enough], "made-up")
    assert TimbreLimits().calibrated(calibration).emb_threshold == 0.7
    assert TimbreLimits().calibrated(None).emb_threshold is None
    assert TimbreLimits(emb_threshold=declared).calibrated(calibration).emb_threshold == declared


@pytest.mark.parametrize(
    ("label", "local", "embed", "taken", "kept"),
    [
        ("changed", "changed", None, None, RejectCode.TIMBRE_CONFLICT),
        ("same", "same", None, RejectCode.TIMBRE_CONFLICT, None),
        ("changed", "changed", "changed", None, RejectCode.TIMBRE_CONFLICT),
        ("changed", "changed", "same", RejectCode.TIMBRE_CONFLICT, RejectCode.TIMBRE_CONFLICT),
        ("changed", None, None, RejectCode.TIMBRE_ABSTAIN, RejectCode.TIMBRE_ABSTAIN),
        (None, None, None, RejectCode.TIMBRE_ABSTAIN, RejectCode.TIMBRE_ABSTAIN),
    ],
)
def test_two_votes_must_agree_with_each_other_and_with_the_tree(
    label: Vote | None,
    local: Vote | None,
    embed: Vote | None,
    taken: RejectCode | None,
    kept: RejectCode | None,
) -> None:
    votes = TimbreVotes(label=label, local=local, embed=embed, cos_before_after=None, margin=None, model=None)
    assert verdict_of(interruption(), votes) == taken
    assert verdict_of(failed(), votes) == kept
    backchannel = at(talk(((0, 10),), ((3, 3.5),)), 3).event
    assert backchannel.type is MinedType.BACKCHANNEL
    agreed = len({vote for vote in (label, local, embed) if vote}) == 1 and taken != RejectCode.TIMBRE_ABSTAIN
    assert (verdict_of(backchannel, votes) is None) == agreed


def voted(candidates: tuple[Candidate, ...], voices: VoiceEvidence, local: LocalSolo | None) -> Candidate:
    event = candidates[0].event
    votes = {event.event_id: cast_votes(event, local, voices, LIMITS, take_min_solo_s=0.5)}
    return with_votes(candidates, votes, {event.event_id: voices}, LIMITS)[0]


def test_votes_are_kept_with_the_event_and_refuse_it_where_they_conflict() -> None:
    candidates = find_events(talk(((0, 5),), ((3, 8),)))
    apart = LocalSolo(before_s=(2.0, 0.0, 0.0), after_s=(0.0, 2.0, 0.0))
    agreeing = VoiceEvidence(
        cos_before_after=0.1,
        cos_after_incumbent=0.2,
        cos_after_initiator=0.8,
        speech_before_s=3.0,
        speech_after_s=2.0,
        model="m",
    )
    accepted = voted(candidates, agreeing, apart)
    assert accepted.accepted
    timbre = accepted.event.timbre
    assert timbre is not None
    assert (timbre.label, timbre.local, timbre.embed) == ("changed",) * 3
    assert (timbre.cos_before_after, timbre.model) == (0.1, "m")
    assert (timbre.win_before_s, timbre.win_after_s) == (3.0, 2.0)
    assert timbre.margin == pytest.approx(-0.6)
    conflicting = VoiceEvidence(cos_after_incumbent=0.8, cos_after_initiator=0.2, speech_after_s=2.0)
    assert voted(candidates, conflicting, apart).reasons == (RejectCode.TIMBRE_CONFLICT,)
    short = VoiceEvidence(cos_after_incumbent=0.8, cos_after_initiator=0.2, speech_after_s=0.9)
    assert voted(candidates, short, None).reasons == (
        RejectCode.TIMBRE_ABSTAIN,
        RejectCode.WINDOW_TOO_SHORT,
    )


def test_votes_come_before_the_length_of_the_overlap_and_spare_events_without_any() -> None:
    candidates = find_events(talk(((0, 5),), ((4.9, 8),)))
    assert candidates[0].reasons == (RejectCode.OVERLAP_TOO_SHORT,)
    refused = voted(candidates, VoiceEvidence(), None)
    assert refused.reasons == (
        RejectCode.TIMBRE_ABSTAIN,
        RejectCode.WINDOW_TOO_SHORT,
        RejectCode.OVERLAP_TOO_SHORT,
    )
    assert with_votes(candidates, {}, {}, LIMITS) == candidates


@pytest.mark.parametrize(
    ("chunks", "cosine", "codes"),
    [
        ({"a": 2, "b": 2}, 0.6, ()),
        ({"a": 9}, None, (RejectCode.ONE_SPEAKER,)),
        ({}, None, (RejectCode.ONE_SPEAKER,)),
        ({"a": 9, "b": 1}, None, (RejectCode.DIARIZATION_UNRELIABLE,)),
        ({"a": 9, "b": 9}, 0.601, (RejectCode.DIARIZATION_UNRELIABLE,)),
    ],
)
def test_a_diarization_that_cannot_tell_two_speakers_is_refused(
    chunks: dict[str, int], cosine: float | None, codes: tuple[RejectCode, ...]
) -> None:
    assert tuple(value.code for value in speaker_problems(chunks, cosine, LIMITS)) == codes
