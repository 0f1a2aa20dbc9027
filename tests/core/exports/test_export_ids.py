import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.exports.ids import assign_ids
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language, Split
from pipeline.domain.scene import Scene
from pipeline.domain.timeline import Timeline
from tests.core.exports.build import ASSISTANT, THIRD, Say, make_timeline, scene_timeline

TEMPLATE = scene_timeline(Scene.PAUSE_HANDLING)


def timeline(
    dialogue_id: str, person: str, split: Split = Split.TRAIN, language: Language = Language.EN
) -> Timeline:
    voicing = tuple(
        voice.model_copy(update={"person": person}) if voice.speaker.value == "user" else voice
        for voice in TEMPLATE.voicing
    )
    return TEMPLATE.model_copy(
        update={"dialogue_id": dialogue_id, "voicing": voicing, "split": split, "language": language}
    )


def test_the_first_group_is_the_user_and_the_second_a_running_number() -> None:
    run = [timeline("d-3", "bea"), timeline("d-2", "ann"), timeline("d-1", "bea"), timeline("d-4", "cyd")]
    assert assign_ids(run) == {"d-2": "0001_0001", "d-1": "0002_0001", "d-3": "0002_0002", "d-4": "0003_0001"}


def test_a_later_run_can_start_at_another_number() -> None:
    assert assign_ids([timeline("d", "ann")], first_speaker=41) == {"d": "0041_0001"}


RUNS = st.lists(
    st.tuples(
        st.integers(0, 60),
        st.sampled_from("abcde"),
        st.sampled_from(list(Split)),
        st.sampled_from(list(Language)),
    ),
    unique_by=lambda row: row[0],
    max_size=20,
)


@given(RUNS)
def test_ids_are_unique_well_formed_and_blind_to_the_order_of_reading(
    rows: list[tuple[int, str, Split, Language]],
) -> None:
    run = [timeline(f"d-{number}", person, split, language) for number, person, split, language in rows]
    ids = assign_ids(run)
    assert set(ids) == {one.dialogue_id for one in run}
    assert len(set(ids.values())) == len(run)
    assert all(re.fullmatch(r"\d{4}_\d{4}", export_id) for export_id in ids.values())
    assert assign_ids(reversed(run)) == ids


@given(RUNS)
def test_no_two_layouts_share_an_id(rows: list[tuple[int, str, Split, Language]]) -> None:
    run = [timeline(f"d-{number}", person, split, language) for number, person, split, language in rows]
    ids = assign_ids(run)
    by_split = [{ids[one.dialogue_id] for one in run if one.split is split} for split in Split]
    assert sum(len(part) for part in by_split) == len(set().union(*by_split))


def test_a_dialogue_without_a_user_gets_no_id() -> None:
    says = (Say(0, THIRD, 0.1, 1.0, "Hm.", "嗯。"), Say(1, ASSISTANT, 1.5, 2.0, "Yes.", "是。"))
    lonely = make_timeline(says, Scene.THIRD_PARTY_BEFORE, dialogue_id="x", with_event=False)
    assert assign_ids([lonely, timeline("d", "ann")]) == {"d": "0001_0001"}


def test_two_dialogues_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two dialogues are called 'd'"):
        assign_ids([timeline("d", "ann"), timeline("d", "bea")])


@pytest.mark.parametrize(("first", "fits"), [(9_998, True), (9_999, False)])
def test_ids_never_grow_a_fifth_digit(first: int, fits: bool) -> None:
    run = [timeline("d-1", "ann"), timeline("d-2", "bea")]
    if fits:
        assert assign_ids(run, first)["d-2"] == "9999_0001"
    else:
        with pytest.raises(ConfigError, match="lower first_speaker"):
            assign_ids(run, first)


def test_a_person_has_room_for_9999_dialogues() -> None:
    run = [timeline(f"d-{i:05d}", "ann") for i in range(10_000)]
    assert assign_ids(run[:9_999])["d-09998"] == "0001_9999"
    with pytest.raises(ConfigError, match="'ann' is number 1 with 10000 dialogues"):
        assign_ids(run)
