"""The phrase banks: YAML files of written sentences, one folder per language.

bank/en/response.yaml            openings, links, closings of an answer
bank/en/advice/cooking.yaml      what one can say about cooking: tips, each with a question and its answer
bank/en/negation.yaml ...        one file per kind of event
bank/en/talk/ events/ planted/   what long conversations need beside that
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from pipeline.backends.offline.frames import Frame, split_sentences
from pipeline.backends.offline.planted import Planted, read_planted
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Emotion, Language
from pipeline.domain.record import Record

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
T = TypeVar("T")


class _SaidEntry(Record):
    say: str
    emotion: Emotion = Emotion.NEUTRAL
    kind: str = ""


class _ExchangeEntry(Record):
    ask: str
    answer: str
    kind: str = ""


class _TipEntry(Record):
    ask: str
    answer: str
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
_FILE = TypeAdapter(dict[str, _Entries | dict[str, _Entries]])


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
    planted: Mapping[str, tuple[Planted, ...]]
    """By file: `announcements`, `mistakes` ..."""
    tips_by_text: Mapping[str, tuple[Tip, Domain]]
    """By the sentence in lower case, to find a tip again in a response."""
    asks_by_text: Mapping[str, tuple[Tip, ...]]
    """By the question in lower case."""
    planted_by_text: Mapping[str, Planted]
    """By the sentence in lower case."""
    tip_leads: tuple[str, ...]
    """What may stand before a tip, in lower case; the longest first."""
    planted_leads: tuple[str, ...]
    """What may stand before a planted sentence."""
    formulas: frozenset[str]
    """What users say in front of what they want to say, in lower case: nobody nods to it."""
    returns: frozenset[str]
    """What users say who had to run in the middle of an answer; in lower case."""

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
        return _find(sentence, self.tips_by_text, self.tip_leads)

    def find_asked(self, sentences: Iterable[str]) -> tuple[Tip, ...]:
        """The tips that a turn may ask about: a few of them share their question."""
        return tuple(tip for sentence in sentences for tip in self.asks_by_text.get(sentence.lower(), ()))

    def find_planted(self, sentence: str) -> Planted | None:
        """The planted sentence that this one was made from, whatever lead stands before it."""
        return _find(sentence, self.planted_by_text, self.planted_leads)


def _find(sentence: str, known: Mapping[str, T], leads: tuple[str, ...]) -> T | None:
    text = sentence.lower()
    starts = ("", *(lead for lead in leads if text.startswith(lead)))
    return next((found for start in starts if (found := known.get(text[len(start) :]))), None)


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
    planted: dict[str, tuple[Planted, ...]] = {}
    for path, resource in sorted(_walk(_root().joinpath(language.value), ""), key=lambda item: item[0]):
        name = path.removesuffix(".yaml")
        if name.startswith("emotional/"):
            continue  # a bank of its own, with a reader of its own
        content = _read(resource, f"{language.value}/{path}")
        try:
            if name.startswith("advice/"):
                domains.append(_domain(content, language, name))
                continue
            if name.startswith("planted/"):
                planted[name.removeprefix("planted/")] = read_planted(content, language, name)
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
    return Bank(
        language=language,
        domains=tuple(domains),
        frames=frames,
        exchanges=exchanges,
        planted=planted,
        tips_by_text=tips,
        asks_by_text=_by_question(tip for tip, _ in tips.values()),
        planted_by_text={one.say.text.lower(): one for group in planted.values() for one in group},
        tip_leads=_leads(frames, "response/links", "events/resumption/assistant"),
        planted_leads=_leads(frames, "events/resumption/extra"),
        formulas=_wordings(frames, "accepts", "cheers", "last", "returns"),
        returns=_wordings(frames, "returns"),
    )


def _wordings(frames: Mapping[str, tuple[Frame, ...]], *sections: str) -> frozenset[str]:
    """Everything that frames of the user's can come out as."""
    found = (frame for section in sections for frame in frames[f"talk/user/{section}"])
    return frozenset(text.lower() for frame in found for text in frame.variants())


def _leads(frames: Mapping[str, tuple[Frame, ...]], *keys: str) -> tuple[str, ...]:
    return tuple(sorted((frame.text.lower() for key in keys for frame in frames[key]), key=len, reverse=True))


def _by_question(tips: Iterable[Tip]) -> Mapping[str, tuple[Tip, ...]]:
    found: dict[str, tuple[Tip, ...]] = {}
    for tip in tips:
        question = tip.ask.text.lower()
        found[question] = (*found.get(question, ()), tip)
    return found


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
        yield Exchange(
            Frame(frame_id, item.ask, kind=item.kind),
            Frame(f"{frame_id}/answer", item.answer, kind=item.kind),
        )


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
