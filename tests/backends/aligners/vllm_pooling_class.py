"""vLLM's own reading of a pooling request: `python -m tests.backends.aligners.vllm_pooling_class WHEEL < request`.

As in `tests.loopback.vllm_request_class`: the request's class, what it is made of and the number formats of answers
are vLLM's own code from a wheel; the rest of vLLM is stubs. Prints the fields that it understood.
"""

import importlib
import json
import sys

from tests.loopback import vllm_request_class as reading

CLASS = "vllm.entrypoints.pooling.pooling.protocol"
OWN = (CLASS, "vllm.entrypoints.pooling.base.protocol", "vllm.tasks", "vllm.utils.serial_utils")
FIELDS = ("model", "task", "chat_template", "encoding_format", "embed_dtype", "endianness", "use_activation")


def main(root: str) -> None:
    """One request from standard input."""
    reading.REAL.update(".".join(name.split(".")[:n]) for name in OWN for n in range(1, name.count(".") + 2))
    reading.REAL.discard("vllm.utils")  # whose __init__ imports the engine
    reading.load(root)
    protocol = importlib.import_module(CLASS)
    request = protocol.PoolingChatRequest.model_validate_json(sys.stdin.read())
    understood = {name: getattr(request, name) for name in FIELDS}
    parts = [part["type"] for part in request.messages[0]["content"]]
    print(json.dumps({**understood, "parts": parts, "ignored": sorted(request.model_extra or {})}))


if __name__ == "__main__":
    main(sys.argv[1])
