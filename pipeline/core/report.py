"""What a run made and what it refused, in numbers; and which of its dialogues to show to a listener."""

from array import array
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from pydantic import Field

from pipeline.core.emotional_coverage import CoverageTally, EmotionalCoverage
from pipeline.core.report_sounds import SoundRow, SoundTally
from pipeline.core.report_takes import EngineRow
from pipeline.core.report_timing import TimingBasis, TimingReport, TimingTally
from pipeline.core.turntaking import activity_of, talk_times
from pipeline.domain.emotional import Tag
from pipeline.domain.events import EventType
from pipeline.domain.labels import Gender, Language, Recipe, Speaker, Split
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.record import Record
from pipeline.domain.scene import Kind, Scene, kind_of
from pipeline.domain.span import Span
from pipeline.domain.timeline import Dialogue, Supervision, Timeline

Table = tuple[tuple[str, ...], ...]
"""Rows of cells, the header first."""

_NOT_ADDRESSED = frozenset(
    {*(event for event in EventType if event.is_backchannel), EventType.SPEECH_DIRECTED_AT_OTHERS}
)
"""Speech that neither asks for an answer nor is one."""


class Measures(Record):
    """Figures of a group of dialogues. Ratios and medians are of the group, not means of its members'."""

    dialogues: int = Field(ge=0)
    hours: float = Field(ge=0)
    """Of audio, silence included."""
    overlap_ratio: float | None
    """Time with both tracks speaking / time with any track speaking; None without dialogues."""
    events: int = Field(ge=0)
    median_response_offset_s: float | None
    """See `response_offsets_s`; None where nobody answers anybody."""


class SceneRow(Record):
    """One scene in one language, in one split or (None) in all of them."""

    scene: Kind
    """The recipe, where it has no scenes."""
    language: Language
    split: Split | None
    measures: Measures


class RefusalRow(Record):
    """How often a stage refused for one reason, and the first record that it happened to."""

    stage: str
    reason: Reason
    count: int = Field(gt=0)
    example_id: str
    example_detail: str


class VoiceRow(Record):
    """A voice and where it is heard. `splits` longer than one would be a leak between parts of the dataset."""

    voice_id: str
    person: str
    gender: Gender | None
    speakers: tuple[Speaker, ...]
    languages: tuple[Language, ...]
    splits: tuple[Split, ...]
    dialogues: int = Field(gt=0)


class DialogueRow(Record):
    """One dialogue's share of the figures above it."""

    dialogue_id: str
    duration_s: float = Field(gt=0)
    overlap_ratio: float = Field(ge=0, le=1)
    median_response_offset_s: float | None


class RunReport(Record):
    """The content of `report/stats.json`."""

    total: Measures
    rows: tuple[SceneRow, ...]
    """By scene, language, split, in the order in which those are declared."""
    refused: int = Field(ge=0)
    refusals: tuple[RefusalRow, ...]
    """By stage in order of appearance, the commonest reason first."""
    voices: tuple[VoiceRow, ...]
    """By id."""
    timing: TimingReport
    emotional: EmotionalCoverage | None
    """How evenly emotional dialogues cover their labels; None for other recipes."""
    dialogues: tuple[DialogueRow, ...]
    """In the run's order."""
    sounds: tuple[SoundRow, ...] = ()
    """By tag; empty where no utterance has any."""
    takes: tuple[EngineRow, ...] = ()
    """By speech engine; empty for recorded talk."""


def summarise(
    dialogues: Iterable[Dialogue],
    refusals: Iterable[Refusal],
    basis: TimingBasis,
    *,
    by_split: bool = False,
    rendered: frozenset[Tag] = frozenset(),
) -> RunReport:
    """Count and measure a run in one pass; holds a few numbers per dialogue, never the dialogues.

    `rendered` are the sounds beside words that its synthesizer can make.
    """
    total, timing, sounds = _Tally(), TimingTally(), SoundTally(rendered)
    emotional = CoverageTally()
    each: list[DialogueRow] = []
    groups: dict[tuple[Kind, Language, Split | None], _Tally] = {}
    voices: dict[str, _VoiceTally] = {}
    for dialogue in dialogues:
        timeline = dialogue.timeline
        measured = _measure(timeline)
        kind = kind_of(timeline.recipe, timeline.scene)
        key = (kind, timeline.language, timeline.split if by_split else None)
        for tally in (total, groups.setdefault(key, _Tally())):
            tally.add(measured)
        timing.add(timeline)
        emotional.add(timeline)
        sounds.add(timeline)
        each.append(measured.row(timeline.dialogue_id))
        for voicing in timeline.voicing:
            voice = voices.setdefault(voicing.voice_id, _VoiceTally(voicing.person, voicing.gender))
            voice.add(timeline, voicing.speaker)
    rows = tuple(
        SceneRow(scene=scene, language=language, split=split, measures=tally.measures())
        for (scene, language, split), tally in sorted(groups.items(), key=lambda item: _rank(*item[0]))
    )
    refused = _count_refusals(refusals)
    return RunReport(
        total=total.measures(),
        rows=rows,
        refused=sum(row.count for row in refused),
        refusals=refused,
        voices=tuple(tally.row(voice_id) for voice_id, tally in sorted(voices.items())),
        timing=timing.report(basis),
        emotional=emotional.coverage(),
        dialogues=tuple(each),
        sounds=sounds.rows(),
    )


