"""One HTTP exchange with one server: sent whole, read up to a limit, over by a deadline.

    Call --Line.send--> Answer (any status)
             |-- refused, nobody there -------> UnreachableError
             |-- reset, broken off -----------> TransientBackendError
             '-- no whole answer in time -----> SilentServerError

The only importer of `aiohttp`; its exceptions stop here. What servers say of their body's length is not believed:
bodies are read until they end or are longer than anything that was asked for.
"""

from dataclasses import dataclass, field

import aiohttp
from pydantic import JsonValue

from pipeline.backends.guard import Guard
from pipeline.backends.server_errors import redact
from pipeline.backends.speech_servers.servers import SpeechServer
from pipeline.core.patience import Patience
from pipeline.domain.errors import TransientBackendError

_PIECE = 1 << 16
_MOST_OF_AN_ERROR = 1 << 16
_LONGEST_HEADER = 1 << 16
"""Servers put word times into headers."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form; a file where it has a `filename`."""

    name: str
    value: str | bytes
    filename: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request. Nothing but a `GET` without a body; `body` is sent as JSON, `form` as a form."""

    path: str
    deadline_s: float
    most_bytes: int = 1 << 20
    """A longer answer is cut off there, and says so."""
    body: dict[str, JsonValue] | None = None
    form: tuple[Part, ...] = ()
    from_root: bool = False
    """The path begins where the address's `/v1` does."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, of any status. Header names are lower case."""

    who: str
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)
    too_long: bool = False
    """There was more of it than was wanted."""


class SilentServerError(TransientBackendError):
    """No whole answer came in time: the server hangs, or this request does."""


class UnreachableError(TransientBackendError):
    """No connection: whatever is the matter with the server, it has not seen this request."""


class Line:
    """A server and the connections to it. Belongs to the event loop that it is opened in."""

    def __init__(self, section: str, server: SpeechServer, patience: Patience) -> None:
        self.server = server
        self.guard = Guard(section, server.max_in_flight, patience)
        self.secrets = (server.api_key,) if server.api_key else ()
        self.failed_takes = 0
        """In a row, without one that was made between."""
        self.avoided_until_s = 0.0
        self._connect_timeout_s = patience.connect_timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Nothing is connected before the first request."""
        headers = {"Authorization": f"Bearer {self.server.api_key}"} if self.server.api_key else {}
        # No limit of its own: the guard has one, and a probe must get through when it is reached.
        self._session = aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(limit=0),
            max_field_size=_LONGEST_HEADER,
            max_line_size=_LONGEST_HEADER,
        )

    async def close(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, call: Call) -> Answer:
        """What the server answers. Raises TransientBackendError where it gives no whole answer."""
        if self._session is None:
            raise RuntimeError(f"{self.server.base_url}: not open")
        who = self.server.base_url
        timeout = aiohttp.ClientTimeout(total=call.deadline_s, sock_connect=self._connect_timeout_s)
        try:
            async with self._session.request(
                "GET" if call.body is None and not call.form else "POST",
                self._url(call),
                json=call.body,
                data=_form(call.form),
                timeout=timeout,
                allow_redirects=False,  # a key must not travel to a server that it does not belong to
            ) as response:
                most = call.most_bytes if response.status < 400 else _MOST_OF_AN_ERROR
                body, too_long = await _read(response, most)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(who, response.status, headers, body, too_long)
        except aiohttp.ConnectionTimeoutError:
            raise UnreachableError(
                f"{who}: connection failed: nobody there within {self._connect_timeout_s:g} s"
            ) from None
        except aiohttp.ClientConnectorError as error:
            raise UnreachableError(f"{who}: connection failed: {self._tell(error)}") from None
        except TimeoutError:
            raise SilentServerError(f"{who}: no whole answer within {call.deadline_s:.1f} s") from None
        except aiohttp.ClientPayloadError as error:
            raise TransientBackendError(f"{who}: the answer broke off: {self._tell(error)}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise TransientBackendError(f"{who}: connection failed: {self._tell(error)}") from None

    def _url(self, call: Call) -> str:
        base_url = self.server.base_url
        return (base_url.removesuffix("/v1") if call.from_root else base_url) + call.path

    def _tell(self, error: BaseException) -> str:
        return redact(f"{type(error).__name__}: {error}", self.secrets)


async def _read(response: aiohttp.ClientResponse, most: int) -> tuple[bytes, bool]:
    content = bytearray()
    async for piece in response.content.iter_chunked(_PIECE):
        content += piece
        if len(content) > most:
            response.close()  # not kept: the rest of it would come first
            return bytes(content[:most]), True
    return bytes(content), False


def _form(parts: tuple[Part, ...]) -> aiohttp.FormData | None:
    """A new one for every try: aiohttp's is used up by sending it."""
    if not parts:
        return None
    form = aiohttp.FormData()
    for part in parts:
        form.add_field(part.name, part.value, filename=part.filename, content_type=part.content_type)
    return form
