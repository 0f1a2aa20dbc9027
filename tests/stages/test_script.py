import json
from pathlib import Path

import pytest

from pipeline.backends.offline.author import OfflineAuthor
from pipeline.domain.errors import RecordError, TerminalBackendError
from pipeline.domain.labels import Language, Recipe, Split
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import Scene
from pipeline.domain.script import DialoguePlan, Script
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora import find_corpus
from pipeline.io.prompts import load_prompts
from pipeline.io.store import Store
from pipeline.ports import ChatModel
from pipeline.stages import script
from pipeline.stages.author_config import AuthorConfig
from pipeline.stages.script import Config, Deps
from pipeline.stages.shard import Shard
from tests.stages.doubles import FERRY, CountingAuthor, PlainAuthor, plan_of

PROMPTS = load_prompts()
SEEDS = Path(script.__file__).parents[1] / "data" / "seeds"


def deps_of(store: Path, author: ChatModel | None = None) -> Deps:
    return Deps(
        root_seed=0,
        author=author or PlainAuthor(),
        prompts=PROMPTS,
        prompts_sha256="",
        replies=Store(store),
    )


DEFAULT = Config()


def run(plans: tuple[DialoguePlan, ...], deps: Deps, config: Config = DEFAULT) -> Shard[Script]:
    return script.run(Shard(3, plans), config, deps)


ALL_SCENES = tuple(plan_of(scene) for scene in Scene)


def demo_plans(language: Language) -> tuple[DialoguePlan, ...]:
    read = find_corpus("jsonl").read(SEEDS / f"{language.value}.jsonl", language)
    seeds = [found for found in read if isinstance(found, SeedDialogue)]
    return tuple(
        DialoguePlan(
            dialogue_id=f"{language.value}-{i}",
            seed=seed,
            recipe=Recipe.FULL_DUPLEX,
            scene=scene,
            split=Split.TRAIN,
        )
        for i, (seed, scene) in enumerate(zip(seeds[::2], [*Scene, *Scene], strict=False))
    )


@pytest.mark.parametrize("language", Language)
def test_the_embedded_author_writes_or_refuses_every_plan_and_most_are_written(
    language: Language, tmp_path: Path
) -> None:
    plans = demo_plans(language)
    done = run(plans, deps_of(tmp_path, OfflineAuthor()))
    names = [one.dialogue_id for one in done.records] + [one.record_id for one in done.refusals]
    assert sorted(names) == sorted(plan.dialogue_id for plan in plans)
    assert len(done.records) >= len(plans) * 3 // 4
    assert all(refusal.detail and refusal.payload for refusal in done.refusals)
    assert {one.scene for one in done.records} == set(Scene)
    assert done.index == 3


def test_scripts_do_not_depend_on_the_store_their_order_or_their_neighbours(tmp_path: Path) -> None:
    plans = demo_plans(Language.EN)
    together = run(plans, deps_of(tmp_path / "a", OfflineAuthor()))
    alone = [run((plan,), deps_of(tmp_path / "b", OfflineAuthor())).records for plan in reversed(plans)]
    assert sorted(together.records, key=lambda one: one.dialogue_id) == sorted(
        (one for records in alone for one in records), key=lambda one: one.dialogue_id
    )


def test_scripts_come_in_the_order_of_their_plans(tmp_path: Path) -> None:
    done = run(ALL_SCENES, deps_of(tmp_path))
    assert [one.dialogue_id for one in done.records] == [plan.dialogue_id for plan in ALL_SCENES]


def test_what_was_answered_once_is_never_asked_again(tmp_path: Path) -> None:
    first, second = CountingAuthor(PlainAuthor()), CountingAuthor(PlainAuthor())
    done = run(ALL_SCENES, deps_of(tmp_path, first))
    again = run(ALL_SCENES, deps_of(tmp_path, second))
    assert len(first.asked) == 3 * len(Scene) - 1  # no place is asked for where nobody is interrupted
    assert second.asked == []
    assert again == done


def test_another_author_gets_no_replies_of_the_first(tmp_path: Path) -> None:
    run(ALL_SCENES, deps_of(tmp_path))
    other = CountingAuthor(PlainAuthor(name="plain-2"))
    done = run(ALL_SCENES, deps_of(tmp_path, other))
    assert len(other.asked) == 3 * len(Scene) - 1
    assert {use.model for one in done.records for use in one.author} == {"plain-2"}


