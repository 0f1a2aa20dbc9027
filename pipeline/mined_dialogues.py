"""Kept segments in the types of generated dialogues: timelines of all, dialogues of those whose audio may be cut out.

::

    segment -> timeline            times, events; words only where derived texts are allowed
       '-----> cut -> dialogue     two channels of the recording, at its own rate, as they are

Audio is cut out recording by recording, each a shard with a stamp: a killed call cuts what is missing. Talk on one
channel stays a timeline: its two speakers cannot be put on tracks of their own, and a mixture on either would be heard
where the record says that nobody speaks.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.mining.limits import EventLimits
from pipeline.core.mining.segment_audio import SegmentAudio, cut_segment
from pipeline.core.mining.splits import Assigned, SplitRule
from pipeline.core.mining.timeline import RecordedTalk
from pipeline.domain.errors import ConfigError, RecordError
from pipeline.domain.mining import RecordedActivity, Recording, Segment
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.record import canonical_json
from pipeline.domain.span import to_samples
from pipeline.domain.timeline import Dialogue, Timeline
from pipeline.io.audio import RunAudio
from pipeline.io.mining_cache import content_key
from pipeline.io.recordings.audio import AudioSource, UnreadableAudioError, open_audio
from pipeline.io.run_directory import Artefact, RunDirectory

VERSION = 1
"""Bumped when the same segment is written as another timeline, or cut out as other audio."""
AUDIO_STAGE = "01-audio"
"""Where the shards of exported audio are, one per recording."""

_TIMELINE, _AUDIO = f"mine-{VERSION}", f"audio-{VERSION}"


@dataclass(frozen=True, slots=True)
class Placed:
    """A segment, and the timeline that it became."""

    segment: Segment
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class RecordingTimelines:
    """What became of one recording's segments."""

    talk: RecordedTalk | None
    """None where the recording as a whole cannot be written."""
    placed: tuple[Placed, ...]
    refusals: tuple[Refusal, ...]


NOTHING_KEPT = RecordingTimelines(None, (), ())


def timelines_of(
    recording: Recording,
    activity: RecordedActivity,
    segments: Sequence[Segment],
    assigned: Assigned,
    limits: EventLimits,
    rule: SplitRule,
) -> RecordingTimelines:
    """Every segment as a timeline, or why it is none."""
    if not segments:
        return NOTHING_KEPT
    try:
        talk = RecordedTalk.of(recording, activity, limits, rule)
    except RecordError as error:
        return RecordingTimelines(None, (), tuple(_refused(error, _TIMELINE, one) for one in segments))
    placed: list[Placed] = []
    refusals: list[Refusal] = []
    for segment in segments:
        try:
            placed.append(Placed(segment, talk.timeline(segment, assigned.split, (_TIMELINE,))))
        except RecordError as error:
            refusals.append(_refused(error, _TIMELINE, segment))
    return RecordingTimelines(talk, tuple(placed), tuple(refusals))


def check_rights(recordings: Sequence[Recording], i_have_rights: bool) -> None:
    """Raises ConfigError where audio is to be cut out of a recording whose rights do not let it be passed on."""
    kept_back = [one for one in recordings if not one.rights.redistribution_allowed]
    if i_have_rights or not kept_back:
        return
    first, rights = kept_back[0], kept_back[0].rights
    more = f" and {len(kept_back) - 1} more" if len(kept_back) > 1 else ""
    raise ConfigError(
        f"--export-audio: recording {first.recording_id!r}{more}: the rights of {rights.corpus!r} (licence "
        f"{rights.licence_id!r}) do not allow redistribution; wanted `redistribution_allowed: true` in its "
        "declaration, or --i-have-rights from somebody who has them; without either, mine without audio"
    )


