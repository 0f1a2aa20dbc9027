import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.mining.splits import SplitRule, assign_splits, person_of
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Split
from pipeline.domain.mining import Recording, Rights

RIGHTS = Rights(corpus="made", licence_id="CC0-1.0", consent_basis="invented")


def recording(name: str, speakers: tuple[str, ...] = (), split: Split | None = None) -> Recording:
    return Recording(recording_id=name, audio=(f"{name}.wav",), speakers=speakers, split=split, rights=RIGHTS)


NAMES = st.sampled_from([f"p{n}" for n in range(30)])
CORPORA = st.lists(st.lists(NAMES, min_size=0, max_size=2, unique=True), min_size=1, max_size=40)


@settings(max_examples=40)
@given(CORPORA, st.integers(0, 9))
def test_no_speaker_is_in_two_splits(corpus: list[list[str]], seed: int) -> None:
    rule = SplitRule(shares=dict.fromkeys(Split, 1.0), seed=seed)
    recordings = [recording(f"r{n}", tuple(names)) for n, names in enumerate(corpus)]
    assigned = assign_splits(recordings, rule)
    of_person: dict[str, set[tuple[Split, str]]] = {}
    for one in recordings:
        for name in one.speakers:
            of_person.setdefault(person_of(one, name, rule), set()).add(assigned[one.recording_id])
    assert all(len(found) == 1 for found in of_person.values())
    assert set(assigned) == {one.recording_id for one in recordings}


@given(CORPORA)
def test_neither_order_nor_other_groups_matter(corpus: list[list[str]]) -> None:
    recordings = [recording(f"r{n}", tuple(names)) for n, names in enumerate(corpus)]
    assigned = assign_splits(recordings)
    assert assign_splits(recordings[::-1]) == assigned
    apart = recording("apart", ("somebody", "else"))
    assert {**assigned, "apart": assign_splits([apart])["apart"]} == assign_splits([*recordings, apart])


def test_groups_take_their_shares() -> None:
    recordings = [recording(f"r{n}") for n in range(2000)]
    found = [one.split for one in assign_splits(recordings).values()]
    assert [found.count(split) / 2000 for split in Split] == pytest.approx([0.8, 0.1, 0.1], abs=0.03)


def test_a_split_without_a_share_gets_nothing() -> None:
    rule = SplitRule(shares={Split.DEV: 0.0, Split.TEST: 1.0})
    found = {one.split for one in assign_splits([recording(f"r{n}") for n in range(50)], rule).values()}
    assert found == {Split.TEST}


def test_the_key_is_of_the_speaker_pair_in_either_order() -> None:
    assigned = assign_splits([recording("a", ("ann", "bob")), recording("b", ("bob", "ann")), recording("c")])
    assert assigned["a"] == assigned["b"]
    assert assigned["a"].key == hashlib.sha256(b"made/ann\x1fmade/bob").hexdigest()[:16]
    assert assigned["c"].key == hashlib.sha256(b"c").hexdigest()[:16]


def test_a_declared_split_holds_for_everybody_who_is_met() -> None:
    recordings = [
        recording("a", ("ann", "bob"), Split.TEST),
        recording("b", ("bob", "cleo")),
        recording("c", ("cleo", "dan")),
    ]
    assert {one.split for one in assign_splits(recordings).values()} == {Split.TEST}


def test_declared_splits_that_share_speakers_are_refused_unless_the_names_are_roles() -> None:
    recordings = [
        recording("a", ("agent", "caller"), Split.TRAIN),
        recording("b", ("agent", "caller"), Split.DEV),
    ]
    with pytest.raises(ConfigError, match=r"'b' in dev and 'a' in train share speakers.*by: conversation"):
        assign_splits(recordings)
    found = assign_splits(recordings, SplitRule(by="conversation"))
    assert [found[name].split for name in "ab"] == [Split.TRAIN, Split.DEV]


@pytest.mark.parametrize("shares", [{Split.TRAIN: -1.0, Split.DEV: 2.0}, {Split.TRAIN: 0.0}])
def test_shares_that_are_none_are_refused(shares: dict[Split, float]) -> None:
    with pytest.raises(ValueError, match="shares must be >= 0 and not all 0"):
        SplitRule(shares=shares)


@pytest.mark.parametrize("by", ["speaker", "conversation"])
def test_recordings_of_one_content_are_one_group_and_the_keys_of_others_stay(by: str) -> None:
    rule = SplitRule.model_validate({"by": by})
    recordings = [recording(name, (f"{name}-1", f"{name}-2")) for name in "abcd"]
    contents = {"a": ("x",), "b": ("y", "z"), "c": ("z", "x"), "d": ("d",)}
    plain, grouped = assign_splits(recordings, rule), assign_splits(recordings, rule, contents)
    assert grouped["a"] == grouped["b"] == grouped["c"] != grouped["d"]
    assert grouped["d"] == plain["d"]
    assert len({one.key for one in plain.values()}) == 4
    assert assign_splits(recordings[::-1], rule, contents) == grouped
