"""Versioned prompts: `prompts/<stage>/<name>.v<N>.md`, YAML front matter and a Jinja2 body in two sections.

::

    ---
    name: script/place        the front matter: what the prompt is for, what it takes and gives, examples
    ...
    ---
    --- system ---            the shared head: equal for every dialogue of a language, so servers cache it
    You place ... {{ schema }}
    --- user ---              the tail: every {{ value }} here comes out as JSON that cannot leave its place
    <dialogue>
    {{ adapted }}
    </dialogue>

The head knows `language`, `schema`, `scenes`, `events` and `examples`, and nothing of the dialogue; the tail
knows the fields of the prompt's input type, and nothing else. A version is frozen once its hash stands in
`prompts.lock.json`: to change a prompt, add the next version and call `lock_prompts`.
"""

import difflib
import functools
import hashlib
import importlib
import importlib.resources
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from jinja2 import StrictUndefined, TemplateError, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field, JsonValue, ValidationError

from pipeline.core.prompting import data_text, reply_text, schema_text
from pipeline.core.scripting.validators import spoken_texts
from pipeline.domain.errors import ConfigError
from pipeline.domain.events import EVENTS
from pipeline.domain.labels import Language
from pipeline.domain.record import Record
from pipeline.domain.scene import SCENES
from pipeline.io.yaml_text import load_yaml

LOCK_FILE = "prompts.lock.json"

_FILE_NAME = re.compile(r"(?P<name>[a-z][a-z0-9_]*)\.v(?P<version>[1-9][0-9]*)\.md")
_LAYOUT = re.compile(
    r"---\n(?P<front>.*?)\n---\n--- system ---\n(?P<system>.*?)\n--- user ---\n(?P<user>.*)", re.DOTALL
)
# The types that a prompt may name live here; a prompt file must not be able to import anything else.
_TYPES_PACKAGE = "pipeline.core."


class Example(Record):
    """An input and the reply of a careful author: a few-shot in the head, and a case for the check."""

    language: Language
    input: dict[str, JsonValue]
    reply: dict[str, JsonValue]


