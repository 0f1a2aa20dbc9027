"""The base of everything that is written to disk."""

import hashlib
import json
from typing import Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Frozen, closed and comparable: an instance is the proof that its invariants hold.

    `model_validate_json` on a line reads one, `to_line` writes one.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        hide_input_in_errors=False,
    )

    def fingerprint(self) -> str:
        """SHA-256 (hex) of the canonical JSON form: sorted keys, no white space, UTF-8."""
        return hashlib.sha256(canonical_json(self).encode()).hexdigest()

    def to_line(self) -> str:
        """One line of JSON, without the line end; field order as declared."""
        return self.model_dump_json()

    @classmethod
    def from_line(cls, line: str | bytes) -> Self:
        """Read what `to_line` wrote. Raises pydantic.ValidationError with the offending field."""
        return cls.model_validate_json(line)


def canonical_json(record: BaseModel) -> str:
    """One spelling per value, so that equal records have equal fingerprints."""
    return json.dumps(
        record.model_dump(mode="json"),
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
    )
