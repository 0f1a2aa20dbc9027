"""Regular expressions and word lists by which seed text is judged: one YAML file per language.

They are data, not code: long, different per language, and the first thing that grows with a new corpus.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml
from pydantic import ValidationError

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language
from pipeline.domain.record import Record


class _Patterns(Record):
    greeting: tuple[str, ...]
    dependent: tuple[str, ...]
    grave: tuple[str, ...]
    between_people: tuple[str, ...]
    pronoun: tuple[str, ...]
    somebody: tuple[str, ...]
    advice: tuple[str, ...]
    sad: tuple[str, ...]
    find: tuple[str, ...]
    how: tuple[str, ...]
    request: tuple[str, ...]
    assent: tuple[str, ...]
    allowed_self: tuple[str, ...]
    personal: tuple[str, ...]


class _Words(Record):
    linking: str
    prepositions: str
    clinging: str
    leaning: str
    numbers: str
    not_modifiers: str
    task_verbs: str = ""


class _LexiconFile(Record):
    patterns: _Patterns
    words: _Words


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One language's file, compiled."""

    greeting: re.Pattern[str]
    """Cut off in front of a query."""
    dependent: re.Pattern[str]
    """A query that answers or points to something unseen."""
    grave: re.Pattern[str]
    """Death, violence, sex: no matter for invented small talk; such a turn is never a query."""
    between_people: re.Pattern[str]
    """A query that has sense only between two people."""
    pronoun: re.Pattern[str]
    """Needs somebody or something named before it."""
    somebody: re.Pattern[str]
    """A person or animal that a pronoun can stand for."""
    advice: re.Pattern[str]
    """A sentence of a later turn that stands on its own."""
    sad: re.Pattern[str]
    find: re.Pattern[str]
    how: re.Pattern[str]
    request: re.Pattern[str]
    assent: re.Pattern[str]
    """A first sentence of a reply that says nothing but yes."""
    allowed_self: re.Pattern[str]
    """First person that an assistant may use: `I'd suggest`."""
    personal: re.Pattern[str]
    """What no assistant would say."""
    linking: frozenset[str]
    """Conjunctions and relative words."""
    prepositions: frozenset[str]
    clinging: frozenset[str]
    """Words that cannot be parted from the next one."""
    leaning: frozenset[str]
    """Words that cannot be parted from the one before."""
    numbers: frozenset[str]
    not_modifiers: frozenset[str]
    """Words that may stand between an article and a noun, but are left out of a noun phrase."""
    task_verbs: frozenset[str]
    """Verbs with which a topic such as `rent a car` may begin."""


@cache
def load_lexicon(language: Language) -> Lexicon:
    """Read and compile one language's file; once per process."""
    resource = files("pipeline.backends.offline").joinpath("lexicon", f"{language.value}.yaml")
    try:
        raw = _LexiconFile.model_validate(yaml.safe_load(resource.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise ConfigError(f"lexicon {language.value}.yaml: {error}; correct the entry named above") from error
    patterns, words = raw.patterns, raw.words
    return Lexicon(
        greeting=_alternation(patterns.greeting),
        dependent=_alternation(patterns.dependent),
        grave=_alternation(patterns.grave),
        between_people=_alternation(patterns.between_people),
        pronoun=_alternation(patterns.pronoun),
        somebody=_alternation(patterns.somebody),
        advice=_alternation(patterns.advice),
        sad=_alternation(patterns.sad),
        find=_alternation(patterns.find),
        how=_alternation(patterns.how),
        request=_alternation(patterns.request),
        assent=_alternation(patterns.assent),
        allowed_self=_alternation(patterns.allowed_self),
        personal=_alternation(patterns.personal),
        linking=frozenset(words.linking.split()),
        prepositions=frozenset(words.prepositions.split()),
        clinging=frozenset(words.clinging.split()),
        leaning=frozenset(words.leaning.split()),
        numbers=frozenset(words.numbers.split()),
        not_modifiers=frozenset(words.not_modifiers.split()),
        task_verbs=frozenset(words.task_verbs.split()),
    )


def _alternation(parts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{part})" for part in parts), re.IGNORECASE)
