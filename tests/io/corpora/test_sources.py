from pathlib import Path

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.io.sources import fingerprint_source


def tree(root: Path, **files: str) -> Path:
    for name, content in files.items():
        file = root / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return root


def test_a_copy_under_another_name_is_the_same_source(tmp_path: Path) -> None:
    tree(tmp_path, a="content", b="content", c="other")

    assert fingerprint_source(tmp_path / "a") == fingerprint_source(tmp_path / "b")
    assert fingerprint_source(tmp_path / "a") != fingerprint_source(tmp_path / "c")


def test_a_directory_counts_names_and_bytes_below_it_but_not_its_own_place(tmp_path: Path) -> None:
    first = fingerprint_source(tree(tmp_path / "one", x="1", d__y="2"))

    assert first == fingerprint_source(tree(tmp_path / "two", d__y="2", x="1"))


@pytest.mark.parametrize(
    "files",
    [
        {"x": "1", "d__y": "3"},
        {"x": "1", "d__z": "2"},
        {"x": "1", "y": "2"},
        {"x": "2", "d__y": "1"},
        {"x": "1"},
        {"x": "1", "d__y": "2", "w": ""},
        {"x": "12", "d__y": ""},
    ],
)
def test_any_change_below_a_directory_changes_its_fingerprint(files: dict[str, str], tmp_path: Path) -> None:
    first = fingerprint_source(tree(tmp_path / "one", x="1", d__y="2"))

    assert fingerprint_source(tree(tmp_path / "two", **files)) != first


def test_an_absent_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="check the path"):
        fingerprint_source(tmp_path / "absent")
