"""HumDial Track 2: dual-track dialogues in the shapes of its train and dev packages and its public test set.

======================  ==========================  =========================  ==========================
content                 train                       dev (and evaluation)       test (public release)
======================  ==========================  =========================  ==========================
user's microphone       ``<id>.wav``                ``<id>.wav``               ``<id>.wav``
assistant               ``<id>_output.wav``         ``<id>_output.wav``        option
turns                   ``<id>.TextGrid``           ``<id>_sentence.json``     ``<id>.json``
words, user side        -                           ``<id>.json``              ``<id>_timestamp.json``
words, assistant        -                           ``<id>_output.json``       option
clean twin              -                           ``clean_<id>.wav``         ``clean_<id>.wav``
words, clean twin       -                           ``clean_<id>.json``        ``clean_<id>_timestamp.json``
turns, clean twin       -                           never                      ``clean_<id>.json`` (*)
======================  ==========================  =========================  ==========================

(*) only where speech is directed at others, as in the release.

Audio is mono PCM16 at 16 kHz, digital silence outside speech. Times are seconds from the common time zero of
both files. Official Chinese word files hold characters, English ones words: so do the timeline's words.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import Field

from pipeline.core.exports.clock import seconds_at
from pipeline.core.exports.files import CopyFile, ExportFile, TextFile, WavFile
from pipeline.core.exports.manifest import ExportRow, Layout, describe, sidecar_files
from pipeline.core.exports.segments import (
    Clamped,
    Segment,
    clamp_overlaps,
    segments_of,
    spans_of,
    words_of_segments,
)
from pipeline.core.exports.textgrid import Interval, fill_gaps, write_textgrid
from pipeline.core.exports.track2_names import directory_of, evaluation_root, names_of
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Speaker, Track
from pipeline.domain.quarantine import Reason
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene
from pipeline.domain.span import Span
from pipeline.domain.timeline import Dialogue, Timeline

_WITHOUT_CLEAN_TWIN = frozenset({Scene.PAUSE_HANDLING, Scene.THIRD_PARTY_BEFORE})


class Track2Options(Record):
    """Choices that the official packages leave open."""

    layout: Layout | None = None
    """Write every dialogue in this layout; None: each in the layout of its own split."""
    assistant_in_test: bool = False
    """Write the assistant's track in the test layout too; the public release has none."""
    evaluation_folders: bool = False
    """Also lay out dev and test dialogues as the official evaluation scripts expect them."""
    first_speaker: int = Field(default=1, ge=0, le=9_999)
    """First group of the first id: lets exports of several runs lie beside each other."""


@dataclass(frozen=True, slots=True)
class DialogueExport:
    """One dialogue's files, in writing order, and its line of the manifest."""

    files: tuple[ExportFile, ...]
    row: ExportRow


class TimedText(Record):
    """A segment of a sentence file."""

    xmin: float
    xmax: float
    text: str


class SentenceFile(Record):
    """`<id>_sentence.json`: the segments of the user's microphone."""

    final_duration: float
    speech_segments: tuple[TimedText, ...]


class WordChunk(Record):
    """A word of a word file."""

    text: str
    timestamp: tuple[float, float]


class WordFile(Record):
    """`<id>.json` in the form of the official recognizers' output: text is the chunks, space-joined."""

    text: str
    chunks: tuple[WordChunk, ...]


@dataclass(frozen=True, slots=True)
class _Twin:
    """The clean twin: what of the user's microphone is left, and what is cut out before it."""

    segments: tuple[Segment, ...]
    cut: Span | None


def export_track2(dialogue: Dialogue, export_id: str, options: Track2Options) -> DialogueExport:
    """The files of one dialogue. Raises RecordError where its turns are not those of its scene."""
    timeline = dialogue.timeline
    layout = options.layout or Layout(timeline.split.value)
    segments = segments_of(timeline)
    _check_order(timeline, segments, layout)
    directory = directory_of(_scene_of(timeline), timeline.language, layout)
    clamped: tuple[Clamped, ...] = ()
    if layout is Layout.TRAIN:
        intervals, clamped = clamp_overlaps(timeline.dialogue_id, segments)
        grid = TextFile(f"{directory}/{export_id}.TextGrid", _textgrid(timeline, intervals))
        files: tuple[ExportFile, ...] = (*_tracks(timeline, f"{directory}/{export_id}", segments), grid)
    else:
        files = _annotated(timeline, segments, layout, export_id, options)
    return DialogueExport(files, describe(timeline, export_id, layout, directory, clamped))


