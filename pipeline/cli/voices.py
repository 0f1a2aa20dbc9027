"""Commands about voices: what there is, adding a recorded one, measuring all of them again."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.domain.voice import Voice
    from pipeline.ports import Transcriber
    from pipeline.voice_adding import Addition, Examined, GivenRecording

_PATH = click.Path(path_type=Path)
CATALOGUE = click.option(
    "--catalogue", type=_PATH, help="A catalogue of your own, as in speech.voices, beside the shipped one."
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object per voice.")
TRANSCRIBER = click.option(
    "--transcriber", metavar="URL", help="Also hear what is said: a server of OpenAI's transcription API."
)
TRANSCRIBER_MODEL = click.option(
    "--transcriber-model",
    default="openai/whisper-large-v3-turbo",
    show_default=True,
    help="Its name at that server.",
)
EMOTIONS = ("happy", "sad", "anger", "fear", "surprise", "disgust")
_CONSENT_SHOWN = 30


@click.group()
def voices() -> None:
    """Who speaks: engines' own voices and recorded ones."""


@voices.command("list")
@click.option("--catalogue", type=_PATH, help="Another catalogue than the shipped one.")
@JSON
def list_voices(catalogue: Path | None, as_json: bool) -> None:
    """Every voice: person, language, gender, split, pitch, formants, recordings, moods, licence, consent."""
    from pipeline.cli.tables import print_table
    from pipeline.io.voices import load_catalogue

    found = load_catalogue(catalogue)
    if as_json:
        for voice in found:
            click.echo(voice.to_line())
        return
    header = ("voice", "person", "language", "gender", "split", "f0 Hz", "formants", "backend", "recordings")
    print_table([(*header, "moods", "licence", "consent"), *map(_row, found)])


def _row(voice: "Voice") -> tuple[str, ...]:
    lengths = (one.duration_s for one in (voice.reference, voice.short_reference) if one is not None)
    consent = voice.consent or "-"
    return (
        voice.voice_id,
        voice.speaker,
        voice.language.value,
        voice.gender.value,
        voice.split.value,
        "-" if voice.median_f0_hz is None else f"{voice.median_f0_hz:.0f}",
        "-" if voice.formant_scale is None else f"{voice.formant_scale:.2f}",
        voice.backend,
        " + ".join(f"{length_s:.1f} s" for length_s in lengths) or "-",
        " ".join(one.emotion.value for one in voice.emotional_references) or "-",
        voice.licence.id,
        consent if len(consent) <= _CONSENT_SHOWN else f"{consent[: _CONSENT_SHOWN - 1]}…",
    )


@voices.command("check")
@CATALOGUE
@TRANSCRIBER
@TRANSCRIBER_MODEL
@JSON
def check(catalogue: Path | None, transcriber: str | None, transcriber_model: str, as_json: bool) -> None:
    """Measure every recording again and compare it with its row; ids, splits, copies; persons per backend.

    Exit code 1 with findings.
    """
    from pipeline.voice_checking import check_voices, count_persons

    with _open_transcriber(transcriber, transcriber_model) as listener:
        checked = check_voices(catalogue, listener)
    findings = sum(len(one.findings) for one in checked)
    if as_json:
        for one in checked:
            click.echo(one.to_line())
        click.echo(
            json.dumps({"persons": [json.loads(count.to_line()) for count in count_persons(catalogue)]})
        )
    else:
        _print_persons(catalogue)
        for one in checked:
            for finding in one.findings:
                click.echo(f"{one.voice_id}: {finding}")
            for doubt in (doubt for examined in one.examined for doubt in examined.doubts):
                click.echo(f"{one.voice_id}: look at it: {doubt}")
        click.echo(f"{len(checked)} recorded voices, {findings} findings")
    if findings:
        raise click.exceptions.Exit(1)


def _print_persons(catalogue: Path | None) -> None:
    from pipeline.cli.tables import print_table
    from pipeline.voice_checking import count_persons

    rows: list[tuple[str, ...]] = [("backend", "language", "split", "persons", "enough for")]
    for one in count_persons(catalogue):
        rows.append((one.backend, one.language, one.split, str(one.persons), one.enough_for))
    print_table(rows)