def summary_table(report: RunReport) -> Table:
    """The rows of the report and their total as text, for a plain aligned table."""
    by_split = any(row.split is not None for row in report.rows)
    header = ("dialogues", "hours", "overlap ratio", "events", "median response (s)")
    table = [("scene", "language", *(("split",) if by_split else ()), *header)]
    for row in report.rows:
        split = (row.split.value if row.split else "",) if by_split else ()
        table.append((row.scene.value, row.language.value, *split, *measure_cells(row.measures)))
    table.append(("total", "", *(("",) if by_split else ()), *measure_cells(report.total)))
    return tuple(table)


def refusal_table(report: RunReport) -> Table:
    """Refusals by stage and reason as text; only a header where nothing was refused."""
    rows = (
        (row.stage, row.reason.value, f"{row.count:,}", f"{row.example_id}: {row.example_detail}")
        for row in report.refusals
    )
    return (("stage", "reason", "records", "for example"), *rows)


def measure_cells(measures: Measures) -> tuple[str, str, str, str, str]:
    """Figures of a group as text: dialogues, hours, overlap ratio, events, median response offset.

    >>> measure_cells(Measures(dialogues=1200, hours=9.5, overlap_ratio=0.0413, events=1200,
    ...                        median_response_offset_s=None))
    ('1,200', '9.50', '0.041', '1,200', '-')
    """
    ratio, offset = measures.overlap_ratio, measures.median_response_offset_s
    return (
        f"{measures.dialogues:,}",
        f"{measures.hours:,.2f}" if measures.hours >= 1 else f"{measures.hours:.3f}",
        "-" if ratio is None else f"{ratio:.3f}",
        f"{measures.events:,}",
        "-" if offset is None else f"{offset:+.2f}",
    )


def overlap_ratio(timeline: Timeline) -> float:
    """Time with both tracks speaking / time with any track speaking, of one dialogue."""
    times = talk_times(activity_of(timeline).ipus())
    return times.overlap / times.any_speech


def overlaps(timeline: Timeline) -> tuple[Span, ...]:
    """Where both tracks speak: what the numerator of the overlap ratio is the length of.

    ::

        user         |=====|        |==|
        assistant        |=============|
        overlaps         |=|        |==|
    """
    user, assistant = activity_of(timeline).ipus()
    parts = (one.overlap(other) for one in user for other in assistant)
    return tuple(part for part in parts if part is not None)


def response_offsets_s(timeline: Timeline) -> tuple[float, ...]:
    """Floor-transfer offsets from the user to the assistant: how long the user waits for each answer.

    From the last word of a user's turn to the first word of the assistant's next turn, negative where the
    assistant comes in early. Backchannels, speech to others and third parties neither ask nor answer; of
    several user turns in a row the last one is answered.

    ::

        user       |== query ==|            |= interruption =|
        assistant              <-->|== answer ==~|           <---->|== reaction ==|
    """
    aside = {e.supervision_id for e in timeline.events if e.type in _NOT_ADDRESSED}
    turns: list[tuple[Speaker, int, int]] = []
    for turn in timeline.turns():
        said = [s for s in turn if s.supervision_id not in aside and s.speaker is not Speaker.THIRD_PARTY]
        if said:
            start, end = _word_bounds(said)
            turns.append((said[0].speaker, start, end))
    return tuple(
        (after[1] - before[2]) / timeline.sampling_rate
        for before, after in pairwise(turns)
        if (before[0], after[0]) == (Speaker.USER, Speaker.ASSISTANT)
    )


def pick_for_listening(dialogues: Iterable[Dialogue], limit: int = 200) -> tuple[Dialogue, ...]:
    """The first dialogues of every scene and language, dealt round-robin until `limit` are chosen.

    A small group is shown whole, and the large ones share what is left. Never holds more than `limit + 1`:
    whenever there are too many, the longest hand gives up its last card (of equal hands the one dealt
    last). What is given up could not come back: a hand's share only shrinks as others grow.
    """
    hands: dict[tuple[int, ...], deque[Dialogue]] = {}
    held = 0
    for dialogue in dialogues:
        timeline = dialogue.timeline
        key = _rank(kind_of(timeline.recipe, timeline.scene), timeline.language, None)
        hands.setdefault(key, deque()).append(dialogue)
        held += 1
        if held > limit:
            longest = max(hands, key=lambda k: (len(hands[k]), k))
            hands[longest].pop()
            held -= 1
    dealt = sorted((turn, key) for key, hand in hands.items() for turn in range(len(hand)))
    return tuple(hands[key][turn] for turn, key in dealt)


