"""What the embedded author takes from a seed: queries that stand alone, replies an assistant could give."""

import doctest
from types import ModuleType

import pytest

from pipeline.backends.offline import derived, frames, knowledge, queries, replies, words
from pipeline.backends.offline.banks import load_bank
from pipeline.backends.offline.derived import derived_frames
from pipeline.backends.offline.domains import detect_domain
from pipeline.backends.offline.knowledge import find_knowledge
from pipeline.backends.offline.queries import classify, find_queries
from pipeline.backends.offline.replies import further_advice, usable_reply
from pipeline.backends.offline.words import clean_topic, gerund, noun_phrase
from pipeline.core.scripting.steps import AdaptInput
from pipeline.domain.labels import Language
from pipeline.domain.scene import Scene
from tests.backends.offline_dialogues import lines

EN, ZH = Language.EN, Language.ZH
NOUNS = frozenset({"hotel", "soup", "train", "酒店", "面试"})


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("Can you recommend a quiet cafe near the river?", EN, "find"),
        ("How do I get candle wax out of a tablecloth?", EN, "how"),
        ("Could you wake me at six tomorrow morning, please?", EN, "request"),
        ("I feel so lonely since I moved to this city.", EN, "sad"),
        ("Which museum has the longest opening hours here?", EN, "fact"),
        ("I moved to a new flat last month.", EN, "statement"),
        ("你能推荐一家安静点的书店吗？", ZH, "find"),
        ("羽绒服上沾了油怎么洗？", ZH, "how"),
        ("明天早上六点叫我起床，麻烦了。", ZH, "request"),
        ("我最近特别焦虑，做什么都没劲。", ZH, "sad"),
        ("这座桥是哪一年修的？", ZH, "fact"),
        ("上个月换了新的公司。", ZH, "statement"),
    ],
)
def test_queries_are_told_apart_by_what_they_want(text: str, language: Language, wanted: str) -> None:
    assert classify(text, language).value == wanted


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Yes, that one would be perfect, thank you.", EN),
        ("And how about the blue one over there?", EN),
        ("What does she think about the whole plan?", EN),
        ("Would you like to come to my party tonight?", EN),
        ("Good morning, sir, may I help you?", EN),
        ("How are you doing today, my friend?", EN),
        ("Hi!", EN),
        ("I want to kill myself and don't know what to do.", EN),
        ("我想问一下这个怎么用", EN),
        ("那你明天来不来我家吃饭？", ZH),
        ("是的，就是你说的那一个。", ZH),
        ("您好，请问您要点什么？", ZH),
        ("他最近怎么总是不高兴？", ZH),
        ("我不想活了，怎么办才好？", ZH),
        ("How do I get there from here?", ZH),
        ("嗯嗯", ZH),
    ],
)
def test_turns_that_need_another_person_or_an_unseen_context_are_passed_over(
    text: str, language: Language
) -> None:
    assert find_queries(lines((text, "Fine.")), language) == ()


def test_a_greeting_is_cut_off_in_front_of_a_query() -> None:
    best = find_queries(lines(("Hello there! How do I clean a wool coat?", "Fine.")), EN)[0]
    assert best.text == "How do I clean a wool coat?"


def test_the_first_of_two_equal_questions_wins() -> None:
    texts = ("How do I clean a wool coat at home?", "Fine.", "How do I clean a silk shirt at home?", "Fine.")
    assert find_queries(lines(texts), EN)[0].line == 0


def test_a_long_turn_yields_its_usable_sentences_only() -> None:
    text = "The weather was mixed. " * 30 + "How do I clean a wool coat at home?"
    assert all(len(query.text.split()) <= 30 for query in find_queries(lines((text, "Fine.")), EN))


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("Rinse it first. My wife always does that.", EN, ("Rinse it first.",)),
        ("Of course. Use cold water for the stain.", EN, ("Use cold water for the stain.",)),
        ("Which size do you need?", EN, ()),
        ("I love that film too!", EN, ()),
        ("She told me about it. Try it anyway.", EN, ()),
        ("I'd soak it overnight in cold water.", EN, ("I'd soak it overnight in cold water.",)),
        ("好的。您可以先用冷水泡一泡。", ZH, ("你可以先用冷水泡一泡。",)),
        ("我老婆也这样。", ZH, ()),
        ("先用冷水冲一下。你试过没有？", ZH, ("先用冷水冲一下。",)),
        ("Do what others do, drink some alcohol.", EN, ()),
        ("你这是焦虑症的一个症状。", ZH, ()),
    ],
)
def test_a_reply_is_used_up_to_the_first_sentence_that_no_assistant_would_say(
    text: str, language: Language, wanted: tuple[str, ...]
) -> None:
    assert usable_reply(text, "How?" if language is EN else "怎么办？", language) == wanted


def test_a_reply_may_say_she_where_the_query_names_somebody() -> None:
    reply = "Check whether she drinks enough water."
    assert usable_reply(reply, "My cat won't eat.", EN) == (reply,)
    assert usable_reply(reply, "The soup is salty.", EN) == ()


def test_advice_of_later_turns_must_hold_without_its_question() -> None:
    turns = ("Yes, that helps.", "Keep the lid closed for the first twenty minutes. It is done then.")
    assert further_advice(turns, EN) == ("Keep the lid closed for the first twenty minutes.",)


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("Could you book a cheap hotel for me?", EN, "the cheap hotel"),
        ("I made my first soup, and it was fine.", EN, "the soup"),
        ("I really like hotel rooms.", EN, None),
        ("Is there a hotel room left?", EN, None),
        ("我想订一家酒店。", ZH, "酒店"),
        ("我想订一家旅店。", ZH, None),
    ],
)
def test_only_nouns_that_cannot_go_wrong_fill_a_slot(
    text: str, language: Language, wanted: str | None
) -> None:
    assert noun_phrase(text, language, NOUNS) == wanted


