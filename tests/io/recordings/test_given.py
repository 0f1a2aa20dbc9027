"""Who speaks is a person on a channel, wherever the files of a corpus say so."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.domain.mining import Recording
from pipeline.io.recordings.audio import UnreadableAudioError, open_audio
from pipeline.io.recordings.declaration import UNSTATED
from pipeline.io.recordings.given import files_of, given_activity, read_given
from tests.io.recordings.trees import (
    DATA,
    HARPER_ID,
    make_ami,
    make_audio,
    make_candor,
    make_fisher,
    make_harper_valley,
    make_switchboard,
    recordings,
)


@pytest.mark.parametrize(
    ("make", "source", "channels"),
    [
        (
            make_switchboard,
            "{layout: switchboard, path: c, speaker_table: c/callers.csv}",
            {"1001": 0, "1002": 1},
        ),
        (make_switchboard, "{layout: switchboard, path: c}", {"A": 0, "B": 1}),
        (make_fisher, "{layout: fisher, path: c, speech_from: turns}", {"71001": 0, "71002": 1}),
        (make_harper_valley, "{layout: harper_valley, path: c}", {"7": 0, "41": 1}),
        (make_candor, "{layout: candor, path: c, speech_from: words}", {"u0b2": 0, "u0a1": 1}),
        (make_ami, "{layout: ami, path: c}", {"FEO991": None, "MEO992": None, "E": None}),
    ],
)
def test_who_speaks_is_the_person_on_that_channel(
    tmp_path: Path, make: Callable[[Path], None], source: str, channels: dict[str, int | None]
) -> None:
    make(tmp_path / "c")
    recording = recordings(tmp_path, source)[-1]
    given = read_given(recording, tmp_path)
    assert given is not None
    audio = open_audio(tuple(tmp_path / name for name in recording.audio))
    activity = given_activity(recording.recording_id, given, audio)
    assert {speaker.speaker: speaker.channel for speaker in activity.speakers} == channels


def test_turns_are_stretches_without_words(tmp_path: Path) -> None:
    make_fisher(tmp_path / "c")
    (recording,) = recordings(tmp_path, "{layout: fisher, path: c, speech_from: turns}")
    given = read_given(recording, tmp_path)
    assert given is not None
    assert (given.mode, given.words) == ("given_rttm", ())


@pytest.mark.parametrize(
    ("make", "source", "more"),
    [
        (make_candor, "{layout: candor, path: c}", ()),
        (make_candor, "{layout: candor, path: c, speech_from: words}", ("channel_map.json",)),
        (make_fisher, "{layout: fisher, path: c, speech_from: turns}", ()),
        (make_switchboard, "{layout: switchboard, path: c}", ("sw9999B-ms98-a-word.text",)),
        (
            make_ami,
            "{layout: ami, path: c}",
            ("ES9999a.B.words.xml", "ES9999a.E.words.xml", "meetings.xml"),
        ),
        (
            make_harper_valley,
            "{layout: harper_valley, path: c, speech_from: audio}",
            (f"{HARPER_ID}.json",),
        ),
    ],
)
def test_a_recording_depends_on_more_files_than_it_names(
    tmp_path: Path, make: Callable[[Path], None], source: str, more: tuple[str, ...]
) -> None:
    make(tmp_path / "c")
    recording = recordings(tmp_path, source)[-1]
    named = {
        tmp_path / name for name in (*recording.audio, recording.words, recording.rttm) if name is not None
    }
    files = files_of(recording, tmp_path)
    assert all(file.is_file() for file in files)
    assert named <= set(files)
    assert tuple(sorted(file.name for file in set(files) - named)) == more


@pytest.mark.parametrize(
    ("channels", "speakers", "wanted"),
    [
        (2, ("bob", "ann"), {"ann": 1, "bob": 0}),
        (2, ("agent", "caller"), {"ann": None, "bob": None}),
        (2, (), {"ann": None, "bob": None}),
        (2, ("bob", "ann", "cyd"), {"ann": None, "bob": None}),
        (1, ("bob", "ann"), {"ann": None, "bob": None}),
    ],
)
def test_labels_of_rttm_are_on_the_channels_that_are_declared_to_be_theirs(
    tmp_path: Path, channels: int, speakers: tuple[str, ...], wanted: dict[str, int | None]
) -> None:
    make_audio(tmp_path / "left.wav", channels)
    recording = Recording(
        recording_id="left",
        audio=("left.wav",),
        rttm=str(DATA / "rttm" / "two.rttm"),
        speakers=speakers,
        rights=UNSTATED,
    )
    given = read_given(recording, tmp_path)
    assert given is not None
    activity = given_activity("left", given, open_audio((tmp_path / "left.wav",)))
    assert {speaker.speaker: speaker.channel for speaker in activity.speakers} == wanted


@pytest.mark.parametrize("past_s", [0.9, 1.1])
def test_a_transcript_of_another_recording_is_refused(tmp_path: Path, past_s: float) -> None:
    make_audio(tmp_path / "call.wav", 2)
    length_s = open_audio((tmp_path / "call.wav",)).num_samples / 8000
    lines = (
        f'{{"speaker": "A", "start": {0.1 + i * 0.1:.1f}, "end": {length_s + past_s:.3f}, "text": "w"}}'
        for i in range(2)
    )
    (tmp_path / "call.jsonl").write_text("\n".join(lines) + "\n")
    recording = Recording(recording_id="call", audio=("call.wav",), words="call.jsonl", rights=UNSTATED)
    given = read_given(recording, tmp_path)
    assert given is not None
    source = open_audio((tmp_path / "call.wav",))
    if past_s < 1:
        assert given_activity("call", given, source).num_samples == source.num_samples
        return
    wanted = rf"call: its words end at {length_s + past_s:.3f} s, its audio at {length_s:.3f} s; wanted"
    with pytest.raises(UnreadableAudioError, match=wanted):
        given_activity("call", given, source)
