"""Who spoke a run's clips, how many takes were no good and why, and where word times come from."""

from collections import Counter
from collections.abc import Iterable, Mapping

from pydantic import Field

from pipeline.domain.record import Record
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.takes import Flaw
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
    for clip in clips.values():
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
        )
        for engine in sorted({*spoke, *refused}, key=lambda name: (-spoke.get(name, 0), name))
    )
    return Takes(engines=tuple(rows))


def _row(
    engine: str, clips: int, refused: Counter[Flaw], sources: Counter[str], warned: Counter[str]
) -> EngineRow:
    bad = sum(refused.values())
    return EngineRow(
        engine=engine,
        clips=clips,
        refused=dict(sorted(refused.items())),
        retake_rate=bad / (bad + clips) if bad + clips else None,
        word_times=dict(sorted(sources.items())),
        warnings=warned[engine],
    )


def takes_table(rows: tuple[EngineRow, ...]) -> tuple[tuple[str, ...], ...]:
    """Rows of cells, the header first."""
    header = ("engine", "clips", "takes refused", "of all takes", "because", "word times from", "warnings")
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
    )
