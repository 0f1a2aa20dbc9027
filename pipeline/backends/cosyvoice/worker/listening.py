"""A new voice is heard before it is kept: what it says has to be what it was given, by another model's ear."""

import asyncio
import json
import re
import urllib.error
import urllib.request
import uuid

from .refusals import RefusalError

MOST_WRONG = 0.3
"""Share of characters; voices that drop or repeat words are far above."""
_TIMEOUT_S = 120.0


class Transcriber:
    """An OpenAI-compatible `POST /v1/audio/transcriptions`."""

    def __init__(self, base_url: str, model: str) -> None:
        self._url = f"{base_url.rstrip('/').removesuffix('/v1')}/v1/audio/transcriptions"
        self._model = model

    async def check(self, wav: bytes, text: str, language: str) -> None:
        """Raise RefusalError where something else than `text` is heard, or nothing can be heard at all."""
        try:
            heard = await asyncio.to_thread(self._transcribe, wav, language)
        except (OSError, ValueError) as error:
            raise RefusalError(
                "engine_error", f"the voice was not heard: {self._url}: {error}; it was not kept"
            ) from None
        wrong = error_rate(text, heard)
        if wrong > MOST_WRONG:
            raise RefusalError(
                "invalid_request",
                f"the voice is not understood: {wrong:.0%} of the characters are wrong, {MOST_WRONG:.0%} may be; "
                f"said {text!r}, heard {heard!r}; is prompt_text exactly what the recording says?",
            )

    def _transcribe(self, wav: bytes, language: str) -> str:
        boundary = uuid.uuid4().hex
        fields = {"model": self._model, "language": language, "response_format": "json", "temperature": "0"}
        body = b"".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        )
        body += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="voice.wav"\r\n'.encode()
        )
        body += b"Content-Type: audio/wav\r\n\r\n" + wav + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        request = urllib.request.Request(self._url, data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as reply:
            content = json.loads(reply.read())
        if not isinstance(content, dict) or not isinstance(content.get("text"), str):
            raise ValueError(f"no text in the reply: {str(content)[:200]}")
        return str(content["text"])


def error_rate(said: str, heard: str) -> float:
    """Edits by character, without case, spaces and punctuation, over the length of what was said.

    >>> error_rate("你好吗？", "你好 啊")
    0.3333333333333333
    """
    wanted, found = (re.sub(r"[\W_]+", "", text).lower() for text in (said, heard))
    row = list(range(len(found) + 1))
    for index, character in enumerate(wanted, 1):
        diagonal, row[0] = row[0], index
        for place, other in enumerate(found, 1):
            diagonal, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, diagonal + (character != other)),
            )
    return row[-1] / max(1, len(wanted))
