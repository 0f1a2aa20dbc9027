from functools import partial
from pathlib import Path

import pytest

from pipeline.core.batch import Failed, split_lines
from pipeline.domain.errors import ConfigError
from pipeline.io import batch_files
from pipeline.io.batch_files import read_results, write_requests


def test_no_file_mixes_models_and_each_says_what_it_holds(tmp_path: Path) -> None:
    files = write_requests(tmp_path, {"writer": ["a", "b"], "judge": ["字"]})
    assert [(Path(one.path).name, one.model, one.num_requests, one.num_bytes) for one in files] == [
        ("requests.0000.jsonl", "writer", 2, 4),
        ("requests.0001.jsonl", "judge", 1, 4),
    ]
    assert Path(files[0].path).read_text() == "a\nb\n"


def test_lines_beyond_a_files_limit_go_into_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_files, "split_lines", partial(split_lines, max_lines=2))
    files = write_requests(tmp_path, {"m": list("abcde")})
    assert [one.num_requests for one in files] == [2, 2, 1]


def test_nothing_to_ask_leaves_no_file(tmp_path: Path) -> None:
    write_requests(tmp_path, {"m": ["a"]})
    assert write_requests(tmp_path, {}) == ()
    assert list(tmp_path.iterdir()) == []


def test_every_line_is_told_with_its_place_and_a_broken_one_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b'{"custom_id": "a", "error": "no"}\n\n\xff\xfe\n{"custom_id": "b", "error": "no"}')
    assert list(read_results([path])) == [
        (f"{path}:1", Failed("a", "no response", "no")),
        (f"{path}:3", None),
        (f"{path}:4", Failed("b", "no response", "no")),
    ]


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.jsonl: cannot be read"):
        list(read_results([tmp_path / "none.jsonl"]))
