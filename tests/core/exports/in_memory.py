"""Exports of any format in memory: what the stage does with a run, without its rim."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from pipeline.core.exports.audio import render_wavs
from pipeline.core.exports.files import TextFile, WavFile
from pipeline.core.exports.format_names import FormatName
from pipeline.domain.timeline import Timeline
from pipeline.exporting import export_config
from pipeline.stages.export import format_of
from tests.core.exports.build import as_dialogue, noise


class InMemory:
    """The files of an export: texts, and samples of wav files, by path."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.wavs: dict[str, npt.NDArray[np.int16]] = {}
        self.made: dict[str, WavFile] = {}

    def paths(self) -> set[str]:
        return {*self.texts, *self.wavs}


def export_as(
    name: FormatName, run: Iterable[Timeline], options: Mapping[str, JsonValue] | None = None
) -> InMemory:
    """Number, map, render and close a run; raises what the mapping raises."""
    run, chosen, out = list(run), format_of(export_config(name, options or {})), InMemory()
    ids, rows = chosen.assign_ids(run), []
    for timeline in run:
        made = chosen.export(as_dialogue(timeline), ids[timeline.dialogue_id])
        rows.append(made.row)
        for file in made.files:
            assert file.path not in out.paths() | out.made.keys()
            if isinstance(file, TextFile):
                out.texts[file.path] = file.content
            else:
                assert isinstance(file, WavFile)
                out.made[file.path] = file
        wavs = [file for file in made.files if isinstance(file, WavFile)]
        for wav, samples in render_wavs(noise(timeline, floor=40), timeline.sampling_rate, wavs):
            out.wavs[wav.path] = samples
    for closing in chosen.close(rows):
        assert closing.path not in out.paths()
        out.texts[closing.path] = closing.content
    return out
