"""Every reader on a small invented file in its native layout, traps included."""

import json
import re
from pathlib import Path

import pytest

from pipeline.domain.labels import Gender, Language
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora import CORPORA, jsonl
from tests.io.corpora.reading import FIXTURES, accepted, read, refused, zipped

EN, ZH = Language.EN, Language.ZH

# reader, file, language, ids of the accepted dialogues, reasons of the refused ones
FILES: tuple[tuple[str, str, Language, tuple[str, ...], tuple[str, ...]], ...] = (
    ("dialogsum", "dialogsum/dialogsum.dev.jsonl", EN, ("dev/dev_0", "dev/dev_2"), ("too_many_speakers",)),
    ("dialogsum", "dialogsum/dialogsum.test.jsonl", EN, ("test/test_0",), ()),
    ("dialogsum", "dialogsum/dialogsum.hiddentest.dialogue.jsonl", EN, ("hiddentest/hiddentest_0",), ()),
    ("dialogsum", "dialogsum/converted_examples.json", EN, ("train/train_7",), ()),
    (
        "soda",
        "soda/original_examples.json",
        EN,
        ("original_examples/0", "original_examples/3"),
        ("too_many_speakers", "malformed_record"),
    ),
    ("soda", "soda/converted_examples.json", EN, ("train/1",), ("too_many_speakers",)),
    (
        "places",
        "places/original_examples.json",
        EN,
        ("original_examples/0",),
        ("too_many_speakers", "malformed_record"),
    ),
    ("places", "places/converted_examples.json", EN, ("train/1",), ()),
    ("multiwoz", "multiwoz/dev", EN, ("dev/XXX0001",), ("malformed_record",)),
    ("multiwoz", "multiwoz/dev/dialogues_001.json", EN, ("dev/XXX0001",), ("malformed_record",)),
    ("multiwoz", "multiwoz/converted_examples.json", EN, ("train/XXX0003", "train/XXX0004"), ()),
    ("sgd", "sgd", EN, ("dev/1_00000",), ()),
    ("multiwoz21", "multiwoz21/val.json", EN, ("dev/XXX0001",), ()),
    ("multiwoz_zh", "multiwoz_zh/human_val.json", ZH, ("dev/XXX0001",), ()),
    ("crosswoz", "crosswoz/val.json", ZH, ("dev/90001",), ()),
    ("kdconv", "kdconv", ZH, ("dev/film-0", "dev/travel-1"), ("empty_turn",)),
    ("kdconv", "kdconv/data/travel/dev.json", ZH, ("dev/travel-1",), ("empty_turn",)),
    ("lccc", "lccc/toy_data.json", ZH, ("dev/0", "train/0", "train/1", "test/0"), ("no_words",)),
    ("smilechat", "smilechat", ZH, ("all/101", "all/103"), ("one_speaker",)),
    ("smilechat", "smilechat/101.json", ZH, ("all/101",), ()),
    ("esconv", "esconv/ESConv.json", EN, ("ESConv/0",), ()),
    ("esconv", "esconv/FailedESConv.json", EN, ("FailedESConv/0",), ()),
    ("xdailydialog", "xdailydialog/en_dev_human.txt", EN, ("dev/en-0", "dev/en-2"), ("malformed_record",)),
    ("xdailydialog", "xdailydialog/zh_dev_human.txt", ZH, ("dev/zh-0", "dev/zh-1", "dev/zh-2"), ()),
    (
        "meld",
        "meld/dev_sent_emo.csv",
        EN,
        ("dev/0", "dev/3"),
        ("too_many_speakers", "one_speaker", "too_many_speakers"),
    ),
    ("meld", "meld/dev_sent_emo_dya.csv", EN, ("dev/dyadic-0",), ()),
    (
        "emorynlp",
        "emorynlp/emorynlp_dev_final.csv",
        EN,
        ("dev/s01_e02_c03", "dev/s01_e03_c03"),
        ("too_many_speakers", "malformed_record"),
    ),
    (
        "emorynlp",
        "emorynlp/emotion-detection-dev.json",
        EN,
        ("dev/s01_e02_c03",),
        ("too_many_speakers", "too_many_speakers"),
    ),
    ("cped", "cped/valid_split.csv", ZH, ("dev/07_012",), ("too_many_speakers", "too_many_speakers")),
    (
        "empathetic",
        "empathetic/valid.csv",
        EN,
        ("dev/hit:9_conv:18", "dev/hit:9_conv:19"),
        ("malformed_record",),
    ),
    ("empathetic", "empathetic/original_examples.json", EN, ("original_examples/hit:9_conv:18",), ()),
    ("empathetic", "empathetic/converted_examples.json", EN, ("train/hit:9_conv:18",), ()),
    (
        "jsonl",
        "jsonl/mine.jsonl",
        EN,
        ("mine/d1", "mine/d2"),
        ("wrong_language", "malformed_record", "missing_field"),
    ),
)

