"""What was heard holds until any file that it depends on changes, whether the declaration names that file or not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cached_listening import Listener
from pipeline.io.mining_cache import MiningCache
from pipeline.io.recordings.declaration import Listening
from tests.io.recordings.trees import (
    CANDOR_ID,
    HARPER_ID,
    make_ami,
    make_candor,
    make_fisher,
    make_harper_valley,
    make_switchboard,
    recordings,
)

SWITCHBOARD = "swb_ms98_transcriptions/99/9999/sw9999{}-ms98-a-word.text"


@pytest.mark.parametrize("change", ["edited", "gone"])
@pytest.mark.parametrize(
    ("make", "source", "file"),
    [
        (make_switchboard, "layout: switchboard", SWITCHBOARD.format("A")),
        (make_switchboard, "layout: switchboard", SWITCHBOARD.format("B")),
        (make_ami, "layout: ami", "words/ES9999a.E.words.xml"),
        (make_ami, "layout: ami", "corpusResources/meetings.xml"),
        (make_ami, "layout: ami", "ES9999a/audio/ES9999a.Mix-Headset.wav"),
        (
            make_candor,
            "layout: candor, speech_from: words",
            f"{CANDOR_ID}/transcription/transcribe_output.json",
        ),
        (make_candor, "layout: candor, speech_from: words", f"{CANDOR_ID}/processed/channel_map.json"),
        (
            make_harper_valley,
            "layout: harper_valley, speech_from: audio",
            f"transcript/{HARPER_ID}.json",
        ),
        (
            make_fisher,
            "layout: fisher, speech_from: turns",
            "fe_03_p1_tran/data/trans/999/fe_03_99999.txt",
        ),
    ],
)
def test_every_file_that_something_is_heard_of_is_watched(
    tmp_path: Path, make: Callable[[Path], None], source: str, file: str, change: str
) -> None:
    make(tmp_path / "c")
    listener = Listener(tmp_path, Listening(), None, MiningCache(tmp_path / "activity"))
    recording = next(one for one in recordings(tmp_path, f"{{{source}, path: c}}") if "9998" not in str(one))
    before = listener.key(recording)
    assert listener.key(recording) == before
    path = tmp_path / "c" / file
    if change == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b"\n")
    assert listener.key(recording) != before
