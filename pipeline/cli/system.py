"""`doctor`: what works on this machine, and what to do about what does not."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

OUTPUTS = "outputs"
"""Where runs go without `--out`."""


@dataclass(frozen=True, slots=True)
class Examination:
    """One thing that is looked at."""

    name: str
    needed_for: str
    look: Callable[[], str]
    """Says what it found; raises an exception that says what is wrong."""
    optional: bool = False
    """Runs are made without it."""


@click.command()
def doctor() -> None:
    """Look at everything that a run needs, and at what it can use.

    Marks: `ok`; `no` for what is optional and not there; `--` for what is needed and missing, which is exit code 1.
    """
    from pipeline.cli.tables import print_table

    rows = [("", "part", "needed for", "found")]
    failed = False
    for examination in EXAMINATIONS:
        try:
            mark, found = "ok", examination.look()
        except Exception as error:  # whatever it is, it is the diagnosis
            mark, found = "no" if examination.optional else "--", _diagnosis(error)
            failed = failed or not examination.optional
        rows.append((mark, examination.name, examination.needed_for, found))
    print_table(rows)
    if failed:
        raise click.exceptions.Exit(1)


def _diagnosis(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _python() -> str:
    import platform

    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"


def _espeak() -> str:
    import asyncio

    from pipeline.backends.espeak.synthesizer import EspeakSynthesizer
    from pipeline.domain.labels import Emotion, Language, Style
    from pipeline.domain.voice import SpeechRequest
    from pipeline.io.voices import load_catalogue

    voice = next(v for v in load_catalogue() if v.backend == "espeak" and v.language is Language.EN)
    request = SpeechRequest(
        text="Hello there.",
        language=voice.language,
        voice=voice,
        emotion=Emotion.NEUTRAL,
        style=Style.PLAIN,
        seed=0,
    )
    with EspeakSynthesizer(workers=1) as synthesizer:
        take = asyncio.run(synthesizer.synthesize(request))
        seconds = len(take.samples) / take.sampling_rate
        return f"{synthesizer.capabilities.engine}: {len(take.words)} words in {seconds:.2f} s"


def _audio() -> str:
    import soundfile

    formats = soundfile.available_formats()
    if "FLAC" not in formats:
        raise RuntimeError("libsndfile without FLAC; install a soundfile wheel, or set render.format=wav")
    return f"soundfile {soundfile.__version__}, {soundfile.__libsndfile_version__}"


def _prompts() -> str:
    from pipeline.io.prompts import check_prompts, load_prompts

    findings = check_prompts()
    if findings:
        raise RuntimeError(f"{len(findings)} findings, first: {findings[0]}; see humdial prompts check")
    return f"{len(load_prompts().list())} prompts, locked"


def _voices() -> str:
    from pipeline.io.voices import load_catalogue

    voices = load_catalogue()
    return f"{len(voices)} voices of {len({voice.speaker for voice in voices})} persons"


def _reference() -> str:
    from pipeline.io.references import load_reference

    return f"switchboard: {load_reference('switchboard').distribution('fto').n} speaker changes"


def _disk() -> str:
    import shutil

    free_gb = shutil.disk_usage(".").free / 1e9
    if free_gb < 1:
        raise RuntimeError(f"{free_gb:.1f} GB free here; an hour of FLAC takes about 0.1 GB, plus its clips")
    return f"{free_gb:.0f} GB free here"


def _outputs() -> str:
    """Writes where runs would be written, and leaves nothing behind: neither the file nor the directory."""
    import tempfile

    outputs = Path(OUTPUTS)
    # A link to nowhere does not exist and still stands in the way.
    place = outputs if outputs.exists() or outputs.is_symlink() else Path()
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"humdial")
    except OSError as error:
        raise RuntimeError(
            f"{place.absolute()}: cannot be written ({error.strerror}); go elsewhere, or name a place with --out"
        ) from error
    return f"{outputs.absolute()}, {'writable' if place == outputs else 'can be made'}"


def _extra(extra: str, package: str) -> Callable[[], str]:
    """Looks for the package that an optional extra installs."""

    def look() -> str:
        from importlib.metadata import PackageNotFoundError, version

        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError as error:
            raise RuntimeError(
                f"{package} is not installed; pip install 'humdial-pipeline[{extra}]'"
            ) from error

    return look


def _flow() -> str:
    import os

    url = os.environ.get("PREFECT_API_URL")
    return f"{_extra('flow', 'prefect')()}, {'server ' + url if url else 'embedded server'}"


def _ffmpeg() -> str:
    import shutil

    found = shutil.which("ffmpeg")
    if found is None:
        raise RuntimeError("not on the PATH; WAV, FLAC, OGG and MP3 are read without it")
    return found


EXAMINATIONS = (
    Examination("python", "everything", _python),
    Examination("extra espeak", "speech.backend espeak", _espeak),
    Examination("audio files", "render, export", _audio),
    Examination("prompts", "script", _prompts),
    Examination("voices", "speech", _voices),
    Examination("reference", "timing", _reference),
    Examination("disk", "outputs", _disk),
    Examination("outputs", "run", _outputs),
    Examination("extra flow", "run; preview and retime do without", _flow, optional=True),
    Examination("extra openai", "script.author.backend openai", _extra("openai", "openai"), optional=True),
    Examination(
        "extra speech",
        "speech.backend cosyvoice, openai_speech, cosyvoice_fastapi; transcripts",
        _extra("speech", "aiohttp"),
        optional=True,
    ),
    Examination("extra align", "speech.aligners whisper", _extra("align", "faster-whisper"), optional=True),
    Examination("extra similarity", "speech.likeness", _extra("similarity", "onnxruntime"), optional=True),
    Examination("extra plot", "describe --plot", _extra("plot", "matplotlib"), optional=True),
    Examination("extra vad", "--detector webrtc", _extra("vad", "webrtcvad-wheels"), optional=True),
    Examination("ffmpeg", "filter: m4a, mp4, webm, amr, wma", _ffmpeg, optional=True),
)