CASES = [pytest.param(*case, id=f"{case[0]}:{case[1]}") for case in FILES]
TABLE = pytest.mark.parametrize(("reader", "file", "language", "ids", "reasons"), CASES)


def first(reader: str, file: str, language: Language = EN) -> SeedDialogue:
    return accepted(reader, FIXTURES / file, language)[0]


def texts(seed: SeedDialogue) -> list[str]:
    return [turn.text for turn in seed.turns]


@TABLE
def test_every_dialogue_is_accepted_or_refused_with_its_reason(
    reader: str, file: str, language: Language, ids: tuple[str, ...], reasons: tuple[str, ...]
) -> None:
    path = FIXTURES / file

    assert tuple(seed.seed_id for seed in accepted(reader, path, language)) == tuple(
        f"{reader}/{i}" for i in ids
    )
    assert tuple(r.reason.value for r in refused(reader, path, language)) == reasons


@pytest.mark.parametrize(
    ("reader", "file", "language", "ids"), [case[:4] for case in FILES if "." in case[1]]
)
def test_bom_and_line_ends_change_nothing(
    reader: str, file: str, language: Language, ids: tuple[str, ...], tmp_path: Path
) -> None:
    plain = FIXTURES / file
    content = plain.read_bytes().removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    folder = tmp_path / plain.parent.name  # the folder's name says the split or the domain
    folder.mkdir()
    results = []
    for form in (content, content.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + content):
        (folder / plain.name).write_bytes(form)
        results.append(
            [seed.seed_id + str(texts(seed)) for seed in accepted(reader, folder / plain.name, language)]
        )

    assert results[0] == results[1] == results[2]
    assert len(results[0]) == len(ids)


@TABLE
def test_seeds_carry_their_corpus_licence_and_language(
    reader: str, file: str, language: Language, ids: tuple[str, ...], reasons: tuple[str, ...]
) -> None:
    for seed in accepted(reader, FIXTURES / file, language):
        assert seed.corpus == reader
        assert seed.language is language
        assert reader == "jsonl" or seed.licence == CORPORA[reader].licence


@TABLE
def test_refusals_keep_what_they_refuse(
    reader: str, file: str, language: Language, ids: tuple[str, ...], reasons: tuple[str, ...]
) -> None:
    for refusal in refused(reader, FIXTURES / file, language):
        assert refusal.stage == "seeds"
        assert len(refusal.payload) > 10
        assert len(refusal.detail) > 10


def test_every_corpus_has_a_fixture() -> None:
    assert {case[0] for case in FILES} == set(CORPORA)


@pytest.mark.parametrize(
    ("reader", "file", "language"),
    [
        ("multiwoz21", "multiwoz21/val.json", EN),
        ("multiwoz_zh", "multiwoz_zh/human_val.json", ZH),
        ("crosswoz", "crosswoz/val.json", ZH),
    ],
)
def test_a_zip_reads_as_its_member_does(reader: str, file: str, language: Language, tmp_path: Path) -> None:
    archive = zipped(FIXTURES / file, tmp_path)

    assert read(reader, archive, language) == read(reader, FIXTURES / file, language)


def test_dialogsum_mends_tokenised_apostrophes_and_stops() -> None:
    seed = first("dialogsum", "dialogsum/dialogsum.dev.jsonl")

    assert texts(seed) == [
        "Is the office open?",
        "I'm afraid not. It doesn't open on Sundays.",
        "I've come all this way!",
    ]
    assert seed.turns[2].raw == ("I ' Ve come all this way !",)
    assert [speaker.name for speaker in seed.speakers] == ["Person1", "Person2"]
    assert seed.topic == "office hours"


def test_dialogsum_merges_a_speaker_who_goes_on_and_keeps_both_utterances() -> None:
    seed = accepted("dialogsum", FIXTURES / "dialogsum/dialogsum.dev.jsonl")[1]

    assert texts(seed) == ["Sit down, please. What can I do for you?", "My tap drips. It drips all night."]
    assert seed.turns[0].raw == ("Sit down, please.", "What can I do for you?")


