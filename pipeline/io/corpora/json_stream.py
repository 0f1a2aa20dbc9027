"""Read the members of one large JSON document without holding the document.

A SODA split is a list of a million objects; a truncated download still yields every dialogue before the cut.

    [ {...}, {...}, {...         members come one by one; then a RecordError names the byte of the fault
"""

import codecs
import json
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, NoReturn

from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Reason

Key = str | int
"""Name of a member of an object, index of an item of a list."""

_CHUNK_BYTES = 1 << 16
_MAX_MEMBER_CHARS = 1 << 26
_LONGEST_TOKEN = 16
"""`-Infinity` and `\\uD83D\\uDE00` cut in two are errors less than this before the end of what was read."""

_SPACE = " \t\r\n"


def stream_members(handle: IO[bytes], open_lists: bool = False) -> Iterator[tuple[tuple[Key, ...], object]]:
    """(keys, value) of every item of the list, or member of the object, that the document is.

    With `open_lists`, a list that is a member of the outermost object is opened too: `{"train": [a, b]}`
    gives `(("train", 0), a)` and `(("train", 1), b)`.
    """
    cursor = _Cursor(handle)
    opening = cursor.peek()
    if opening == "[":
        yield from _items(cursor, ())
    elif opening == "{":
        yield from _members(cursor, open_lists)
    else:
        cursor.fail("wanted a JSON list or object" if opening else "the file is empty")
    if cursor.peek():
        cursor.fail("text after the end of the document")


def _items(cursor: "_Cursor", above: tuple[Key, ...]) -> Iterator[tuple[tuple[Key, ...], object]]:
    cursor.take("[")
    index = 0
    while index or cursor.peek() != "]":
        yield (*above, index), cursor.value()
        if cursor.peek() == "]":
            break
        cursor.take(",")
        index += 1
    cursor.take("]")


def _members(cursor: "_Cursor", open_lists: bool) -> Iterator[tuple[tuple[Key, ...], object]]:
    cursor.take("{")
    first = True
    while not first or cursor.peek() != "}":
        if cursor.peek() != '"':
            cursor.fail("wanted the name of a member")
        key = str(cursor.value())
        cursor.take(":")
        if open_lists and cursor.peek() == "[":
            yield from _items(cursor, (key,))
        else:
            yield (key,), cursor.value()
        if cursor.peek() == "}":
            break
        cursor.take(",")
        first = False
    cursor.take("}")


class _Cursor:
    """A position in a byte stream of JSON; knows its byte offset for messages."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder(strict=False)  # raw line ends inside strings occur
        self._text = ""
        self._position = 0
        self._bytes_before_text = 0
        self._bytes_read = 0
        self._ended = False
        self._fault: tuple[Reason, str] | None = None
        if self.peek() == "\ufeff":
            self._position += 1

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            while self._position < len(self._text) and self._text[self._position] in _SPACE:
                self._position += 1
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._fill():
                return ""

    def take(self, wanted: str) -> None:
        """Step over one character that has to be next."""
        if self.peek() != wanted:
            self.fail(f"wanted {wanted!r}")
        self._position += 1

    def value(self) -> object:
        """The next value. A number that touches the end of what was read may go on, so it is read again."""
        self.peek()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                if not self._may_go_on(error) or not self._fill():
                    self.fail(error.msg, error.pos)
            except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 5,000 nested lists
                self.fail(str(error))
            else:
                if end < len(self._text) or not self._fill():
                    self._position = end
                    result: object = value
                    return result

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Whether the fault may be only that not enough was read yet."""
        if len(self._text) - self._position > _MAX_MEMBER_CHARS:
            return False
        return error.msg.startswith("Unterminated string") or error.pos > len(self._text) - _LONGEST_TOKEN

    def fail(self, detail: str, position: int | None = None) -> NoReturn:
        """Give up, with the byte offset of `position` or of where the cursor is."""
        if self._fault is not None:
            raise RecordError(*self._fault)
        at = self._position if position is None else position
        offset = self._bytes_before_text + len(self._text[:at].encode())
        cut_off = "Unterminated" in detail or (self._ended and not self._text[at:].strip())
        raise RecordError(
            Reason.MALFORMED_RECORD, f"byte {offset}: {detail}{' (cut off?)' if cut_off else ''}"
        )

    def _fill(self) -> bool:
        """Read at least as much again as is being held, so that a long member costs linear time."""
        if self._ended:
            return False
        self._bytes_before_text += len(self._text[: self._position].encode())
        self._text, self._position = self._text[self._position :], 0
        pending = len(self._decoder.getstate()[0])
        try:
            chunk = self._handle.read(max(_CHUNK_BYTES, len(self._text)))
            self._ended = not chunk
            self._text += self._decoder.decode(chunk, final=self._ended)
        except UnicodeDecodeError as error:
            self._text += error.object[: error.start].decode()
            at = self._bytes_read - pending + error.start
            self._stop(Reason.UNREADABLE_ENCODING, f"byte {at}: {error.reason}, wanted UTF-8")
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            self._stop(
                Reason.MALFORMED_RECORD, f"byte {self._bytes_read}: the zip member is damaged ({error})"
            )
        else:
            self._bytes_read += len(chunk)
        return True

    def _stop(self, reason: Reason, detail: str) -> None:
        self._ended = True
        self._fault = (reason, detail)
