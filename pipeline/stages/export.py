"""Export: dialogues in the files of a published format.

Ids count over the whole run, so the caller assigns them once (`assign_ids`), runs the shards, and closes the
export with all their rows:

    ids = format_of(config).assign_ids(timelines)
    done = run(shard, config, Deps(ids, audio, sink))      # per shard
    close(rows, config, sink)                              # manifest and licences, last
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pipeline.core.exports.audio import render_wavs
from pipeline.core.exports.easy_turn import (
    EasyTurnOptions,
    EasyTurnRow,
    assign_easy_turn_ids,
    close_easy_turn,
    export_easy_turn,
)
from pipeline.core.exports.exchange_clips import AnsweredRow, close_answered
from pipeline.core.exports.files import CopyFile, TextFile, WavFile
from pipeline.core.exports.format_names import FormatName
from pipeline.core.exports.formats import ExportFormat, Format, MappedDialogue
from pipeline.core.exports.humdial_track1 import (
    Track1Options,
    assign_track1_ids,
    close_track1,
    export_track1,
)
from pipeline.core.exports.humdial_track2 import Track2Options, closing_files, export_track2
from pipeline.core.exports.ids import assign_ids
from pipeline.core.exports.interactspeech import (
    InteractSpeechOptions,
    InteractSpeechRow,
    assign_interactspeech_ids,
    close_interactspeech,
    export_interactspeech,
)
from pipeline.core.exports.manifest import ExportRow
from pipeline.core.exports.opens2s import OpenS2SOptions, assign_opens2s_ids, export_opens2s
from pipeline.core.exports.osum_echat import OsumEchatOptions, assign_osum_ids, export_osum_echat
from pipeline.core.exports.track1_rows import Track1Row
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Split
from pipeline.domain.quarantine import Reason
from pipeline.domain.record import Record
from pipeline.domain.timeline import AudioFile, Dialogue
from pipeline.stages.shard import Shard

NAME = "export"
VERSION = 1
FULL_SCALE = np.float32(32_768)
"""Of PCM16: a power of two, so that float32 holds every sample exactly."""


class Config(Record):
    """What to export, and in which format; one section of options per format."""

    format: FormatName = FormatName.HUMDIAL_TRACK2
    splits: tuple[Split, ...] = Field(default=tuple(Split), min_length=1)
    """Parts of the run that are wanted; dialogues of other splits are no part of the export."""
    track1: Track1Options = Track1Options()
    track2: Track2Options = Track2Options()
    osum_echat: OsumEchatOptions = OsumEchatOptions()
    opens2s: OpenS2SOptions = OpenS2SOptions()
    easy_turn: EasyTurnOptions = EasyTurnOptions()
    interactspeech: InteractSpeechOptions = InteractSpeechOptions()


def _track1(config: Config) -> Format:
    options = config.track1
    return ExportFormat(
        row=Track1Row,
        numbering=lambda timelines: assign_track1_ids(timelines, options),
        mapping=lambda dialogue, export_id: export_track1(dialogue, export_id, options),
        closing=close_track1,
    )


def _track2(config: Config) -> Format:
    options = config.track2
    return ExportFormat(
        row=ExportRow,
        numbering=lambda timelines: assign_ids(timelines, options.first_speaker),
        mapping=lambda dialogue, export_id: export_track2(dialogue, export_id, options),
        closing=lambda rows: closing_files(rows, options),
    )


def _osum_echat(config: Config) -> Format:
    options = config.osum_echat
    return ExportFormat(
        row=AnsweredRow,
        numbering=lambda timelines: assign_osum_ids(timelines, options),
        mapping=export_osum_echat,
        closing=close_answered,
    )


def _opens2s(config: Config) -> Format:
    options = config.opens2s
    return ExportFormat(
        row=AnsweredRow,
        numbering=lambda timelines: assign_opens2s_ids(timelines, options),
        mapping=export_opens2s,
        closing=close_answered,
    )


def _easy_turn(config: Config) -> Format:
    options = config.easy_turn
    return ExportFormat(
        row=EasyTurnRow,
        numbering=lambda timelines: assign_easy_turn_ids(timelines, options),
        mapping=export_easy_turn,
        closing=close_easy_turn,
    )


def _interactspeech(config: Config) -> Format:
    options = config.interactspeech
    return ExportFormat(
        row=InteractSpeechRow,
        numbering=lambda timelines: assign_interactspeech_ids(timelines, options),
        mapping=export_interactspeech,
        closing=close_interactspeech,
    )


FORMATS: Mapping[FormatName, Callable[[Config], Format]] = {
    FormatName.HUMDIAL_TRACK1: _track1,
    FormatName.HUMDIAL_TRACK2: _track2,
    FormatName.OSUM_ECHAT: _osum_echat,
    FormatName.OPENS2S: _opens2s,
    FormatName.EASY_TURN: _easy_turn,
    FormatName.INTERACTSPEECH: _interactspeech,
}
"""The one place that a further format is added to, beside its name and its section of options."""


def format_of(config: Config) -> Format:
    """The format that is asked for, with its options."""
    return FORMATS[config.format](config)


class DialogueAudioSource(Protocol):
    """Where rendered dialogues are."""

    def read_audio(self, audio: AudioFile) -> tuple[npt.NDArray[np.int16], int]:
        """Samples `[num_samples, 2]` int16 and their rate in Hz. Raises RecordError for a bad file."""
        ...


class ExportSink(Protocol):
    """Where exported files go; paths are relative to the export's root. Every file whole or not at all."""

    def write_text(self, path: str, content: str) -> None:
        """Write UTF-8 with the line ends that `content` has."""
        ...

    def write_wav(self, path: str, samples: npt.NDArray[np.int16], sampling_rate: int) -> None:
        """Write mono PCM16 from `[num_samples]` int16."""
        ...

    def write_float_wav(self, path: str, samples: npt.NDArray[np.float32], sampling_rate: int) -> None:
        """Write mono IEEE float32 from `[num_samples]` float32, -1...1."""
        ...

    def link(self, path: str, of: str) -> None:
        """Give a file of this export a second name: a hard link where there are such, else a copy."""
        ...