@pytest.mark.parametrize("damage", ["delete", "truncate", "other words", "not a reply"])
def test_a_damaged_reply_is_asked_for_again(damage: str, tmp_path: Path) -> None:
    plans = (plan_of(Scene.FOLLOW_UP_QUESTION),)
    done = run(plans, deps_of(tmp_path))
    for path in tmp_path.rglob("*.json"):
        content = path.read_bytes()
        if damage == "delete":
            path.unlink()
        elif damage == "truncate":
            path.write_bytes(content[: len(content) // 2])
        elif damage == "other words":
            path.write_bytes(content.replace(b"ferry", b"fairy").replace(b"the way", b"the day"))
        else:
            path.write_text('{"answer": 42}')
    again = CountingAuthor(PlainAuthor())
    assert run(plans, deps_of(tmp_path, again)) == done
    assert again.asked


ONE = json.dumps({"speaker": "user", "sentences": ["When does it leave?"]})
LONG = json.dumps({"speaker": "assistant", "sentences": ["It leaves at 9."]})


@pytest.mark.parametrize(
    ("step", "reply", "reason"),
    [
        ("adapt", "I would rather not.", Reason.INVALID_REPLY),
        ("adapt", "", Reason.INVALID_REPLY),
        ("adapt", '{"topic": "ferry", "turns": []}', Reason.WRONG_SPEAKER_ROLES),
        ("adapt", f'{{"topic": "ferry", "turns": [{ONE}, {ONE}]}}', Reason.WRONG_SPEAKER_ROLES),
        ("adapt", f'{{"topic": "ferry", "turns": [{ONE}, {LONG}]}}', Reason.UNSPEAKABLE_TEXT),
        ("place", '{"quote": "words that nobody says", "why": ""}', Reason.QUOTE_NOT_FOUND),
        ("place", '{"quote": "at nine in the evening", "why": ""}', Reason.ANCHOR_AT_EDGE),
        (
            "write",
            '{"event_text": null, "event_emotion": "neutral", "reaction": ["Yes."]}',
            Reason.INVALID_REPLY,
        ),
        ("write", '{"event_text": "Why?", "event_emotion": "neutral", "reaction": []}', Reason.INVALID_REPLY),
        ("write", '{"event_text": "...", "event_emotion": "neutral", "reaction": ["Yes."]}', Reason.NO_WORDS),
        (
            "write",
            '{"event_text": "Why?", "event_emotion": "bored", "reaction": ["Yes."]}',
            Reason.INVALID_REPLY,
        ),
    ],
)
def test_a_reply_that_cannot_be_used_is_refused_with_the_reply(
    step: str, reply: str, reason: Reason, tmp_path: Path
) -> None:
    plan = plan_of(Scene.FOLLOW_UP_QUESTION)
    author = CountingAuthor(PlainAuthor(instead={step: reply}))
    done = run((plan,), deps_of(tmp_path, author))
    (refusal,) = done.refusals
    assert not done.records
    assert (refusal.stage, refusal.record_id, refusal.reason) == ("script", plan.dialogue_id, reason)
    assert refusal.payload == (reply or plan.to_line())
    asked = len(author.asked)
    assert run((plan,), deps_of(tmp_path, author)) == done
    assert len(author.asked) == asked, "what was paid for is kept, usable or not"


def test_a_plan_that_the_author_cannot_use_is_refused_with_the_plan(tmp_path: Path) -> None:
    plan = plan_of(Scene.TOPIC_SWITCHING)
    author = PlainAuthor(instead={"adapt": RecordError(Reason.NO_SUITABLE_TURN, "nothing asked")})
    (refusal,) = run((plan,), deps_of(tmp_path, author)).refusals
    assert refusal.reason is Reason.NO_SUITABLE_TURN
    assert DialoguePlan.from_line(refusal.payload) == plan


def test_an_author_that_fails_for_good_stops_the_stage_and_keeps_what_it_wrote(tmp_path: Path) -> None:
    author = CountingAuthor(PlainAuthor(instead={"write": TerminalBackendError("no credit left")}))
    with pytest.raises(TerminalBackendError, match="no credit left"):
        run(ALL_SCENES, deps_of(tmp_path, author))
    after = CountingAuthor(PlainAuthor())
    assert len(run(ALL_SCENES, deps_of(tmp_path, after)).records) == len(Scene)
    assert len(after.asked) < 3 * len(Scene) - 1


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_requests_are_under_way_than_configured(most: int, tmp_path: Path) -> None:
    author = CountingAuthor(PlainAuthor())
    run(ALL_SCENES, deps_of(tmp_path, author), Config(author=AuthorConfig(max_in_flight=most)))
    assert author.most_at_once == most


def test_every_script_says_which_prompts_and_model_made_it(tmp_path: Path) -> None:
    (done,) = run((plan_of(Scene.FOLLOW_UP_QUESTION),), deps_of(tmp_path)).records
    assert [use.step for use in done.author] == ["adapt", "place", "write"]
    assert done.frames == ("plain/adapt", "plain/place", "plain/write")
    for use in done.author:
        assert PROMPTS.current(f"script/{use.step}").sha256 == use.prompt_sha256
        assert use.model == "plain-1"
    assert done.seed_id.endswith("/ferry")
    assert FERRY[0] not in done.to_line()
