"""One YAML file, one run."""

import difflib
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Never, Self

import yaml
from pydantic import BaseModel, Field, JsonValue, ValidationError, model_validator

from pipeline.core.exports.format_names import FormatName
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Recipe
from pipeline.domain.record import Record
from pipeline.stages.render import Config as RenderConfig
from pipeline.stages.script import Config as ScriptConfig
from pipeline.stages.seeds import Config as SeedsConfig
from pipeline.stages.speech_config import Config as SpeechConfig
from pipeline.stages.timing import Config as TimingConfig

DEMO = "demo"
"""The path that names the seed dialogues of this package."""


class RunConfig(Record):
    """Everything that decides what a run makes; one section per stage, each owned by its stage."""

    name: str = Field(default="run", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the run and, unless `--out` says otherwise, of its directory under `outputs/`."""
    seed: int = Field(default=0, ge=0)
    """Root of every random draw."""
    shard_size: int = Field(default=50, ge=1)
    """Dialogues per unit of work; never changes the data."""
    workers: int = Field(default=2, ge=1, le=256)
    """Shards at once; never changes the data."""
    seeds: SeedsConfig
    script: ScriptConfig = ScriptConfig()
    speech: SpeechConfig = SpeechConfig()
    timing: TimingConfig = TimingConfig()
    render: RenderConfig = RenderConfig()
    export: tuple[FormatName, ...] = ()
    """Formats to write into `export/` when the run is done; `humdial export` writes more at any time."""

    @model_validator(mode="after")
    def _combines(self) -> Self:
        recipe = self.script.recipe
        for name in self.export:
            if name.recipe is not recipe:
                raise ValueError(
                    f"export: {name.value} holds dialogues of recipe {name.recipe.value}, this run makes "
                    f"{recipe.value}; leave it out"
                )
        if recipe is not Recipe.FULL_DUPLEX and self.timing.profile == "humdial-dev":
            raise ValueError(
                f"timing.profile: humdial-dev is a template for full_duplex, not for {recipe.value}"
            )
        return self


def find_config(name: str) -> Path:
    """The file of a configuration: a path, or the name of a preset.

    >>> find_config("demo").name
    'demo.yaml'
    """
    path = Path(name)
    if path.suffix or path.is_file():
        return path
    presets = files("flows") / "presets"
    preset = Path(str(presets / f"{name}.yaml"))
    if not preset.is_file():
        known = ", ".join(sorted(Path(str(entry)).stem for entry in presets.iterdir()))
        raise ConfigError(f"{name}: neither a file nor a preset; wanted a YAML file or one of: {known}")
    return preset


def load_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a run configuration (YAML) or the `run.json` of an earlier run, then apply `section.key=value`.

    Relative source paths count from the configuration's own directory. Raises ConfigError naming file, key
    and the nearest known key.
    """
    content = _read(path)
    for override in overrides:
        _apply(content, override)
    config = parse_config(content, str(path))
    sources = tuple(
        source
        if source.path == DEMO
        else source.model_copy(update={"path": str(_absolute(path, source.path))})
        for source in config.seeds.sources
    )
    return config.model_copy(update={"seeds": config.seeds.model_copy(update={"sources": sources})})


def parse_config(content: Mapping[str, JsonValue], source: str) -> RunConfig:
    """Validate a configuration; `source` is who the error speaks of."""
    try:
        return RunConfig.model_validate_json(json.dumps(content, default=_refuse_value))
    except ValidationError as error:
        raise ConfigError(f"{source}: {_explain(error)}") from error
    except TypeError as error:
        raise ConfigError(f"{source}: {error}") from error
    except ValueError as error:  # what json.dumps says of an alias inside its own anchor
        raise ConfigError(f"{source}: a value refers to itself; write it out") from error


def _refuse_value(value: object) -> Never:
    """YAML reads more than numbers and texts: 2024-05-01 is a date to it."""
    raise TypeError(
        f"{value!r} is read as a {type(value).__name__}, wanted text or a number; put it in quotes"
    )


def override_config(config: RunConfig, overrides: Sequence[str]) -> RunConfig:
    """The same configuration with some keys changed."""
    content: dict[str, JsonValue] = config.model_dump(mode="json")
    for override in overrides:
        _apply(content, override)
    return parse_config(content, "--set")


def _read(path: Path) -> dict[str, JsonValue]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); wanted a YAML run configuration") from error
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        problem = " ".join(str(error).split())
        raise ConfigError(f"{path}: not valid YAML: {problem}") from error
    if not isinstance(content, dict):
        raise ConfigError(
            f"{path}: holds {type(content).__name__}; wanted `key: value` lines, see flows/presets"
        )
    if isinstance(content.get("config"), dict) and isinstance(content.get("versions"), dict):
        content = content["config"]  # the run.json of an earlier run
    return {str(key): value for key, value in content.items()}


def _apply(content: dict[str, JsonValue], override: str) -> None:
    """Set one dotted key. `seeds.sources.0.limit=20` reaches into lists."""
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {override!r}: wanted section.key=value, for example timing.tail_s=1.0")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {override!r}: {text!r} is not a YAML value") from error
    *parents, last = key.strip().split(".")
    place: JsonValue = content
    for name in parents:
        if isinstance(place, dict):
            place = place.setdefault(name, {})
        elif isinstance(place, list) and name.isdigit() and int(name) < len(place):
            place = place[int(name)]
        else:
            raise ConfigError(f"--set {override!r}: there is nothing called {name!r} to reach into")
    if isinstance(place, dict):
        place[last] = value
    elif isinstance(place, list) and last.isdigit() and int(last) < len(place):
        place[int(last)] = value
    else:
        raise ConfigError(f"--set {override!r}: {'.'.join(parents)} holds a single value, not keys")


def _absolute(config: Path, path: str) -> Path:
    try:
        return (config.absolute().parent / Path(path).expanduser()).resolve()
    except (ValueError, RuntimeError) as error:  # a zero byte; the home of a user that there is not
        raise ConfigError(f"{config}: source path {path!r} cannot be a path ({error}); correct it") from error


def _explain(error: ValidationError) -> str:
    """One problem, for a person: where, what was found, what is known.

    Of several, a misspelt or missing key first: where a value may be of several kinds, the others follow from it.
    """
    order = {"extra_forbidden": 0, "missing": 1}
    first = min(error.errors(), key=lambda problem: order.get(problem["type"], 2))
    unknown = first["type"] == "extra_forbidden"
    parts = (*filter(_is_key, first["loc"][:-1]), *(p for p in first["loc"][-1:] if unknown or _is_key(p)))
    where = ".".join(map(str, parts))
    if unknown:
        known = _keys_at(first["loc"][:-1])
        nearest = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.0)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        return f"unknown key {where!r}; {hint}known here: {', '.join(known)}"
    if first["type"] == "missing":
        return f"{where} is missing; add it"
    got = first.get("input")
    return f"{where}: {first['msg']}; got {got!r}"


def _is_key(part: int | str) -> bool:
    """Whether people wrote this part of a location: pydantic also names the kinds of value that it tried."""
    return isinstance(part, int) or (part.isidentifier() and part.islower() and part != "float")


def _keys_at(location: tuple[int | str, ...]) -> list[str]:
    """Names of the keys that a section knows."""
    model: type[BaseModel] = RunConfig
    for name in location:
        field = model.model_fields.get(str(name))
        if field is None:
            continue
        for candidate in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                model = candidate
    return sorted(model.model_fields)
