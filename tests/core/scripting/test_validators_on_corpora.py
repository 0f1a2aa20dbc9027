"""False alarms, counted: what corpora and the embedded author say is let through."""

import asyncio
import importlib.resources
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from pipeline.backends.offline.author import OfflineAuthor
from pipeline.core.prompting import Sampling, build_request, parse_reply
from pipeline.core.scripting.anchors import split_sentences
from pipeline.core.scripting.full_duplex import write_full_duplex
from pipeline.core.scripting.validators import MAX_SENTENCE_WORDS, check_sentences
from pipeline.core.seeding import derive_seed
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Recipe, Split
from pipeline.domain.quarantine import Reason
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene
from pipeline.domain.script import DialoguePlan
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora import find_corpus

_DEFAULT = Path(__file__).parents[4] / "shared" / "data"
TEXT = Path(os.environ.get("HUMDIAL_SHARED_DATA", _DEFAULT)) / "text"
REAL = {
    "smilechat": (Language.ZH, "zh/smilechat"),
    "cped": (Language.ZH, "zh/cped/valid_split.csv"),
    "lccc": (Language.ZH, "zh/lccc_toy/toy_data.json"),
    "dialogsum": (Language.EN, "en/dialogsum/dialogsum.dev.jsonl"),
    "xdailydialog": (Language.EN, "en/xdailydialog/en_dev_human.txt"),
    "sgd": (Language.EN, "en/sgd/dev/dialogues_005.json"),
}
T = TypeVar("T", bound=Record)
A = TypeVar("A")


def reason_of(sentences: Sequence[str], language: Language) -> Reason | None:
    try:
        check_sentences(sentences, language)
    except RecordError as error:
        return error.reason
    return None


@pytest.mark.parametrize("corpus", REAL)
def test_nothing_that_people_say_is_refused(corpus: str) -> None:
    language, name = REAL[corpus]
    if not (TEXT / name).exists():
        pytest.skip(f"no {name} in {TEXT}: set HUMDIAL_SHARED_DATA to the folder of the real corpora")
    refused = []
    count = 0
    for seed in find_corpus(corpus).read(TEXT / name, language):
        if isinstance(seed, SeedDialogue):
            said = [s for turn in seed.turns for s in split_sentences(turn.text) if is_sayable(s, language)]
            count += len(said)
            reason = reason_of(said, language)
            if reason is not None:
                refused.append((reason, said))
    assert count > 150
    assert refused == []


def is_sayable(sentence: str, language: Language) -> bool:
    """Corpora are written: figures, brackets and letters of a hundred words are for who adapts them."""
    marked = any(mark in sentence for mark in "()（）[]【】")
    short = len(words_of(sentence)) <= MAX_SENTENCE_WORDS[language]
    return short and not marked and reason_of([sentence], language) is not Reason.UNSPEAKABLE_TEXT


@pytest.mark.parametrize("language", list(Language))
def test_nothing_that_the_embedded_author_writes_is_refused(language: Language) -> None:
    seeds = importlib.resources.files("pipeline") / "data" / "seeds" / f"{language.value}.jsonl"
    with importlib.resources.as_file(seeds) as file:
        read = [s for s in find_corpus("jsonl").read(file, language) if isinstance(s, SeedDialogue)]
    assert len(read) == 40
    for number, seed in enumerate(read):
        plan = DialoguePlan(
            dialogue_id=f"{language.value}-{number}",
            seed=seed,
            recipe=Recipe.FULL_DUPLEX,
            scene=tuple(Scene)[number % len(Scene)],
            split=Split.TRAIN,
        )
        script = asyncio.run(write_full_duplex(plan, Offline(plan)))
        assert reason_of([u.text for u in script.utterances], language) is None, script


class Offline:
    """Asks the embedded author, once."""

    def __init__(self, plan: DialoguePlan) -> None:
        self._plan = plan

    async def __call__(self, step: str, record: Record, output: type[T], accept: Callable[[T], A]) -> A:
        request = build_request(
            step,
            prompt=f"script/{step}.v1",
            prompt_sha256="",
            system="s",
            user="u",
            record=record,
            output=output,
            seed=derive_seed(0, step, self._plan.dialogue_id),
            sampling=Sampling(temperature=0, top_p=1, max_completion_tokens=1),
        )
        return accept(parse_reply(await OfflineAuthor().complete(request), output))
