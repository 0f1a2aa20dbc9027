"""Real recordings through the commands: mined by the reference's own RTTM, they score as their notes state."""

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.mining_evaluation import MiningScores
from tests.cli.calling import humdial
from tests.test_mining import RIGHTS

SHARED = Path(os.environ.get("HUMDIAL_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
AMI, MEETINGS = SHARED / "audio" / "ami_pyannote", SHARED / "annot" / "ami_but"

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the sample recordings (HUMDIAL_SHARED_DATA) are not here"
)


def mine(out: Path, *recordings: dict[str, object]) -> Path:
    declaration = {"rights": RIGHTS.model_dump(), "workers": 1, "recordings": recordings}
    path = out / "recordings.yaml"
    path.write_text(json.dumps(declaration))  # JSON is YAML
    assert humdial("filter", path, "--out", out / "mined").code == 0
    return out / "mined"


def evaluated(out: Path, *options: object) -> MiningScores:
    answer = humdial("filter", "eval", out, *options, "--json")
    assert answer.code == 0
    return MiningScores.model_validate_json(answer.out)


@pytest.mark.parametrize(
    ("part", "name", "speakers", "overlap_s"),
    [("development", "dev00", 2, 1.415), ("train", "trn09", 3, 13.224)],
)
def test_the_overlap_of_a_meeting_is_that_of_its_rttm(
    tmp_path: Path, part: str, name: str, speakers: int, overlap_s: float
) -> None:
    rttm = AMI / f"debug.{part}.rttm"
    one = {"recording_id": f"ami:{name}", "audio": [str(AMI / f"{name}.wav")], "rttm": str(rttm)}
    out = mine(tmp_path, {**one, "dyadic": False})
    scores = evaluated(out, "--ref", rttm, "--uem", rttm.with_suffix(".uem"))
    assert scores.detection is not None
    assert scores.detection.overlap.hits == overlap_s
    assert (scores.detection.overlap.misses, scores.detection.overlap.false_alarms) == (0, 0)
    assert scores.scored_s == 30
    assert scores.diarization is not None
    assert len(scores.diarization.jaccard_errors) == speakers
    assert (scores.diarization.der, scores.diarization.jer, scores.diarization.cder) == pytest.approx(
        (0, 0, 0)
    )
    printed = humdial("filter", "eval", out, "--ref", rttm, "--uem", rttm.with_suffix(".uem")).out
    assert f"{overlap_s:.3f}  {overlap_s:.3f}" in " ".join(printed.split()).replace(" ", "  ")


def uttered_s(lab: Path) -> float:
    """Anybody's speech by the benchmark's own list of it, which no RTTM was read for."""
    return sum(float(end) - float(start) for start, end, _ in map(str.split, lab.read_text().splitlines()))


def overlapped_s(rttm: Path) -> float:
    """Where two or more speak, on a grid of milliseconds: slow, and nothing that the filter has a part in."""
    borders = [(0, 0)]
    for line in rttm.read_text().splitlines():
        start, length = (round(float(value) * 1000) for value in line.split()[3:5])
        borders += [(start, 1), (start + length, -1)]
    depth, both = 0, 0
    for (at, change), (following, _) in pairwise(sorted(borders)):
        depth += change
        both += (following - at) * (depth >= 2)
    return both / 1000


def test_whole_meetings_are_scored_inside_their_regions(tmp_path: Path) -> None:
    files = sorted((MEETINGS / "only_words" / "rttms").rglob("*.rttm"))
    assert len(files) == 4
    out = mine(tmp_path, *({"recording_id": f.stem, "rttm": str(f), "dyadic": False} for f in files))
    for rttm in files:
        part = rttm.parent.name
        uem = MEETINGS / "uems" / part / f"{rttm.stem}.uem"
        scores = evaluated(out, "--ref", rttm, "--uem", uem)
        assert scores.detection is not None
        assert scores.diarization is not None
        assert scores.events is not None
        lab = MEETINGS / "only_words" / "labs" / part / f"{rttm.stem}.lab"
        assert scores.detection.speech.hits == pytest.approx(uttered_s(lab), abs=0.05)
        assert scores.detection.overlap.hits == pytest.approx(overlapped_s(rttm), abs=0.05)
        assert scores.diarization.der == pytest.approx(0)
        assert scores.events.onsets.f1 == 1.0