@voices.command("add")
@click.argument("clip", type=_PATH)
@click.option(
    "--transcript", required=True, help="What is said in it, word for word; or a text file with it."
)
@click.option("--id", "voice_id", required=True, help="Its name in the catalogue.")
@click.option("--speaker", required=True, help="The person: the same for the same person's other voices.")
@click.option("--language", type=click.Choice(["zh", "en"]), required=True)
@click.option("--gender", type=click.Choice(["female", "male"]), required=True)
@click.option("--split", type=click.Choice(["train", "dev", "test"]), required=True)
@click.option(
    "--licence", required=True, help="Of the recording: its SPDX identifier, or the terms' own name."
)
@click.option("--attribution", default="", help="The line that a publication has to carry.")
@click.option("--non-commercial", is_flag=True, help="The licence allows no commercial use.")
@click.option("--share-alike", is_flag=True, help="What is made from it has to carry the same licence.")
@click.option(
    "--redistributable/--not-redistributable",
    default=False,
    show_default=True,
    help="Whether speech made with it may be passed on.",
)
@click.option(
    "--consent", required=True, help="On what ground this person may be cloned, and where it is written."
)
@click.option(
    "--backend", type=click.Choice(["cosyvoice", "openai_speech"]), default="cosyvoice", show_default=True
)
@click.option("--backend-voice", help="The engine's own name for it  [the id].")
@click.option("--short", type=_PATH, help="Two or three seconds, six words at most: for backchannels.")
@click.option("--short-transcript", help="What is said in it.")
@click.option(
    "--emotion",
    "moods",
    multiple=True,
    metavar="NAME=CLIP",
    help=f"The speaker in a mood: {', '.join(EMOTIONS)}.",
)
@click.option("--emotion-transcript", "mood_transcripts", multiple=True, metavar="NAME=TEXT")
@click.option(
    "--catalogue",
    type=_PATH,
    required=True,
    help="A file of your own; it is made if it is not there. Recordings are copied to references/ beside it.",
)
@TRANSCRIBER
@TRANSCRIBER_MODEL
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def add(
    clip: Path,
    transcript: str,
    voice_id: str,
    speaker: str,
    language: str,
    gender: str,
    split: str,
    licence: str,
    attribution: str,
    non_commercial: bool,
    share_alike: bool,
    redistributable: bool,
    consent: str,
    backend: str,
    backend_voice: str | None,
    short: Path | None,
    short_transcript: str | None,
    moods: tuple[str, ...],
    mood_transcripts: tuple[str, ...],
    catalogue: Path,
    transcriber: str | None,
    transcriber_model: str,
    as_json: bool,
) -> None:
    """Add a recorded voice, for engines that clone, to a catalogue of your own.

    CLIP: 3 to 30 s of one speaker, mono wav of 16 kHz or more; little noise, no clipping, no long silence at its ends.
    The same command again changes nothing; with --short or one more --emotion it adds that to the voice. Exit code 1
    where a recording is refused, with every figure that is not good enough.
    """
    from pipeline.domain.labels import Gender, Language, Split
    from pipeline.domain.licence import Licence
    from pipeline.domain.voice import Voice
    from pipeline.voice_adding import PLAIN, GivenRecording, add_voice

    owed = {"non_commercial": non_commercial, "share_alike": share_alike, "redistributable": redistributable}
    terms = Licence(id=licence, attribution=attribution, **owed)
    row = Voice(
        voice_id=voice_id,
        speaker=speaker,
        language=Language(language),
        gender=Gender(gender),
        split=Split(split),
        backend=backend,
        backend_voice=backend_voice or voice_id,
        licence=terms,
        consent=consent,
    )
    more = (*_short(short, short_transcript), *_moods(moods, mood_transcripts))
    given = (GivenRecording(PLAIN, clip, _read_transcript(transcript)), *more)
    with _open_transcriber(transcriber, transcriber_model) as listener:
        addition = add_voice(row, given, catalogue, listener)
    click.echo(addition.to_line()) if as_json else _tell(addition, catalogue)
    if addition.outcome == "refused":
        raise click.exceptions.Exit(1)