class FrontMatter(Record):
    """What stands between the `---` lines."""

    name: str
    version: int = Field(ge=1)
    step: str = Field(min_length=1)
    languages: tuple[Language, ...] = Field(min_length=1)
    description: str = Field(min_length=1)
    input: str
    """Dotted path of the record type whose fields are the tail's variables."""
    output: str
    """Dotted path of the record type that the reply has to spell."""
    examples: tuple[Example, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """One version of one prompt, as its file has it. Compared by identity, so that heads can be cached."""

    front: FrontMatter
    text: str
    """The whole file."""
    sha256: str
    system: str
    """Template of the head."""
    user: str
    """Template of the tail."""
    input: type[Record]
    output: type[Record]

    @property
    def reference(self) -> str:
        """`<stage>/<name>.v<N>`"""
        return f"{self.front.name}.v{self.front.version}"


@dataclass(frozen=True, slots=True)
class PromptText:
    """A prompt with its variables filled in: what `ports.RenderedPrompt` asks for."""

    reference: str
    sha256: str
    system: str
    user: str


@dataclass(frozen=True, slots=True)
class PromptFiles:
    """The prompts of one directory; the newest version of a name is current unless another is pinned."""

    prompts: tuple[Prompt, ...]
    pins: Mapping[str, int]

    def list(self) -> tuple[Prompt, ...]:
        """The current version of every prompt, by name."""
        return tuple(self.current(name) for name in sorted({p.front.name for p in self.prompts}))

    def current(self, name: str) -> Prompt:
        """The version that `name` stands for today."""
        versions = [p for p in self.prompts if p.front.name == name]
        if not versions:
            known = [p.front.name for p in self.prompts]
            raise ConfigError(
                f"prompts: got {name!r}, wanted {_nearest(name, known)}; see `humdial prompts list`"
            )
        pinned = self.pins.get(name)
        return next(
            (p for p in versions if p.front.version == pinned), max(versions, key=lambda p: p.front.version)
        )

    def show(self, name: str) -> str:
        """The file's text: of the current version of `script/place`, or of exactly `script/place.v1`."""
        by_reference = {p.reference: p for p in self.prompts}
        if name in by_reference:
            return by_reference[name].text
        return self.current(name).text

    def render(self, name: str, language: str, variables: Mapping[str, object]) -> PromptText:
        """Head and tail of the current version of `name`; `variables` are the fields of its input type."""
        return _render(self.current(name), language, variables)

    def spoken_examples(self, name: str, language: str) -> tuple[str, ...]:
        """What is said in the replies of a prompt's examples in one language."""
        return _spoken_examples(self.current(name), language)


def shipped_prompts() -> Path:
    """The directory of prompts that is installed with this package."""
    root = importlib.resources.files("prompts")
    if not isinstance(root, Path):
        raise ConfigError(f"prompts: got {root}, wanted a directory; install the package unzipped")
    return root


def load_prompts(directory: Path | None = None, pins: Mapping[str, int] | None = None) -> PromptFiles:
    """Read every prompt under `directory` (default: the shipped ones).

    `pins` keeps a name at a version: `{"script/adapt": 1}`. Raises ConfigError for a file that is not a valid
    prompt, for a locked version whose text changed, and for a pin that names nothing.
    """
    root = directory or shipped_prompts()
    prompts = tuple(read_prompt(root, path) for path in _prompt_paths(root))
    lock = read_lock(root)
    for prompt in prompts:
        if lock.get(prompt.reference + ".md", prompt.sha256) != prompt.sha256:
            raise ConfigError(_changed(prompt.reference))
    references = [prompt.reference for prompt in prompts]
    for name, version in (pins or {}).items():
        pinned = f"{name}.v{version}"
        if pinned not in references:
            raise ConfigError(f"prompts: pin of {pinned!r}, wanted {_nearest(pinned, references)}")
    return PromptFiles(prompts=prompts, pins=dict(pins or {}))


def read_prompt(root: Path, path: Path) -> Prompt:
    """Read one file. Raises ConfigError that names the file and what is wrong with it."""
    where = path.relative_to(root).as_posix()
    match = _FILE_NAME.fullmatch(path.name)
    if match is None:
        raise ConfigError(f"prompts: got file {where}, wanted <stage>/<name>.v<N>.md; rename or move it")
    raw = path.read_bytes()
    try:
        text = raw.decode()
        layout = _LAYOUT.fullmatch(text)
        if layout is None:
            raise ValueError(
                "wanted '---', front matter, '---', '--- system ---', head, '--- user ---', tail"
            )
        front = FrontMatter.model_validate(load_yaml(layout["front"]))
        types = _record_type(front.input), _record_type(front.output)
    except (ValueError, yaml.YAMLError) as error:  # pydantic and UTF-8 errors are ValueErrors
        raise ConfigError(f"prompts: {where} is not a prompt: {' '.join(str(error).split())}") from error
    wanted = (f"{path.parent.name}/{match['name']}", int(match["version"]))
    if (front.name, front.version) != wanted:
        found = f"{front.name} version {front.version}"
        raise ConfigError(
            f"prompts: {where} says {found!r}, wanted {wanted[0]} version {wanted[1]} like its file"
        )
    sha256 = hashlib.sha256(raw).hexdigest()
    return Prompt(front, text, sha256, layout["system"], layout["user"], *types)


def check_prompts(directory: Path | None = None) -> tuple[str, ...]:
    """Everything that is wrong with the prompts of a directory, one line each; empty is good.

    Reads every file, compares it with the lock, renders every example and reads every example reply.
    """
    root = directory or shipped_prompts()
    findings: list[str] = []
    prompts: list[Prompt] = []
    for path in _prompt_paths(root):
        try:
            prompts.append(read_prompt(root, path))
        except ConfigError as error:
            findings.append(str(error))
    findings += _lock_findings(root, prompts)
    for prompt in prompts:
        findings += _example_findings(prompt)
    return tuple(findings)


def read_lock(root: Path) -> dict[str, str]:
    """Hash by file of every frozen version; empty where no lock was written yet."""
    path = root / LOCK_FILE
    if not path.exists():
        return {}
    try:
        lock = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(
            f"prompts: {LOCK_FILE} is not JSON ({error}); restore it from version control"
        ) from error
    if not isinstance(lock, dict) or not all(isinstance(value, str) for value in lock.values()):
        raise ConfigError(f"prompts: {LOCK_FILE} must map files to hashes; restore it from version control")
    return lock


def lock_prompts(directory: Path | None = None) -> tuple[str, ...]:
    """Freeze versions that are not frozen yet; returns their files.

    Never lets go of a hash: a locked version that changed or is gone is refused, because datasets name it.
    """
    root = directory or shipped_prompts()
    lock = read_lock(root)
    prompts = {p.reference + ".md": p for p in (read_prompt(root, path) for path in _prompt_paths(root))}
    for file, sha256 in lock.items():
        if file not in prompts or prompts[file].sha256 != sha256:
            raise ConfigError(_changed(file.removesuffix(".md")))
    new = tuple(sorted(prompts.keys() - lock.keys()))
    hashes = {file: prompt.sha256 for file, prompt in sorted(prompts.items())}
    temporary = root / f".{LOCK_FILE}.partial"
    temporary.write_text(json.dumps(hashes, indent=2) + "\n", encoding="utf-8")
    temporary.replace(root / LOCK_FILE)
    return new


def _prompt_paths(root: Path) -> tuple[Path, ...]:
    paths = tuple(sorted(root.glob("*/*.md")))
    if not paths:
        raise ConfigError(
            f"prompts: found none under {root}, wanted <stage>/<name>.v<N>.md; name another directory"
        )
    return paths


def _record_type(dotted: str) -> type[Record]:
    """Find `pipeline.core.scripting.steps.Adapted`."""
    module_name, _, type_name = dotted.rpartition(".")
    if not module_name.startswith(_TYPES_PACKAGE):
        raise ValueError(f"type {dotted!r} is not under {_TYPES_PACKAGE}*")
    try:
        found: object = getattr(importlib.import_module(module_name), type_name, None)
    except ModuleNotFoundError as error:
        raise ValueError(f"type {dotted!r} names no module") from error
    if not (isinstance(found, type) and issubclass(found, Record)):
        raise ValueError(f"type {dotted!r} is not a Record of {module_name}")
    return found


def _finalize_data(value: object) -> str:
    """Every value in a tail is data; one that is missing stays an error."""
    return str(value) if isinstance(value, Undefined) else data_text(value)


_HEAD = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_TAIL = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_finalize_data
)