def _scene_of(timeline: Timeline) -> Scene:
    """Directories and names go by scene, which dialogues of other recipes do not have."""
    if timeline.scene is None:
        raise RecordError(
            Reason.NOT_EXPORTABLE,
            f"{timeline.dialogue_id}: a dialogue of recipe {timeline.recipe.value}; humdial-track2 holds "
            "dialogues with a HumDial scene, which full_duplex makes",
        )
    return timeline.scene


def _check_order(timeline: Timeline, segments: tuple[Segment, ...], layout: Layout) -> None:
    """Readers tell roles by position alone, so another order would be another dialogue."""
    scene = _scene_of(timeline)
    names = names_of(scene)
    got = tuple(segment.speaker for segment in segments)
    wanted = names.speakers
    if layout is not Layout.TRAIN:
        got = tuple(speaker for speaker in got if speaker is not Speaker.ASSISTANT)
        wanted = names.user_side
    if got != wanted:
        raise RecordError(
            Reason.NOT_EXPORTABLE,
            f"{timeline.dialogue_id}: humdial-track2, {layout.value} layout, scene {scene.value}: "
            f"turns by {', '.join(got) or 'nobody'}, wanted {', '.join(wanted)}; fix or drop its script",
        )


def _tracks(timeline: Timeline, stem: str, segments: tuple[Segment, ...]) -> tuple[WavFile, ...]:
    """`<id>.wav`, and `<id>_output.wav` where the assistant speaks."""
    user, assistant = _sides(segments)
    files = [WavFile(f"{stem}.wav", timeline.dialogue_id, Track.USER, spans_of(user))]
    if assistant:
        files.append(
            WavFile(f"{stem}_output.wav", timeline.dialogue_id, Track.ASSISTANT, spans_of(assistant))
        )
    return tuple(files)


def _sides(segments: tuple[Segment, ...]) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    assistant = tuple(segment for segment in segments if segment.speaker is Speaker.ASSISTANT)
    return tuple(segment for segment in segments if segment.speaker is not Speaker.ASSISTANT), assistant


def _textgrid(timeline: Timeline, intervals: tuple[Segment, ...]) -> str:
    """Three tiers, of which only the text tier has text: so it is officially."""
    length = timeline.num_samples
    text = fill_gaps("文本", length, (Interval(segment.span, segment.text) for segment in intervals))
    event, emotion = fill_gaps("事件", length, ()), fill_gaps("情绪", length, ())
    return write_textgrid((text, event, emotion), timeline.sampling_rate)


def _annotated(
    timeline: Timeline, segments: tuple[Segment, ...], layout: Layout, export_id: str, options: Track2Options
) -> tuple[ExportFile, ...]:
    """The files of the dev and test layouts, each with the name that the evaluation scripts give it."""
    user, assistant = _sides(segments)
    if layout is Layout.TEST and not options.assistant_in_test:
        assistant = ()
    directory = directory_of(_scene_of(timeline), timeline.language, layout)
    words = "_timestamp" if layout is Layout.TEST else ""
    turns = "" if layout is Layout.TEST else "_sentence"
    stem = f"{directory}/{export_id}"
    files: list[ExportFile] = list(_tracks(timeline, stem, (*user, *assistant)))
    files.append(TextFile(f"{stem}{turns}.json", _sentences(timeline, user)))
    files.append(TextFile(f"{stem}{words}.json", _words(timeline, user)))
    if assistant:
        files.append(TextFile(f"{stem}_output{words}.json", _words(timeline, assistant)))
    twin = _clean_twin(timeline, user)
    if twin is not None:
        clean = f"{directory}/clean_{export_id}"
        keep = spans_of(twin.segments)
        files.append(WavFile(f"{clean}.wav", timeline.dialogue_id, Track.USER, keep, twin.cut))
        files.append(TextFile(f"{clean}{words}.json", _words(timeline, twin.segments, twin.cut)))
        if layout is Layout.TEST and twin.cut is not None:
            files.append(TextFile(f"{clean}.json", _sentences(timeline, twin.segments, twin.cut)))
    if options.evaluation_folders:
        files.extend(_evaluation_copies(timeline, layout, directory, tuple(files)))
    return tuple(files)