@dataclass(frozen=True, slots=True)
class _Measured:
    """What one dialogue adds to the sums."""

    duration_s: float
    speech_s: float
    overlap_s: float
    events: int
    offsets_s: tuple[float, ...]

    def row(self, dialogue_id: str) -> DialogueRow:
        return DialogueRow(
            dialogue_id=dialogue_id,
            duration_s=self.duration_s,
            overlap_ratio=self.overlap_s / self.speech_s,
            median_response_offset_s=median(self.offsets_s) if self.offsets_s else None,
        )


def _measure(timeline: Timeline) -> _Measured:
    times = talk_times(activity_of(timeline).ipus())
    rate = timeline.sampling_rate
    return _Measured(
        duration_s=timeline.num_samples / rate,
        speech_s=times.any_speech / rate,
        overlap_s=times.overlap / rate,
        events=len(timeline.events),
        offsets_s=response_offsets_s(timeline),
    )


@dataclass(slots=True)
class _Tally:
    """Running sums of a group; eight bytes per response are what a median costs."""

    dialogues: int = 0
    duration_s: float = 0.0
    speech_s: float = 0.0
    overlap_s: float = 0.0
    events: int = 0
    offsets_s: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, measured: _Measured) -> None:
        self.dialogues += 1
        self.duration_s += measured.duration_s
        self.speech_s += measured.speech_s
        self.overlap_s += measured.overlap_s
        self.events += measured.events
        self.offsets_s.extend(measured.offsets_s)

    def measures(self) -> Measures:
        return Measures(
            dialogues=self.dialogues,
            hours=self.duration_s / 3600,
            overlap_ratio=self.overlap_s / self.speech_s if self.speech_s else None,
            events=self.events,
            median_response_offset_s=median(self.offsets_s) if self.offsets_s else None,
        )


@dataclass(slots=True)
class _VoiceTally:
    """Where one voice was heard so far."""

    person: str
    gender: Gender | None
    speakers: set[Speaker] = field(default_factory=set)
    languages: set[Language] = field(default_factory=set)
    splits: set[Split] = field(default_factory=set)
    heard_in: int = 0
    last_dialogue: str | None = None

    def add(self, timeline: Timeline, speaker: Speaker) -> None:
        self.speakers.add(speaker)
        self.languages.add(timeline.language)
        self.splits.add(timeline.split)
        if timeline.dialogue_id != self.last_dialogue:  # one voice for two speakers is still one dialogue
            self.last_dialogue = timeline.dialogue_id
            self.heard_in += 1

    def row(self, voice_id: str) -> VoiceRow:
        return VoiceRow(
            voice_id=voice_id,
            person=self.person,
            gender=self.gender,
            speakers=tuple(speaker for speaker in Speaker if speaker in self.speakers),
            languages=tuple(language for language in Language if language in self.languages),
            splits=tuple(split for split in Split if split in self.splits),
            dialogues=self.heard_in,
        )


def _count_refusals(refusals: Iterable[Refusal]) -> tuple[RefusalRow, ...]:
    counts: dict[tuple[str, Reason], int] = {}
    examples: dict[tuple[str, Reason], Refusal] = {}
    stages: dict[str, int] = {}
    for refusal in refusals:
        key = (refusal.stage, refusal.reason)
        stages.setdefault(refusal.stage, len(stages))
        counts[key] = counts.get(key, 0) + 1
        examples.setdefault(key, refusal)
    return tuple(
        RefusalRow(
            stage=stage,
            reason=reason,
            count=counts[stage, reason],
            example_id=examples[stage, reason].record_id,
            example_detail=examples[stage, reason].detail,
        )
        for stage, reason in sorted(counts, key=lambda k: (stages[k[0]], -counts[k], k[1].value))
    )


def _word_bounds(supervisions: Iterable[Supervision]) -> tuple[int, int]:
    words = [word.span for supervision in supervisions for word in supervision.words]
    return min(word.start for word in words), max(word.end for word in words)


_KIND_RANK: dict[Kind, int] = {kind: rank for rank, kind in enumerate((*Scene, *Recipe))}
_LANGUAGE_RANK = {language: rank for rank, language in enumerate(Language)}
_SPLIT_RANK = {split: rank for rank, split in enumerate(Split)}


def _rank(scene: Kind, language: Language, split: Split | None) -> tuple[int, ...]:
    return _KIND_RANK[scene], _LANGUAGE_RANK[language], -1 if split is None else _SPLIT_RANK[split]
