"""Comparing two runs that exist in memory only."""

from collections.abc import Sequence

import pytest

from pipeline.core.compare import Audio, RunMaterial, Survey, compare, survey
from pipeline.core.ledger import Prices, call_of, summarise_calls
from pipeline.domain.chat import ChatReply
from pipeline.domain.labels import Language, Recipe
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.script import AxisScore, PromptUse, Script
from tests.spoken import backchannel, interruption


def script_of(number: int, score: int | None = None, frames: tuple[str, ...] = ()) -> Script:
    use = PromptUse(step="write", prompt="script/write.v1", prompt_sha256="ab" * 32, model="m-1", request="r")
    judging = use.model_copy(update={"step": "review", "prompt": "script/review.v1", "model": "judge-1"})
    return interruption(dialogue_id=f"d{number}").model_copy(
        update={
            "review": () if score is None else (AxisScore(axis="naturalness", score=score),),
            "author": (use,) if score is None else (use, judging),
            "frames": frames,
        }
    )


def refusal(number: int, reason: Reason, stage: str = "script") -> Refusal:
    return Refusal(stage=stage, record_id=f"d{number}", reason=reason, detail="", payload="")


def surveyed(
    scripts: Sequence[Script],
    refusals: Sequence[Refusal] = (),
    *,
    recipe: Recipe = Recipe.FULL_DUPLEX,
    turned_down: tuple[tuple[AxisScore, ...], ...] = (),
    audio: Audio | None = None,
    cost: float | None = None,
    root_seed: int = 0,
    unread: int = 0,
) -> Survey:
    reply = ChatReply(
        model="m-1",
        content="{}",
        finish_reason="stop",
        prompt_tokens=1_000_000,
        cached_tokens=0,
        completion_tokens=0,
        frames=(),
    )
    call = call_of("d0", "write", 0, "accepted", "r", reply=reply, stored=False)
    prices = None if cost is None else Prices(prompt=cost, cached=0, completion=0)
    return survey(
        RunMaterial(
            name="run",
            recipe=recipe,
            prompting="steps",
            root_seed=root_seed,
            author="configured",
            judge="judge-0" if turned_down else None,
            min_score=3,
            scripts=scripts,
            refused=frozenset(row.record_id for row in refusals if row.stage == "script"),
            refusals=refusals,
            turned_down=turned_down,
            unread=unread,
            audio=audio,
            ledger=None if prices is None else summarise_calls([call], prices),
        )
    )


PLAIN = surveyed([script_of(number) for number in range(4)])


def test_acceptance_is_of_what_was_planned_and_the_difference_is_b_minus_a() -> None:
    a = surveyed([script_of(0)], [refusal(n, Reason.INVALID_REPLY) for n in (1, 2, 3)])
    b = surveyed(
        [script_of(n) for n in range(3)],
        [refusal(3, Reason.EVENTS_COLLIDE), refusal(2, Reason.CANNOT_BE_TIMED, "timing")],
        audio=Audio(dialogues=2, hours=0.5),
    )
    found = compare(a, b)
    assert (found.a.scripts.part, found.a.scripts.whole) == (1, 4)
    assert (found.b.scripts.part, found.b.scripts.whole) == (3, 4)
    assert found.shared_dialogues == 4
    assert found.scripts is not None
    assert found.scripts.value == 0.5
    assert found.a.rendered is None
    assert found.b.rendered is not None
    assert found.b.rendered.part == 2
    assert found.rendered is None, "only one of them came to audio"
    assert found.a.refusals == {"script: invalid_reply": 3}
    assert found.b.refusals == {"script: events_collide": 1, "timing: cannot_be_timed": 1}


def test_a_run_against_itself_differs_in_nothing() -> None:
    found = compare(PLAIN, PLAIN)
    assert found.warnings == ()
    assert found.a == found.b
    assert found.scripts is not None
    assert found.scripts.value == 0.0
    (row,) = found.languages
    assert row.a == row.b


def test_scores_of_scripts_that_were_turned_down_count() -> None:
    accepted = [script_of(n, score) for n, score in enumerate((5, 4, 3))]
    down = (AxisScore(axis="naturalness", score=1),)
    a = surveyed(accepted, [refusal(3, Reason.POOR_REVIEW)], turned_down=(down,))
    found = compare(a, surveyed(accepted))
    (mine,), (theirs,) = found.a.judged, found.b.judged
    assert (mine.mean.value, theirs.mean.value) == (3.25, 4.0)
    assert (mine.good_enough.part, mine.good_enough.whole) == (3, 4)
    assert (theirs.good_enough.part, theirs.good_enough.whole) == (3, 3)
    assert mine.mean.low < 3.25 < mine.mean.high
    assert found.judged["naturalness"].value == 0.75
    assert (found.a.authors, found.a.judges) == (("m-1",), ("judge-1",))