@dataclass(frozen=True, slots=True)
class Deps:
    """What the stage needs from the outside."""

    ids: Mapping[str, str]
    """Export id by dialogue id, from the format's `assign_ids` over the whole run."""
    audio: DialogueAudioSource
    sink: ExportSink


def run(shard: Shard[Dialogue], config: Config, deps: Deps) -> Shard[Record]:
    """Write the files of every dialogue and hand on the rows that `close` wants.

    A dialogue is mapped and its audio read before its first file is written: a refused one leaves none.
    """
    rows: list[Record] = []
    refusals = list(shard.refusals)
    for dialogue in shard.records:
        if dialogue.timeline.split not in config.splits:
            continue
        try:
            rows.append(_export(dialogue, config, deps))
        except RecordError as error:
            refusals.append(error.refusal(NAME, dialogue.timeline.dialogue_id, dialogue.to_line()))
    return Shard(shard.index, tuple(rows), tuple(refusals))


def close(rows: Iterable[Record], config: Config, sink: ExportSink) -> None:
    """Write what belongs to the export as a whole; last, so that the manifest says that it is complete."""
    for file in format_of(config).close(rows):
        sink.write_text(file.path, file.content)


def _export(dialogue: Dialogue, config: Config, deps: Deps) -> Record:
    made = _mapped(dialogue, config, deps.ids)
    samples, sampling_rate = _read(dialogue, deps.audio)
    wavs = (file for file in made.files if isinstance(file, WavFile))
    for wav, track in render_wavs(samples, sampling_rate, wavs):
        if wav.float32:
            deps.sink.write_float_wav(wav.path, track.astype(np.float32) / FULL_SCALE, wav.sampling_rate)
        else:
            deps.sink.write_wav(wav.path, track, wav.sampling_rate)
    for file in made.files:
        if isinstance(file, TextFile):
            deps.sink.write_text(file.path, file.content)
    for file in made.files:
        if isinstance(file, CopyFile):
            deps.sink.link(file.path, file.of)
    return made.row


def _mapped(dialogue: Dialogue, config: Config, ids: Mapping[str, str]) -> MappedDialogue[Record]:
    """The pure part."""
    dialogue_id = dialogue.timeline.dialogue_id
    if dialogue_id not in ids:
        raise RecordError(
            Reason.NOT_EXPORTABLE,
            f"{dialogue_id}: {config.format.value} names dialogues after their user, and none was given a number; "
            "wanted a user among the speakers, and ids assigned over the whole run",
        )
    return format_of(config).export(dialogue, ids[dialogue_id])


def _read(dialogue: Dialogue, source: DialogueAudioSource) -> tuple[npt.NDArray[np.int16], int]:
    samples, sampling_rate = source.read_audio(dialogue.audio)
    wanted = ((dialogue.audio.num_samples, 2), dialogue.audio.sampling_rate, np.dtype(np.int16))
    got = (samples.shape, sampling_rate, samples.dtype)
    if got != wanted:
        raise RecordError(
            Reason.BAD_AUDIO,
            f"{dialogue.audio.path}: got {got}, wanted {wanted}; render the dialogue again",
        )
    return samples, sampling_rate
