"""From a recording to a voice in a catalogue, and what stands in the way."""

import asyncio
import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr

from pipeline.backends.cosyvoice.worker.voices import Registry
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Emotion, Gender, Language, Split, Style
from pipeline.domain.licence import Licence
from pipeline.domain.takes import Kind
from pipeline.domain.voice import SpeechRequest, Voice
from pipeline.io.voices import load_catalogue, load_voices
from pipeline.voice_adding import Addition, GivenRecording, add_voice
from pipeline.voice_checking import check_voices, count_persons
from tests.voiced import RATE_HZ, SHORT_TEXT, TEXT, talk, write_clip

TERMS = Licence(
    id="CC-BY-4.0", non_commercial=False, share_alike=False, redistributable=True, attribution="Anna"
)
ANNA = Voice(
    voice_id="en-anna",
    speaker="anna",
    language=Language.EN,
    gender=Gender.FEMALE,
    split=Split.DEV,
    backend="cosyvoice",
    backend_voice="en-anna",
    licence=TERMS,
    consent="release signed in May 2026, folder 7",
)
BEN = ANNA.model_copy(update={"voice_id": "en-ben", "speaker": "ben", "gender": Gender.MALE})


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """plain, short, sad, happy: one person's recordings; ben: another's."""
    write_clip(tmp_path / "plain.wav", talk(200, seed=1))
    write_clip(tmp_path / "short.wav", talk(200, 2.5, seed=2), subtype="PCM_24")
    write_clip(tmp_path / "sad.wav", talk(185, seed=3), subtype="FLOAT")
    write_clip(tmp_path / "happy.wav", talk(230, seed=4), subtype="PCM_32")
    write_clip(tmp_path / "ben.wav", talk(110, seed=5))
    return tmp_path


def given(clips: Path, *uses: str) -> list[GivenRecording]:
    return [GivenRecording(use, clips / f"{use}.wav", SHORT_TEXT if use == "short" else TEXT) for use in uses]


def ben(clips: Path) -> list[GivenRecording]:
    return [GivenRecording("plain", clips / "ben.wav", TEXT)]


def add(clips: Path, *uses: str, row: Voice = ANNA) -> Addition:
    return add_voice(row, given(clips, *uses), clips / "mine" / "voices.yaml")