@pytest.mark.parametrize(
    ("topic", "language", "wanted"),
    [
        ("repotting a houseplant", EN, "repotting a houseplant"),
        ("a noisy neighbour", EN, "a noisy neighbour"),
        ("see a doctor", EN, None),
        ("hotel, train", EN, None),
        ("something", EN, None),
        (None, EN, None),
        ("阳台种菜", ZH, "阳台种菜"),
        ("Travel", ZH, None),
        ("这个话题的名字实在是太长了", ZH, None),
    ],
)
def test_a_topic_is_used_where_it_can_stand_after_about(
    topic: str | None, language: Language, wanted: str | None
) -> None:
    assert clean_topic(topic, language) == wanted


@pytest.mark.parametrize(
    ("query", "language", "wanted"),
    [
        ("I'm looking for a hotel in the north.", EN, "hotel"),
        ("My laptop keeps losing the wifi connection.", EN, "technology"),
        ("Tell me something nice.", EN, "general"),
        ("我想找一家能带孩子的餐厅。", ZH, "eating_out"),
        ("面试的时候穿什么好？", ZH, "work"),
        ("随便说点什么吧。", ZH, "general"),
    ],
)
def test_the_field_is_read_from_the_query(query: str, language: Language, wanted: str) -> None:
    assert detect_domain(load_bank(language), query, "", "").name == wanted


def test_a_restaurant_mentioned_later_does_not_change_the_field() -> None:
    context = "restaurant menu waiter pizza dinner food dessert"
    assert detect_domain(load_bank(EN), "I need a hotel room for two nights.", "", context).name == "hotel"


def chat(topic: str, texts: tuple[str, ...], language: Language = ZH) -> AdaptInput:
    return AdaptInput(
        dialogue_id="d", language=language, scene=Scene.TOPIC_SWITCHING, topic=topic, lines=lines(texts)
    )


ISLAND = (
    "知道灯塔岛这部电影吗？",
    "知道呀，它是二零一二年上映的一部纪录片，你知道导演是谁吗？",
    "导演是一位姓何的女士，我很喜欢她。",
    "嗯，该片曾获得海洋影展的最佳摄影奖。",
    "片长是多少呢？",
    "片长一共九十六分钟，全部在岛上实地拍摄。",
)


def test_a_chat_about_one_thing_becomes_a_question_and_its_facts() -> None:
    found = find_knowledge(chat("灯塔岛", ISLAND))
    assert found is not None
    query, facts = found
    assert query.text == "你知道灯塔岛这部电影吗？"
    assert facts == (
        "它是二零一二年上映的一部纪录片。",
        "该片曾获得海洋影展的最佳摄影奖。",
        "片长一共九十六分钟，全部在岛上实地拍摄。",
    )


@pytest.mark.parametrize(
    ("topic", "texts"),
    [
        ("灯塔岛", ISLAND[:2]),
        ("风车", ISLAND),
        ("灯塔岛", ("你在灯塔岛玩过吗？", *ISLAND[1:])),
    ],
    ids=["too few facts", "another topic", "no question for knowledge"],
)
def test_a_chat_without_enough_facts_on_its_topic_is_no_knowledge(topic: str, texts: tuple[str, ...]) -> None:
    assert find_knowledge(chat(topic, texts)) is None


@pytest.mark.parametrize(
    ("topic", "texts", "name"),
    [
        ("rent a car", ("Morning.", "Morning."), "transport"),
        ("casual talk", ("The waiter lost our menu.", "In such a restaurant, and no dessert!"), "eating_out"),
        ("casual talk", ("Nice day.", "It is."), None),
        ("find a lamp", ("He was murdered at the hotel.", "In the hotel room?"), None),
    ],
)  # fmt: skip
def test_a_query_is_derived_only_where_the_field_is_plain(
    topic: str, texts: tuple[str, ...], name: str | None
) -> None:
    found = derived_frames(load_bank(EN), chat(topic, texts, EN))
    assert (found[2].name if found else None) == name


@pytest.mark.parametrize(
    ("verb", "wanted"),
    [("rent", "renting"), ("quit", "quitting"), ("get", "getting"), ("see", "seeing"), ("use", "using"),
     ("play", "playing"), ("fix", "fixing"), ("open", "opening")],
)  # fmt: skip
def test_gerunds_are_spelt_right(verb: str, wanted: str) -> None:
    assert gerund(verb) == wanted


@pytest.mark.parametrize(
    ("query", "topic", "wanted"),
    [
        ("帮我推荐一家能停车的酒店。", "餐馆、景点、酒店", "hotel"),
        ("有没有免费的景点可以逛？", "餐馆、景点、酒店", "sights"),
        ("下午去剑桥的火车有几班？", "列车、餐厅", "transport"),
    ],
)
def test_what_is_asked_for_outweighs_what_else_the_corpus_names(query: str, topic: str, wanted: str) -> None:
    assert detect_domain(load_bank(ZH), query, topic, "餐馆 餐厅 酒店 景点").name == wanted


@pytest.mark.parametrize("module", [derived, frames, knowledge, queries, replies, words])
def test_the_examples_in_doc_strings_are_true(module: ModuleType) -> None:
    failed, attempted = doctest.testmod(module)
    assert attempted > 0
    assert failed == 0
