"""The phrase banks: YAML files of written sentences, one folder per language.

bank/en/response.yaml            openings, links, closings of an answer
bank/en/advice/cooking.yaml      what one can say about cooking: tips, each with a question and its answer
bank/en/negation.yaml ...        one file per kind of event
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import yaml
from pydantic import TypeAdapter, ValidationError

from pipeline.backends.offline.frames import Frame, split_sentences
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Emotion, Language
from pipeline.domain.record import Record

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _SaidEntry(Record):
    say: str
    emotion: Emotion = Emotion.NEUTRAL
    kind: str = ""


class _ExchangeEntry(Record):
    ask: str
    answer: str


class _TipEntry(_ExchangeEntry):
    say: str
    about: str
    only_for: str = ""


class _DomainFile(Record):
    label: str
    nouns: str
    cues: str
    also: str = ""
    tips: tuple[_TipEntry, ...]


_Entries = list[str] | list[_SaidEntry] | list[_ExchangeEntry]
_FILE = TypeAdapter(dict[str, _Entries | dict[str, list[str]]])


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer."""

    ask: Frame
    answer: Frame


@dataclass(frozen=True, slots=True)
class Tip:
    """One sentence of advice, what it is about, and the question that a listener would ask on hearing it."""

    say: Frame
    about: str
    """A phrase that fits after `about`: "tasting along the way", "提前订位"."""
    ask: Frame
    answer: tuple[str, ...]
    only_for: frozenset[str]
    """Cue words, one of which the dialogue must contain; empty: fits the whole domain."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A field of everyday life."""

    name: str
    label: str
    """What to call it when nothing more precise is known."""
    nouns: frozenset[str]
    """Words of the field that may fill a slot."""
    cues: frozenset[str]
    """Further words that point to it."""
    tips: tuple[Tip, ...]
    also: str
    """Name of the wider field whose tips fit here too (`hotel`: `travel`); empty: none."""


@dataclass(frozen=True, slots=True)
class Bank:
    """Everything that is written in one language."""

    language: Language
    domains: tuple[Domain, ...]
    """The last one, `general`, has no cue words."""
    frames: Mapping[str, tuple[Frame, ...]]
    """By `<file>/<section>`, such as `response/openings/how`."""
    exchanges: Mapping[str, tuple[Exchange, ...]]
    """By file: `follow_up`, `topics`."""
    tips_by_text: Mapping[str, tuple[Tip, Domain]]
    """By the sentence in lower case, to find a tip again in a response."""

    @property
    def general(self) -> Domain:
        """The advice that fits anything."""
        return self.domains[-1]

    def wider(self, domain: Domain) -> Domain | None:
        """The field whose tips fit this one too."""
        return self.domain(domain.also) if domain.also else None

    def domain(self, name: str) -> Domain:
        """One field by its name."""
        return next(domain for domain in self.domains if domain.name == name)

    def find_tip(self, sentence: str) -> tuple[Tip, Domain] | None:
        """The tip that a sentence of a response was made from, whatever link stands before it."""
        text = sentence.lower()
        links = (link.text.lower() for link in self.frames["response/links"])
        starts = ("", *(link for link in links if text.startswith(link)))
        return next((found for start in starts if (found := self.tips_by_text.get(text[len(start) :]))), None)


@cache
def bank_revision() -> str:
    """Twelve hexadecimal digits that change with every sentence of the banks and every entry of the lexicons."""
    digest = hashlib.sha256()
    for path, resource in sorted(_walk(files("pipeline.backends.offline"), ""), key=lambda item: item[0]):
        digest.update(path.encode() + b"\0" + resource.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


@cache
def load_bank(language: Language) -> Bank:
    """Read and check one language's bank; once per process."""
    frames: dict[str, tuple[Frame, ...]] = {}
    exchanges: dict[str, tuple[Exchange, ...]] = {}
    domains: list[Domain] = []
    for path, resource in sorted(_walk(_root().joinpath(language.value), ""), key=lambda item: item[0]):
        name = path.removesuffix(".yaml")
        content = _read(resource, f"{language.value}/{path}")
        try:
            if name.startswith("advice/"):
                domains.append(_domain(content, language, name))
                continue
            for section, entries in _FILE.validate_python(content).items():
                groups = entries if isinstance(entries, dict) else {"": entries}
                for group, items in groups.items():
                    key = f"{name}/{section}/{group}".rstrip("/")
                    if section == "exchanges":
                        exchanges[name] = tuple(_exchanges(items, f"{language.value}/{key}"))
                    else:
                        frames[key] = tuple(_frames(items, f"{language.value}/{key}"))
        except ValidationError as error:
            raise ConfigError(
                f"phrase bank {language.value}/{path}: {error}; correct the entry named above"
            ) from error
    domains.sort(key=lambda domain: (domain.name == "general", domain.name))
    tips = {tip.say.text.lower(): (tip, domain) for domain in domains for tip in domain.tips}
    return Bank(language, tuple(domains), frames, exchanges, tips)


def _root() -> Traversable:
    return files("pipeline.backends.offline").joinpath("bank")


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _walk(item, f"{prefix}{item.name}/")
        elif item.name.endswith(".yaml"):
            yield f"{prefix}{item.name}", item


def _read(resource: Traversable, path: str) -> object:
    try:
        content: object = yaml.load(resource.read_text("utf-8"), _LOADER)
    except yaml.YAMLError as error:
        raise ConfigError(f"phrase bank {path} is not YAML: {error}; correct the line named above") from error
    return content


def _frames(items: _Entries, prefix: str) -> Iterator[Frame]:
    for number, item in enumerate(items, start=1):
        frame_id = f"{prefix}/{number:02d}"
        if isinstance(item, str):
            yield Frame(frame_id, item)
        elif isinstance(item, _SaidEntry):
            yield Frame(frame_id, item.say, item.emotion, item.kind)
        else:
            raise ConfigError(f"phrase bank: {frame_id} is a question with an answer, wanted a sentence")


def _exchanges(items: _Entries, prefix: str) -> Iterator[Exchange]:
    for number, item in enumerate(items, start=1):
        if not isinstance(item, _ExchangeEntry):
            raise ConfigError(f"phrase bank: {prefix}/{number:02d} wants `ask` and `answer`")
        frame_id = f"{prefix}/{number:02d}"
        yield Exchange(Frame(frame_id, item.ask), Frame(f"{frame_id}/answer", item.answer))


def _domain(content: object, language: Language, path: str) -> Domain:
    domain = _DomainFile.model_validate(content)
    tips = []
    for number, tip in enumerate(domain.tips, start=1):
        frame_id = f"{language.value}/{path}/{number:02d}"
        tips.append(
            Tip(
                say=Frame(frame_id, tip.say),
                about=tip.about,
                ask=Frame(f"{frame_id}/ask", tip.ask),
                answer=split_sentences(tip.answer, language),
                only_for=frozenset(tip.only_for.split()),
            )
        )
    name = path.removeprefix("advice/")
    nouns, cues = frozenset(domain.nouns.split()), frozenset(domain.cues.split())
    return Domain(name, domain.label, nouns, cues, tuple(tips), domain.also)
