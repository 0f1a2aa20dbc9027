"""What was heard holds until any file that it depends on changes, whether the declaration names that file or not."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cached_listening import Listener
from pipeline.core.heard import Frames, Heard
from pipeline.domain.errors import BackendError
from pipeline.domain.mining import Recording, Rights
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

RIGHTS = Rights(corpus="made-up", licence_id="CC0-1.0", consent_basis="invented")
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


class _Fatal(MiningCache):
    """Ends the process that has heard `big`, as a machine does that has no memory left."""

    def put(self, key: str, heard: Heard, frames: Frames | None) -> None:
        if heard.recording_id == "big":
            os.kill(os.getpid(), signal.SIGKILL)
        super().put(key, heard, frames)


def test_a_process_that_is_killed_is_told_with_what_is_not_heard_and_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "call.rttm").write_text("SPEAKER call 1 0.000 1.000 <NA> <NA> A <NA> <NA>\n")
    recordings = [
        Recording(recording_id=name, audio=(), rttm="call.rttm", rights=RIGHTS)
        for name in ("big", "b", "c", "d")
    ]
    listener = Listener(tmp_path, Listening(), None, _Fatal(tmp_path / "activity"))
    with pytest.raises(BackendError, match=r"'big'.*what was heard is kept.*fewer `workers`"):
        list(listener.hear_all(recordings, workers=2))
    assert listener.find(recordings[0]) is None
