"""Hearing one recording: its audio passes by once, block by block, and leaves who speaks when.

    file(s) -> blocks of 8 s -> probe            kind of recording, clipping, lag
                  |-> 16 kHz -> levels, voice     per channel
                                   '-> suppression -> talkspurts

Channels share one gain, and none is normalised: how loud one is beside the other is what tells speech from bleed.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from pipeline.backends.vad.frames import BLOCK_MULTIPLE, FrameDetector
from pipeline.core.heard import Frames, Heard, pack_levels
from pipeline.core.mining.audit import because
from pipeline.core.probing import ChannelProbe, PairProbe, ProbedAudio, pair_problems
from pipeline.core.suppression import (
    FRAME_S,
    RATE_HZ,
    STEP_S,
    FrameLevels,
    Suppressed,
    on_grid,
    suppress,
    talkspurts_of,
)
from pipeline.diarizing import OneChannel
from pipeline.domain.mining import AuditValue, RecordedActivity, Recording, RejectCode, SpeakerActivity
from pipeline.io.recordings.audio import (
    AudioSource,
    Block,
    UnreadableAudioError,
    WrongChannelsError,
    open_audio,
)
from pipeline.io.recordings.declaration import Listening
from pipeline.io.recordings.given import given_activity, read_given

VERSION = 4
"""Bumped when the same audio is heard differently: what was cached before is heard again."""

_BLOCK_S = 8
_LONGEST_H = 100
_STEP = round(STEP_S * RATE_HZ)

Wave = npt.NDArray[np.float32]


def listen_to(
    recording: Recording,
    base: Path,
    listening: Listening,
    detector: FrameDetector,
    one_channel: OneChannel | None = None,
) -> tuple[Heard, Frames | None]:
    """Who speaks when in a recording, from its words, its RTTM, its two channels or a diarizer: the first there is.

    A recording that cannot be used comes back with its problems, never as an exception.
    """
    try:
        return _listen(recording, base, listening, detector, one_channel)
    except WrongChannelsError as error:
        return _refused(
            recording, None, (because(RejectCode.CHANNEL_COUNT, error.channels, 2),), str(error)
        ), None
    except UnreadableAudioError as error:
        return _refused(recording, None, (because(RejectCode.IO_ERROR),), str(error)), None


def _listen(
    recording: Recording,
    base: Path,
    listening: Listening,
    detector: FrameDetector,
    one_channel: OneChannel | None,
) -> tuple[Heard, Frames | None]:
    given = read_given(recording, base)
    if not recording.audio:
        if given is None:
            raise UnreadableAudioError(f"{recording.recording_id}: has neither audio nor words nor RTTM")
        return _with_enough_speakers(
            recording, None, given_activity(recording.recording_id, given, None)
        ), None
    source = _open(recording, base)
    if given is None and source.channels == 1 and one_channel is not None:
        return _diarized(recording, source, one_channel)
    if given is None and source.channels == 1:
        raise WrongChannelsError(
            f"{recording.recording_id}: one channel, and neither words nor RTTM say who speaks when; give the RTTM, "
            "or two channels, or name a `diarizer`",
            1,
        )
    passage = _Passage(source, detector if given is None else None)
    probed, frames = passage.probed(recording.audio), passage.frames()
    if given is not None:
        return _with_enough_speakers(
            recording, probed, given_activity(recording.recording_id, given, source)
        ), frames
    problems = pair_problems(probed, listening.probe)
    if one_channel is not None and {p.code for p in problems} == {RejectCode.DUPLICATE_CHANNEL}:
        return _diarized(recording, source, one_channel)
    if problems:
        return _refused(recording, probed, problems, _not_two_sides(recording, problems[0])), None
    apart = suppress(passage.take_probabilities(), passage.levels_db(), listening.suppression)
    if any(apart.crosstalk) and one_channel is not None:
        return _diarized(recording, source, one_channel)
    if any(apart.crosstalk):
        crosstalk = _crosstalk(apart, listening)
        return _refused(recording, probed, (crosstalk,), _not_two_sides(recording, crosstalk)), None
    return _with_enough_speakers(recording, probed, _two_channel(recording, source, apart, listening)), frames


def _open(recording: Recording, base: Path) -> AudioSource:
    """Frames are kept for as long as a file says that it lasts, so that it has to say something sensible."""
    source = open_audio(tuple(base / path for path in recording.audio))
    hours = source.num_samples / source.sampling_rate / 3600
    if hours > _LONGEST_H:
        raise UnreadableAudioError(
            f"{recording.recording_id}: {' + '.join(recording.audio)} does not say how long it is, or says "
            f"{hours:.0f} h; wanted {_LONGEST_H} h or less; what was written as a stream has no length: copy it with "
            "flac or ffmpeg, or cut it up"
        )
    return source


def _diarized(
    recording: Recording, source: AudioSource, one_channel: OneChannel
) -> tuple[Heard, Frames | None]:
    """One channel, or two in which everybody is heard: their sum is diarized."""
    passage = _Passage(source, None)
    probed = passage.probed(recording.audio)
    heard = one_channel.hear(recording, source)
    if heard.activity is None:
        return _refused(recording, probed, heard.problems, heard.detail or "nobody is told apart"), None
    known = _with_enough_speakers(recording, probed, heard.activity)
    return known.model_copy(update={"voices": heard.voices}), passage.frames()


class _Passage:
    """One pass over the audio, and what is left of it."""

    def __init__(self, source: AudioSource, detector: FrameDetector | None) -> None:
        self._source = source
        self._detector = detector
        self._num_frames = int(np.ceil(source.num_samples / source.sampling_rate / FRAME_S - 1e-9))
        self._channels = [ChannelProbe(source.sampling_rate) for _ in range(source.channels)]
        self._pair = PairProbe() if source.channels == 2 else None
        self._listeners = [detector.listen() for _ in range(source.channels)] if detector else []
        self._levels = FrameLevels(source.channels, self._num_frames)
        self._clipped = np.zeros((source.channels, self._num_frames + 1), np.uint16)
        for block in _resampled(self._own_blocks(), source):
            self._hear(np.ascontiguousarray(block.T))

    def probed(self, paths: tuple[str, ...]) -> ProbedAudio:
        """What kind of recording it is."""
        correlation = self._pair.correlation() if self._pair else None
        return ProbedAudio(
            paths=paths,
            sampling_rate=self._source.sampling_rate,
            num_samples=self._source.num_samples,
            encoding=self._source.encoding,
            channels=tuple(channel.facts() for channel in self._channels),
            correlation=None if correlation is None else round(correlation, 6),
            lag_s=self._pair.lag_s() if self._pair else None,
        )

    def frames(self) -> Frames:
        """Levels and clipping."""
        return Frames(pack_levels(self.levels_db()), self._clipped[:, : self._num_frames])

    def levels_db(self) -> Wave:
        """`[channels, num_frames]`."""
        return self._levels.finish()

    def take_probabilities(self) -> Wave:
        """`[channels, num_frames]`; what the listeners hold is given up for it, one after the other."""
        assert self._detector is not None
        found = np.empty((len(self._listeners), self._num_frames), np.float32)
        for row in found:
            row[:] = on_grid(self._listeners.pop(0).probabilities(), self._detector.hop_s, self._num_frames)
        return found

    def _own_blocks(self) -> Iterator[Block]:
        """Blocks at the recording's own rate, looked at as they pass."""
        rate, begin = self._source.sampling_rate, 0
        for block in self._source.blocks(_BLOCK_S * rate):
            channels = np.ascontiguousarray(block.T)
            for probe, samples, clipped in zip(self._channels, channels, self._clipped, strict=True):
                at = probe.hear(samples) + begin
                np.add.at(clipped, (at / (rate * FRAME_S)).astype(np.int64), 1)
            begin += len(block)
            yield block

    def _hear(self, channels: Wave) -> None:
        """The next `[channels, num_samples]` at 16 kHz."""
        if self._pair is not None:
            self._pair.hear(channels)
        for samples, listener in zip(channels, self._listeners, strict=False):
            listener.hear(samples)
        padded = np.pad(channels, ((0, 0), (0, -channels.shape[1] % _STEP)))
        steps = padded.reshape(len(channels), -1, _STEP)
        self._levels.hear(np.einsum("cij,cij->ci", steps, steps) / np.float32(_STEP))


