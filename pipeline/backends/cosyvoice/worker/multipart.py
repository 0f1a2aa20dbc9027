"""`multipart/form-data`, read: small enough to be ours, where a parser would be one more package to pin.

--boundary\\r\\n Content-Disposition: form-data; name="id"\\r\\n\\r\\n value \\r\\n--boundary ... --boundary--
"""

from email.message import Message
from email.parser import HeaderParser

_MOST_PARTS = 32
_LONGEST_HEAD = 4096


class MultipartError(ValueError):
    """The body is no form."""


def parse_form(content_type: str, body: bytes) -> dict[str, bytes]:
    """Content by field name.

    >>> form = b'--x\\r\\nContent-Disposition: form-data; name="a"\\r\\n\\r\\n1\\r\\n--x--'
    >>> parse_form("multipart/form-data; boundary=x", form)
    {'a': b'1'}
    """
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise MultipartError(f"Content-Type {content_type!r}; wanted multipart/form-data with a boundary")
    # The first boundary has no line end before it: with one in front, all are alike.
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("ascii", "replace"), _MOST_PARTS + 2)
    if len(parts) > _MOST_PARTS + 2:
        raise MultipartError(f"more than {_MOST_PARTS} parts")
    if len(parts) < 3 or not parts[-1].startswith(b"--"):
        raise MultipartError("the form does not end with its boundary")
    return dict(_read_part(part) for part in parts[1:-1])


def _read_part(part: bytes) -> tuple[str, bytes]:
    head, separator, content = part.partition(b"\r\n\r\n")
    if len(head) > _LONGEST_HEAD:
        raise MultipartError(f"a part with headers of more than {_LONGEST_HEAD} bytes")
    headers = HeaderParser().parsestr(head.decode("utf-8", "replace").lstrip())
    name = headers.get_param("name", header="content-disposition")
    if not separator or not isinstance(name, str):
        raise MultipartError("a part without a name")
    return name, content