@dataclass(frozen=True, slots=True)
class AudioExport:
    """Cuts segments out into a directory's `audio/`."""

    directory: RunDirectory
    base: Path
    how: SegmentAudio
    i_have_rights: bool

    def export(self, index: int, recording: Recording, made: RecordingTimelines) -> tuple[Dialogue, ...]:
        """Cut out recording number `index` as a shard, unless that is done; what could not be is in its quarantine."""
        if not made.placed and self.directory.find_stamp(AUDIO_STAGE, index, key=None) is None:
            return ()
        key = self._key(recording, made)
        if self.directory.find_stamp(AUDIO_STAGE, index, key) is not None:
            return self.directory.read_shard(AUDIO_STAGE, index, Dialogue)
        self.directory.reopen()  # before the first file that finished records speak of is replaced
        self.directory.announce(AUDIO_STAGE, map(self._path, made.placed))
        dialogues, refusals = self._cut(recording, made)
        files = (Artefact(path=one.audio.path, num_bytes=one.audio.num_bytes) for one in dialogues)
        self.directory.write_shard(AUDIO_STAGE, index, key, dialogues, refusals, files)
        return dialogues

    def finish(self, num_recordings: int, exported: Sequence[int]) -> Iterator[Refusal]:
        """Put the shards of the recordings that have dialogues together, and remove all other audio.

        Returns what could not be cut out.
        """
        self.directory.drop_shards_from(AUDIO_STAGE, num_recordings)
        self.directory.collect_dialogues(AUDIO_STAGE, exported)
        return self.directory.read_refusals()

    def _cut(
        self, recording: Recording, made: RecordingTimelines
    ) -> tuple[tuple[Dialogue, ...], tuple[Refusal, ...]]:
        dialogues: list[Dialogue] = []
        refusals: list[Refusal] = []
        for one in made.placed:
            try:
                dialogues.append(self._cut_one(recording, made, one))
            except RecordError as error:
                refusals.append(_refused(error, _AUDIO, one.segment))
        return tuple(dialogues), tuple(refusals)

    def _cut_one(self, recording: Recording, made: RecordingTimelines, one: Placed) -> Dialogue:
        assert made.talk is not None
        source = self._open(recording, one.segment)
        tracks = made.talk.tracks(one.segment)
        try:
            block = source.excerpt(one.segment.span.start, one.segment.span.end)
        except UnreadableAudioError as error:
            raise RecordError(Reason.BAD_AUDIO, str(error)) from error
        rate = one.segment.sampling_rate
        samples = cut_segment(block, tracks, to_samples(self.how.fade_s, rate))
        name = one.timeline.dialogue_id
        audio = RunAudio(self.directory.path).write_audio(name, samples, rate, self.how.format)
        return Dialogue(timeline=self._cut_out(one.timeline), audio=audio)

    def _path(self, one: Placed) -> str:
        """Where its audio is about to be: nobody else's file is ever removed, and this one is ours."""
        return f"audio/{one.timeline.dialogue_id}.{self.how.format}"

    def _open(self, recording: Recording, segment: Segment) -> AudioSource:
        if not recording.audio:
            raise RecordError(
                Reason.NO_AUDIO,
                f"{segment.segment_id}: {recording.recording_id} was mined from words or RTTM alone; wanted `audio` in "
                "its declaration",
            )
        try:
            source = open_audio(tuple(self.base / path for path in recording.audio))
        except UnreadableAudioError as error:
            raise RecordError(Reason.BAD_AUDIO, str(error)) from error
        if source.channels != 2:
            raise RecordError(
                Reason.ONE_CHANNEL,
                f"{segment.segment_id}: {recording.recording_id} is {source.channels} channel; wanted one per speaker",
            )
        return source

    def _cut_out(self, timeline: Timeline) -> Timeline:
        """With the cut in its provenance, and on whose word it was made."""
        stage = f"{_AUDIO}:i-have-rights" if self.i_have_rights else _AUDIO
        came = timeline.provenance
        provenance = came.model_copy(update={"stages": (*came.stages, stage)})
        return timeline.model_copy(update={"provenance": provenance})

    def _key(self, recording: Recording, made: RecordingTimelines) -> str:
        """Of all that the shard depends on."""
        digest = hashlib.sha256(f"{VERSION}/{self.how.fingerprint()}/{self.i_have_rights}".encode())
        try:
            digest.update(content_key(tuple(self.base / path for path in recording.audio)).encode())
        except OSError as error:
            digest.update(f"unreadable {error.errno}".encode())
        digest.update(repr((recording.audio, recording.speakers)).encode())
        for one in made.placed:
            digest.update(f"{one.segment.span}{canonical_json(one.timeline)}".encode())
        return digest.hexdigest()


def withdraw_audio(directory: RunDirectory) -> None:
    """Remove the audio of an earlier call: a directory holds what the last one asked for."""
    if (directory.path / AUDIO_STAGE).is_dir():
        directory.collect_dialogues(AUDIO_STAGE, ())
        directory.reopen()
        directory.drop_shards_from(AUDIO_STAGE, 0)


def _refused(error: RecordError, stage: str, segment: Segment) -> Refusal:
    return error.refusal(stage, segment.segment_id, segment.to_line())