def test_dialogsum_test_form_takes_the_first_topic() -> None:
    assert first("dialogsum", "dialogsum/dialogsum.test.jsonl").topic == "transport"
    assert first("dialogsum", "dialogsum/dialogsum.hiddentest.dialogue.jsonl").topic is None


def test_dialogstudio_drops_the_response_that_nobody_gave() -> None:
    seed = first("dialogsum", "dialogsum/converted_examples.json")

    assert texts(seed) == ["Have you seen my umbrella?", "The blue one?", "Yes, that one."]
    assert seed.topic == "lost property"


def test_dialogstudio_lets_the_system_open() -> None:
    seed = accepted("multiwoz", FIXTURES / "multiwoz/converted_examples.json")[1]

    assert texts(seed) == ["How may I help?", "A train to the hills.", "Certainly."]
    assert [speaker.is_system for speaker in seed.speakers] == [True, False]


def test_soda_gives_the_reaction_to_person_x_only() -> None:
    for file in ("soda/original_examples.json", "soda/converted_examples.json"):
        seed = first("soda", file)
        assert [speaker.name for speaker in seed.speakers] == ["Ana", "Ravi"]
        assert [turn.emotion for turn in seed.turns] == ["frustrated", None, "frustrated"]


def test_soda_strips_half_a_pair_of_quotes() -> None:
    assert texts(first("soda", "soda/original_examples.json"))[1] == "Oh no, the nine o'clock one?"


def test_places_splits_at_the_first_colon_only() -> None:
    seed = first("places", "places/original_examples.json")

    assert texts(seed) == ["Do you garden?", "I try: tomatoes mostly.", "Nice!"]
    assert seed.topic == "gardening"


def test_schema_guided_corpora_know_the_system_and_the_services() -> None:
    multiwoz, sgd = first("multiwoz", "multiwoz/dev"), first("sgd", "sgd")

    assert [speaker.is_system for speaker in multiwoz.speakers] == [False, True]
    assert multiwoz.topic == "restaurant, taxi"
    assert sgd.topic == "banks, ride sharing"


def test_convlab_mends_tokenisation_and_names_the_domains() -> None:
    seed = first("multiwoz21", "multiwoz21/val.json")

    assert texts(seed) == [
        "I need a taxi, I can't walk.",
        "You're welcome to one. Where to?",
        "To the Smiths' house.",
        "Booked.",
    ]
    assert seed.topic == "taxi"
    assert [speaker.is_system for speaker in seed.speakers] == [False, True]


def test_multiwoz_zh_loses_zero_width_spaces_and_spaced_stops() -> None:
    seed = first("multiwoz_zh", "multiwoz_zh/human_val.json", ZH)

    assert texts(seed) == ["附近有四星的宾馆吗？", "有的，您的参考编号是TNIP68UH。", "谢谢！"]
    assert "\u200b" in seed.turns[1].raw[0]
    assert seed.topic == "旅馆"


def test_crosswoz_takes_topics_from_the_goal() -> None:
    seed = first("crosswoz", "crosswoz/val.json", ZH)

    assert seed.topic == "景点、餐馆"
    assert texts(seed)[:2] == ["附近有公园吗？", "有的，两公里外有一个。"]


def test_kdconv_topic_loses_its_explanation() -> None:
    seed = first("kdconv", "kdconv", ZH)

    assert seed.topic == "示例电影"
    assert [speaker.name for speaker in seed.speakers] == [None, None]


def test_lccc_rejoins_characters_letters_and_digits() -> None:
    dialogues = accepted("lccc", FIXTURES / "lccc/toy_data.json", ZH)

    assert texts(dialogues[0]) == ["玩得happy不？", "花了21万呢....", "VIP路线"]
    assert texts(dialogues[1]) == ["今天下雨了吗？", "下了一上午", "难怪这么冷"]
    assert texts(dialogues[2])[0] == "听let it be"
    assert dialogues[3].turns[1].text == "早呀"
    assert dialogues[3].turns[1].raw == ("早 呀 😊",)


def test_smilechat_knows_the_counsellor_and_merges_runs() -> None:
    seed = accepted("smilechat", FIXTURES / "smilechat", ZH)[1]

    assert texts(seed) == ["我换了工作。压力很大。", "压力来自哪里？"]
    assert [speaker.is_system for speaker in seed.speakers] == [False, True]


def test_smilechat_reads_a_list_of_dialogues_too(tmp_path: Path) -> None:
    files = [(FIXTURES / f"smilechat/{name}.json").read_text(encoding="utf-8") for name in (101, 103)]
    (tmp_path / "train.json").write_text(f"[{','.join(files)}]", encoding="utf-8")

    assert [seed.seed_id for seed in accepted("smilechat", tmp_path / "train.json", ZH)] == [
        "smilechat/all/0",
        "smilechat/all/1",
    ]


