"""A judge reads every script: what it finds is mended once, or refuses the dialogue."""

import json
from pathlib import Path

import pytest

from pipeline.core.scripting.review import Review
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.errors import ConfigError
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import Scene
from pipeline.domain.script import Script
from pipeline.io.prompts import load_prompts
from pipeline.io.store import Store
from pipeline.stages import script
from pipeline.stages.author_config import AuthorConfig, EndpointConfig, ReviewConfig
from pipeline.stages.script import Config, Deps, prompts_of
from pipeline.stages.shard import Shard
from tests.stages.doubles import CountingAuthor, PlainAuthor, plan_of

PAID = AuthorConfig(
    backend="openai", model="m", endpoints=(EndpointConfig(base_url="http://localhost:1/v1"),)
)


class Judge(PlainAuthor):
    """Gives the scores in turn, one list of five per script that it reads."""

    def __init__(self, *scores: tuple[int, ...], name: str = "judge-1") -> None:
        super().__init__(name=name)
        object.__setattr__(self, "_scores", list(scores))

    async def complete(self, request: ChatRequest) -> ChatReply:
        scores = self._scores.pop(0)  # type: ignore[attr-defined]
        axes = dict(zip(Review.model_fields, scores, strict=True))
        content = {axis: {"reason": f"{axis} is like that", "score": score} for axis, score in axes.items()}
        return await PlainAuthor(instead={"review": json.dumps(content)}, name=self.name).complete(request)


class MendingAuthor(PlainAuthor):
    """Writes something else when told what was wrong."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        told = "could not be used" in request.messages[-1].content
        return await PlainAuthor(instead={"write": MENDED} if told else {}).complete(request)


MENDED = '{"event_text":"How do I get back?","event_emotion":"neutral","reaction":["By the same ferry."]}'


def write(
    store: Path, author: CountingAuthor, judge: CountingAuthor, config: AuthorConfig = PAID
) -> Shard[Script]:
    deps = Deps(
        root_seed=0,
        author=author,
        judge=judge,
        prompts=load_prompts(),
        prompts_sha256="",
        replies=Store(store),
    )
    review = ReviewConfig(min_score=3, min_mean=3.6, judge=PAID)
    return script.run(Shard(0, (plan_of(Scene.TOPIC_SWITCHING),)), Config(author=config, review=review), deps)


def test_a_good_script_keeps_its_scores(tmp_path: Path) -> None:
    (made,) = write(tmp_path, CountingAuthor(PlainAuthor()), CountingAuthor(Judge((5, 4, 4, 5, 3)))).records
    assert [(one.axis, one.score) for one in made.review][:2] == [("naturalness", 5), ("consistency", 4)]
    assert [use.step for use in made.author] == ["adapt", "place", "write", "review"]


def test_a_finding_goes_back_to_the_last_step_and_the_mended_script_is_read_again(tmp_path: Path) -> None:
    author = CountingAuthor(MendingAuthor())
    judge = CountingAuthor(Judge((1, 5, 5, 5, 5), (4, 5, 5, 5, 5)))
    (made,) = write(tmp_path, author, judge).records
    assert [request.step for request in author.asked] == ["adapt", "place", "write", "write"]
    assert "naturalness is like that" in author.asked[-1].messages[-1].content
    assert made.review[0].score == 4
    (use,) = [use for use in made.author if use.step == "write"]
    assert use.request == author.asked[-1].fingerprint()


def test_a_script_that_stays_poor_is_refused_with_what_was_written(tmp_path: Path) -> None:
    judge = CountingAuthor(Judge((1, 5, 5, 5, 5), (2, 5, 5, 5, 5)))
    (refusal,) = write(tmp_path, CountingAuthor(MendingAuthor()), judge).refusals
    assert refusal.reason is Reason.POOR_REVIEW
    assert "naturalness scored 2" in refusal.detail
    assert refusal.payload == MENDED


def test_the_embedded_author_is_judged_once_and_never_asked_to_mend(tmp_path: Path) -> None:
    author, judge = CountingAuthor(PlainAuthor()), CountingAuthor(Judge((1, 5, 5, 5, 5)))
    (refusal,) = write(tmp_path, author, judge, AuthorConfig()).refusals
    assert refusal.reason is Reason.POOR_REVIEW
    assert len(author.asked) == 3


def test_a_rerun_asks_neither_author_nor_judge(tmp_path: Path) -> None:
    first = write(tmp_path, CountingAuthor(MendingAuthor()), CountingAuthor(Judge((1, 5, 5, 5, 5), (4,) * 5)))
    author, judge = CountingAuthor(PlainAuthor()), CountingAuthor(Judge())
    assert write(tmp_path, author, judge) == first
    assert author.asked == judge.asked == []


@pytest.mark.parametrize(
    ("author", "review", "judged"),
    [
        (PAID, ReviewConfig(), True),
        (PAID, ReviewConfig(enabled=False), False),
        (AuthorConfig(), ReviewConfig(), False),
        (AuthorConfig(), ReviewConfig(judge=PAID), True),
    ],
)
def test_who_is_judged_by_default(author: AuthorConfig, review: ReviewConfig, judged: bool) -> None:
    config = Config(author=author, review=review)
    assert ("script/review" in prompts_of(config)) is judged


def test_nobody_can_ask_the_embedded_author_to_judge() -> None:
    with pytest.raises(ConfigError, match=r"script\.review\.judge"):
        Config(review=ReviewConfig(enabled=True))
