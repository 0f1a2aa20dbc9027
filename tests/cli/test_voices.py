"""`humdial voices list|add|check`."""

import json
from pathlib import Path

import pytest
import yaml

from pipeline.cli.voices import EMOTIONS
from pipeline.domain.labels import Emotion
from pipeline.io.voices import load_catalogue
from tests.cli.calling import Answer, humdial
from tests.voiced import SHORT_TEXT, TEXT, talk, write_clip

ABOUT = {
    "--transcript": TEXT,
    "--id": "en-anna",
    "--speaker": "anna",
    "--language": "en",
    "--gender": "female",
    "--split": "dev",
    "--licence": "CC-BY-4.0",
    "--attribution": "Read by Anna.",
    "--consent": "release signed in May 2026, folder 7",
}


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "plain.wav", talk(200, seed=1))


def add(clip: Path, *more: object, **changes: str) -> Answer:
    about = ABOUT | {f"--{name}": value for name, value in changes.items()}
    options = [part for pair in about.items() for part in pair]
    return humdial("voices", "add", clip, *options, "--catalogue", clip.parent / "mine.yaml", *more)


def test_voices_list_names_every_voice() -> None:
    answer = humdial("voices", "list")
    assert answer.code == 0
    assert [line.split()[0] for line in answer.out.splitlines()[1:]] == [v.voice_id for v in load_catalogue()]


def test_voices_list_as_json_is_the_catalogue() -> None:
    answer = humdial("voices", "list", "--json")
    assert [json.loads(line) for line in answer.out.splitlines()] == [
        voice.model_dump(mode="json") for voice in load_catalogue()
    ]


def test_voices_list_shows_recordings_moods_and_consent(clip: Path) -> None:
    sad = write_clip(clip.parent / "sad.wav", talk(180, seed=2))
    added = add(clip, "--emotion", f"sad={sad}", "--emotion-transcript", f"sad={TEXT}")
    assert added.code == 0, added.out
    (row,) = humdial("voices", "list", "--catalogue", clip.parent / "mine.yaml").out.splitlines()[1:]
    for cell in (
        "en-anna",
        "anna",
        " dev ",
        " 3.4 s ",
        " sad ",
        "CC-BY-4.0",
        "release signed in May 2026, f…",
    ):
        assert cell in row


def test_voices_check_counts_persons_by_backend_language_and_split() -> None:
    answer = humdial("voices", "check")
    assert answer.code == 0
    rows = [line.split() for line in answer.out.splitlines()[1:-1]]
    espeak = [row for row in rows if row[0] == "espeak"]
    assert len(espeak) == 6
    assert all(int(row[3]) >= 3 and row[4:] == ["a", "third", "party"] for row in espeak)
    assert answer.out.splitlines()[-1] == "0 recorded voices, 0 findings"


