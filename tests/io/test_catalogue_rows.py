"""A voice is written into a catalogue, and what people wrote there stays."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Emotion, Gender, Language, Split
from pipeline.domain.licence import Licence
from pipeline.domain.voice import EmotionalReference, Reference, Voice
from pipeline.io.catalogue_rows import edit_catalogue, write_voice
from pipeline.io.voices import Catalogue, load_catalogue
from pipeline.io.yaml_text import load_yaml

TERMS = Licence(id="CC0-1.0", non_commercial=False, share_alike=False, redistributable=True, attribution="")


def voice(name: str, transcript: str = "Good morning: how are you? # not a comment") -> Voice:
    return Voice(
        voice_id=name,
        speaker=name,
        language=Language.EN,
        gender=Gender.FEMALE,
        split=Split.TRAIN,
        backend="cosyvoice",
        backend_voice=name,
        licence=TERMS,
        reference=Reference(
            audio=f"references/{name}.wav", sha256="0" * 64, transcript=transcript, duration_s=3.5
        ),
        consent="signed form",
    )


ANNA, BEN, CAN = voice("anna"), voice("ben"), voice("can")
SAD = EmotionalReference(
    emotion=Emotion.SAD,
    reference=Reference(
        audio="references/s.wav", sha256="1" * 64, transcript="今天：天气不好。", duration_s=4.0
    ),
)


def row(name: str, dash: str = "  - ") -> str:
    space = " " * len(dash)
    return (
        f"{dash}voice_id: {name}  # who reads\n{space}speaker: {name}\n{space}language: en\n{space}gender: female\n"
        f"{space}split: train\n{space}backend: cosyvoice\n{space}backend_voice: {name}\n"
        f"{space}licence: {{id: CC0-1.0, non_commercial: false, share_alike: false, redistributable: true, "
        f'attribution: ""}}\n'
    )


def test_the_first_voice_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "voices.yaml"
    assert write_voice(path, ANNA)
    assert load_catalogue(path) == (ANNA,)


@pytest.mark.parametrize(
    "text",
    [
        f"voices:\n{row('ben')}",
        f"# mine\nvoices:\n{row('ben', '- ')}\n# more to come\n",
        f"voices:\n{row('ben')}# after ben\n\n{row('can')}",
        f"voices:  # all\n{row('ben', '      - ')}",
        f"---\nvoices:\n{row('ben')}".rstrip("\n"),
    ],
    ids=["plain", "dash in the first column", "two", "far in", "no line end"],
)
def test_a_new_voice_leaves_every_line_of_the_file_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "voices.yaml"
    path.write_text(text, encoding="utf-8")
    before = load_catalogue(path)
    assert write_voice(path, ANNA)
    assert load_catalogue(path) == (*before, ANNA)
    left = path.read_text(encoding="utf-8").splitlines()
    for line in text.splitlines():
        assert line in left


def test_a_voice_is_replaced_in_its_place_and_others_keep_their_comments(tmp_path: Path) -> None:
    path = tmp_path / "voices.yaml"
    path.write_text(
        f"# mine\nvoices:\n{row('ben')}  # from here on readers\n{row('can')}# end\n", encoding="utf-8"
    )
    sadder = BEN.model_copy(update={"emotional_references": (SAD,)})
    kept = write_voice(path, sadder)
    assert [one.voice_id for one in load_catalogue(path)] == ["ben", "can"]
    assert load_catalogue(path)[0] == sadder
    text = path.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.lstrip().startswith("#")] == [
        "# mine",
        "  # from here on readers",
        "# end",
    ]
    assert kept  # the comment beside ben's id is gone, but can has the same


@pytest.mark.parametrize(
    ("text", "new"),
    [
        (
            "voices: ["
            + row("ben", "{").replace("\n", ",\n").replace("# who reads,", ",")[:-2]
            + "}]  # braces\n",
            ANNA,
        ),
        (f"voices:\n{row('ben').replace('licence: ', 'licence: &terms ')}{row('can')[:-1]}", BEN),
    ],
    ids=["rows in braces", "an anchor in the row"],
)
def test_a_file_that_cannot_be_edited_is_written_anew_and_that_is_said(
    tmp_path: Path, text: str, new: Voice
) -> None:
    path = tmp_path / "voices.yaml"
    if "&terms" in text:  # can's terms are ben's
        head, _, tail = text.partition("voice_id: can")
        text = f"{head}voice_id: can{tail[: tail.index('licence: ')]}licence: *terms\n# braces\n"
    path.write_text(text, encoding="utf-8")
    before = load_catalogue(path)
    kept = write_voice(path, new)
    after = load_catalogue(path)
    assert after == (
        tuple(new if one.voice_id == new.voice_id else one for one in before)
        if new is BEN
        else (*before, new)
    )
    assert kept == ("# braces" in path.read_text(encoding="utf-8"))
    assert not kept


def test_a_file_that_is_no_catalogue_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "voices.yaml"
    path.write_text("voices: 7\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"voices\.yaml"):
        write_voice(path, ANNA)
    assert path.read_text(encoding="utf-8") == "voices: 7\n"


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=40)


@settings(max_examples=40)
@given(names=st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=6), said=texts)
def test_whatever_is_said_in_it_a_voice_is_read_back_and_written_once(names: list[str], said: str) -> None:
    text = f"# head\nvoices:\n{row('z')}# tail\n"
    for name in (*names, *names):
        edited = edit_catalogue(text, voice(name, said))
        assert edited is not None
        text = edited
    found = Catalogue.model_validate(load_yaml(text)).voices
    assert [one.voice_id for one in found] == ["z", *dict.fromkeys(names)]
    assert all(one == voice(one.voice_id, said) for one in found[1:])
    assert text.startswith("# head\nvoices:\n")
    assert text.endswith("# tail\n")