def _resampled(blocks: Iterator[Block], source: AudioSource) -> Iterator[Block]:
    """Blocks at 16 kHz, whole numbers of every detector's frame except for the last."""
    if source.sampling_rate == RATE_HZ:
        yield from blocks  # of whole frames already: 8 s are 50 times BLOCK_MULTIPLE
        return
    stream = soxr.ResampleStream(source.sampling_rate, RATE_HZ, source.channels, dtype="float32")
    rest = np.zeros((0, source.channels), np.float32)
    for block in blocks:
        rest = np.concatenate((rest, _shaped(stream.resample_chunk(block), source.channels)))
        whole = len(rest) // BLOCK_MULTIPLE * BLOCK_MULTIPLE
        if whole:
            yield rest[:whole]
            rest = rest[whole:]
    tail = stream.resample_chunk(np.zeros((0, source.channels), np.float32), last=True)
    rest = np.concatenate((rest, _shaped(tail, source.channels)))
    if len(rest):
        yield rest


def _shaped(samples: Wave, channels: int) -> Block:
    return np.asarray(samples, np.float32).reshape(-1, channels)


def _two_channel(
    recording: Recording, source: AudioSource, apart: Suppressed, listening: Listening
) -> RecordedActivity:
    names = speaker_names(recording)
    return RecordedActivity(
        recording_id=recording.recording_id,
        sampling_rate=source.sampling_rate,
        num_samples=source.num_samples,
        mode="two_channel",
        speakers=tuple(
            SpeakerActivity(
                speaker=name,
                channel=index,
                talkspurts=talkspurts_of(
                    apart.active[index], source.sampling_rate, source.num_samples, listening.suppression
                ),
            )
            for index, name in enumerate(names)
        ),
        bleed_db=tuple(round(level, 2) for level in apart.bleed_db),
    )


