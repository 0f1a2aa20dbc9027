"""vLLM's own reading of requests, in a process of its own: `python tests/loopback/vllm_request_class.py [WHEEL]`.

Reads one line of a batch file per line from standard input and prints one verdict per line. WHEEL is a wheel of
vLLM or a directory that it was unpacked into; without it vLLM must be installed.

From a wheel nothing is installed: the classes of chat requests and of batch files, the protocol that they are
built on, vLLM's exceptions and the structured-output parameters are vLLM's own code; what they import beside
(torch, the engine, renderers) is replaced by stubs that no request can pass for.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import sys
from collections.abc import Callable
from types import ModuleType

CLASS = "vllm.entrypoints.openai.chat_completion.protocol"
PROTOCOL = "vllm.entrypoints.generate.base.protocol"
BATCH = "vllm.entrypoints.launchers.run_batch"
TYPES = "vllm.renderers.chat_utils.types"
OWN = (
    "vllm.version",
    "vllm._version",
    "vllm.envs",
    "vllm.exceptions",
    "vllm.sampling_params",
    PROTOCOL,
    "vllm.entrypoints.serve.engine.protocol",
    "vllm.entrypoints.serve.exception_handling.error_response",
    TYPES,
    CLASS,
    BATCH,
)
"""Modules that are vLLM's own."""
BESIDE = frozenset(
    {
        *("torch", "transformers", "msgspec", "openai_harmony", "PIL"),
        *("pybase64", "prometheus_client", "tqdm", "urllib3"),
    }
)
"""Packages that they import and that need not be installed for this."""
REAL = {".".join(name.split(".")[:n]) for name in OWN for n in range(1, name.count(".") + 2)} - {
    "vllm.renderers",  # packages whose __init__ imports the engine
    "vllm.renderers.chat_utils",
    "vllm.entrypoints.serve.exception_handling",
}


def _do_nothing(stub: object, name: str) -> Callable[..., None]:
    """What an instance's methods do: a logger's, for example."""
    return lambda *arguments, **keywords: None


class _Stub(type):
    """A class that has every attribute, decorates anything, and that no value is an instance of."""

    def __new__(
        cls, name: str, bases: tuple[type, ...] = (), members: object = None, **kw: object
    ) -> "_Stub":
        own = members if isinstance(members, dict) else {}
        return super().__new__(cls, name, bases, {"__getattr__": _do_nothing, **own})

    def __init__(cls, name: str, bases: tuple[type, ...] = (), members: object = None, **kw: object) -> None:
        super().__init__(name, bases, {})

    def __getattr__(cls, name: str) -> "_Stub":
        if name.startswith("__"):
            raise AttributeError(name)
        return _Stub(name)

    def __call__(cls, *arguments: object, **kw: object) -> object:
        return arguments[0] if len(arguments) == 1 and callable(arguments[0]) else super().__call__()

    def __or__(cls, other: object) -> object:
        return object

    __ror__ = __or__

    def __getitem__(cls, key: object) -> "_Stub":
        return cls

    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> object:
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)


class _StubModule(ModuleType):
    def __getattr__(self, name: str) -> _Stub:
        if name.startswith("__"):
            raise AttributeError(name)
        made = _Stub(name)
        setattr(self, name, made)
        return made


class _Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for every other module of vLLM, and for packages beside it that are not installed."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.active = True

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        top = fullname.split(".")[0]
        if not self.active or fullname in REAL or top not in BESIDE | {"vllm"}:
            return None
        if top in BESIDE and self._installed(top):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def _installed(self, top: str) -> bool:
        self.active = False
        try:
            return top in sys.modules or importlib.util.find_spec(top) is not None
        finally:
            self.active = True

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = _StubModule(spec.name)
        module.__path__ = [f"{self.root}/{spec.name.replace('.', '/')}"]
        return module

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


def load(root: str | None) -> None:
    """Make its modules importable."""
    if root is not None:
        sys.path.insert(0, root)
        sys.meta_path.insert(0, _Stubs(root))
        types = importlib.import_module(TYPES)
        chat_utils = importlib.import_module("vllm.renderers.chat_utils")
        for name in types.__all__:  # its __init__ would do this
            setattr(chat_utils, name, getattr(types, name))


def judge(line: str) -> dict[str, object]:
    """What vLLM makes of one line."""
    batch = importlib.import_module(BATCH)
    try:
        read = batch.BatchRequestInput.model_validate_json(line)
    except (ValueError, importlib.import_module("vllm.exceptions").VLLMError) as error:
        return {"accepted": False, "error": f"{type(error).__name__}: {error}"}
    request = read.body
    constraint = importlib.import_module(PROTOCOL).structured_outputs_from_response_format(
        request.structured_outputs, request.response_format
    )
    return {
        "accepted": True,
        "ignored": sorted(request.model_extra or {}),
        "schema": None if constraint is None else constraint.json,
        "messages": [[message["role"], message["content"]] for message in request.messages],
        "fields": {
            name: getattr(request, name)
            for name in (
                "model",
                "temperature",
                "top_p",
                "seed",
                "max_completion_tokens",
                "chat_template_kwargs",
            )
        },
    }


def results(custom_id: str, content: str) -> tuple[str, str]:
    """An answer and a refusal, as `vllm run-batch` writes them."""
    protocol, batch = importlib.import_module(CLASS), importlib.import_module(BATCH)
    engine = importlib.import_module("vllm.entrypoints.serve.engine.protocol")
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    usage = engine.UsageInfo(prompt_tokens=30, completion_tokens=5, total_tokens=35)
    body = protocol.ChatCompletionResponse(model="m", choices=[choice], usage=usage)
    answer = batch.BatchResponseData(request_id="r", body=body)
    error = engine.ErrorResponse(error=engine.ErrorInfo(message="too long", type="BadRequestError", code=400))
    refusal = batch.BatchResponseData(request_id="r", status_code=error.error.code)
    return (
        batch.BatchRequestOutput(id="a", custom_id=custom_id, response=answer, error=None).model_dump_json(),
        batch.BatchRequestOutput(
            id="b", custom_id=custom_id, response=refusal, error=error
        ).model_dump_json(),
    )


def main(root: str | None) -> None:
    """The version, two results, then a verdict per line."""
    load(root)
    version = importlib.import_module("vllm.version").__version__
    print(json.dumps({"version": version, "results": results("d:place:0123456789abcdef", "{}")}))
    for line in sys.stdin:
        print(json.dumps(judge(line)))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