def _clean_twin(timeline: Timeline, user: tuple[Segment, ...]) -> _Twin | None:
    """The same recording without the event, to tell what the event changed in the assistant's reply.

    Everything after the query is silenced. Where speech is directed at others, the first exchange is cut out
    (from the query's onset to the follow-up's) and the aside silenced, so that the follow-up alone is left::

        <id>        |= query =|      |= follow-up =|     |= aside =|
        clean_<id>  |= follow-up =|..................
    """
    if timeline.scene in _WITHOUT_CLEAN_TWIN:
        return None
    if timeline.scene is Scene.DIRECTED_AT_OTHERS:
        query, follow_up, _ = user
        return _Twin((follow_up,), Span(start=query.span.start, end=follow_up.span.start))
    return _Twin(user[:1], None)


def _sentences(timeline: Timeline, segments: tuple[Segment, ...], cut: Span | None = None) -> str:
    removed, rate = (0 if cut is None else len(cut)), timeline.sampling_rate
    return SentenceFile(
        final_duration=seconds_at(timeline.num_samples - removed, rate),
        speech_segments=tuple(
            TimedText(
                xmin=seconds_at(segment.span.start - removed, rate),
                xmax=seconds_at(segment.span.end - removed, rate),
                text=segment.text,
            )
            for segment in segments
        ),
    ).to_line()


def _words(timeline: Timeline, segments: tuple[Segment, ...], cut: Span | None = None) -> str:
    removed, rate = (0 if cut is None else len(cut)), timeline.sampling_rate
    chunks = []
    for word in words_of_segments(segments):
        start, end = word.span.start - removed, word.span.end - removed
        chunks.append(WordChunk(text=word.text, timestamp=(seconds_at(start, rate), seconds_at(end, rate))))
    return WordFile(text=" ".join(chunk.text for chunk in chunks), chunks=tuple(chunks)).to_line()


def _evaluation_copies(
    timeline: Timeline, layout: Layout, directory: str, files: tuple[ExportFile, ...]
) -> list[ExportFile]:
    """The same files under the folder and file names that the official scripts want."""
    folder = f"{evaluation_root(timeline.language, layout)}/{names_of(_scene_of(timeline)).evaluation}"
    copies: list[ExportFile] = []
    for file in files:
        name = file.path.removeprefix(f"{directory}/")
        wanted = _evaluation_name(name) if layout is Layout.TEST else name
        if wanted is not None:
            copies.append(CopyFile(f"{folder}/{wanted}", of=file.path))
    return copies


def _evaluation_name(name: str) -> str | None:
    """The dev name of a file of the test layout; None for the segments of a clean twin.

    The delay scripts take any `*_sentence.json` for a dialogue, so `clean_<id>_sentence.json` must not exist.

    >>> _evaluation_name("0003_0001.json"), _evaluation_name("0003_0001_timestamp.json")
    ('0003_0001_sentence.json', '0003_0001.json')
    """
    stem, dot, extension = name.partition(".")
    if extension == "wav":
        return name
    if stem.endswith("_timestamp"):
        return stem.removesuffix("_timestamp") + dot + extension
    return None if stem.startswith("clean_") else f"{stem}_sentence{dot}{extension}"


def closing_files(rows: Iterable[ExportRow], options: Track2Options) -> tuple[TextFile, ...]:
    """Written once per export: manifest, licences, and a folder that `get_timing.py` wants to exist."""
    rows = tuple(rows)
    files = list(sidecar_files(rows))
    if options.evaluation_folders:
        annotated = {(row.layout, row.language) for row in rows if row.layout is not Layout.TRAIN}
        files.extend(
            TextFile(f"{evaluation_root(language, layout)}/json_group/.keep", "")
            for layout, language in sorted(annotated)
        )
    return tuple(files)