def speaker_names(recording: Recording) -> tuple[str, str]:
    """Names by channel: A and B where none are declared. Raises UnreadableAudioError where there are not two."""
    names = recording.speakers or ("A", "B")
    if len(names) != 2:
        raise UnreadableAudioError(
            f"{recording.recording_id}: speakers: got {list(names)} for two channels; wanted two, by channel, or none"
        )
    return names[0], names[1]


def _with_enough_speakers(
    recording: Recording, probed: ProbedAudio | None, activity: RecordedActivity
) -> Heard:
    talking = sum(bool(speaker.talkspurts) for speaker in activity.speakers)
    if talking >= 2:
        return Heard(recording_id=recording.recording_id, probed=probed, activity=activity)
    problems = (because(RejectCode.ONE_SPEAKER, talking, 2),)
    length_s = activity.num_samples / activity.sampling_rate
    remedy = "; name another listening.detector where both speak" if activity.mode == "two_channel" else ""
    detail = (
        f"{talking} of {len(activity.speakers)} speakers are heard in {length_s:.3f} s; wanted two{remedy}"
    )
    return _refused(recording, probed, problems, detail)


def _crosstalk(apart: Suppressed, listening: Listening) -> AuditValue:
    loudest = min(a for a in apart.attenuation_db if a is not None)
    return because(RejectCode.CROSSTALK, round(loudest, 2), listening.suppression.crosstalk_db)


def _not_two_sides(recording: Recording, problem: AuditValue) -> str:
    """Why two channels cannot be taken for two speakers, and what to do about it."""
    value, bound = problem.value or 0.0, problem.threshold or 0.0
    told = {
        RejectCode.DUPLICATE_CHANNEL: f"the two channels are alike (correlation {value:.3f}; wanted below {bound:g}): "
        "one sound twice; give the two sides apart, or name a `diarizer`",
        RejectCode.CHANNEL_SWAP_SUSPECT: f"the second channel repeats the first {value:.3f} s later; wanted "
        f"{bound:g} s or less either way: an echo, or sides that are not aligned; shift one of them",
        RejectCode.CROSSTALK: f"either side is heard in both, {value:.1f} dB weaker in the other channel; wanted "
        f"{bound:g} dB or more; name a `diarizer`, or record with a microphone near each",
    }
    return f"{recording.recording_id}: {told[problem.code]}"


def _refused(
    recording: Recording, probed: ProbedAudio | None, problems: tuple[AuditValue, ...], detail: str
) -> Heard:
    return Heard(
        recording_id=recording.recording_id, probed=probed, activity=None, problems=problems, detail=detail
    )
