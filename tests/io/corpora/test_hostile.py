"""Files that are damaged, of another corpus, or not files: one clear answer each, never a crash."""

import json
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora import CORPORA, find_corpus
from pipeline.io.corpora.recognise import recognise
from tests.io.corpora.reading import FIXTURES, accepted, answer, read, refused, zipped
from tests.io.corpora.test_readers import FILES

EN, ZH = Language.EN, Language.ZH
HELLO = {
    "id": "d1",
    "turns": [{"speaker": "A", "text": "Hello there."}, {"speaker": "B", "text": "Good day."}],
}

SINGLE_FILES = [(reader, file, language) for reader, file, language, _, _ in FILES if "." in Path(file).name]


@pytest.mark.parametrize("reader", CORPORA)
def test_an_absent_path_is_refused_with_what_is_wanted(reader: str, tmp_path: Path) -> None:
    corpus = CORPORA[reader]

    with pytest.raises(ConfigError, match=f"reader {reader}: .*does not exist; wanted"):
        corpus.read(tmp_path / "absent.json", corpus.languages[0])


@pytest.mark.parametrize("reader", CORPORA)
def test_an_empty_directory_is_refused(reader: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is a directory, wanted|no .* below"):
        CORPORA[reader].read(tmp_path, CORPORA[reader].languages[0])


@pytest.mark.parametrize("reader", [name for name, corpus in CORPORA.items() if len(corpus.languages) == 1])
def test_a_language_that_the_corpus_does_not_have_is_refused(reader: str, tmp_path: Path) -> None:
    corpus = CORPORA[reader]
    other = ZH if corpus.languages == (EN,) else EN

    with pytest.raises(ConfigError, match="set language"):
        corpus.read(tmp_path, other)


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv", ".txt", ".json.zip"])
@pytest.mark.parametrize("reader", CORPORA)
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n"])
def test_a_file_with_nothing_in_it_is_one_refusal(
    reader: str, suffix: str, content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / f"train{suffix}"
    file.write_bytes(content)

    (refusal,) = read(reader, file, CORPORA[reader].languages[0])

    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.MALFORMED_RECORD
    assert refusal.record_id == file.name


@pytest.mark.parametrize("content", ["[]", "{}"])
def test_a_document_without_dialogues_is_one_refusal(content: str, tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text(content)

    (refusal,) = refused("soda", tmp_path / "train.json")

    assert "holds no dialogue" in refusal.detail


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "locked.jsonl"
    file.touch(mode=0)

    with pytest.raises(ConfigError, match="check its rights"):
        find_corpus("jsonl").read(file, EN)


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ConfigError, match="not a regular file"):
        find_corpus("jsonl").read(tmp_path / "pipe", EN)


@pytest.mark.parametrize(("reader", "file", "language"), SINGLE_FILES)
def test_a_truncated_file_never_crashes_and_says_so(
    reader: str, file: str, language: Language, tmp_path: Path
) -> None:
    whole = (FIXTURES / file).read_bytes()
    folder = tmp_path / Path(file).parent.name
    folder.mkdir()
    cut = folder / Path(file).name
    cut.write_bytes(whole[: len(whole) * 2 // 3])

    records = read(reader, cut, language)

    assert all(isinstance(record, (SeedDialogue, Refusal)) for record in records)
    if cut.suffix == ".json":
        last = records[-1]
        assert isinstance(last, Refusal)
        assert last.reason is Reason.MALFORMED_RECORD
        assert last.detail.startswith("byte ")
        assert last.record_id == cut.name


@pytest.mark.parametrize(("reader", "file", "language"), SINGLE_FILES)
def test_a_file_in_another_encoding_is_refused(
    reader: str, file: str, language: Language, tmp_path: Path
) -> None:
    text = (FIXTURES / file).read_text(encoding="utf-8-sig")
    folder = tmp_path / Path(file).parent.name
    folder.mkdir()
    (folder / Path(file).name).write_bytes(text.encode("utf-16"))

    records = read(reader, folder / Path(file).name, language)

    assert records
    assert all(isinstance(record, Refusal) for record in records)
    assert Reason.UNREADABLE_ENCODING in {record.reason for record in records if isinstance(record, Refusal)}


def test_a_bad_line_is_refused_alone_and_its_bytes_are_kept(tmp_path: Path) -> None:
    good = json.dumps(HELLO).encode()
    bad = good.replace(b"there", b"th\xe9re").replace(b"d1", b"d2")
    file = tmp_path / "mine.jsonl"
    file.write_bytes(b"\n".join([good, bad, good[:40], good.replace(b"d1", b"d3").replace(b"day", b"night")]))

    results = read("jsonl", file)

    assert [r.seed_id if isinstance(r, SeedDialogue) else r.reason.value for r in results] == [
        "jsonl/mine/d1",
        "unreadable_encoding",
        "malformed_record",
        "jsonl/mine/d3",
    ]
    assert isinstance(results[1], Refusal)
    assert "th\\xe9re" in results[1].payload
    assert results[1].record_id == "mine.jsonl:2"


def test_one_undecodable_cell_refuses_its_dialogue_only(tmp_path: Path) -> None:
    text = (FIXTURES / "meld/dev_sent_emo.csv").read_bytes()
    file = tmp_path / "dev_sent_emo.csv"
    file.write_bytes(text.replace(b"Go!", b"Go\xff!"))

    assert [seed.seed_id for seed in accepted("meld", file)] == ["meld/dev/0"]
    assert [(r.record_id, r.reason) for r in refused("meld", file)][-2] == (
        "meld/dev/3",
        Reason.UNREADABLE_ENCODING,
    )


def test_a_row_of_the_wrong_length_refuses_its_whole_dialogue(tmp_path: Path) -> None:
    text = (FIXTURES / "meld/dev_sent_emo.csv").read_text(encoding="utf-8")
    file = tmp_path / "dev_sent_emo.csv"
    file.write_text(text.replace("Go!,Nora", "Go!,Nora,Nora"), encoding="utf-8")

    results = {r.record_id: r.reason for r in refused("meld", file)}

    assert Reason.MALFORMED_RECORD in results.values()
    assert len(accepted("meld", file)) + len(results) >= 5


def test_an_unbalanced_quote_that_swallows_the_table_is_one_refusal(tmp_path: Path) -> None:
    head = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
    file = tmp_path / "dev_sent_emo.csv"
    file.write_text(head + '1,"never closed,Nora,joy,positive,0,0\n' + "2,x,Otis,joy,positive,0,1\n" * 9000)

    (refusal,) = refused("meld", file)

    assert "unbalanced quote" in refusal.detail


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ({}, Reason.DUPLICATE_ID),
        ({"id": "d2"}, Reason.DUPLICATE_TEXT),
    ],
)
def test_the_second_occurrence_is_refused(second: dict[str, object], reason: Reason, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(json.dumps(HELLO) + "\n" + json.dumps({**HELLO, **second}))

    results = read("jsonl", file)

    assert isinstance(results[0], SeedDialogue)
    assert isinstance(results[1], Refusal)
    assert results[1].reason is reason


def test_keys_that_repeat_in_one_object_are_two_dialogues_with_one_id(tmp_path: Path) -> None:
    text = (FIXTURES / "crosswoz/val.json").read_text(encoding="utf-8").strip()
    (tmp_path / "val.json").write_text(f"{text[:-1]}, {text[1:]}", encoding="utf-8")

    assert [r.reason for r in refused("crosswoz", tmp_path / "val.json", ZH)] == [Reason.DUPLICATE_ID]


@pytest.mark.parametrize(
    ("member", "content"),
    [("readme.md", b"nothing here"), ("a.json", b"[]")],
)
def test_a_zip_without_the_member_names_what_it_holds(member: str, content: bytes, tmp_path: Path) -> None:
    archive = tmp_path / "val.json.zip"
    with zipfile.ZipFile(archive, "w") as handle:
        handle.writestr(member, content)
        handle.writestr("b.json", content) if member == "a.json" else None

    with pytest.raises(ConfigError, match=f"holds {member}"):
        read("crosswoz", archive, ZH)


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b[:90] + b"\x00" * 40 + b[130:]])
def test_a_damaged_zip_is_a_refusal(damage: object, tmp_path: Path) -> None:
    archive = zipped(FIXTURES / "crosswoz/val.json", tmp_path)
    assert callable(damage)
    archive.write_bytes(damage(archive.read_bytes()))

    results = read("crosswoz", archive, ZH)

    assert isinstance(results[-1], Refusal)
    assert results[-1].reason is Reason.MALFORMED_RECORD


@pytest.mark.parametrize(("reader", "file", "language"), SINGLE_FILES)
def test_a_file_is_recognised_as_its_own_corpus(reader: str, file: str, language: Language) -> None:
    assert recognise(FIXTURES / file) == reader


@pytest.mark.parametrize(("reader", "file", "language"), SINGLE_FILES)
def test_another_reader_is_refused_and_the_right_one_named(
    reader: str, file: str, language: Language
) -> None:
    others = [other for other, corpus in CORPORA.items() if other != reader and language in corpus.languages]

    for other in others:
        with pytest.raises(ConfigError, match=f"set reader: {reader}$"):
            CORPORA[other].read(FIXTURES / file, language)


@pytest.mark.parametrize(
    ("name", "near"),
    [("dialogsom", "dialogsum"), ("MELD", "meld"), ("multiwoz22", "multiwoz21"), ("qqq", "set reader")],
)
def test_an_unknown_reader_is_refused_with_the_nearest_name(name: str, near: str) -> None:
    with pytest.raises(ConfigError, match=near):
        find_corpus(name)


@pytest.mark.parametrize(
    "value", [None, 7, "text", [], [7], {"a": 1}, {"log": 7}, {"turns": [7]}, {"dialog": {}}]
)
@pytest.mark.parametrize("reader", CORPORA)
def test_json_of_any_shape_is_answered(reader: str, value: object, tmp_path: Path) -> None:
    corpus = CORPORA[reader]
    for form in ([value, value], {"key": value}, {"X--train--1": value}):
        file = tmp_path / "train.json"
        file.write_text(json.dumps(form))
        result = answer(reader, file, corpus.languages[0])
        if isinstance(result, ConfigError):
            assert str(file) in str(result)
        else:
            assert result
            assert all(isinstance(record, Refusal) for record in result)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    case=st.sampled_from(SINGLE_FILES),
    at=st.floats(0, 1),
    noise=st.binary(max_size=4)
    | st.sampled_from([b'"', b"{", b"]", b"null", b",", b"\n", b"\\ud83d", b"<b>", b"7"]),
    cut=st.integers(0, 6),
)
def test_no_change_of_a_few_bytes_crashes_a_reader(
    case: tuple[str, str, Language], at: float, noise: bytes, cut: int, tmp_path: Path
) -> None:
    reader, name, language = case
    content = (FIXTURES / name).read_bytes()
    position = int(at * len(content))
    file = tmp_path / Path(name).name
    file.write_bytes(content[:position] + noise + content[position + cut :])

    result = answer(reader, file, language)
    if isinstance(result, ConfigError):
        assert str(file) in str(result)
    else:
        assert result
        for record in result:
            assert type(record).from_line(record.to_line()) == record
