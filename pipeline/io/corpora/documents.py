"""JSON documents, JSON Lines and plain lines, bare or as the one member of a zip archive."""

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from pipeline.domain.errors import ConfigError, RecordError
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.io.corpora.items import Item, refuse
from pipeline.io.corpora.json_stream import stream_members

_SNIFFED_BYTES = 1 << 16


@contextmanager
def open_document(file: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, or of the JSON member of a zip archive (`val.json.zip` holds `val.json`)."""
    if not zipfile.is_zipfile(file):
        if file.suffix == ".zip":
            raise RecordError(Reason.MALFORMED_RECORD, f"{file.name} is not a zip archive, or is cut off")
        with file.open("rb") as plain:
            yield plain
        return
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(file))
            member = _json_member(file, archive.namelist())
            unpacked: IO[bytes] = stack.enter_context(archive.open(member))
        except (RuntimeError, NotImplementedError) as error:  # encrypted, exotic compression
            raise ConfigError(
                f"{file}: cannot unpack it ({error}); unpack it and name the json file"
            ) from error
        except zipfile.BadZipFile as error:
            raise RecordError(Reason.MALFORMED_RECORD, f"{file.name} is damaged ({error})") from error
        try:
            yield unpacked
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise RecordError(
                Reason.MALFORMED_RECORD, f"{member} in {file.name} is damaged ({error})"
            ) from error


def json_items(file: Path, open_lists: bool = False) -> Iterator[Item | Refusal]:
    """Members of a JSON list or object, or lines of a JSON Lines file: told apart by suffix and shape."""
    with open_document(file) as handle:
        is_lines = file.suffix == ".jsonl" or _holds_json_lines(handle.read(_SNIFFED_BYTES))
    if is_lines:
        yield from json_line_items(file)
        return
    with open_document(file) as handle:
        for keys, value in stream_members(handle, open_lists):
            yield Item(file, keys, f"{file.name}:{'/'.join(map(str, keys))}", value)


def json_line_items(file: Path) -> Iterator[Item | Refusal]:
    """A JSON value per line."""
    for item in line_items(file):
        if isinstance(item, Refusal):
            yield item
            continue
        try:
            value: object = json.loads(str(item.value), strict=False)
            yield Item(file, item.keys, item.place, value)
        except (ValueError, RecursionError) as error:
            yield refuse(RecordError(Reason.MALFORMED_RECORD, f"not JSON: {error}"), item.place, item.value)


def line_items(file: Path) -> Iterator[Item | Refusal]:
    """Lines that are not blank, numbered from 0 as records, from 1 in `place`; LF or CRLF."""
    with open_document(file) as handle:
        for number, line in enumerate(handle):
            place = f"{file.name}:{number + 1}"
            try:
                text = line.decode("utf-8-sig" if number == 0 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                detail = f"byte {error.start} of the line: {error.reason}, wanted UTF-8"
                payload = line.decode("utf-8", "backslashreplace")
                yield refuse(RecordError(Reason.UNREADABLE_ENCODING, detail), place, payload)
                continue
            if text.strip():
                yield Item(file, (number,), place, text)


def _json_member(file: Path, names: list[str]) -> str:
    wanted = file.name.removesuffix(".zip")
    members = [name for name in names if name.endswith(".json") and not name.startswith("__MACOSX/")]
    named = [name for name in members if name.split("/")[-1] == wanted] or members
    if len(named) != 1:
        held = ", ".join(names[:5]) or "nothing"
        raise ConfigError(
            f"{file} holds {held}; wanted one member {wanted}: unpack the right one and name it"
        )
    return named[0]


def _holds_json_lines(head: bytes) -> bool:
    """Whether a first line is a whole object and another one follows.

    A document that stands on one line is followed by nothing, a document over several has no whole first line.
    """
    first, _, rest = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
    if not (first.startswith(b"{") and rest.lstrip().startswith(b"{")):
        return False
    try:
        json.loads(first)
    except ValueError:
        return False
    return True