def test_a_judge_who_let_nothing_pass_is_named_as_configured() -> None:
    down = (AxisScore(axis="naturalness", score=1),)
    side = surveyed([], [refusal(0, Reason.POOR_REVIEW)], turned_down=(down,)).side
    assert side.judges == ("judge-0",)
    assert side.judged[0].good_enough.part == 0


def test_nobody_judged_is_no_score() -> None:
    found = compare(PLAIN, PLAIN)
    assert (found.a.judged, found.judged, found.a.judges) == ((), {}, ())


def test_turns_and_words_are_of_turns_that_hold_the_floor() -> None:
    (row,) = compare(surveyed([interruption()]), surveyed([backchannel()])).languages
    assert row.a is not None
    assert row.b is not None
    # query 7, answer 8 + 11 (its third sentence is never said), interruption 7, reaction 7
    assert (row.a.turns_per_dialogue, row.a.words_per_turn) == (4.0, (7 + 19 + 7 + 7) / 4)
    # query 7, answer 8 + 11 + 8; the listener's word is no turn
    assert (row.b.turns_per_dialogue, row.b.words_per_turn) == (2.0, (7 + 27) / 2)
    assert row.a.diversity is not None
    assert row.b.diversity is not None
    assert row.a.diversity.words == row.b.diversity.words == 7 + 27 + 1


def test_cost_is_told_per_accepted_dialogue_and_per_audio_hour() -> None:
    spending = surveyed(
        [script_of(n) for n in range(4)], audio=Audio(dialogues=4, hours=0.5), cost=2.0
    ).side.spending
    assert spending is not None
    assert (spending.cost, spending.cost_per_accepted, spending.cost_per_audio_h) == (2.0, 0.5, 4.0)
    assert spending.currency == "USD"
    assert PLAIN.side.spending is None
    nothing = surveyed([], [refusal(1, Reason.NO_REPLY)], cost=2.0).side
    assert nothing.spending is not None
    assert (nothing.spending.cost_per_accepted, nothing.spending.cost_per_audio_h) == (None, None)
    assert nothing.authors == ("configured",)


def test_frames_are_counted_once_per_dialogue_the_commonest_first() -> None:
    scripts = [script_of(0, frames=("x", "x", "y")), script_of(1, frames=("z", "y"))]
    chinese = script_of(2, frames=("x",)).model_copy(update={"language": Language.ZH})
    run = surveyed([*scripts, chinese])
    of_zh, of_en = (row.a for row in compare(run, run).languages)
    assert of_zh is not None
    assert of_zh.frames is not None
    assert of_zh.frames.different == 1
    assert of_en is not None
    frames = of_en.frames
    assert frames is not None
    assert frames.different == 3
    assert [(one.frame, one.share) for one in frames.commonest] == [("y", 1.0), ("x", 0.5), ("z", 0.5)]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (surveyed([script_of(n) for n in range(4)], recipe=Recipe.CONVERSATION), ("recipes differ",)),
        (
            surveyed([script_of(n).model_copy(update={"language": Language.ZH}) for n in range(4)]),
            ("languages differ: en and zh",),
        ),
        (surveyed([script_of(n) for n in range(3)]), ("A planned 4, B 3, 3 of them are the same",)),
        (surveyed([script_of(n) for n in range(1, 5)]), ("A planned 4, B 4, 3 of them are the same",)),
        (surveyed([script_of(n) for n in range(4)], root_seed=1), ("root seeds differ",)),
        (surveyed([script_of(n, 4) for n in range(4)]), ("only B was judged",)),
        (
            surveyed([script_of(n, 4) for n in range(4)], unread=2),
            ("only B was judged", "B: 2 scripts that the judge turned down"),
        ),
    ],
)
def test_what_makes_figures_hard_to_compare_is_warned_of(other: Survey, told: tuple[str, ...]) -> None:
    warnings = compare(PLAIN, other).warnings
    assert len(warnings) == len(told)
    assert all(part in warning for part, warning in zip(told, warnings, strict=True))


def test_other_judges_are_warned_of() -> None:
    mine = surveyed([script_of(0, 4)])
    use = script_of(0, 4).author[1].model_copy(update={"model": "judge-2"})
    theirs = surveyed([script_of(0, 4).model_copy(update={"author": (script_of(0).author[0], use)})])
    (warning,) = compare(mine, theirs).warnings
    assert warning.startswith("judged differently: by judge-1 (wanted 3) and by judge-2 (wanted 3)")


def test_a_language_of_one_run_alone_has_no_diversity() -> None:
    theirs = surveyed([script_of(n).model_copy(update={"language": Language.ZH}) for n in range(4)])
    chinese, english = compare(PLAIN, theirs).languages
    assert (chinese.a, english.b) == (None, None)
    assert chinese.b is not None
    assert chinese.b.diversity is None
    assert chinese.b.dialogues == 4
