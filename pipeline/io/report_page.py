"""The run report on disk: `stats.json` for programs, `index.html` for a person who wants to listen.

The page is one file without any network access. It lives in `<run>/report/` and plays `<run>/audio/`
through relative paths, so a run directory can be copied, zipped or served as it is.

Records may hold anything, also markup. Three things keep text text: Jinja2 escapes what it writes, the
data block escapes every character that could end it, and the script writes only `textContent`. The
page's content policy names the hashes of its own style and script, so nothing else could run.
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined

from pipeline.core.report import (
    RunReport,
    measure_cells,
    overlap_ratio,
    overlaps,
    pick_for_listening,
    response_offsets_s,
)
from pipeline.core.report_takes import takes_table
from pipeline.core.turntaking import ComparisonRow
from pipeline.domain.events import EventType
from pipeline.domain.labels import Emotion, Language, Recipe, Speaker, Split
from pipeline.domain.record import Record
from pipeline.domain.scene import RECIPE_SUMMARIES, Kind, Scene, kind_of, scene_definition
from pipeline.domain.timeline import Dialogue, Event, Supervision, Timeline
from pipeline.io.files import write_text
from pipeline.io.report_figures import HistogramFigure, draw_curves, draw_histogram

SHOWN_DIALOGUES = 200
"""What a person can listen to; the numbers are of all dialogues."""

_RESOURCES = files("pipeline") / "data" / "report"
_SCRIPTS = ("timeline.js", "player.js", "page.js")

Seconds = float
Stretch = tuple[Seconds, Seconds]


class ShownUtterance(Record):
    """A bar of the timeline."""

    id: str
    turn: int
    speaker: Speaker
    at_s: Stretch
    text: str
    planned_text: str
    truncated: bool
    emotion: Emotion | None
    words: tuple[tuple[str, Seconds, Seconds], ...]


class ShownEvent(Record):
    """A flag of the timeline."""

    type: EventType
    utterance: str
    onset_s: Seconds
    yielded_at_s: Seconds | None


class ShownUnsaid(Record):
    """The rest of an interrupted turn, or a response that is text only."""

    turn: int
    speaker: Speaker
    text: str
    written: bool
    """Nobody was to speak it."""


class ShownDialogue(Record):
    """What the page's script is given of one dialogue; times in seconds, to the millisecond."""

    id: str
    scene: Kind
    language: Language
    split: Split
    topic: str
    audio: str
    """URL relative to the page."""
    duration_s: Seconds
    overlap_ratio: float
    response_offsets_s: tuple[Seconds, ...]
    utterances: tuple[ShownUtterance, ...]
    events: tuple[ShownEvent, ...]
    unsaid: tuple[ShownUnsaid, ...]
    overlaps_s: tuple[Stretch, ...]
    voices: tuple[tuple[Speaker, str], ...]
    seed_id: str
    licence: str


class ShownScene(Record):
    """Name and meaning of a scene, for people."""

    name: str
    summary: str


class PageData(Record):
    """The data block of the page."""

    scenes: dict[Kind, ShownScene]
    dialogues: tuple[ShownDialogue, ...]


def write_report(run_directory: Path, report: RunReport, dialogues: Iterable[Dialogue]) -> Path:
    """Write `report/stats.json` and `report/index.html`, each whole or not at all; returns the page.

    `dialogues` are read once; the page shows the first `SHOWN_DIALOGUES`, dealt evenly over scenes and
    languages.
    """
    page = render_page(run_directory.name, report, pick_for_listening(dialogues, SHOWN_DIALOGUES))
    directory = run_directory / "report"
    write_text(directory / "stats.json", report.model_dump_json(indent=2) + "\n")
    write_text(directory / "index.html", page)
    return directory / "index.html"


def render_page(run_name: str, report: RunReport, dialogues: Iterable[Dialogue]) -> str:
    """The page as text: equal input gives equal bytes, there is no date in it."""
    shown = tuple(_show_dialogue(dialogue) for dialogue in dialogues)
    data = PageData(scenes={kind: _show_scene(kind) for kind in (*Scene, *Recipe)}, dialogues=shown)
    style = _resource("page.css")
    script = '"use strict";\n' + "\n".join(_resource(name) for name in _SCRIPTS)
    # Autoescape is on; the two inlined resources are our own, and the data block is escaped by `inert_json`.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["words"] = _spell
    return environment.from_string(_resource("page.html.j2")).render(
        run_name=run_name,
        report=report,
        total_cells=measure_cells(report.total),
        drawn=[
            (row.name.strip(), row.name.startswith(" "), _drawn_cells(row)) for row in report.timing.drawn
        ],
        transfers=draw_curves(report.timing.transfers) if report.timing.transfers else None,
        ratios=_draw_ratios(report),
        take_rows=takes_table(report.takes)[1:],
        rows=[(row, measure_cells(row.measures)) for row in report.rows],
        by_split=any(row.split is not None for row in report.rows),
        scenes=data.scenes,
        shown=shown,
        facets=_facets(shown),
        style=style,
        style_hash=_csp_hash(style),
        script=script,
        script_hash=_csp_hash(script),
        data=inert_json(data),
    )


