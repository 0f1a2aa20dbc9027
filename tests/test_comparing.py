"""Comparing runs that lie on disk."""

from pathlib import Path

import pytest

from pipeline.comparing import compare_runs, survey_run
from pipeline.core.compare import JUDGING, SCORING
from pipeline.core.intervals import share_of
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Recipe
from pipeline.domain.quarantine import Reason
from pipeline.io.references import load_reference
from pipeline.stages import script
from pipeline.stages.author_config import AuthorConfig, EndpointConfig, ReviewConfig
from tests.compared import write_compared
from tests.made_run import write_run
from tests.timed import spoken_dialogues, time_dialogues


def test_a_run_is_counted_from_its_files(tmp_path: Path) -> None:
    refused = (Reason.INVALID_REPLY, Reason.INVALID_REPLY, Reason.QUOTE_NOT_FOUND)
    side = survey_run(write_compared(tmp_path / "a", [4, 4, 5], refused)).side
    assert side.scripts == share_of(3, 6)
    assert side.refusals == {"script: invalid_reply": 2, "script: quote_not_found": 1}
    assert {row.axis: row.mean.value for row in side.judged} == dict.fromkeys(
        ("naturalness", "consistency", "specificity", "role_fidelity", "scene_fidelity"),
        pytest.approx(13 / 3),
    )
    assert side.spending is not None
    assert (side.spending.requests, side.spending.prompt_tokens) == (6, 6000)
    assert side.spending.cost == pytest.approx(6 * (600 + 200 + 800) / 1e6)
    assert (side.rendered, side.audio_h) == (None, None)


def test_scores_of_what_the_judge_turned_down_are_read_back_from_the_store(tmp_path: Path) -> None:
    side = survey_run(write_compared(tmp_path / "a", [4, 4], turned_down=(1, 2, None))).side
    assert [(row.dialogues, row.mean.value) for row in side.judged] == [(4, 11 / 4)] * 5
    assert side.judged[0].good_enough == share_of(2, 4)
    assert side.unread == 1
    assert side.refusals == {"script: poor_review": 3}


def test_without_a_ledger_every_script_that_was_turned_down_lacks_its_scores(tmp_path: Path) -> None:
    side = survey_run(write_compared(tmp_path / "a", [4], turned_down=(1, 2), with_ledger=False)).side
    assert side.unread == 2
    assert side.judged[0].dialogues == 1


def test_a_script_that_is_turned_down_before_it_is_scored_lacks_nothing(tmp_path: Path) -> None:
    side = survey_run(write_compared(tmp_path / "a", [4], turned_down=(1,), judging="emotion_judge")).side
    assert (side.unread, side.judged[0].dialogues) == (0, 1)


@pytest.mark.parametrize("recipe", [recipe for recipe in Recipe if recipe is not Recipe.MINED])
def test_every_step_that_a_judge_answers_is_known_as_one(recipe: Recipe) -> None:
    judge = AuthorConfig(backend="openai", model="m", endpoints=(EndpointConfig(base_url="http://a/v1"),))
    judged, plain = (
        script.Config(recipe=recipe, review=ReviewConfig(enabled=enabled, judge=judge))
        for enabled in (True, False)
    )
    steps = {
        name.removeprefix("script/")
        for name in set(script.prompts_of(judged)) - set(script.prompts_of(plain))
    }
    assert steps
    assert steps <= JUDGING


@pytest.mark.parametrize("step", sorted(SCORING))
def test_every_rubric_of_a_judge_is_read(step: str, tmp_path: Path) -> None:
    side = survey_run(write_compared(tmp_path / "a", [4], turned_down=(1,), judging=step)).side
    assert (side.unread, side.judged[0].mean.value) == (0, 2.5)


def test_audio_counts_where_there_is_any(tmp_path: Path) -> None:
    directory = write_compared(tmp_path / "a", [4] * 4)
    description = (directory / "run.json").read_bytes()
    dialogues = write_run(directory, time_dialogues(spoken_dialogues(3), load_reference("switchboard")))
    (directory / "run.json").write_bytes(description)
    side = survey_run(directory).side
    assert side.rendered == share_of(3, 4)
    hours = sum(one.audio.num_samples / one.audio.sampling_rate for one in dialogues) / 3600
    assert side.audio_h == pytest.approx(hours)
    assert side.spending is not None
    assert side.spending.cost is not None
    assert side.spending.cost_per_audio_h == pytest.approx(side.spending.cost / hours)


def test_another_recipe_is_compared_with_a_warning(tmp_path: Path) -> None:
    a = write_compared(tmp_path / "a", [None], with_ledger=False)
    b = write_compared(
        tmp_path / "b",
        [None],
        with_ledger=False,
        config={"script": {"recipe": "conversation", "prompting": "single"}},
    )
    found = compare_runs(a, b)
    assert found.warnings == ("recipes differ: full_duplex and conversation",)
    assert (found.a.prompting, found.b.prompting) == ("steps", "single")
    assert (found.a.spending, found.a.judged, found.a.authors) == (None, (), ("offline",))


def test_an_unfinished_run_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    write_compared(tmp_path / "a", [4, 4], planned=3)
    with pytest.raises(
        ConfigError, match=r"a: shard 00000 has 2 dialogues .* wanted the 3 .* finish that run"
    ):
        survey_run(tmp_path / "a")
    (tmp_path / "a" / "run.json").unlink()
    with pytest.raises(ConfigError, match=r"a: holds no run\.json; wanted the directory of a finished run"):
        survey_run(tmp_path / "a")


def test_a_shard_that_was_changed_is_refused(tmp_path: Path) -> None:
    directory = write_compared(tmp_path / "a", [4, 4])
    records = directory / "02-script" / "records.00000.jsonl"
    records.write_text(records.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="shard 00000 is incomplete or changed"):
        survey_run(directory)


def test_a_run_without_scripts_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path, time_dialogues(spoken_dialogues(1), load_reference("switchboard")))
    with pytest.raises(ConfigError, match="holds no 02-script"):
        survey_run(tmp_path)
