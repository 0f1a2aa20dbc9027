"""Copies are found whatever they are called; what differs anywhere is another file."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from pipeline.io.same_content import first_of_same

LONG = bytes(300_000)


def test_copies_are_found_and_no_other_file_is(tmp_path: Path) -> None:
    middle = LONG[:150_000] + b"!" + LONG[150_001:]
    contents = {
        "a": LONG,
        "copy": LONG,
        "middle": middle,
        "end": LONG[:-1] + b"!",
        "short": LONG[1:],
        "b": middle,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    found = first_of_same(tmp_path / name for name in contents)
    assert {path.name: first.name for path, first in found.items()} == {
        **{name: name for name in contents},
        "copy": "a",
        "b": "middle",
    }


def test_what_is_gone_or_empty_is_like_no_other(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("gone", "away", "empty", "void")]
    for path in paths[2:]:
        path.touch()
    assert first_of_same(paths) == dict(zip(paths, paths, strict=True))


@given(st.lists(st.binary(min_size=1, max_size=2), max_size=12))
def test_files_are_one_exactly_where_their_content_is(contents: list[bytes]) -> None:
    with TemporaryDirectory() as directory:
        paths = [Path(directory) / str(number) for number in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        found = first_of_same(paths)
    for path, content in zip(paths, contents, strict=True):
        assert found[path] == paths[contents.index(content)]
