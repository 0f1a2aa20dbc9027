"""Who spoke a run's clips, how many takes were no good and why, and where word times come from."""

from collections import Counter
from collections.abc import Iterable, Mapping
from statistics import median

from pydantic import Field

from pipeline.domain.record import Record
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.takes import Flaw, Making
from pipeline.domain.voice import ClipRef

ITSELF = "engine"
"""Where word times come from that no aligner found."""


class EngineRow(Record):
    """One speech engine over a run. A clip that several dialogues share counts once."""

    engine: str
    clips: int = Field(ge=0)
    """That it spoke well."""
    refused: Mapping[Flaw, int]
    """Takes of it that were no good, by flaw, on the way to clips of the run."""
    retake_rate: float | None
    """Refused takes / all takes; None without any."""
    word_times: Mapping[str, int]
    """Its clips by who said when their words are spoken."""
    warnings: int = Field(ge=0)
    """Of its clips, how many have one."""
    median_error_rate: float | None = None
    """Of its clips that a recogniser heard."""
    median_similarity: float | None = None
    """To their voices' references, of its clips that were compared."""


class Takes(Record):
    """Of all engines of a run."""

    engines: tuple[EngineRow, ...]


def summarise_takes(spoken: Iterable[SpokenScript]) -> Takes:
    """By engine, whoever spoke most first. Takes of dialogues that were refused stand in their quarantine rows."""
    clips: dict[str, ClipRef] = {}
    for script in spoken:
        clips.update((entry.clip.digest, entry.clip) for entry in script.clips)
    refused: dict[str, Counter[Flaw]] = {}
    sources: dict[str, Counter[str]] = {}
    warned: Counter[str] = Counter()
    heard: dict[str, list[Making]] = {}
    for clip in clips.values():
        heard.setdefault(clip.engine, []).append(clip.making)
        sources.setdefault(clip.engine, Counter())[clip.making.aligner or ITSELF] += 1
        warned[clip.engine] += bool(clip.making.warnings)
        for take in clip.making.refused:
            refused.setdefault(take.engine, Counter())[take.flaw] += 1
    spoke = {engine: sum(counts.values()) for engine, counts in sources.items()}
    rows = (
        _row(
            engine,
            spoke.get(engine, 0),
            refused.get(engine, Counter()),
            sources.get(engine, Counter()),
            warned,
            heard.get(engine, []),
        )
        for engine in sorted({*spoke, *refused}, key=lambda name: (-spoke.get(name, 0), name))
    )
    return Takes(engines=tuple(rows))


def _row(
    engine: str,
    clips: int,
    refused: Counter[Flaw],
    sources: Counter[str],
    warned: Counter[str],
    heard: list[Making],
) -> EngineRow:
    bad = sum(refused.values())
    return EngineRow(
        engine=engine,
        clips=clips,
        refused=dict(sorted(refused.items())),
        retake_rate=bad / (bad + clips) if bad + clips else None,
        word_times=dict(sorted(sources.items())),
        warnings=warned[engine],
        median_error_rate=_median(making.error_rate for making in heard),
        median_similarity=_median(making.similarity for making in heard),
    )


def _median(figures: Iterable[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return median(known) if known else None


def takes_table(rows: tuple[EngineRow, ...]) -> tuple[tuple[str, ...], ...]:
    """Rows of cells, the header first."""
    header = (
        "engine", "clips", "takes refused", "of all takes", "because", "word times from", "warnings",
        "heard wrong", "likeness",
    )  # fmt: skip
    return (header, *map(_cells, rows))


def _cells(row: EngineRow) -> tuple[str, ...]:
    return (
        row.engine,
        f"{row.clips:,}",
        f"{sum(row.refused.values()):,}",
        "-" if row.retake_rate is None else f"{row.retake_rate:.1%}",
        ", ".join(f"{flaw.value} {count:,}" for flaw, count in row.refused.items()) or "-",
        ", ".join(f"{source} {count:,}" for source, count in row.word_times.items()) or "-",
        f"{row.warnings:,}",
        "-" if row.median_error_rate is None else f"{row.median_error_rate:.1%}",
        "-" if row.median_similarity is None else f"{row.median_similarity:.2f}",
    )