def _short(clip: Path | None, transcript: str | None) -> "Iterator[GivenRecording]":
    from pipeline.voice_adding import SHORT, GivenRecording

    if (clip is None) != (transcript is None):
        raise click.UsageError("--short and --short-transcript go together")
    if clip is not None and transcript is not None:
        yield GivenRecording(SHORT, clip, _read_transcript(transcript))


def _moods(clips: tuple[str, ...], transcripts: tuple[str, ...]) -> "Iterator[GivenRecording]":
    from pipeline.voice_adding import GivenRecording

    recordings = _by_emotion("--emotion", clips)
    texts = _by_emotion("--emotion-transcript", transcripts)
    if recordings.keys() != texts.keys():
        alone = ", ".join(sorted(recordings.keys() ^ texts.keys()))
        raise click.UsageError(
            f"--emotion and --emotion-transcript go together; {alone} has only one of them"
        )
    for emotion, clip in recordings.items():
        yield GivenRecording(emotion, Path(clip), _read_transcript(texts[emotion]))


def _by_emotion(option: str, values: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in values:
        emotion, sign, rest = value.partition("=")
        if not sign or not rest or emotion not in EMOTIONS:
            raise click.UsageError(
                f"{option} {value!r}: wanted NAME=..., and NAME one of {', '.join(EMOTIONS)}"
            )
        if emotion in found:
            raise click.UsageError(f"{option}: {emotion} is there twice; a voice has one recording per mood")
        found[emotion] = rest
    return found


def _read_transcript(text_or_file: str) -> str:
    """White space is one space: transcripts are one line."""
    from pipeline.domain.errors import ConfigError

    text = text_or_file
    if text_or_file.endswith(".txt"):
        try:
            text = Path(text_or_file).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"voices: {text_or_file}: cannot be read as a transcript ({error}); wanted UTF-8 text"
            ) from error
    return " ".join(text.split())


def _open_transcriber(url: str | None, model: str) -> "AbstractContextManager[Transcriber | None]":
    if url is None:
        return nullcontext()
    from pipeline.voice_adding import open_transcriber

    return open_transcriber(url, model)


def _tell(addition: "Addition", catalogue: Path) -> None:
    """What was measured, what is wrong with it, and what the catalogue has now."""
    from pipeline.cli.tables import print_table

    header = ("use", "s", "Hz", "dBFS", "noise dBFS", "SNR dB", "clipped", "up to Hz", "f0 Hz", "recording")
    print_table([header, *map(_figures, addition.examined)])
    for one in addition.examined:
        for problem in one.problems:
            click.echo(f"{one.use}: {problem}")
        for doubt in one.doubts:
            click.echo(f"{one.use}: look at it: {doubt}")
    if addition.voice is None:
        click.echo(f"refused: nothing was written to {catalogue}")
        return
    said = {"added": "added to", "extended": "has more recordings in", "unchanged": "is there already in"}
    click.echo(f"{addition.voice.voice_id} {said[addition.outcome]} {catalogue}")
    for place in addition.restored:
        click.echo(f"{place} was gone or damaged, and is there again")
    if not addition.comments_kept:
        click.echo(
            f"{catalogue} was written anew: comments in it are lost, because of how its rows are written"
        )


def _figures(one: "Examined") -> tuple[str, ...]:
    measures = one.measures
    if measures is None:
        return (one.use, *("-",) * 8, one.recording)
    figures = (measures.level_dbfs, measures.noise_dbfs, measures.snr_db)
    shown = ("-" if value is None else f"{value:.1f}" for value in figures)
    heard = (
        "-" if value is None else f"{value:.0f}" for value in (measures.bandwidth_hz, measures.median_f0_hz)
    )
    length = (f"{measures.duration_s:.2f}", str(measures.sampling_rate))
    return (one.use, *length, *shown, f"{measures.clipped_share:.3%}", *heard, one.recording)
