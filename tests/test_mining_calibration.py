"""A corpus calibrates itself: its own recordings say from which cosine on two voices are one."""

import json
from pathlib import Path

import pytest
import soundfile

from pipeline.core.heard import Heard
from pipeline.core.mining.timbre import TimbreLimits
from pipeline.domain.diarization import Diarization
from pipeline.domain.mining import Rights
from pipeline.io.recordings.declaration import Declaration
from pipeline.mining import Mine
from tests.test_diarizing import RIGHTS, TALKS, MadeUp, Talks, Wave, samples_at

RATE = 8000


class Anywhere(MadeUp):
    """Hears the same talk in any recording."""

    def diarize(self, samples: Wave, uri: str, num_speakers: int | None = None) -> Diarization:
        return super().diarize(samples, "call", num_speakers)


def declare(
    base: Path, count: int, rights: Rights = RIGHTS, timbre: TimbreLimits | None = None
) -> Declaration:
    names = [f"call{index}" for index in range(count)]
    for name in names:
        soundfile.write(base / f"{name}.wav", samples_at(RATE), RATE)
    return Declaration.model_validate(
        {
            "rights": rights,
            "recordings": [{"recording_id": name, "audio": [f"{name}.wav"]} for name in names],
            "workers": 1,
            "diarizer": {"model": "model"},
            "timbre": timbre or TimbreLimits(),
        }
    )


def calibration(declaration: Declaration, base: Path, named: Talks = TALKS) -> dict[str, object]:
    def tell(heard: Heard, kept: bool) -> None:
        return None

    Mine(declaration, base, base / "out", diarizer=Anywhere(named=named)).run(tell)
    found: dict[str, dict[str, object]] = json.loads((base / "out/summary.json").read_text())["calibration"]
    return found.get("made-up", {})


def test_the_summary_holds_the_threshold_of_the_corpus(tmp_path: Path) -> None:
    found = calibration(declare(tmp_path, 3), tmp_path)
    assert (found["encoder"], found["calibrated"], found["eer"]) == ("made-up-1", True, 0.0)
    assert 0.2 < float(str(found["threshold"])) <= 1.0
    assert [one["duration_s"] for one in found["durations"]] == [1.0, 3.0]  # type: ignore[attr-defined]


def test_one_short_recording_calibrates_nothing(tmp_path: Path) -> None:
    found = calibration(declare(tmp_path, 1), tmp_path)
    assert (found["calibrated"], found["threshold"]) == (False, None)
    assert int(str(found["n_trials"])) > 0


def test_labels_that_know_nothing_of_voices_calibrate_to_chance(tmp_path: Path) -> None:
    """Both labels hold half of either voice."""
    mixed: Talks = {
        "S0": ((1.0, 12.0), (27.0, 38.0), (47.0, 48.0)),
        "S1": ((14.5, 18.5), (20.0, 25.5), (40.0, 45.0)),
    }
    found = calibration(declare(tmp_path, 3), tmp_path, mixed)
    assert float(str(found["eer"])) > 0.3


@pytest.mark.parametrize(
    ("rights", "timbre"),
    [
        (RIGHTS.model_copy(update={"biometric_processing_allowed": False}), None),
        (RIGHTS, TimbreLimits(emb_threshold=None)),
        (RIGHTS, TimbreLimits(emb_threshold=0.4)),
    ],
    ids=["no biometrics", "no threshold", "a threshold of one's own"],
)
def test_nothing_is_calibrated_where_it_may_not_or_need_not(
    tmp_path: Path, rights: Rights, timbre: TimbreLimits | None
) -> None:
    found = calibration(declare(tmp_path, 3, rights, timbre), tmp_path)
    assert found.get("threshold") is None
    assert found.get("n_trials", 0) == 0
