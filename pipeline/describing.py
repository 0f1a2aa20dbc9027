"""Who speaks when, out of whatever there is: runs' records or audio, mined timelines, RTTM files, two-channel audio.

Mined talk is recorded talk: nothing in it was drawn, so it has no part in what is said of that.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.backends.vad import DEFAULT, find_detector
from pipeline.core.drawn import DrawnTiming, Spans, drawn_rows, measure_drawn, recorded_spans
from pipeline.core.event_rates import EventRates, pool_events, tally_events
from pipeline.core.fitting import Conversation, other_than_two
from pipeline.core.hearing import hear, heard_activity
from pipeline.core.reference import Collection, Reference
from pipeline.core.turntaking import (
    Activity,
    ComparisonRow,
    TurnTakingStatistics,
    activity_of,
    describe_rows,
    measure,
    pool,
)
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Recipe, Track
from pipeline.domain.quarantine import Refusal
from pipeline.domain.record import Record
from pipeline.domain.timeline import Dialogue, Timeline
from pipeline.io.audio import read_pcm16
from pipeline.io.mined_files import read_timelines, require_audio
from pipeline.io.rttm import read_rttm
from pipeline.io.run_directory import RunDirectory
from pipeline.io.waves import read_channels, read_conversations
from pipeline.ports import VoiceActivityDetector

Refuse = Callable[[Refusal], None]
"""What to do with a line of an RTTM file that cannot be meant."""


@dataclass(frozen=True, slots=True)
class Material:
    """What to measure, and how."""

    paths: tuple[Path, ...]
    """Directories of runs and of mined recordings, and RTTM files; audio files where `is_audio`."""
    is_audio: bool = False
    from_audio: bool = False
    """Measure runs on their audio instead of their records."""
    detector: str = DEFAULT


class Description(Record):
    """Conversations in figures, pooled."""

    conversations: tuple[str, ...]
    left_out: str | None
    """Why rows are absent, where not every conversation has two speakers."""
    statistics: TurnTakingStatistics
    overlap_ratios: tuple[float, ...]
    """Per conversation in which anybody speaks."""
    rows: tuple[ComparisonRow, ...]
    drawn: DrawnTiming | None
    drawn_rows: tuple[ComparisonRow, ...]
    events: EventRates | None
    """Of runs and mined recordings, by their records; None where there are neither."""


def observe(material: Material, refuse: Refuse) -> Iterator[Conversation]:
    """Every conversation of the material. Raises ConfigError for what holds none."""
    if material.is_audio:
        if material.from_audio:
            raise ConfigError(
                "--audio and --from-audio: the first says that the paths are audio files, the second that a run's "
                "audio is to be measured; wanted one of them"
            )
        yield from _observe_audio(material)
        return
    for path in material.paths:
        if not path.exists():
            raise ConfigError(f"{path}: not there; wanted the directory of a run, or an RTTM file")
        if path.is_dir():
            yield from _observe_run(path, material)
        elif material.from_audio:
            raise ConfigError(
                f"{path}: --from-audio wants the directory of a run; for audio files use --audio"
            )
        else:
            yield from _observe_rttm(path, refuse)


def describe(material: Material, reference: Reference, refuse: Refuse) -> Description:
    """Measure, pool, and compare with a reference.

    Generated dialogues are drawn one by one, so their noise floor is that of independent draws; of
    recordings whole conversations are taken.
    """
    conversations = tuple(observe(material, refuse))
    if not conversations:
        raise ConfigError(f"describe: no conversation in {', '.join(map(str, material.paths))}")
    measured = tuple(measure(one.activity) for one in conversations)
    statistics = pool(measured)
    generated = tuple(one.drawn for one in conversations if one.drawn is not None)
    drawn = DrawnTiming.pool(generated) if generated else None
    collection: Collection = "independent" if len(generated) == len(conversations) else "whole_conversations"
    return Description(
        conversations=tuple(one.name for one in conversations),
        left_out=other_than_two(conversations),
        statistics=statistics,
        overlap_ratios=tuple(m.overlap_over_speech_time for m in measured if m.speech_any_s > 0),
        rows=describe_rows(statistics, reference, collection),
        drawn=drawn,
        drawn_rows=drawn_rows(drawn, reference) if drawn else (),
        events=pool_events(one.events for one in conversations if one.events is not None),
    )


def _observe_run(path: Path, material: Material) -> Iterator[Conversation]:
    if material.from_audio:
        require_audio(path, "--from-audio")
        detector = find_detector(material.detector)
        for dialogue in RunDirectory(path).read_dialogues():
            yield _listen(path, dialogue, detector)
        return
    for timeline in read_timelines(path):
        drawn = _drawn(timeline, recorded_spans(timeline))
        activity = _of_who_speaks(activity_of(timeline), timeline)
        yield Conversation(timeline.dialogue_id, activity, drawn, tally_events(timeline))


def _drawn(timeline: Timeline, spans: Spans) -> DrawnTiming | None:
    """What timing drew; nothing in recorded talk."""
    return None if timeline.recipe is Recipe.MINED else measure_drawn(timeline, spans)


def _listen(run_directory: Path, dialogue: Dialogue, detector: VoiceActivityDetector) -> Conversation:
    """What is heard of one dialogue; which utterances are backchannels is taken from its record."""
    timeline = dialogue.timeline
    path = run_directory / dialogue.audio.path
    samples, sampling_rate = read_pcm16(path)
    if samples.shape[1] != 2 or sampling_rate != timeline.sampling_rate:
        raise ConfigError(
            f"{path}: {samples.shape[1]} channel(s) at {sampling_rate} Hz, wanted 2 at {timeline.sampling_rate} Hz; "
            "see `humdial check`"
        )
    user, assistant = (
        detector.detect(np.ascontiguousarray(samples[:, channel]), sampling_rate) for channel in (0, 1)
    )
    runs = (user, assistant)
    spans = {one.supervision.supervision_id: one.span for one in hear(timeline, runs)}
    drawn = _drawn(timeline, {name: span for name, span in spans.items() if span is not None})
    activity = _of_who_speaks(heard_activity(timeline, runs), timeline)
    return Conversation(timeline.dialogue_id, activity, drawn, tally_events(timeline))


def _of_who_speaks(activity: Activity, timeline: Timeline) -> Activity:
    """Without the track on which nobody was to speak: replies that are text only, or left to a system under test.

    Counted as a speaker, it would turn every silence between two turns of the other one into a pause.
    """
    spoken = {supervision.track for supervision in timeline.supervisions}
    kept = [track.channel for track in Track if track in spoken]
    units = activity.backchannels
    return replace(
        activity,
        speakers=tuple(activity.speakers[channel] for channel in kept),
        backchannels=None if units is None else tuple(units[channel] for channel in kept),
    )


def _observe_rttm(path: Path, refuse: Refuse) -> Iterator[Conversation]:
    rttm = read_rttm(path)
    for refusal in rttm.refusals:
        refuse(refusal)
    for recording in rttm.recordings:
        yield Conversation(recording.uri, recording.activity, None)


def _observe_audio(material: Material) -> Iterator[Conversation]:
    detector = find_detector(material.detector)
    for group in read_conversations(material.paths):
        channels = tuple(channel for path in group for channel in read_channels(path))
        rates = {channel.sampling_rate for channel in channels}
        if len(rates) != 1:
            raise ConfigError(
                f"{' and '.join(map(str, group))}: {sorted(rates)} Hz; wanted both sides at one rate"
            )
        runs = tuple(detector.detect(channel.samples, channel.sampling_rate) for channel in channels)
        name = "+".join(path.stem for path in group)
        yield Conversation(name, Activity(runs, rates.pop()), None)
