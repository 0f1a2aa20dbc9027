"""Turn-taking references on disk: `switchboard` ships with the package, others are files of its schema."""

import json
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from pydantic import JsonValue, ValidationError

from pipeline.core.reference import Reference
from pipeline.domain.errors import ConfigError

SCHEMA = "turntaking-reference/1"
SHIPPED = ("switchboard",)

# Sections of the schema that hold nothing to draw from or to compare with.
_UNUSED_SECTIONS = frozenset({"parametric_fits", "sensitivity", "not_comparable"})
_UNUSED_RATE_KEYS = frozenset({"per_min_overlap_ge_0.2s"})

JsonObject = dict[str, JsonValue]


def load_reference(name_or_path: str) -> Reference:
    """A shipped reference by name, or any file of schema `turntaking-reference/1` by path.

    >>> round(load_reference("switchboard").distribution("gap").quantile(0.5), 3)
    0.263
    """
    if name_or_path in SHIPPED:
        resource = files("pipeline") / "data" / "turntaking" / f"{name_or_path}.json"
        return parse_reference(resource.read_text(encoding="utf-8"), name_or_path)
    path = Path(name_or_path)
    if not path.is_file():
        raise ConfigError(_unknown(name_or_path))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"timing reference {name_or_path!r}: cannot be read as UTF-8 text: {error}"
        ) from error
    return parse_reference(text, name_or_path)


def parse_reference(text: str, source: str) -> Reference:
    """Read one reference. `source` names it in errors.

    What could not be measured is `null` in a file and simply absent from the result.
    """
    try:
        loaded: JsonValue = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"timing reference {source!r}: not JSON: {error}; `humdial fit` writes one"
        ) from error
    content = _object(loaded, source, "the file")
    if content.get("schema") != SCHEMA:
        got = content.get("schema")
        raise ConfigError(
            f"timing reference {source!r}: schema is {got!r}, wanted {SCHEMA!r}; write it with `humdial fit`"
        )
    try:
        return Reference.model_validate_json(json.dumps(_as_model(content, source)))
    except ValidationError as error:
        raise ConfigError(f"timing reference {source!r}: {_first_problem(error)}") from error


def format_reference(reference: Reference) -> str:
    """The file that `parse_reference` reads: one table of levels for all distributions, compact JSON."""
    tables = {distribution.levels for distribution in reference.distributions.values()}
    if len(tables) > 1:
        raise ConfigError(
            f"reference {reference.corpus.name!r}: distributions differ in levels; use the same for all"
        )
    content: JsonObject = {"schema": SCHEMA, **reference.model_dump(mode="json", exclude_none=True)}
    content["quantile_levels"] = list(next(iter(tables), ()))
    for distribution in _object(content["distributions"], "reference", "distributions").values():
        _object(distribution, "reference", "distribution").pop("levels")
    spread = content.get("per_conversation")
    if isinstance(spread, dict):
        metrics = [
            _object(m, "reference", "metric")
            for m in _object(spread["metrics"], "reference", "metrics").values()
        ]
        levels = [metric.pop("levels") for metric in metrics]
        spread["levels"] = levels[0] if levels else []
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def _as_model(content: JsonObject, source: str) -> JsonObject:
    """The file's layout turned into the type's: levels go into every table, nulls and unused sections go."""
    wanted = set(Reference.model_fields)
    for key in content.keys() - wanted - _UNUSED_SECTIONS - {"schema", "quantile_levels"}:
        near = get_close_matches(key, wanted, n=1, cutoff=0.0)[0]
        raise ConfigError(f"timing reference {source!r}: unknown key {key!r}; did you mean {near!r}?")
    model: JsonObject = {key: value for key, value in content.items() if key in wanted}
    for section in ("distributions", "rates", "ratios", "joint_facts"):
        model[section] = _measured(content.get(section), source, section)
    levels = content.get("quantile_levels")
    for name, table in _object(model["distributions"], source, "distributions").items():
        _object(table, source, f"distributions.{name}")["levels"] = levels
    for name, rate in _object(model["rates"], source, "rates").items():
        entry = _object(rate, source, f"rates.{name}")
        for key in _UNUSED_RATE_KEYS & entry.keys():
            del entry[key]
    model["per_conversation"] = _spread(content.get("per_conversation"), source)
    model.setdefault("sampling_error", None)
    return model


def _spread(value: JsonValue, source: str) -> JsonValue:
    if value is None:
        return None
    spread = dict(_object(value, source, "per_conversation"))
    levels = spread.pop("levels", None)
    metrics = _measured(spread.get("metrics"), source, "per_conversation.metrics")
    for name, metric in metrics.items():
        _object(metric, source, f"per_conversation.metrics.{name}")["levels"] = levels
    spread["metrics"] = metrics
    spread["split_half"] = _measured(spread.get("split_half"), source, "per_conversation.split_half")
    spread.setdefault("conversation_minutes", None)
    return spread


def _measured(value: JsonValue, source: str, where: str) -> JsonObject:
    """The entries of a section that are not null; a missing section is an empty one."""
    if value is None:
        return {}
    return {key: entry for key, entry in _object(value, source, where).items() if entry is not None}


def _object(value: JsonValue, source: str, where: str) -> JsonObject:
    if not isinstance(value, dict):
        raise ConfigError(
            f"timing reference {source!r}: {where} must be a JSON object, got {type(value).__name__}"
        )
    return value


def _first_problem(error: ValidationError) -> str:
    problems = error.errors()
    first = problems[0]
    place = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{place}: {first['msg']}{more}"


def _unknown(name_or_path: str) -> str:
    near = get_close_matches(name_or_path, SHIPPED, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"shipped references: {', '.join(SHIPPED)}"
    return f"timing reference {name_or_path!r}: neither a shipped reference nor a file; {hint}"