def _values(prompt: Prompt, language: str, variables: Mapping[str, object]) -> dict[str, JsonValue]:
    """The tail's variables as plain JSON, proven to be a record of the prompt's input type."""
    fields = prompt.input.model_fields
    who = f"prompt {prompt.reference}"
    for name in variables:
        if name not in fields:
            raise ConfigError(f"{who}: got variable {name!r}, wanted {_nearest(name, fields)}")
    if missing := sorted(fields.keys() - variables.keys()):
        raise ConfigError(f"{who}: variables {missing} are missing, wanted all of {sorted(fields)}")
    if language not in prompt.front.languages:
        known = [item.value for item in prompt.front.languages]
        raise ConfigError(f"{who}: got language {language!r}, wanted {_nearest(language, known)}")
    try:
        record = prompt.input.model_validate(dict(variables))
    except ValidationError as error:
        raise ConfigError(f"{who}: {' '.join(str(error).split())}") from error
    values: dict[str, JsonValue] = record.model_dump(mode="json")
    if values.get("language", language) != language:
        raise ConfigError(f"{who}: got a record in {values['language']!r}, wanted {language!r} as asked for")
    return values


def _render(prompt: Prompt, language: str, variables: Mapping[str, object]) -> PromptText:
    try:
        return PromptText(
            prompt.reference,
            prompt.sha256,
            _head(prompt, language),
            _tail(prompt, _values(prompt, language, variables)),
        )
    except TemplateError as error:
        raise ConfigError(f"prompt {prompt.reference}: its template fails: {error}") from error


@functools.lru_cache(maxsize=64)
def _spoken_examples(prompt: Prompt, language: str) -> tuple[str, ...]:
    own = (example for example in prompt.front.examples if example.language == language)
    return tuple(text for example in own for text in spoken_texts(example.reply))


@functools.lru_cache(maxsize=64)
def _head(prompt: Prompt, language: str) -> str:
    """What every dialogue of a language shares; its few-shots look exactly like the real question."""
    examples = [
        {
            "question": _tail(prompt, _values(prompt, language, e.input)),
            "reply": reply_text(prompt.output.model_validate_json(json.dumps(e.reply))),
        }
        for e in prompt.front.examples
        if e.language == language
    ]
    shared = {
        "language": language,
        "schema": schema_text(prompt.output),
        "scenes": [row.model_dump(mode="json") for row in SCENES],
        "events": [row.model_dump(mode="json") for row in EVENTS],
        "examples": examples,
    }
    return _HEAD.from_string(prompt.system).render(shared).strip()


def _tail(prompt: Prompt, values: Mapping[str, JsonValue]) -> str:
    return _TAIL.from_string(prompt.user).render(values).strip()


def _example_findings(prompt: Prompt) -> list[str]:
    """Render every example and read its reply, as a run would."""
    findings = [
        f"prompt {prompt.reference}: no example in {language.value}, wanted one at least"
        for language in prompt.front.languages
        if all(example.language != language for example in prompt.front.examples)
    ]
    for number, example in enumerate(prompt.front.examples, start=1):
        try:
            _render(prompt, example.language, example.input)
            prompt.output.model_validate_json(json.dumps(example.reply), strict=True)
        except (ConfigError, ValidationError) as error:
            findings.append(f"prompt {prompt.reference}: example {number}: {' '.join(str(error).split())}")
    return findings


def _lock_findings(root: Path, prompts: Sequence[Prompt]) -> list[str]:
    lock = read_lock(root)
    hashes = {prompt.reference + ".md": prompt.sha256 for prompt in prompts}
    findings = [
        f"{file} is not in {LOCK_FILE}; freeze it with lock_prompts" for file in hashes.keys() - lock.keys()
    ]
    findings += [
        _changed(file.removesuffix(".md")) for file, sha256 in lock.items() if hashes.get(file) != sha256
    ]
    return sorted(findings)


def _changed(reference: str) -> str:
    return (
        f"prompt {reference} was changed or removed after it was locked; restore the file, save the new text "
        f"as the next version and freeze that with lock_prompts"
    )


def _nearest(name: str, known: Sequence[str] | Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    listed = ", ".join(sorted(set(known)))
    return f"{close[0]!r} (known: {listed})" if close else f"one of: {listed}"
