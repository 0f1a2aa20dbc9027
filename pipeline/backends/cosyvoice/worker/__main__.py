"""`python -m worker --root CosyVoice --model-dir pretrained_models/CosyVoice-300M-SFT`."""

import json
import logging
import socket
import sys
from pathlib import Path

import uvicorn

from .engine import EngineProcess
from .listening import Transcriber
from .messages import Greeting, Job, Language, Reference
from .options import Options, fail, read_options
from .pool import Pool
from .refusals import RefusalError
from .server import TRIAL_TEXT, Speech, create_app
from .text import is_chinese
from .voices import Registry

_GRACE_S = 10


class _Warmth:
    """What a fresh engine has to say before anybody is served."""

    def __init__(self, registry: Registry, given: tuple[str, str] | None) -> None:
        self._registry = registry
        self._given = given

    def job(self, greeting: Greeting) -> Job:
        """By a built-in voice, else a recorded one, else the recording of the options or of the model."""
        if greeting.speakers:
            speaker = greeting.speakers[0]
            return _warm_up_job("en" if speaker.startswith("英") else "zh", speaker, None)
        if self._registry.references:
            reference = self._registry.references[0]
            return _warm_up_job(reference.language, None, self._registry.as_prompt(reference))
        prompt = greeting.warm_up
        if self._given is not None:
            path, text = self._given
            prompt = Reference(key="warm-up", path=path, prompt_text=text)
        if prompt is None:
            raise RefusalError("loading", "no voice yet; start with --warm-up-wav and --warm-up-text")
        return _warm_up_job("zh" if is_chinese(prompt.prompt_text) else "en", None, prompt)


def _warm_up_job(language: Language, speaker: str | None, reference: Reference | None) -> Job:
    return Job(
        request_id="warm-up",
        text=TRIAL_TEXT[language],
        language=language,
        kind="turn",
        mode="sft" if reference is None else "zero_shot",
        speaker=speaker,
        reference=reference,
    )


def _engines(options: Options) -> list[EngineProcess]:
    gpus = options.gpus
    return [
        EngineProcess(number, options.settings, gpus[number % len(gpus)] if gpus else None)
        for number in range(options.engines)
    ]


def _open_registry(directory: Path) -> Registry:
    try:
        return Registry(directory)
    except (OSError, ValueError) as error:
        fail(
            f"--voices {directory}: {error}; wanted a directory that can be written, with an index.json of its own"
        )


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        fail(
            f"--host {host} --port {port}: {error.strerror or error}; remedy: another port, or 0 for a free one"
        )


def serve(options: Options) -> None:
    """Serve until a signal, or until no engine starts."""
    registry = _open_registry(options.voices)
    problems: list[str] = []

    def give_up(problem: str) -> None:
        problems.append(problem)
        server.should_exit = True

    pool = Pool(_engines(options), options.limits, _Warmth(registry, options.warm_up).job, give_up)
    listen = None if options.asr_url is None else Transcriber(options.asr_url, options.asr_model).check
    app = create_app(Speech(pool, registry, listen))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_keep_alive=120, timeout_graceful_shutdown=_GRACE_S
    )
    server = uvicorn.Server(config)
    with _listen(options.host, options.port) as listening:
        host, port = listening.getsockname()[:2]
        print(json.dumps({"url": f"http://{host}:{port}"}), flush=True)
        server.run(sockets=[listening])
    if problems:
        fail(problems[0])


def main() -> None:
    """Parse the command line and serve."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    serve(read_options(sys.argv[1:]))


if __name__ == "__main__":
    main()