def inert_json(record: Record) -> str:
    r"""JSON that can stand inside a `<script>` element without ending it or being anything but data.

    >>> inert_json(ShownScene(name="</script>", summary="a & b"))
    '{"name":"\\u003c/script\\u003e","summary":"a \\u0026 b"}'
    """
    # Only strings can hold these characters, and there the escape means the same character.
    text = json.dumps(record.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _draw_ratios(report: RunReport) -> HistogramFigure | None:
    if not report.dialogues:
        return None
    asked = report.timing.calibration.target if report.timing.calibration else None
    return draw_histogram([row.overlap_ratio for row in report.dialogues], asked, report.total.overlap_ratio)


def _drawn_cells(row: ComparisonRow) -> tuple[str, ...]:
    """n, medians of run and reference, KS, its noise on average and 95 times in 100, EMD."""
    medians = (row.p50, row.reference_p50)
    distances = (row.ks, row.noise_ks_mean, row.noise_ks_p95, row.emd_s)
    return (
        f"{row.n:,}",
        *("-" if value is None else f"{value:+.3f}" for value in medians),
        *("-" if value is None else f"{value:.3f}" for value in distances),
    )


def _show_dialogue(dialogue: Dialogue) -> ShownDialogue:
    timeline = dialogue.timeline
    rate = timeline.sampling_rate
    return ShownDialogue(
        id=timeline.dialogue_id,
        scene=kind_of(timeline.recipe, timeline.scene),
        language=timeline.language,
        split=timeline.split,
        topic=timeline.topic,
        audio=f"../{quote(dialogue.audio.path)}",
        duration_s=_seconds(timeline.num_samples, rate),
        overlap_ratio=round(overlap_ratio(timeline), 4),
        response_offsets_s=tuple(round(offset, 3) for offset in response_offsets_s(timeline)),
        utterances=tuple(_show_utterance(s, rate) for s in timeline.supervisions),
        events=tuple(_show_event(event, rate) for event in timeline.events),
        unsaid=tuple(
            ShownUnsaid(turn=u.turn, speaker=u.speaker, text=u.text, written=u.why == "text_only")
            for u in timeline.unsaid
        ),
        overlaps_s=tuple((_seconds(o.start, rate), _seconds(o.end, rate)) for o in overlaps(timeline)),
        voices=_voices(timeline),
        seed_id=timeline.provenance.seed_id,
        licence=timeline.licence.id,
    )


def _show_utterance(supervision: Supervision, rate: int) -> ShownUtterance:
    return ShownUtterance(
        id=supervision.supervision_id,
        turn=supervision.turn,
        speaker=supervision.speaker,
        at_s=(_seconds(supervision.span.start, rate), _seconds(supervision.span.end, rate)),
        text=supervision.text,
        planned_text=supervision.planned_text,
        truncated=supervision.truncated,
        emotion=supervision.emotion,
        words=tuple(
            (word.text, _seconds(word.span.start, rate), _seconds(word.span.end, rate))
            for word in supervision.words
        ),
    )


def _show_event(event: Event, rate: int) -> ShownEvent:
    return ShownEvent(
        type=event.type,
        utterance=event.supervision_id,
        onset_s=_seconds(event.onset, rate),
        yielded_at_s=None if event.yielded_at is None else _seconds(event.yielded_at, rate),
    )


def _voices(timeline: Timeline) -> tuple[tuple[Speaker, str], ...]:
    by_speaker = {voicing.speaker: voicing.voice_id for voicing in timeline.voicing}
    return tuple((speaker, by_speaker[speaker]) for speaker in Speaker if speaker in by_speaker)


def _show_scene(kind: Kind) -> ShownScene:
    summary = scene_definition(kind).summary if isinstance(kind, Scene) else RECIPE_SUMMARIES[kind]
    return ShownScene(name=_spell(kind).capitalize(), summary=summary)


def _facets(shown: tuple[ShownDialogue, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The filters, each with the values that occur, in order of declaration."""
    scenes = {dialogue.scene for dialogue in shown}
    languages = {dialogue.language for dialogue in shown}
    splits = {dialogue.split for dialogue in shown}
    return (
        ("scene", tuple(kind.value for kind in (*Scene, *Recipe) if kind in scenes)),
        ("language", tuple(language.value for language in Language if language in languages)),
        ("split", tuple(split.value for split in Split if split in splits)),
    )


def _spell(label: str) -> str:
    return label.replace("_", " ")


def _seconds(samples: int, rate: int) -> Seconds:
    return round(samples / rate, 3)


@cache
def _resource(name: str) -> str:
    return (_RESOURCES / name).read_text(encoding="utf-8")


def _csp_hash(content: str) -> str:
    """The source expression of content security policy level 2 for one inline element."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
