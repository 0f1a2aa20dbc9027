"""References on disk: the shipped one, and what is said of a bad file."""

import json
import os
from pathlib import Path

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.io.references import format_reference, load_reference, parse_reference


def small_file() -> dict[str, object]:
    """An invented reference with nothing but what is required."""
    return {
        "schema": "turntaking-reference/1",
        "corpus": {
            "name": "Tea talk",
            "setting": "two people, invented",
            "n_conversations": 2,
            "speakers_per_conversation": 2,
            "hours": 0.1,
        },
        "definitions": {"ipu_silence_s": 0.2, "turn": None},
        "quantile_levels": [0.1, 0.9],
        "distributions": {
            "gap": {
                "unit": "s",
                "description": "invented",
                "n": 2,
                "mean": 0.2,
                "sd": 0.1,
                "p5": 0.1,
                "p50": 0.2,
                "p95": 0.3,
                "quantiles": [0.1, 0.3],
            },
            "fto": None,
        },
        "rates": {"gap": {"per_min": 3.0, "s_per_min": 1.0}, "pause": None},
        "ratios": {},
        "joint_facts": {},
        "per_conversation": None,
        "sampling_error": None,
        "sensitivity": [],
    }


def test_the_shipped_reference_holds_the_published_figures() -> None:
    reference = load_reference("switchboard")
    assert reference.corpus.n_conversations == 1155
    assert "LDC97S62" in (reference.licence or "")
    assert len(reference.distributions) == 31
    assert reference.distribution("fto").n == 94381
    assert reference.distribution("fto").quantile(0.5) == 0.126
    assert reference.ratio("overlap_over_speech_time").value == 0.0485
    assert reference.conversations().reliability("gaps_per_min") == 0.77


def test_every_shipped_table_agrees_with_its_own_summary() -> None:
    for name, table in load_reference("switchboard").distributions.items():
        for level, printed in ((0.05, table.p5), (0.5, table.p50), (0.95, table.p95)):
            assert table.quantile(level) == pytest.approx(printed, abs=6e-4), (name, level)


@pytest.mark.parametrize("name", ["switchboard", "small"])
def test_what_is_written_is_what_is_read(name: str) -> None:
    text = json.dumps(small_file())
    reference = load_reference(name) if name == "switchboard" else parse_reference(text, "small.json")
    assert parse_reference(format_reference(reference), "again") == reference


def test_what_was_not_measured_is_absent(tmp_path: Path) -> None:
    path = tmp_path / "tea.json"
    path.write_text(json.dumps(small_file()), encoding="utf-8")
    reference = load_reference(str(path))
    assert list(reference.distributions) == ["gap"]
    assert reference.distribution("gap").quantile(0.5) == pytest.approx(0.2)
    assert reference.ks_noise_floor(100) is None
    with pytest.raises(ConfigError, match="did you mean 'gap'"):
        reference.distribution("fto")
    with pytest.raises(ConfigError, match="use `switchboard`"):
        reference.conversations()


FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "other schema": ({"schema": "turntaking-reference/2"}, "schema is 'turntaking-reference/2', wanted"),
    "unknown key": ({"distribution": {}}, "unknown key 'distribution'; did you mean 'distributions'"),
    "levels gone": ({"quantile_levels": None}, r"distributions\.gap\.levels"),
    "levels too many": ({"quantile_levels": [0.1, 0.5, 0.9]}, "3 levels but 2 quantiles"),
    "not an object": ({"rates": [1]}, "rates must be a JSON object, got list"),
    "corpus gone": ({"corpus": {"name": "x"}}, r"corpus\.setting: Field required"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_file_is_refused_by_name_and_place(fault: str) -> None:
    change, complaint = FAULTS[fault]
    with pytest.raises(ConfigError, match=complaint) as caught:
        parse_reference(json.dumps(small_file() | change), "tea.json")
    assert "'tea.json'" in str(caught.value)


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'tea\.json': not JSON"):
        parse_reference("{", "tea.json")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("swichboard", "did you mean 'switchboard'"), ("x/y.json", "shipped references: switchboard")],
)
def test_a_name_that_is_neither_shipped_nor_a_file_is_refused(name: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        load_reference(name)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tea.json"
    path.write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(ConfigError, match="cannot be read as UTF-8"):
        load_reference(str(path))


def reference_folder() -> Path:
    named = os.environ.get("HUMDIAL_SHARED_DATA")
    data = Path(named) if named else Path(__file__).parents[3] / "shared" / "data"
    return data.parent / "reference" / "turntaking"


@pytest.mark.skipif(
    not reference_folder().is_dir(), reason="the reference folder beside the sample data is not here"
)
def test_full_files_of_the_schema_load_and_the_shipped_copy_changed_nothing() -> None:
    full = load_reference(str(reference_folder() / "switchboard.json"))
    shipped = load_reference("switchboard")
    assert full == shipped.model_copy(update={"licence": None})
    meetings = load_reference(str(reference_folder() / "ami.json"))
    assert meetings.ratio("three_or_more_over_total_time").value == 0.0116
    assert meetings.distributions == {}
