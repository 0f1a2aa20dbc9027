"""Heads and tails of the prompts with events, of the one-question prompts and of the judge."""

import json
import re
from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from pipeline.core.scripting import conversation, full_duplex
from pipeline.domain.events import EVENTS
from pipeline.domain.labels import Language
from pipeline.io.prompts import Example, load_prompts
from tests.io.test_prompts import HOSTILE

LIBRARY = load_prompts()
CONVERSATION = (*conversation.PROMPTS, *conversation.PROMPTS_SINGLE)
NEW = (*CONVERSATION, *full_duplex.PROMPTS_SINGLE, "script/review")
TAGS = {
    "script/conversation_adapt": ("events", "seed"),
    "script/conversation_place": ("dialogue", "events"),
    "script/conversation_write": ("dialogue", "events"),
    "script/conversation_single": ("events", "seed"),
    "script/single": ("seed",),
    "script/review": ("transcript",),
}
WRITTEN_BY_OTHERS = {"text", "sentences", "topic", "heard", "unsaid"}
OPENERS = ("<|", "[INST", "{{", "{%", "<<SYS", "\u2028", "\nHuman:", "\n---")


def examples_of(name: str, language: Language) -> list[Example]:
    return [e for e in LIBRARY.current(name).front.examples if e.language is language]


def head_of(name: str, language: Language) -> str:
    return LIBRARY.render(name, language, examples_of(name, language)[0].input).system


def instructions_of(name: str, language: Language) -> str:
    """The head without schema and few-shots."""
    return re.split(r"\n# (?:Answer|回答)\n", head_of(name, language))[0]


def rules_of(name: str, language: Language) -> Iterator[str]:
    """Sentences of the numbered and the bulleted rules, without the names that some begin with."""
    for line in instructions_of(name, language).splitlines():
        rule = re.match(r"(?:\d+\.|-) (.+)", line)
        if rule:
            parts = re.split(r"(?<=[.;:。；：]) ?(?=\S)", rule[1])
            yield from (part for part in parts if part[-1] not in ":：" and len(part) > 3)


@pytest.mark.parametrize("name", CONVERSATION)
@pytest.mark.parametrize("language", list(Language))
def test_conversation_heads_tell_of_every_event_who_starts_it_and_what_it_does(
    name: str, language: Language
) -> None:
    lines = instructions_of(name, language).splitlines()
    for row in EVENTS:
        told = [line for line in lines if re.match(rf"- {row.type.value}[ （]", line)]
        assert len(told) == 1, row.type
        for word in (*row.initiators, *row.effects):
            assert word.value in told[0]
        example = row.examples[0 if language is Language.EN else 1]
        assert example.host in told[0]
        assert example.said in told[0]
        assert (row.definition in told[0]) == (language is Language.EN)


@pytest.mark.parametrize("language", list(Language))
def test_the_judge_knows_every_event_by_the_name_that_marks_use(language: Language) -> None:
    lines = instructions_of("script/review", language).splitlines()
    for event in (row.type for row in EVENTS):
        name = event.value.replace("_", " ")
        assert [line for line in lines if re.match(rf"- {name}[:（]", line)], name


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("language", list(Language))
def test_a_head_is_equal_for_all_dialogues_and_fully_rendered(name: str, language: Language) -> None:
    heads = {LIBRARY.render(name, language, e.input).system for e in examples_of(name, language)}
    assert len(heads) == 1
    head = heads.pop()
    assert '"additionalProperties": false' in head
    assert "{{" not in head
    assert "{%" not in head
    assert "{" not in instructions_of(name, language).replace("{schema}", "")


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(
    ("at_once", "steps"),
    [
        ("script/single", full_duplex.PROMPTS),
        ("script/conversation_single", conversation.PROMPTS),
    ],
)
def test_one_question_holds_the_rules_of_three_word_for_word(
    at_once: str, steps: tuple[str, ...], language: Language
) -> None:
    """The comparison is fair: nearly every sentence of the steps' rules stands in the one prompt, too.

    The rest speaks of what one question does not have: other steps, `heard`, `unsaid`, labels that are given.
    """
    whole = instructions_of(at_once, language)
    for step in steps:
        rules = list(rules_of(step, language))
        missing = [rule for rule in rules if rule not in whole]
        assert len(rules) >= 20
        assert len(missing) <= 0.15 * len(rules), missing


@pytest.mark.parametrize("name", ["script/conversation_adapt", "script/conversation_single"])
@pytest.mark.parametrize(
    ("language", "listed"),
    [
        (Language.EN, "Exactly 4 turns: t0 user, t1 assistant, t2 user, t3 assistant.\n"),
        (Language.ZH, "一共 4 轮：t0 用户，t1 助手，t2 用户，t3 助手。\n"),
    ],
)
def test_the_turns_to_be_written_are_listed_with_their_labels(
    name: str, language: Language, listed: str
) -> None:
    example = next(e for e in examples_of(name, language) if e.input["turns"] == 4)
    assert listed in LIBRARY.render(name, language, example.input).user


def poisoned(value: JsonValue, text: str, written: bool = False) -> JsonValue:
    """The same input, with everything in it that a seed or a model wrote replaced."""
    if isinstance(value, dict):
        return {key: poisoned(part, text, key in WRITTEN_BY_OTHERS) for key, part in value.items()}
    if isinstance(value, list):
        return [poisoned(part, text, written) for part in value]
    return text if written and isinstance(value, str) else value


def strings_of(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings_of(part)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("language", list(Language))
def test_hostile_text_stays_inside_the_delimiters_of_every_prompt(
    name: str, text: str, language: Language
) -> None:
    example = examples_of(name, language)[0]
    variables = poisoned(example.input, text)
    assert isinstance(variables, dict)
    rendered = LIBRARY.render(name, language, variables)
    assert rendered.system == head_of(name, language)
    found: list[str] = []
    for tag in TAGS[name]:
        (_, rest), (inside, _) = rendered.user.split(f"<{tag}>"), rendered.user.split(f"</{tag}>")
        assert rest.strip()
        found += strings_of(json.loads(inside.split(f"<{tag}>")[1]))
    wanted = [string for string in strings_of(variables) if string == text]
    assert found.count(text) == len(wanted) > 0
    for opener in OPENERS:
        assert opener not in rendered.user
