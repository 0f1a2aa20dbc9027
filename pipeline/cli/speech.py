"""Commands about speech: the worker that serves CosyVoice from its own environment."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import click

from pipeline.cli.speech_bank import bank

MODELS = "pretrained_models"
NEEDED = ("torch", "fastapi", "uvicorn", "pydantic", "numpy")
"""What the worker and the model import; the rest is CosyVoice's own list of requirements."""
_PATIENCE_S = 60
_PATH = click.Path(path_type=Path)


@click.group()
def speech() -> None:
    """Engines that speak."""


speech.add_command(bank)


@speech.command("serve-cosyvoice", context_settings={"ignore_unknown_options": True})
@click.option("--root", type=_PATH, required=True, help="The CosyVoice checkout, submodules included.")
@click.option("--python", type=_PATH, help="Python of CosyVoice's environment  [ROOT/.venv/bin/python].")
@click.option("--model-dir", type=_PATH, help=f"A downloaded model  [the only one in ROOT/{MODELS}].")
@click.option("--host", default="127.0.0.1", show_default=True, help="The worker asks nobody for a key.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=50000, show_default=True, help="0 takes a free one."
)
@click.option(
    "--engines",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes with one model each; 1 to 3 per GPU.",
)
@click.option(
    "--voices",
    type=_PATH,
    default=Path("outputs/cosyvoice-voices"),
    show_default=True,
    help="Where recorded voices are kept.",
)
@click.option("--warm-up-wav", type=_PATH, help="A recording to warm up with, for models without a voice.")
@click.argument("worker_options", nargs=-1, type=click.UNPROCESSED)
def serve_cosyvoice(
    root: Path,
    python: Path | None,
    model_dir: Path | None,
    host: str,
    port: int,
    engines: int,
    voices: Path,
    warm_up_wav: Path | None,
    worker_options: tuple[str, ...],
) -> None:
    """Serve CosyVoice 1, 2 or 3 from a local environment until Ctrl-C: the same worker as in docker/cosyvoice.

    Needs a checkout (git clone --recursive https://github.com/FunAudioLLM/CosyVoice) with its requirements in an
    environment of its own, and a model. One line of JSON with the address is printed at once; `GET /health` answers
    200 when the model has spoken a first sentence that passes. Further options go to the worker: --queue,
    --gpus 0,1, --max-requests-per-engine, --max-rss-mb, --warm-up-text, --asr-url, --load-trt.
    """
    installation = find_installation(root, python, model_dir)
    arguments = ["--host", host, "--port", str(port), "--engines", str(engines), *worker_options]
    arguments += ["--voices", str(voices.absolute())]
    if warm_up_wav is not None:
        arguments += ["--warm-up-wav", str(warm_up_wav.absolute())]
    command, environment = installation.command(arguments)
    os.chdir(installation.root)  # the worker's modules are found by name: not in whatever directory this is
    os.execve(command[0], command, environment)


@dataclass(frozen=True, slots=True)
class Installation:
    """A checkout, its Python and a model: all of them are there."""

    root: Path
    python: Path
    model_dir: Path

    def command(self, arguments: list[str]) -> tuple[list[str], dict[str, str]]:
        """What runs the worker, and its environment variables."""
        from pipeline.backends import cosyvoice

        here = str(Path(next(iter(cosyvoice.__path__))))
        others = [path for path in (os.environ.get("PYTHONPATH"),) if path]
        command = [
            str(self.python),
            "-m",
            "worker",
            "--root",
            str(self.root),
            "--model-dir",
            str(self.model_dir),
        ]
        return [*command, *arguments], {**os.environ, "PYTHONPATH": os.pathsep.join([here, *others])}


def find_installation(root: Path, python: Path | None, model_dir: Path | None) -> Installation:
    """Check what can be checked before a model is loaded; raises ConfigError."""
    from pipeline.backends.cosyvoice.worker.options import problem_of_checkout, problem_of_model

    root = root.absolute()
    _refuse(problem_of_checkout(root))
    python = _find_python(root, python)
    model_dir = (model_dir or _find_model(root)).absolute()
    _refuse(problem_of_model(model_dir))
    return Installation(root, python, model_dir)


def _refuse(problem: str | None) -> None:
    from pipeline.domain.errors import ConfigError

    if problem is not None:
        raise ConfigError(f"speech: {problem}")


def _find_python(root: Path, given: Path | None) -> Path:
    """CosyVoice's interpreter, with the packages that the worker needs."""
    from pipeline.domain.errors import ConfigError

    python = (given or root / ".venv" / "bin" / "python").absolute()
    if not python.is_file():
        raise ConfigError(
            f"speech: no Python at {python}; wanted that of CosyVoice's environment; remedy: name it with --python"
        )
    missing = _missing_packages(python, root)
    if missing:
        raise ConfigError(
            f"speech: {python} lacks {', '.join(missing)}; wanted CosyVoice's environment; remedy: pip install -r "
            "docker/cosyvoice/requirements.txt there, or name another one with --python"
        )
    return python


def _missing_packages(python: Path, root: Path) -> list[str]:
    """What it cannot import of `NEEDED`, or what it says instead; raises ConfigError where it is no program."""
    from pipeline.domain.errors import ConfigError

    question = "import sys, importlib.util as u; print(*[n for n in sys.argv[1:] if u.find_spec(n) is None])"
    command = [str(python), "-c", question, *NEEDED]
    try:
        asked = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=root,
            check=False,
            timeout=_PATIENCE_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = error.strerror if isinstance(error, OSError) else f"no answer within {_PATIENCE_S} s"
        raise ConfigError(
            f"speech: {python} cannot be run: {why}; wanted the Python of CosyVoice's environment; remedy: name it "
            "with --python"
        ) from None
    return asked.stdout.split() if asked.returncode == 0 else [asked.stderr.strip()[-200:] or "everything"]


def _find_model(root: Path) -> Path:
    """The model of a checkout that has one."""
    from pipeline.backends.cosyvoice.worker.messages import YAMLS
    from pipeline.domain.errors import ConfigError

    found = sorted({path.parent for name in YAMLS for path in (root / MODELS).glob(f"*/{name}")})
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ConfigError(
            f"speech: {len(found)} models in {root / MODELS} ({names}); remedy: name one with --model-dir"
        )
    return found[0]
