"""The voice catalogue as a file."""

import json
from collections import Counter
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Gender, Language, Split
from pipeline.io.voices import Catalogue, load_catalogue, load_voices

ENTRY = """
- voice_id: {voice_id}
  speaker: {speaker}
  language: {language}
  gender: {gender}
  split: {split}
  backend: espeak
  backend_voice: en-us+x
  median_f0_hz: {f0}
  formant_scale: 1.0
  licence: {{id: CC0-1.0, non_commercial: false, share_alike: false, redistributable: true, attribution: ""}}
"""


def entry(
    voice_id: str = "en-a",
    speaker: str = "a",
    language: str = "en",
    gender: str = "female",
    split: str = "train",
    f0: str = "200",
) -> str:
    return ENTRY.format(
        voice_id=voice_id, speaker=speaker, language=language, gender=gender, split=split, f0=f0
    )


def catalogue(tmp_path: Path, *entries: str, head: str = "voices:") -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(head + "".join(entries), encoding="utf-8")
    return path


def test_the_shipped_catalogue_has_sixteen_embedded_speakers_in_both_languages() -> None:
    voices = [voice for voice in load_catalogue() if voice.backend == "espeak"]
    for language in Language:
        of_language = [voice for voice in voices if voice.language is language]
        assert Counter((voice.split, voice.gender) for voice in of_language) == {
            (Split.TRAIN, Gender.FEMALE): 4,
            (Split.TRAIN, Gender.MALE): 4,
            (Split.DEV, Gender.FEMALE): 2,
            (Split.DEV, Gender.MALE): 2,
            (Split.TEST, Gender.FEMALE): 2,
            (Split.TEST, Gender.MALE): 2,
        }
        assert len({voice.speaker for voice in of_language}) == 16


def test_the_shipped_voices_of_cosyvoice_are_those_of_its_sft_model_and_nobodys_pitch_is_invented() -> None:
    voices = [voice for voice in load_catalogue() if voice.backend == "cosyvoice"]
    assert {(voice.language, voice.gender): voice.backend_voice for voice in voices} == {
        (Language.ZH, Gender.FEMALE): "中文女",
        (Language.ZH, Gender.MALE): "中文男",
        (Language.EN, Gender.FEMALE): "英文女",
        (Language.EN, Gender.MALE): "英文男",
    }
    assert {voice.split for voice in voices} == {Split.TRAIN}
    assert [voice.median_f0_hz for voice in voices] == [None] * 4


def test_the_shipped_schema_is_that_of_the_type_and_accepts_the_catalogue() -> None:
    schema = json.loads((files("voices") / "catalogue.schema.json").read_text(encoding="utf-8"))
    assert schema == Catalogue.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(
        yaml.safe_load((files("voices") / "catalogue.yaml").read_text(encoding="utf-8")), schema
    )


def test_a_catalogue_of_ones_own_is_read_in_order(tmp_path: Path) -> None:
    path = catalogue(tmp_path, entry(), entry("zh-a", language="zh"), entry("en-b", speaker="b", split="dev"))
    assert [voice.voice_id for voice in load_catalogue(path)] == ["en-a", "zh-a", "en-b"]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            [entry(), entry("en-b", f0="-3")],
            r"entry 2 \(en-b\): median_f0_hz: Input should be greater than 0",
        ),
        ([entry(gender="robot")], r"entry 1 \(en-a\): gender: "),
        ([entry() + "  colour: red\n"], r"entry 1 \(en-a\): colour: Extra inputs"),
        (["\n- speaker: a\n"], r"entry 1: voice_id: Field required"),
        (["\n- just a name\n"], r"entry 1: Input should be a valid dictionary"),
        ([entry(), entry()], "voice_id must be unique, got en-a more than once"),
        (
            [entry(), entry("zh-a", language="zh", split="test")],
            "speaker a must be in one split, got en-a in train and zh-a in test",
        ),
        ([entry(), entry("zh-a", language="zh", gender="male")], "speaker a must have one gender, see zh-a"),
        (["\n"], "voices: Input should be a valid"),
        ([" []\n"], "voices: Tuple should have at least 1 item"),
        ([" [\n"], "is not YAML"),
    ],
)
def test_a_wrong_catalogue_names_file_entry_and_field(
    tmp_path: Path, entries: list[str], message: str
) -> None:
    path = catalogue(tmp_path, *entries)
    with pytest.raises(ConfigError, match=message) as error:
        load_catalogue(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b"\xff\xfe"])
def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        load_catalogue(path)


def test_an_absent_catalogue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the catalogue"):
        load_catalogue(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("backend", "stay"),
    [
        ("cosyvoice", ["cosyvoice_fastapi", "espeak"]),
        ("espeak", ["cosyvoice", "cosyvoice_fastapi"]),
        ("other", ["cosyvoice", "cosyvoice_fastapi", "espeak"]),
    ],
)
def test_shipped_voices_of_a_backend_step_aside_for_ones_own(
    tmp_path: Path, backend: str, stay: list[str]
) -> None:
    own = catalogue(tmp_path, entry().replace("backend: espeak", f"backend: {backend}"))
    voices = load_voices(own).all
    assert [voice.voice_id for voice in voices if voice.backend == backend] == ["en-a"]
    assert sorted({voice.backend for voice in voices} - {backend}) == stay


def test_an_own_voice_may_not_take_the_name_of_a_shipped_one_that_steps_aside(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="voice_id must be unique, got en-f01"):
        load_voices(catalogue(tmp_path, entry("en-f01")))
