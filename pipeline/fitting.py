"""Writing a timing reference: observe, measure, and put it where `timing.reference` can name it."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.core.fitting import Base, Origin, fit_reference
from pipeline.core.reference import Reference
from pipeline.describing import Material, Refuse, observe
from pipeline.io.files import write_text
from pipeline.io.mined_files import is_mined
from pipeline.io.references import format_reference, load_reference


@dataclass(frozen=True, slots=True)
class Fit:
    """How to fit."""

    name: str | None = None
    """What the reference is called in messages; None: after the material."""
    base: str | None = None
    """A reference to borrow missing tables from."""
    allow_small: bool = False


def fit_material(material: Material, fit: Fit, out: Path, refuse: Refuse) -> Reference:
    """Fit a reference on the material and write it. Raises ConfigError for too little of it."""
    base = Base(fit.base, load_reference(fit.base)) if fit.base else None
    name = fit.name or "+".join(path.stem for path in material.paths[:3])
    fitted = fit_reference(
        tuple(observe(material, refuse)),
        Origin(name=name, setting=_setting(material)),
        base=base,
        allow_small=fit.allow_small,
    )
    write_text(out, format_reference(fitted))
    return fitted


def _setting(material: Material) -> str:
    if material.is_audio:
        return f"two-channel audio through the voice activity detector {material.detector!r}, padding 0"
    mined = all(is_mined(path) for path in material.paths)
    if material.from_audio:
        talk = "recorded talk, its" if mined else "generated dialogues, their"
        return f"{talk} audio through the voice activity detector {material.detector!r}"
    if all(path.is_dir() for path in material.paths):
        return "recorded talk, as it was mined" if mined else "generated dialogues, as their records say"
    return "who spoke when, by RTTM"
