"""One dialogue as it stands in a file, and the refusal of one."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.errors import RecordError
from pipeline.domain.quarantine import Refusal
from pipeline.io.corpora.json_stream import Key

STAGE = "seeds"
"""The `stage` of every refusal made here."""

_SPLITS = {
    "train": "train",
    "trn": "train",
    "training": "train",
    "dev": "dev",
    "val": "dev",
    "valid": "dev",
    "validation": "dev",
    "test": "test",
    "tst": "test",
    "hiddentest": "hiddentest",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One dialogue as it stands in a file, not yet understood."""

    file: Path
    keys: tuple[Key, ...]
    """Where in the document: `(17,)` in a list, `("MUL0001",)` in an object, `("train", 17)` in a list in one."""
    place: str
    """The same for people: `dev.json:17`."""
    value: object

    @property
    def split(self) -> str:
        """The split that the item's file belongs to, see `split_of`."""
        return split_of(self.file)

    @property
    def position_id(self) -> str:
        """An id for dialogues that have none: the last key, after the file's name where that says more
        than the split, because numbers restart in every file."""
        stem = self.file.name.split(".")[0]
        return str(self.keys[-1]) if stem in {self.split, *_SPLITS} else f"{stem}-{self.keys[-1]}"


def split_of(file: Path) -> str:
    """`train`, `dev`, `test` or `hiddentest` if the file's or its folder's name says so, else the file's name.

    >>> split_of(Path("sgd/dev/dialogues_005.json")), split_of(Path("en_val_human.txt"))
    ('dev', 'dev')
    >>> split_of(Path("FailedESConv.json"))
    'FailedESConv'
    """
    for word in re.split(r"[._\-\s]", file.name.lower()):
        if word in _SPLITS:
            return _SPLITS[word]
    return _SPLITS.get(file.parent.name.lower(), file.name.split(".")[0])


def refuse(error: RecordError, record_id: str, payload: object) -> Refusal:
    """A quarantine row; undecodable bytes and lone surrogates are written as escapes."""
    written = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    return Refusal(
        stage=STAGE,
        record_id=escaped(record_id),
        reason=error.reason,
        detail=escaped(error.detail),
        payload=escaped(written),
    )


def escaped(text: str) -> str:
    r"""The text without what UTF-8 cannot hold.

    >>> print(escaped(b"caf\xe9".decode(errors="surrogateescape")), escaped("cut \ud83d"))
    caf\xe9 cut \ud83d
    """
    return re.sub("[\ud800-\udfff]", _escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
