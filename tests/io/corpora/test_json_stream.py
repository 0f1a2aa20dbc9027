import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason
from pipeline.io.corpora import json_stream
from pipeline.io.corpora.json_stream import Key, stream_members

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def read(
    content: bytes, open_lists: bool = False
) -> tuple[list[tuple[tuple[Key, ...], object]], RecordError | None]:
    members: list[tuple[tuple[Key, ...], object]] = []
    try:
        for member in stream_members(io.BytesIO(content), open_lists):
            members.append(member)
    except RecordError as error:
        return members, error
    return members, None


class Trickle(io.BytesIO):
    """A file that gives one byte at a time: every token is cut everywhere."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(1)


@given(st.lists(JSON, max_size=5), st.booleans(), st.sampled_from([None, 1]))
def test_items_of_a_list_are_what_json_says(
    values: list[object], ascii_only: bool, indent: int | None
) -> None:
    content = json.dumps(values, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")

    assert read(content) == ([((index,), value) for index, value in enumerate(values)], None)


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=5))
def test_members_of_an_object_are_what_json_says(values: dict[str, object]) -> None:
    assert read(json.dumps(values).encode()) == ([((key,), value) for key, value in values.items()], None)


@given(st.lists(JSON, max_size=4))
def test_where_the_bytes_are_cut_does_not_matter(values: list[object]) -> None:
    handle = Trickle(json.dumps(values, ensure_ascii=False).encode())

    assert [value for _, value in stream_members(handle)] == values


def test_lists_inside_the_object_can_be_opened() -> None:
    members, error = read(b'{"train": [1, 2], "note": "x", "test": []}', open_lists=True)

    assert members == [(("train", 0), 1), (("train", 1), 2), (("note",), "x")]
    assert error is None


def test_a_member_larger_than_what_is_read_at_once_arrives_whole() -> None:
    long = "好" * 200_000

    assert read(json.dumps([long, 1], ensure_ascii=False).encode()) == ([((0,), long), ((1,), 1)], None)


@pytest.mark.parametrize(
    ("content", "members", "reason", "byte"),
    [
        (b"", 0, Reason.MALFORMED_RECORD, 0),
        (b"  \n", 0, Reason.MALFORMED_RECORD, 3),
        (b"\xef\xbb\xbf", 0, Reason.MALFORMED_RECORD, 3),
        (b'"text"', 0, Reason.MALFORMED_RECORD, 0),
        (b'[{"a": 1}, {"b": ', 1, Reason.MALFORMED_RECORD, 17),
        (b'[{"a": 1}, {"b": "never ends', 1, Reason.MALFORMED_RECORD, 17),
        (b'[{"a": 1}', 1, Reason.MALFORMED_RECORD, 9),
        (b'[{"a": 1},]', 1, Reason.MALFORMED_RECORD, 10),
        (b'{"a": 1, }', 1, Reason.MALFORMED_RECORD, 9),
        (b"[1] [2]", 1, Reason.MALFORMED_RECORD, 4),
        (b"[1, nul]", 1, Reason.MALFORMED_RECORD, 4),
        (b'["\xe5\xa5\xbd", "caf\xe9", 3]', 1, Reason.UNREADABLE_ENCODING, 12),
        (b'["ok", "\xe5\xa5', 1, Reason.UNREADABLE_ENCODING, 8),
        ('["utf-16"]'.encode("utf-16"), 0, Reason.UNREADABLE_ENCODING, 0),
        (b"[" * 100_000, 0, Reason.MALFORMED_RECORD, 1),
        (b"[" + b"9" * 5000 + b"]", 0, Reason.MALFORMED_RECORD, 1),
    ],
)
def test_a_fault_comes_after_what_was_whole_and_names_its_byte(
    content: bytes, members: int, reason: Reason, byte: int
) -> None:
    read_members, error = read(content)

    assert len(read_members) == members
    assert error is not None
    assert error.reason is reason
    assert error.detail.startswith(f"byte {byte}: ")


def test_a_fault_far_from_the_end_is_found_without_reading_on() -> None:
    handle = io.BytesIO(b'[{"a" 1}, ' + b" " * 10_000_000)

    with pytest.raises(RecordError, match="byte 6"):
        list(stream_members(handle))
    assert handle.tell() <= 2 * json_stream._CHUNK_BYTES


def test_only_a_part_of_the_document_is_held() -> None:
    handle = io.BytesIO(b"[" + b",".join([b'"0123456789"'] * 100_000) + b"]")
    members = stream_members(handle)

    assert next(members) == ((0,), "0123456789")
    assert handle.tell() <= 2 * json_stream._CHUNK_BYTES