def files(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_a_good_recording_becomes_a_voice_with_its_measured_pitch_and_an_equal_copy(clips: Path) -> None:
    addition = add(clips, "plain", "short", "sad")
    (voice,) = load_catalogue(clips / "mine" / "voices.yaml")
    assert (addition.outcome, addition.voice) == ("added", voice)
    assert voice.median_f0_hz == pytest.approx(200, rel=0.03)
    assert [one.emotion for one in voice.emotional_references] == [Emotion.SAD]
    voices = load_voices(clips / "mine" / "voices.yaml")
    for emotion, kind, source in [
        (Emotion.NEUTRAL, Kind.TURN, "plain"),
        (Emotion.NEUTRAL, Kind.BACKCHANNEL, "short"),
        (Emotion.SAD, Kind.TURN, "sad"),
    ]:
        reference = voice.reference_for(emotion, kind)
        assert reference is not None
        assert voices.read_reference(reference) == (clips / f"{source}.wav").read_bytes()
    assert check_voices(clips / "mine" / "voices.yaml")[0].findings == ()


SILENT = np.zeros(round(0.75 * RATE_HZ), np.float32)
USES = ("short", "sad", "happy")


@pytest.mark.parametrize("order", list(itertools.permutations(USES))[::3], ids="-".join)
def test_the_same_recordings_in_any_order_and_number_of_commands_are_one_voice(
    clips: Path, order: tuple[str, ...]
) -> None:
    outcomes = [add(clips, "plain", *order[:count]).outcome for count in (0, 1, 3, 2, 3)]
    assert outcomes == ["added", "extended", "extended", "unchanged", "unchanged"]
    (voice,) = load_catalogue(clips / "mine" / "voices.yaml")
    at_once = add_voice(ANNA, given(clips, "happy", "plain", "sad", "short"), clips / "other" / "voices.yaml")
    assert at_once.voice == voice


def test_the_same_command_again_changes_no_byte(clips: Path) -> None:
    add(clips, "plain", "sad")
    before = files(clips / "mine")
    for _ in range(3):
        assert add(clips, "plain", "sad").outcome == "unchanged"
    assert files(clips / "mine") == before
    assert len(before) == 3


def test_a_known_recording_under_another_name_is_known(clips: Path) -> None:
    add(clips, "plain")
    (clips / "plain.wav").rename(clips / "renamed.wav")
    again = add_voice(
        ANNA, [GivenRecording("plain", clips / "renamed.wav", TEXT)], clips / "mine" / "voices.yaml"
    )
    assert again.outcome == "unchanged"
    assert len(files(clips / "mine")) == 2


def test_a_recording_that_was_lost_is_put_back(clips: Path) -> None:
    voice = add(clips, "plain").voice
    assert voice is not None
    assert voice.reference is not None
    (clips / "mine" / voice.reference.audio).unlink()
    assert "cannot be read" in check_voices(clips / "mine" / "voices.yaml")[0].findings[0]
    assert add(clips, "plain").restored == (voice.reference.audio,)
    assert check_voices(clips / "mine" / "voices.yaml")[0].findings == ()


@pytest.mark.parametrize(
    ("samples", "rate_hz", "figures"),
    [
        (talk(200, 2.6), RATE_HZ, ["duration"]),
        (talk(200, 31.0, 16_000), 16_000, ["duration", "transcript"]),
        (talk(200, rate_hz=8000), 8000, ["sampling rate"]),
        (talk(200, noise_db=-8), RATE_HZ, ["noise"]),
        ((talk(200) * 0.04).astype(np.float32), RATE_HZ, ["level"]),
        (talk(200).clip(-0.2, 0.2), RATE_HZ, ["clipping"]),
        (np.concatenate([np.zeros(30_000, np.float32), talk(200)]), RATE_HZ, ["silence before"]),
        (np.concatenate([talk(200), np.zeros(30_000, np.float32)]), RATE_HZ, ["silence after"]),
        (np.zeros(96_000, np.float32), RATE_HZ, ["speech"]),
        (np.stack([talk(200), talk(110)], axis=1), RATE_HZ, ["channels"]),
        (np.zeros(0, np.float32), RATE_HZ, ["samples"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_a_bad_recording_is_refused_by_its_figure_and_nothing_is_written(
    clips: Path, samples: npt.NDArray[np.float32], rate_hz: int, figures: list[str]
) -> None:
    write_clip(clips / "plain.wav", samples, rate_hz)
    addition = add(clips, "plain")
    assert (addition.outcome, addition.voice) == ("refused", None)
    assert [problem.figure for problem in addition.examined[0].problems] == figures
    assert not (clips / "mine").exists()


@pytest.mark.parametrize(
    ("subtype", "file_format", "refused"),
    [
        ("PCM_16", "WAV", False),
        ("PCM_24", "WAV", False),
        ("FLOAT", "WAV", False),
        ("PCM_24", "WAVEX", False),
        ("PCM_16", "FLAC", True),
        ("DOUBLE", "WAV", True),
    ],
)
def test_what_engines_cannot_read_is_refused(
    clips: Path, subtype: str, file_format: str, refused: bool
) -> None:
    soundfile.write(clips / "plain.wav", talk(200), RATE_HZ, subtype=subtype, format=file_format)
    assert (add(clips, "plain").outcome == "refused") == refused


def test_samples_that_are_no_numbers_are_refused(clips: Path) -> None:
    samples = talk(200).copy()
    samples[100] = np.nan
    write_clip(clips / "plain.wav", samples, subtype="FLOAT")
    (problem,) = add(clips, "plain").examined[0].problems
    assert (problem.figure, problem.got) == ("samples", "1 samples that are no numbers")


def test_one_bad_mood_keeps_the_whole_voice_out(clips: Path) -> None:
    write_clip(clips / "sad.wav", talk(200, noise_db=-5, seed=3))
    addition = add(clips, "plain", "sad")
    assert [len(one.problems) for one in addition.examined] == [0, 1]
    assert addition.outcome == "refused"
    assert not (clips / "mine").exists()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"speaker": "bea"}, "another speaker: anna, got bea"),
        ({"language": Language.ZH}, "another language: en, got zh"),
        ({"split": Split.TEST}, "another split: dev, got test"),
        ({"backend": "openai_speech"}, "another backend: cosyvoice, got openai_speech"),
        ({"consent": "she said so"}, "another consent"),
        ({"licence": TERMS.model_copy(update={"id": "CC0-1.0"})}, "another licence"),
        ({"voice_id": "en-anna-2", "split": Split.TEST}, "speaker anna must be in one split"),
        ({"voice_id": "en-anna-2", "gender": Gender.MALE}, "speaker anna must have one gender"),
        ({"voice_id": "en-f01"}, "voice_id must be unique, got en-f01"),
        ({"speaker": "espeak-f01", "voice_id": "x"}, "speaker espeak-f01 must be in one split"),
        ({"voice_id": "en-ben", "speaker": "ben"}, "whose speaker is anna, not ben"),
        ({"consent": "No"}, "wanted who agreed"),
        ({"consent": None}, "wanted who agreed"),
        ({"consent": "yes " * 126}, "in 500 characters"),
    ],
)
def test_a_voice_that_contradicts_the_catalogue_is_refused(
    clips: Path, changes: dict[str, object], problem: str
) -> None:
    add(clips, "plain")
    before = files(clips / "mine")
    row = ANNA.model_copy(update=changes)
    recordings = given(clips, "plain")
    if changes.get("language") is Language.ZH:
        recordings = [GivenRecording("plain", clips / "plain.wav", "她让我把钥匙带来，我忘了在家里。")]
    with pytest.raises(ConfigError) as error:
        add_voice(row, recordings, clips / "mine" / "voices.yaml")
    assert problem in str(error.value)
    assert files(clips / "mine") == before


def test_an_id_that_is_there_with_another_recording_or_transcript_is_refused(clips: Path) -> None:
    add(clips, "plain", "sad")
    catalogue = clips / "mine" / "voices.yaml"
    for recordings, problem in [
        ([GivenRecording("plain", clips / "happy.wav", TEXT)], "another plain recording"),
        ([GivenRecording("plain", clips / "plain.wav", f"{TEXT} Yes.")], "another transcript of the plain"),
        ([*given(clips, "plain"), GivenRecording("sad", clips / "happy.wav", TEXT)], "another sad recording"),
    ]:
        with pytest.raises(ConfigError, match=problem):
            add_voice(ANNA, recordings, catalogue)


@pytest.mark.parametrize("first", [("plain",), ("plain", "sad")])
def test_a_recording_serves_once_in_a_voice(clips: Path, first: tuple[str, ...]) -> None:
    add(clips, *first)
    happy = GivenRecording("happy", clips / f"{first[-1]}.wav", TEXT)
    with pytest.raises(ConfigError, match="are the same; wanted different ones"):
        add_voice(ANNA, [*given(clips, "plain"), happy], clips / "mine" / "voices.yaml")


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
def test_a_copy_in_another_encoding_under_another_speaker_is_noticed(clips: Path, rate_hz: int) -> None:
    add(clips, "plain", "sad")
    copy = soxr.resample(talk(185, seed=3) * 0.6, RATE_HZ, rate_hz).astype(np.float32)
    write_clip(clips / "ben.wav", copy[rate_hz // 4 :], rate_hz, "PCM_16")
    with pytest.raises(ConfigError, match="is the sad recording of en-anna, whose speaker is anna, not ben"):
        add_voice(BEN, ben(clips), clips / "mine" / "voices.yaml")


def test_other_speakers_and_languages_go_side_by_side(clips: Path) -> None:
    add(clips, "plain")
    catalogue = clips / "mine" / "voices.yaml"
    assert add_voice(BEN, ben(clips), catalogue).outcome == "added"
    write_clip(clips / "zh.wav", talk(205, seed=8))
    mandarin = ANNA.model_copy(update={"voice_id": "zh-anna", "language": Language.ZH})
    text = "她让我把钥匙带来，可是我忘在家里了。"
    assert (
        add_voice(mandarin, [GivenRecording("plain", clips / "zh.wav", text)], catalogue).outcome == "added"
    )
    assert [voice.voice_id for voice in load_catalogue(catalogue)] == ["en-anna", "en-ben", "zh-anna"]
    assert [one.findings for one in check_voices(catalogue)] == [(), (), ()]
    counts = [one for one in count_persons(catalogue) if (one.backend, one.split) == ("cosyvoice", "dev")]
    assert [(one.language, one.persons, one.enough_for) for one in counts] == [
        ("en", 2, "user and assistant"),
        ("zh", 1, "one speaker (emotional)"),
    ]


class Ear:
    """A recogniser that hears what it is told to."""

    def __init__(self, heard: str) -> None:
        self._heard = heard

    @property
    def name(self) -> str:
        return "ear-1"

    async def transcribe(
        self, samples: npt.NDArray[np.float32], sampling_rate: int, language: Language
    ) -> str:
        return self._heard


def test_a_transcript_that_nobody_hears_is_refused(clips: Path) -> None:
    pytest.importorskip("jiwer", reason="the extra 'speech' is not installed")
    catalogue = clips / "mine" / "voices.yaml"
    refused = add_voice(ANNA, given(clips, "plain"), catalogue, Ear("Nobody came to the station today."))
    (problem,) = refused.examined[0].problems
    assert (problem.figure, problem.wanted) == ("transcript", "what ear-1 hears")
    assert "heard 'Nobody came" in problem.got
    assert add_voice(ANNA, given(clips, "plain"), catalogue, Ear(TEXT.lower())).outcome == "added"
    assert check_voices(catalogue, Ear(TEXT))[0].findings == ()
    assert "transcript" in check_voices(catalogue, Ear("No."))[0].findings[0]


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("duration_s: 3.4", "duration_s: 5.0", "duration_s: 5 in the catalogue; wanted 3.4, as measured"),
        ("transcript: She asked", "transcript: She asked 7 times", "no digits or symbols"),
        ("median_f0_hz: 2", "median_f0_hz: 3", "in the catalogue; wanted 2"),
        ("sha256: ", "sha256: 00", None),
    ],
)
def test_a_row_that_was_changed_by_hand_is_found(
    clips: Path, old: str, new: str, finding: str | None
) -> None:
    add(clips, "plain")
    catalogue = clips / "mine" / "voices.yaml"
    text = catalogue.read_text(encoding="utf-8")
    assert text.count(old) == 1
    changed = text.replace(old, new)
    if finding is None:  # a digest of another file, as long as the right one
        at = changed.index("sha256: ") + len("sha256: ")
        changed = changed[: at + 64] + changed[at + 66 :]
    catalogue.write_text(changed, encoding="utf-8")
    (checked,) = check_voices(catalogue)
    assert len(checked.findings) == 1
    assert (finding or "is not the recording that was added") in checked.findings[0]


def test_a_recording_that_was_replaced_is_found(clips: Path) -> None:
    voice = add(clips, "plain").voice
    assert voice is not None
    assert voice.reference is not None
    write_clip(clips / "mine" / voice.reference.audio, talk(150, seed=9))
    (checked,) = check_voices(clips / "mine" / "voices.yaml")
    assert "is not the recording that was added" in checked.findings[0]


def test_two_speakers_with_one_recording_written_by_hand_are_found(clips: Path) -> None:
    add(clips, "plain")
    catalogue = clips / "mine" / "voices.yaml"
    row = catalogue.read_text(encoding="utf-8").partition("voices:\n")[2]
    second = row.replace("voice_id: en-anna", "voice_id: en-bea").replace("speaker: anna", "speaker: bea")
    catalogue.write_text(f"voices:\n{row}{second}", encoding="utf-8")
    anna, bea = check_voices(catalogue)
    assert anna.findings == ()
    assert "whose speaker is anna, not bea" in bea.findings[0]


@pytest.mark.parametrize(
    ("samples", "rate_hz", "subtype", "text"),
    [
        (talk(200), RATE_HZ, "PCM_16", TEXT),
        (talk(200), RATE_HZ, "PCM_24", TEXT),
        (talk(200), RATE_HZ, "PCM_32", TEXT),
        (talk(200, rate_hz=16_000), 16_000, "FLOAT", TEXT),
        (np.concatenate([SILENT, 0.11 * talk(200), SILENT]).astype(np.float32), RATE_HZ, "PCM_16", TEXT),
        (talk(200, 29.5), RATE_HZ, "PCM_16", " ".join([TEXT] * 4) + " " + "a" * 44),
    ],
    ids=["16 bits", "24 bits", "32 bits", "float at 16 kHz", "softest", "longest"],
)
def test_the_cosyvoice_worker_takes_what_is_added(
    tmp_path: Path, samples: npt.NDArray[np.float32], rate_hz: int, subtype: str, text: str
) -> None:
    clip = write_clip(tmp_path / "plain.wav", samples, rate_hz, subtype)
    added = add_voice(ANNA, [GivenRecording("plain", clip, text)], tmp_path / "mine" / "voices.yaml")
    assert added.voice is not None, added.examined
    reference, licence = added.voice.reference, added.voice.licence
    assert reference is not None
    fields = {
        "id": "en-anna",
        "sha256": reference.sha256,
        "prompt_text": reference.transcript,
        "language": "en",
        "licence": licence.id,
        "consent": str(added.voice.consent),
    }
    kept, is_new = Registry(tmp_path / "registry").check(fields, clip.read_bytes())
    assert is_new
    assert kept.duration_s == pytest.approx(reference.duration_s, abs=0.001)


SENTENCES = {
    Language.EN: "She asked me to bring the keys, and then I forgot them on the kitchen table.",
    Language.ZH: "她让我把钥匙带来，可是我把它们忘在厨房的桌子上了。",
}


@pytest.fixture(scope="module")
def spoken() -> dict[Language, tuple[npt.NDArray[np.float32], int]]:
    pytest.importorskip("espeakng_loader", reason="the extra 'espeak' is not installed")
    from pipeline.backends.espeak import EspeakSynthesizer

    found = {}
    with EspeakSynthesizer(workers=1) as synthesizer:
        for language, text in SENTENCES.items():
            voice = next(v for v in load_catalogue() if v.voice_id == f"{language.value}-f01")
            request = SpeechRequest(
                text=text,
                language=language,
                voice=voice,
                emotion=Emotion.NEUTRAL,
                style=Style.PLAIN,
                seed=0,
            )
            take = asyncio.run(synthesizer.synthesize(request))
            found[language] = take.samples, take.sampling_rate
    return found


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("language", list(Language))
def test_an_engines_sentence_passes_with_its_text_and_with_no_other(
    tmp_path: Path,
    spoken: dict[Language, tuple[npt.NDArray[np.float32], int]],
    language: Language,
    subtype: str,
) -> None:
    write_clip(tmp_path / "plain.wav", *spoken[language], subtype)
    catalogue = tmp_path / "mine" / "voices.yaml"
    row = ANNA.model_copy(update={"language": language})
    text = SENTENCES[language]
    for wrong in (text[:5], text * 4):
        plain = GivenRecording("plain", tmp_path / "plain.wav", wrong)
        assert add_voice(row, [plain], catalogue).outcome == "refused"
    added = add_voice(row, [GivenRecording("plain", tmp_path / "plain.wav", text)], catalogue)
    assert added.outcome == "added"
    assert added.voice is not None
    shipped = next(v for v in load_catalogue() if v.voice_id == f"{language.value}-f01")
    assert added.voice.median_f0_hz == pytest.approx(shipped.median_f0_hz, rel=0.1)
    assert check_voices(catalogue)[0].findings == ()
