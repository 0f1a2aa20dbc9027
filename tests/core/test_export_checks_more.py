"""Lines of the trainers' formats and tracks of InteractSpeech, judged without an export around them."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.checks.export_answered_lines import read_opens2s_line, read_osum_line
from pipeline.core.checks.export_findings import ExportCode, ExportLimits
from pipeline.core.checks.export_interactspeech import sound_faults, voicing_faults
from pipeline.core.checks.export_interactspeech_text import read_information
from pipeline.domain.labels import Speaker
from pipeline.export_checking import ExportTracks

_DEFAULT = Path(__file__).parents[3] / "shared" / "data"
DEMOS = Path(os.environ.get("HUMDIAL_SHARED_DATA", _DEFAULT)) / "audio" / "interactspeech_demo"


def osum_line(numbers: set[int]) -> str:
    """A line with a history of these numbers, and the rest as documented."""
    history = {f"{kind}_{n}": f"{kind} {n}" for n in sorted(numbers) for kind in ("wav", "txt")}
    tokens = {f"speech_token_{n}": [] for n in sorted(numbers)}
    task = "<S2TCHAT> <TEXT2TOKEN> <HISTORY>" if numbers else "<S2TCHAT> <TEXT2TOKEN>"
    line = {"key": "a", "task": task, "wav": "w", "txt": "t", "extra": {"speech_token": [], **tokens}}
    return json.dumps(line | history)


@given(st.sets(st.integers(0, 6)))
def test_a_history_is_refused_exactly_where_its_numbers_have_a_gap(numbers: set[int]) -> None:
    read = read_osum_line("train/en.jsonl", 1, osum_line(numbers))
    whole = numbers == set(range(1, len(numbers) + 1))
    assert [f.code for f in read.findings] == ([] if whole else [ExportCode.TURN_NUMBERS])
    assert read.user_audio == (*(f"wav {n}" for n in sorted(numbers)), "w")


def test_the_published_example_of_osum_echat_is_accepted_and_read_in_order() -> None:
    line = {
        "key": "task1_3_en_0042_0007",
        "wav": "a_3.wav",
        "txt": "From anger to surprise.",
        "wav_1": "a_1.wav",
        "txt_1": "That is infuriating.",
        "wav_2": "a_2.wav",
        "txt_2": "What a turn!",
        "extra": {
            "speech_token": [5, 7],
            "speech_token_1": [],
            "speech_token_2": [],
            "speech_token_num": 4097,
        },
        "task": "<S2TCHAT> <TEXT2TOKEN> <HISTORY>",
    }
    read = read_osum_line("train/en.jsonl", 1, json.dumps(line))
    assert read.findings == ()
    assert read.user_audio == ("a_1.wav", "a_2.wav", "a_3.wav")
    assert read.responses == ("That is infuriating.", "What a turn!", "From anger to surprise.")


def test_the_published_example_of_opens2s_is_accepted() -> None:
    user = {"text": "", "audio": "a_1.wav", "speech_units": "", "spk_emb": ""}
    reply = {"text": "That is infuriating.", "audio": "", "speech_units": "<|audio_12|>", "spk_emb": ""}
    messages = [{"role": "user", "content": [user]}, {"role": "assistant", "content": [reply]}]
    read = read_opens2s_line("train/en.jsonl", 1, json.dumps({"messages": messages}))
    assert read.findings == ()
    assert (read.user_audio, read.responses) == (("a_1.wav",), ("That is infuriating.",))


Intervals = tuple[tuple[int, int], ...]


@st.composite
def intervals(draw: st.DrawFn) -> Intervals:
    edges = sorted(draw(st.sets(st.integers(0, 200), min_size=2, max_size=8)))
    return tuple(zip(edges[::2], edges[1::2], strict=False))


@given(intervals(), st.integers(0, 199))
def test_a_track_is_right_exactly_where_it_sounds_in_every_interval_and_nowhere_else(
    own: Intervals, sample: int
) -> None:
    track = np.zeros(200, dtype=np.float32)
    for start, end in own:
        track[start:end] = 0.5
    assert list(voicing_faults(track, own)) == []
    inside = any(start <= sample < end for start, end in own)
    track[sample] = 0.5
    found = list(voicing_faults(track, own))
    assert [code for code, _ in found] == ([] if inside else [ExportCode.TIMES_OFF])
    assert inside or f"from {sample} on" in found[0][1]


@pytest.mark.skipif(not DEMOS.is_dir(), reason=f"no InteractSpeech demo below {DEMOS}")
def test_the_official_demo_has_no_findings() -> None:
    folders = [path for path in sorted(DEMOS.iterdir()) if path.is_dir()]
    assert folders
    for folder in folders:
        text = (folder / "information.json").read_text("utf-8")
        told = read_information("information.json", folder.name, text)
        assert told.findings == ()
        assert len(told.lines) == json.loads(text)["processed_dialogue"].count("\n") + 1
        for speaker, side in ((Speaker.USER, "a"), (Speaker.ASSISTANT, "b")):
            sound = ExportTracks(folder).read_samples(f"dialogue_speaker{side}.wav")
            assert sound is not None
            length_s = len(sound.samples) / sound.sampling_rate
            assert list(sound_faults(sound, length_s, ExportLimits())) == []
            own = tuple(line.interval for line in told.lines if line.speaker is speaker)
            assert list(voicing_faults(sound.samples[:, 0], own)) == []