def catalogue(path: Path, count: int, **changes: object) -> Path:
    voices = [
        voice.model_dump(mode="json") | {"voice_id": f"own-{index}"} | changes
        for index, voice in enumerate(load_catalogue()[:count])
    ]
    path.write_text(yaml.safe_dump({"voices": voices}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("count", "changes", "problem"),
    [
        (2, {"voice_id": "same"}, "voice_id must be unique"),
        (1, {"voice_id": "en-f01"}, "together with the shipped catalogue"),
        (1, {"split": "test"}, "must be in one split"),
        (1, {"median_f0_hz": -1}, "median_f0_hz"),
        (1, {"pitch": 1}, "pitch"),
    ],
)
def test_a_catalogue_that_cannot_be_used_is_exit_code_2(
    count: int, changes: dict[str, object], problem: str, tmp_path: Path
) -> None:
    answer = humdial("voices", "check", "--catalogue", catalogue(tmp_path / "voices.yaml", count, **changes))
    assert answer.code == 2
    assert problem in answer.problem


@pytest.mark.parametrize("command", ["list", "check"])
def test_a_catalogue_that_is_not_there_is_exit_code_2(command: str, tmp_path: Path) -> None:
    answer = humdial("voices", command, "--catalogue", tmp_path / "absent.yaml")
    assert answer.code == 2
    assert "absent.yaml" in answer.problem


def test_add_tells_the_figures_and_the_same_again_says_so(clip: Path) -> None:
    first, again = add(clip), add(clip)
    assert (first.code, again.code) == (0, 0)
    header, figures = (line.split() for line in first.out.splitlines()[:2])
    assert (header[0], figures[0]) == ("use", "plain")
    assert int(figures[-2]) == pytest.approx(200, rel=0.03)
    assert first.out.splitlines()[-1].startswith("en-anna added to ")
    assert again.out.splitlines()[-1].startswith("en-anna is there already in ")


def test_add_takes_a_transcript_from_a_file_and_a_short_recording(clip: Path) -> None:
    text = clip.parent / "plain.txt"
    text.write_text(f"\ufeff{TEXT[:20]}\n{TEXT[20:]}\n".replace("\n", "\r\n"), encoding="utf-8")
    short = write_clip(clip.parent / "short.wav", talk(200, 2.5, seed=2))
    answer = add(clip, "--short", short, "--short-transcript", SHORT_TEXT, "--json", transcript=str(text))
    assert answer.code == 0, answer.out
    told = json.loads(answer.out)
    assert told["outcome"] == "added"
    assert told["voice"]["reference"]["transcript"].replace(" ", "") == TEXT.replace(" ", "")
    assert told["voice"]["short_reference"]["transcript"] == SHORT_TEXT
    assert told["voice"]["licence"]["redistributable"] is False


def test_a_refused_recording_is_exit_code_1_with_every_figure(clip: Path) -> None:
    write_clip(clip, talk(200, 2.6, noise_db=-6, seed=1).clip(-0.3, 0.3))
    answer = add(clip)
    assert answer.code == 1
    told = answer.out.splitlines()
    assert [line.split(":")[1].strip() for line in told if line.startswith("plain:")] == [
        "duration",
        "noise",
        "clipping",
    ]
    assert all("; wanted " in line and "; remedy: " in line for line in told if line.startswith("plain:"))
    assert told[-1].startswith("refused: nothing was written")
    assert not (clip.parent / "mine.yaml").exists()


def test_a_rare_pitch_is_told_and_the_voice_added(clip: Path) -> None:
    answer = add(write_clip(clip, talk(230, seed=1)), gender="male")
    assert answer.code == 0
    assert "rare for a male voice" in answer.out
    checked = humdial("voices", "check", "--catalogue", clip.parent / "mine.yaml")
    assert checked.code == 0
    assert "rare for a male voice" in checked.out


def test_check_is_exit_code_1_with_findings(clip: Path) -> None:
    add(clip)
    (recording,) = (clip.parent / "references").iterdir()
    recording.write_bytes(recording.read_bytes()[:-2])
    answer = humdial("voices", "check", "--catalogue", clip.parent / "mine.yaml")
    assert answer.code == 1
    assert "en-anna: plain: voices: " in answer.out
    assert answer.out.splitlines()[-1] == "1 recorded voices, 1 findings"
    as_json = humdial("voices", "check", "--catalogue", clip.parent / "mine.yaml", "--json")
    assert as_json.code == 1
    checked, persons = map(json.loads, as_json.out.splitlines())
    assert len(checked["findings"]) == 1
    assert {"backend": "cosyvoice", "language": "en", "split": "dev", "persons": 1} in persons["persons"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--short", "x.wav"], "--short and --short-transcript go together"),
        (["--emotion", "sad=x.wav"], "sad has only one of them"),
        (["--emotion", "neutral=x.wav"], "NAME one of happy"),
        (["--emotion", "sad"], "wanted NAME="),
        (["--emotion", "sad=a.wav", "--emotion", "sad=b.wav"], "sad is there twice"),
        (["--transcript", "absent.txt"], "absent.txt: cannot be read as a transcript"),
        (["--consent", "none"], "wanted who agreed"),
        (["--backend", "espeak"], "'espeak'"),
        (["--transcriber", "gpu-1:8000"], "--transcriber: an address is no http address"),
        (["--short", "absent.wav", "--short-transcript", "Yes."], "absent.wav: cannot be read"),
    ],
)
def test_misuse_is_exit_code_2_and_nothing_is_written(clip: Path, options: list[str], problem: str) -> None:
    pytest.importorskip("aiohttp", reason="the extra 'speech' is not installed")
    answer = add(clip, *options)
    assert answer.code == 2
    assert problem in answer.problem
    assert not (clip.parent / "mine.yaml").exists()


def test_a_mood_can_be_every_emotion_but_neutral() -> None:
    assert {*EMOTIONS, "neutral"} == {emotion.value for emotion in Emotion}


@pytest.mark.parametrize(("heard", "code"), [(TEXT.lower(), 0), ("Nobody came to the station.", 1)])
def test_a_server_hears_every_recording_and_decides(clip: Path, heard: str, code: int) -> None:
    pytest.importorskip("aiohttp", reason="the extra 'speech' is not installed")
    from tests.backends.speech_servers.test_transcription import ListeningDouble

    sad = write_clip(clip.parent / "sad.wav", talk(180, seed=2))
    double = ListeningDouble(heard)
    with double.serving as server:
        listening = ("--transcriber", f"{server.url}/v1", "--transcriber-model", "whisper")
        answer = add(clip, "--emotion", f"sad={sad}", "--emotion-transcript", f"sad={TEXT}", *listening)
        assert answer.code == code, answer.out + answer.err
        assert [form["model"] for form in double.forms] == ["whisper"] * 2
        if code:
            assert answer.out.count("wanted what transcriptions-whisper hears") == 2
        else:
            checked = humdial("voices", "check", "--catalogue", clip.parent / "mine.yaml", *listening)
            assert (checked.code, len(double.forms)) == (0, 4)


def test_a_server_that_is_not_there_is_said_before_anything_is_written(clip: Path) -> None:
    pytest.importorskip("aiohttp", reason="the extra 'speech' is not installed")
    answer = add(clip, "--transcriber", "http://127.0.0.1:9/v1")
    assert answer.code == 2
    assert "127.0.0.1:9" in answer.problem
    assert not (clip.parent / "mine.yaml").exists()
