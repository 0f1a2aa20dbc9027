"""Only what was written by us is removed."""

from pathlib import Path

import pytest

from pipeline.io.written_files import WrittenFiles


@pytest.fixture
def written(tmp_path: Path) -> WrittenFiles:
    """Two files of ours and one of somebody else."""
    (tmp_path / "audio").mkdir()
    for name in ("one.wav", "two.wav", "theirs.wav"):
        (tmp_path / "audio" / name).write_bytes(b"sound")
    files = WrittenFiles(tmp_path / "audio", tmp_path / "list")
    files.add(["one.wav"])
    files.add(["two.wav"])
    return files


def left(directory: Path) -> set[str]:
    return {path.name for path in (directory / "audio").iterdir()}


def test_what_is_wanted_no_more_goes_and_what_is_not_ours_stays(
    written: WrittenFiles, tmp_path: Path
) -> None:
    written.keep({"two.wav"})
    assert left(tmp_path) == {"two.wav", "theirs.wav"}
    written.keep(())
    assert left(tmp_path) == {"theirs.wav"}
    assert not (tmp_path / "list").exists()


def test_a_name_that_was_given_up_is_not_ours_again(written: WrittenFiles, tmp_path: Path) -> None:
    written.keep(())
    (tmp_path / "audio" / "one.wav").write_bytes(b"put there by somebody else")
    written.keep(())
    assert left(tmp_path) == {"theirs.wav", "one.wav"}


def test_a_file_that_was_announced_and_never_written_is_no_problem(
    written: WrittenFiles, tmp_path: Path
) -> None:
    written.add(["three.wav"])
    written.keep({"one.wav"})
    assert left(tmp_path) == {"one.wav", "theirs.wav"}


@pytest.mark.parametrize("line", ["../outside.wav\n", "..\n", "/outside.wav\n", ".\n", "\n", "theirs.wav"])
def test_a_damaged_list_harms_nothing_outside_of_the_folder(
    written: WrittenFiles, tmp_path: Path, line: str
) -> None:
    (tmp_path / "outside.wav").write_bytes(b"sound")
    with (tmp_path / "list").open("a") as file:
        file.write(line)
    written.keep({"one.wav", "two.wav"})
    assert left(tmp_path) == {"one.wav", "two.wav", "theirs.wav"}
    assert (tmp_path / "outside.wav").exists()
