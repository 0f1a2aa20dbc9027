"""What the official layouts have no place for: the manifest and the licences, beside the official files."""

from collections.abc import Iterable
from enum import StrEnum

from pipeline.core.exports.clock import seconds_at
from pipeline.core.exports.files import TextFile
from pipeline.core.exports.segments import Clamped
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Language, Recipe, Speaker, Split
from pipeline.domain.licence import Licence
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene
from pipeline.domain.timeline import Provenance, Timeline, Voicing

MANIFEST = "manifest.jsonl"
LICENCES = "LICENSES.md"


class Layout(StrEnum):
    """The three shapes in which HumDial Track 2 data go around."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


class PlacedSpeech(Record):
    """One supervision with its full span, as it is heard."""

    supervision_id: str
    turn: int
    speaker: Speaker
    start_s: float
    end_s: float
    text: str
    planned_text: str


class PlacedEvent(Record):
    """One event, in seconds."""

    type: EventType
    supervision_id: str
    initiator: Speaker
    host: str | None
    effect: FloorEffect
    onset_s: float
    yielded_at_s: float | None


class ClampedTurn(Record):
    """A turn whose annotated interval ends before its speech does, because the next turn has begun."""

    turn: int
    speaker: Speaker
    clamped_s: float


class ExportRow(Record):
    """A line of `manifest.jsonl`: what one exported dialogue is and where it comes from."""

    export_id: str
    dialogue_id: str
    layout: Layout
    directory: str
    """Where its files are, relative to the export's root."""
    split: Split
    language: Language
    recipe: Recipe
    scene: Scene | None
    duration_s: float
    supervisions: tuple[PlacedSpeech, ...]
    events: tuple[PlacedEvent, ...]
    clamped: tuple[ClampedTurn, ...]
    voices: tuple[Voicing, ...]
    licence: Licence
    provenance: Provenance


def describe(
    timeline: Timeline, export_id: str, layout: Layout, directory: str, clamped: tuple[Clamped, ...]
) -> ExportRow:
    """The manifest line of a dialogue."""
    rate = timeline.sampling_rate
    return ExportRow(
        export_id=export_id,
        dialogue_id=timeline.dialogue_id,
        layout=layout,
        directory=directory,
        split=timeline.split,
        language=timeline.language,
        recipe=timeline.recipe,
        scene=timeline.scene,
        duration_s=seconds_at(timeline.num_samples, rate),
        supervisions=_speech(timeline),
        events=_events(timeline),
        clamped=tuple(
            ClampedTurn(turn=c.turn, speaker=c.speaker, clamped_s=seconds_at(c.samples, rate))
            for c in clamped
        ),
        voices=timeline.voicing,
        licence=timeline.licence,
        provenance=timeline.provenance,
    )


def _speech(timeline: Timeline) -> tuple[PlacedSpeech, ...]:
    return tuple(
        PlacedSpeech(
            supervision_id=s.supervision_id,
            turn=s.turn,
            speaker=s.speaker,
            start_s=seconds_at(s.span.start, timeline.sampling_rate),
            end_s=seconds_at(s.span.end, timeline.sampling_rate),
            text=s.text,
            planned_text=s.planned_text,
        )
        for s in timeline.supervisions
    )


def _events(timeline: Timeline) -> tuple[PlacedEvent, ...]:
    return tuple(
        PlacedEvent(
            type=e.type,
            supervision_id=e.supervision_id,
            initiator=e.initiator,
            host=e.host,
            effect=e.effect,
            onset_s=seconds_at(e.onset, timeline.sampling_rate),
            yielded_at_s=None if e.yielded_at is None else seconds_at(e.yielded_at, timeline.sampling_rate),
        )
        for e in timeline.events
    )


def sidecar_files(rows: Iterable[ExportRow]) -> tuple[TextFile, ...]:
    """`manifest.jsonl` and `LICENSES.md`, in the order of the export ids."""
    ordered = sorted(rows, key=lambda row: row.export_id)
    lines = "".join(f"{row.to_line()}\n" for row in ordered)
    return TextFile(MANIFEST, lines), licences_file(row.licence for row in ordered)


def licences_file(licences: Iterable[Licence]) -> TextFile:
    """`LICENSES.md` from the licence of every dialogue.

    One section per licence: what it asks for, and every attribution, as sources may share a licence.
    """
    counts: dict[tuple[str, bool, bool, bool], int] = {}
    attributions: dict[tuple[str, bool, bool, bool], set[str]] = {}
    for licence in licences:
        key = (licence.id, licence.non_commercial, licence.share_alike, licence.redistributable)
        counts[key] = counts.get(key, 0) + 1
        attributions.setdefault(key, set()).update({licence.attribution} - {""})
    lines = [
        "# Licences of this export",
        "",
        f"Each line of `{MANIFEST}` carries the licence of its dialogue.",
        "An engineering summary, not legal advice.",
    ]
    for key in sorted(counts):
        name, non_commercial, share_alike, redistributable = key
        lines += [
            "",
            f"## {name}",
            "",
            f"- dialogues: {counts[key]}",
            f"- commercial use: {'no' if non_commercial else 'yes'}",
            f"- share alike: {'yes' if share_alike else 'no'}",
            f"- may be redistributed: {'yes' if redistributable else 'no'}",
            *(f"- attribution: {line}" for line in sorted(attributions[key])),
        ]
    return TextFile(LICENCES, "\n".join(lines) + "\n")
