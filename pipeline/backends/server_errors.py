"""What servers of every kind say when they fail: how long to wait, what a person may read, what is a secret.

Bodies of 401 and 403 are not quoted, because servers repeat (part of) the key in them; everything else is
searched for the keys in use. Addresses of objects in a server's memory are left out: records of two runs would differ.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.domain.errors import TransientBackendError

SAME_COMMAND = "what was written is kept, and the same command goes on"
OVERLOADED = frozenset({429, 503})
_EXCERPT = 300
_MEMORY_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class OverloadedError(TransientBackendError):
    """The server is there and has too much to do: 429 or 503."""


def is_overload(error: TransientBackendError) -> bool:
    """Whether the server said so itself: then the request is not to blame."""
    return isinstance(error, OverloadedError)


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """On one line, without keys and memory addresses, not longer than a person reads.

    >>> redact("<BytesIO object at 0x7f3a>: no wav; your key is sk-1", ("sk-1",))
    '<BytesIO object>: no wav; your key is ***'
    """
    for secret in secrets:
        text = text.replace(secret, "***")
    text = _MEMORY_ADDRESS.sub("", " ".join(text.split()))
    return text if len(text) <= _EXCERPT else text[:_EXCERPT] + " (and more)"


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """What the server wants to be left alone for: `Retry-After` in seconds or as a date, or `retry-after-ms`.

    >>> retry_after_s({"retry-after": "150"})
    150.0
    >>> retry_after_s({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, datetime(2015, 10, 21, 7, 27, tzinfo=UTC))
    60.0
    """
    for name, unit_s in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        try:
            wish_s = float(text) * unit_s
        except ValueError:
            continue
        return wish_s if 0 <= wish_s < math.inf else None
    try:
        until = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - (now or datetime.now(UTC))).total_seconds())