def test_esconv_gives_the_feeling_to_the_one_who_seeks_help() -> None:
    seed, failed = first("esconv", "esconv/ESConv.json"), first("esconv", "esconv/FailedESConv.json")

    assert texts(seed)[2:] == ["Monday is my first day. I can't sleep", "That is hard."]
    assert [turn.emotion for turn in seed.turns] == ["anxiety", None, "anxiety", None]
    assert [speaker.name for speaker in failed.speakers] == ["listener", "speaker"]
    assert [speaker.is_system for speaker in failed.speakers] == [True, False]
    assert failed.turns[1].raw == ("Not good\n", "\n")
    assert seed.topic == failed.topic == "job crisis"


def test_xdailydialog_drops_the_trailing_mark_and_names_emotion_and_topic() -> None:
    for file, language, topic in (("en", EN, "ordinary life"), ("zh", ZH, "日常生活")):
        seed = first("xdailydialog", f"xdailydialog/{file}_dev_human.txt", language)
        assert [turn.emotion for turn in seed.turns] == ["none", "surprise"]
        assert seed.topic == topic
    assert texts(first("xdailydialog", "xdailydialog/en_dev_human.txt"))[1] == "Not yet. It's late, isn't it?"


def test_meld_orders_by_utterance_and_keeps_the_last_feeling_of_a_run() -> None:
    scene, reordered = accepted("meld", FIXTURES / "meld/dev_sent_emo.csv")

    assert texts(scene) == ["You're early… again!", '"Early"? It\'s ten, Nora. None. Oh.']
    assert scene.turns[1].raw == ("“Early”? It’s ten, Nora.", "None", "Oh.")
    assert scene.turns[1].emotion == "anger"
    assert texts(reordered) == ["Go!", "Wait."]


def test_emorynlp_gives_a_scene_one_id_in_both_forms() -> None:
    table = first("emorynlp", "emorynlp/emorynlp_dev_final.csv")
    document = first("emorynlp", "emorynlp/emotion-detection-dev.json")

    assert table == document
    assert [turn.emotion for turn in table.turns] == ["Neutral", "Joyful"]


def test_emorynlp_never_evaluates_a_speaker() -> None:
    refusal = refused("emorynlp", FIXTURES / "emorynlp/emorynlp_dev_final.csv")[1]

    assert "__import__" in refusal.detail


def test_cped_merges_subtitle_lines_and_supplies_stops() -> None:
    seed = first("cped", "cped/valid_split.csv", ZH)

    assert texts(seed) == ["你可算来了，路上堵车了吗？", "堵了，一个小时，他说：“别急。”真的"]
    assert [" ".join(raw.split()) for raw in seed.turns[1].raw] == ["堵了 一个小时", "他说：“别急。” 真的"]
    assert [speaker.gender for speaker in seed.speakers] == [Gender.FEMALE, Gender.MALE]
    assert [turn.emotion for turn in seed.turns] == ["happy", "depress"]


def test_empathetic_restores_commas_and_mends_rows_where_only_the_utterance_can_hold_them() -> None:
    seed, unordered = accepted("empathetic", FIXTURES / "empathetic/valid.csv")

    assert texts(seed) == ["Look, it bloomed!", "After a year, really?", "Yes, really!"]
    assert seed.turns[0].raw == ("Look_comma_ it bloomed!",)
    assert [turn.emotion for turn in seed.turns] == ["proud", None, "proud"]
    assert texts(unordered)[1] == "Was it the cat?"


def test_jsonl_takes_names_genders_roles_and_the_stated_licence() -> None:
    full, bare = accepted("jsonl", FIXTURES / "jsonl/mine.jsonl")

    assert [(s.name, s.gender, s.is_system) for s in full.speakers] == [
        ("Nora", Gender.FEMALE, False),
        ("Otis", None, True),
    ]
    assert full.licence.id == "CC0-1.0"
    assert full.licence.redistributable
    assert [s.name for s in bare.speakers] == ["caller", "clerk"]
    assert not bare.licence.redistributable


def test_the_plain_form_of_the_doc_string_reads() -> None:
    example = re.search(r"\{\"id\".*?\]\}", jsonl.__doc__ or "", re.DOTALL)
    assert example is not None
    assert jsonl.PlainDialogue.model_validate(json.loads(example.group())).id == "d1"
