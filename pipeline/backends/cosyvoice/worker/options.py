"""The options of the worker."""

import argparse
import math
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pydantic import JsonValue, TypeAdapter, ValidationError

from .messages import YAMLS, EngineSettings
from .pool import Limits


@dataclass(frozen=True)
class Options:
    """What the command line said."""

    host: str
    port: int
    engines: int
    gpus: tuple[str, ...]
    """`CUDA_VISIBLE_DEVICES` of the engines, in turn; empty: all see what this process sees."""
    voices: Path
    settings: EngineSettings
    limits: Limits
    warm_up: tuple[str, str] | None
    """(recording, transcript) to warm up with, where the model has no voice of its own."""
    asr_url: str | None
    asr_model: str


def read_options(arguments: list[str]) -> Options:
    """Parse and check; ends with exit code 2 and one line for what cannot be."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if (given.warm_up_wav is None) != (given.warm_up_text is None):
        parser.error("--warm-up-wav and --warm-up-text belong together")
    if given.warm_up_wav is not None and not given.warm_up_wav.is_file():
        parser.error(f"--warm-up-wav {given.warm_up_wav}: no such file; wanted a WAV of 1 to 30 s")
    factory = given.engine or f"{__package__}.model:open_engine"
    if given.engine is None:
        problem = problem_of_checkout(given.root) or problem_of_model(given.model_dir)
        if problem:
            parser.error(problem)
    return Options(
        host=given.host,
        port=given.port,
        engines=given.engines,
        gpus=tuple(name for name in given.gpus.split(",") if name),
        voices=given.voices,
        settings=EngineSettings(
            factory=factory,
            root=str(given.root or ""),
            model_dir=str(given.model_dir or ""),
            load_trt=given.load_trt,
            options=given.engine_options,
        ),
        limits=Limits(
            queue=given.queue,
            requests_per_engine=given.max_requests_per_engine,
            rss_mb=given.max_rss_mb,
            load_s=given.load_timeout_s,
        ),
        warm_up=None if given.warm_up_wav is None else (str(given.warm_up_wav), given.warm_up_text),
        asr_url=given.asr_url,
        asr_model=given.asr_model,
    )


def problem_of_checkout(root: Path | None) -> str | None:
    """What is missing of CosyVoice's code."""
    if root is None or not (root / "cosyvoice" / "cli" / "cosyvoice.py").is_file():
        return (
            f"--root {root}: no CosyVoice checkout; remedy: "
            "git clone --recursive https://github.com/FunAudioLLM/CosyVoice"
        )
    if not (root / "third_party" / "Matcha-TTS" / "matcha").is_dir():
        return f"--root {root}: third_party/Matcha-TTS is empty; remedy: git submodule update --init --recursive there"
    return None


def problem_of_model(model_dir: Path | None) -> str | None:
    """What is missing of a model; CosyVoice would take a directory that is not there for the name of a download."""
    if model_dir is None or not any((model_dir / name).is_file() for name in YAMLS):
        return f"--model-dir {model_dir}: holds none of {', '.join(YAMLS)}; wanted a downloaded model's directory"
    return None


def _at_least_one(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]*", text):
        raise argparse.ArgumentTypeError(f"{text!r}; wanted a whole number of 1 or more")
    return int(text)


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r}; wanted a port from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}; wanted seconds above 0")
    return seconds


def _url(text: str) -> str:
    if not re.match(r"https?://[^/]", text):
        raise argparse.ArgumentTypeError(f"{text!r}; wanted http://HOST:PORT")
    return text


def _json_object(text: str) -> dict[str, JsonValue]:
    try:
        content: dict[str, JsonValue] = TypeAdapter(dict[str, JsonValue]).validate_json(text)
        return EngineSettings(factory="", options=content).options
    except ValidationError:
        raise argparse.ArgumentTypeError(f"{text[:100]!r}; wanted a JSON object") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="worker",
        allow_abbrev=False,
        description="CosyVoice behind HTTP: /v1/tts, /v1/tts/batch, /v1/voices, /v1/capabilities, /live, /health.",
    )
    add = parser.add_argument
    add("--root", type=Path, help="the CosyVoice checkout, submodules included")
    add(
        "--model-dir",
        type=Path,
        help="directory of a downloaded model: cosyvoice.yaml, cosyvoice2.yaml or ...3.yaml",
    )
    add("--host", default="127.0.0.1", help="the server asks nobody for a key [%(default)s]")
    add(
        "--port",
        type=_port,
        default=50000,
        help="0 takes a free one; the line on standard output names it [%(default)s]",
    )
    add(
        "--engines",
        type=_at_least_one,
        default=1,
        help="processes with one model each, 1 to 3 per GPU [%(default)s]",
    )
    add("--gpus", default="", help="GPUs of the engines in turn, as in CUDA_VISIBLE_DEVICES: 0,1")
    add("--voices", type=Path, default=Path("voices"), help="directory of recorded voices [%(default)s]")
    add("--queue", type=_at_least_one, default=16, help="requests that may wait before 429 [%(default)s]")
    add(
        "--max-requests-per-engine",
        type=_at_least_one,
        default=3000,
        help="then it is replaced [%(default)s]",
    )
    add("--max-rss-mb", type=_at_least_one, help="memory above which an engine is replaced")
    add(
        "--load-timeout-s",
        type=_seconds,
        default=900.0,
        help="of loading a model and warming up [%(default)s]",
    )
    add("--load-trt", action="store_true", help="flow decoder by TensorRT, in fp32 (fp16 gives NaN)")
    add(
        "--warm-up-wav", type=Path, help="a recording to warm up with, for models without voices of their own"
    )
    add("--warm-up-text", help="what is said in it")
    add(
        "--asr-url",
        type=_url,
        default=os.environ.get("ASR_URL"),
        help="OpenAI-compatible server that new voices are heard by",
    )
    add("--asr-model", default="whisper-1", help="its model [%(default)s]")
    add("--engine", help="another engine: package.module:function")
    add("--engine-options", type=_json_object, default="{}", help="JSON object for it")
    return parser


def fail(message: str) -> NoReturn:
    """One line, exit code 1."""
    print(f"worker: {' '.join(message.split())}", file=sys.stderr)
    raise SystemExit(1)
