"""No sentence of the phrase banks is one of the prompts' examples: its dialogue would be taken for a copy."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from pipeline.core.scripting.validators import check_copied
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.io.prompts import load_prompts

BANKS = Path(str(files("pipeline.backends.offline") / "bank"))


def texts_of(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)


@pytest.mark.parametrize("language", Language)
def test_no_sentence_of_the_banks_is_an_example_of_a_prompt(language: Language) -> None:
    prompts = load_prompts()
    steps = [p.front.name for p in prompts.list() if prompts.spoken_examples(p.front.name, language.value)]
    assert len(steps) >= 6
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    copied = []
    for path in sorted((BANKS / language.value).rglob("*.yaml")):
        texts = list(texts_of(yaml.load(path.read_text("utf-8"), loader)))
        for step in steps:
            examples = prompts.spoken_examples(step, language.value)
            for text in texts:
                try:
                    check_copied([text], examples, language)
                except RecordError:
                    copied.append((step, path.name, text))
    assert copied == []
