"""The accuracy that checking promises, on speech of the embedded engine in both languages."""

from pathlib import Path

import pytest

from pipeline.checking import RunCheck
from pipeline.config import find_config, load_config
from pipeline.core.drawn import Drawn
from pipeline.describing import Material, describe
from pipeline.domain.labels import Language
from pipeline.io.references import load_reference
from pipeline.io.run_directory import RunDirectory
from pipeline.runner import Runner, run_in_process

pytest.importorskip("espeakng_loader", reason="the extra 'espeak' is not installed")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo")
    few = ("seeds.sources.0.limit=12", "seeds.sources.1.limit=12", "shard_size=24")
    config = load_config(find_config("demo"), few)
    with Runner(config, directory / "run", directory / "store") as runner:
        run_in_process(runner, max_shards=1)
    return directory / "run"


def test_a_clean_run_has_no_findings_and_its_edges_are_heard_within_10_ms(run: Path) -> None:
    checked = RunCheck(run)
    assert [finding.detail for finding in checked.findings()] == []
    summary = checked.summary()
    for errors in (summary.onsets, summary.ends):
        assert errors.n > 100
        assert errors.p95_ms is not None
        assert errors.mean_ms is not None
        assert errors.p95_ms <= 10.0
        assert abs(errors.mean_ms) <= 6.0
    assert summary.recorded_overlap_ratio is not None
    assert summary.heard_overlap_ratio == pytest.approx(summary.recorded_overlap_ratio, abs=0.002)
    languages = {dialogue.timeline.language for dialogue in RunDirectory(run).read_dialogues()}
    assert languages == set(Language)


def test_what_timing_drew_is_the_same_by_record_and_by_ear(run: Path) -> None:
    def refuse(refusal: object) -> None:
        raise AssertionError(refusal)

    reference = load_reference("switchboard")
    recorded, heard = (
        describe(Material((run,), from_audio=audio), reference, refuse) for audio in (False, True)
    )
    assert recorded.drawn is not None
    assert heard.drawn is not None
    for quantity in Drawn:
        pairs = zip(recorded.drawn.samples[quantity], heard.drawn.samples[quantity], strict=True)
        assert all(abs(a - b) <= 0.03 for a, b in pairs), quantity
