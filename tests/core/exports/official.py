"""What readers of the HumDial Track 2 files do, written anew from their described behaviour.

The official scripts carry no licence and are not copied; where the description names a rule, it is named here.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

FILE_RATE = 16_000
GROUP = re.compile(r"^(clean_)?(\d{4}_\d{4}(?:_add)?)(_output)?\.json$")
TIMED = re.compile(r"^\d{4}_\d{4}(_add)?$")
RELEASED = re.compile(r"^(clean_)?\d{4}_\d{4}(_add)?(_timestamp)?\.(wav|json)$")


@dataclass(frozen=True)
class GridInterval:
    xmin: float
    xmax: float
    text: str


def read_textgrid(text: str) -> dict[str, tuple[GridInterval, ...]]:
    """A reader that forgives nothing: every line has to be the one that the format wants next."""
    lines = [line.strip() for line in text.splitlines()]
    place = iter(lines)

    def take(pattern: str) -> str:
        line = next(place)
        match = re.fullmatch(pattern, line)
        assert match, f"got {line!r}, wanted {pattern}"
        return match.group(1) if match.groups() else ""

    number, quoted = r"(\d+(?:\.\d+)?)", r'"((?:[^"]|"")*)"'
    for head in ('File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0"):
        take(re.escape(head))
    xmax = float(take(f"xmax = {number}"))
    take("tiers\\? <exists>")
    tiers: dict[str, tuple[GridInterval, ...]] = {}
    size = int(take(r"size = (\d+)"))
    take(r"item \[\]:")
    for item in range(1, size + 1):
        take(rf"item \[{item}\]:")
        take('class = "IntervalTier"')
        name = take(f"name = {quoted}")
        take("xmin = 0")
        assert float(take(f"xmax = {number}")) == xmax
        intervals = []
        for index in range(1, int(take(r"intervals: size = (\d+)")) + 1):
            take(rf"intervals \[{index}\]:")
            start, end = float(take(f"xmin = {number}")), float(take(f"xmax = {number}"))
            intervals.append(GridInterval(start, end, take(f"text = {quoted}").replace('""', '"')))
        tiers[name] = tuple(intervals)
        assert_tiles(tiers[name], xmax)
    assert next(place, None) is None
    return tiers


def assert_tiles(intervals: tuple[GridInterval, ...], xmax: float) -> None:
    assert intervals
    assert intervals[0].xmin == 0
    assert intervals[-1].xmax == xmax
    assert all(a.xmax == b.xmin for a, b in pairwise(intervals))
    assert all(interval.xmin < interval.xmax for interval in intervals)


def _delays(folder: Mapping[str, str], segment: int, names: list[str]) -> list[float]:
    """First assistant word minus the end of a user segment, for every `*_sentence.json` with any words."""
    delays = []
    for name in names:
        end = json.loads(folder[name])["speech_segments"][segment]["xmax"]
        output = folder.get(name.replace("_sentence.json", "_output.json"))
        chunks = json.loads(output)["chunks"] if output is not None else []
        if chunks:
            delays.append(chunks[0]["timestamp"][0] - end)
    return delays


def first_response_delay(folder: Mapping[str, str], segment: int = 0, zero_counts: bool = False) -> float:
    """Mean over positive differences; the backchannel copy counts zero too. `segment` 1: third party before."""
    names = sorted(name for name in folder if name.endswith("_sentence.json"))
    delays = [d for d in _delays(folder, segment, names) if d > 0 or (zero_counts and d == 0)]
    return sum(delays) / len(delays)


def rejection_rate(folder: Mapping[str, str], segment: int = 0) -> float:
    """Share of dialogues whose first assistant word starts strictly after the segment's end."""
    names = sorted(name for name in folder if name.endswith("_sentence.json"))
    delays = _delays(folder, segment, names)
    return sum(delay > 0 for delay in delays) / len(delays)


def speech_runs(wav: npt.NDArray[np.int16], merge_s: float) -> list[tuple[float, float]]:
    """An energy detector with 10 ms frames in the place of Silero: runs of speech, short gaps merged."""
    frame = FILE_RATE // 100
    count = len(wav) // frame
    loud = np.sqrt(np.mean(wav[: count * frame].astype(float).reshape(count, frame) ** 2, axis=1)) > 300
    edges = np.flatnonzero(np.diff(np.concatenate(([0], loud.astype(int), [0]))))
    runs: list[tuple[float, float]] = []
    for start, end in (edges.reshape(-1, 2) / 100).tolist():
        if runs and start - runs[-1][1] <= merge_s:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def latencies(
    user: list[tuple[float, float]], assistant: list[tuple[float, float]]
) -> tuple[list[float], list[float]]:
    """(stop, response) of `get_timing.py`.

    Stop: length of every overlap of user and assistant; of those with one rounded end the shortest.
    Response: from a user segment's end to the next assistant onset strictly after it; per onset the shortest.
    """
    stops: dict[float, float] = {}
    for a, b in user:
        for c, d in assistant:
            start, end = max(a, c), min(b, d)
            if start < end:
                stops[round(end, 2)] = min(end - start, stops.get(round(end, 2), np.inf))
    responses: dict[float, float] = {}
    for _, end in user:
        after = [start for start, _ in assistant if start > end]
        if after:
            responses[min(after)] = min(min(after) - end, responses.get(min(after), np.inf))
    return list(stops.values()), list(responses.values())


def clean_wav(wav: npt.NDArray[np.int16], sentences: str) -> npt.NDArray[np.int16]:
    """Zeros as long as `final_duration`, with the first segment copied in."""
    content = json.loads(sentences)
    first = content["speech_segments"][0]
    assert first["xmax"] <= content["final_duration"]
    clean = np.zeros(round(content["final_duration"] * FILE_RATE), dtype=np.int16)
    start, end = round(first["xmin"] * FILE_RATE), round(first["xmax"] * FILE_RATE)
    clean[start:end] = wav[start:end]
    return clean


def clean_directed_wav(wav: npt.NDArray[np.int16], sentences: str) -> npt.NDArray[np.int16]:
    """[segment 0 start, segment 1 start) removed, segment 2 silenced."""
    marks = [
        (round(s["xmin"] * FILE_RATE), round(s["xmax"] * FILE_RATE))
        for s in json.loads(sentences)["speech_segments"]
    ]
    silenced = wav.copy()
    silenced[marks[2][0] : marks[2][1]] = 0
    return np.concatenate((silenced[: marks[0][0]], silenced[marks[1][0] :]))


def judge_groups(names: list[str]) -> dict[str, set[str]]:
    """`eval.py`: the word files of one id, by (clean, output); files that do not match are not seen."""
    groups: dict[str, set[str]] = defaultdict(set)
    for name in names:
        match = GROUP.match(name)
        if match:
            condition = "clean" if match.group(1) else "noisy"
            groups[match.group(2)].add(f"{'output' if match.group(3) else 'input'}_{condition}")
    return dict(groups)
