"""The demo seeds: dialogues written for this project, so that a run needs no corpus."""

import difflib
import importlib.resources
import itertools
import re
from typing import Literal

import numpy as np
import pytest
from pydantic import Field

from pipeline.backends.offline.adapt import adapt
from pipeline.backends.offline.banks import load_bank
from pipeline.backends.offline.frames import Composer
from pipeline.core.scripting.steps import AdaptInput, Line
from pipeline.core.tokens import words_of
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene


class DemoTurn(Record):
    speaker: Literal["A", "B"]
    text: str = Field(min_length=1)


class DemoSeed(Record):
    """One line of the files: closed, so that a stray key fails."""

    id: str
    language: Language
    topic: str = Field(min_length=1)
    turns: tuple[DemoTurn, ...] = Field(min_length=4, max_length=8)
    licence: Literal["Apache-2.0"]


def read(language: Language) -> tuple[DemoSeed, ...]:
    file = importlib.resources.files("pipeline") / "data" / "seeds" / f"{language.value}.jsonl"
    return tuple(DemoSeed.from_line(line) for line in file.read_text(encoding="utf-8").splitlines())


SEEDS = {language: read(language) for language in Language}
EVERY = [seed for seeds in SEEDS.values() for seed in seeds]
SPEAKABLE = {
    Language.EN: re.compile(r"[A-Za-z][A-Za-z',.?!\- ]*[.?!]"),
    Language.ZH: re.compile(r"[\u4e00-\u9fff，。？！、]*[。？！]"),
}
QUERY_WORDS = {Language.EN: (4, 30), Language.ZH: (6, 45)}
ANSWER_WORDS = {Language.EN: 30, Language.ZH: 50}

each = pytest.mark.parametrize("seed", EVERY, ids=lambda seed: seed.id)


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.?!])\s+|(?<=[。？！])", text) if part]


@pytest.mark.parametrize("language", list(Language))
def test_there_are_forty_per_language_numbered_in_order(language: Language) -> None:
    seeds = SEEDS[language]
    assert [seed.id for seed in seeds] == [f"{language.value}-{number:03d}" for number in range(1, 41)]
    assert {seed.language for seed in seeds} == {language}


@each
def test_speakers_alternate_from_a(seed: DemoSeed) -> None:
    assert "".join(turn.speaker for turn in seed.turns) == ("AB" * len(seed.turns))[: len(seed.turns)]


@each
def test_every_turn_can_be_spoken_as_it_is_written(seed: DemoSeed) -> None:
    """No digit, symbol, bracket, quotation mark or word of the other script."""
    for turn in seed.turns:
        assert SPEAKABLE[seed.language].fullmatch(turn.text), turn.text
        assert not re.search(r"[,.?!，。？！、]{2}|  ", turn.text), turn.text


@each
def test_the_first_turn_can_be_a_query(seed: DemoSeed) -> None:
    least, most = QUERY_WORDS[seed.language]
    assert least <= len(words_of(seed.turns[0].text)) <= most


@each
def test_some_answer_is_long_enough_for_something_to_happen_in_it(seed: DemoSeed) -> None:
    answers = [turn.text for turn in seed.turns if turn.speaker == "B"]
    long = [text for text in answers if len(words_of(text)) >= ANSWER_WORDS[seed.language]]
    assert any(len(sentences(text)) >= 3 for text in long)


def test_no_turn_occurs_twice() -> None:
    texts = [turn.text for seed in EVERY for turn in seed.turns]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("language", list(Language))
def test_topics_and_queries_differ(language: Language) -> None:
    topics = [seed.topic for seed in SEEDS[language]]
    assert len(set(topics)) == len(topics)
    queries = [words_of(seed.turns[0].text) for seed in SEEDS[language]]
    for one, other in itertools.combinations(queries, 2):
        assert difflib.SequenceMatcher(None, one, other, autojunk=False).ratio() < 0.7


@each
def test_a_topic_is_in_the_dialogues_language(seed: DemoSeed) -> None:
    pattern = r"[a-z' ]+" if seed.language is Language.EN else r"[\u4e00-\u9fff]+"
    assert re.fullmatch(pattern, seed.topic)


@pytest.mark.parametrize("scene", Scene, ids=lambda scene: scene.value)
def test_every_demo_seed_can_become_every_scene(scene: Scene) -> None:
    # A demo that refused its own seeds would be a poor first impression.
    for seed in EVERY:
        roles = {"A": Speaker.USER, "B": Speaker.ASSISTANT}
        lines = tuple(Line(speaker=roles[turn.speaker], text=turn.text) for turn in seed.turns)
        request = AdaptInput(
            dialogue_id=seed.id, language=seed.language, scene=scene, topic=seed.topic, lines=lines
        )
        composer = Composer(seed.language, np.random.default_rng(0), slots={})
        assert adapt(request, load_bank(seed.language), composer).turns
