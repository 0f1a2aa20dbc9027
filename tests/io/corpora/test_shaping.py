from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.licences import stated_licence
from pipeline.io.corpora.shaping import (
    MAX_TURN_WORDS,
    NativeDialogue,
    Utterance,
    alternating,
    run_emotion,
    shape,
)

EN, ZH = Language.EN, Language.ZH


def native(*lines: tuple[str, str]) -> NativeDialogue:
    return NativeDialogue("d1", "train", tuple(Utterance(speaker, text) for speaker, text in lines))


def shaped(dialogue: NativeDialogue, language: Language = EN) -> SeedDialogue:
    return shape(dialogue, "invented", language, stated_licence("CC0-1.0"))


def shaped_or_none(dialogue: NativeDialogue) -> SeedDialogue | None:
    try:
        return shaped(dialogue)
    except RecordError:
        return None


def reason_of(dialogue: NativeDialogue, language: Language = EN) -> Reason:
    with pytest.raises(RecordError) as refusal:
        shaped(dialogue, language)
    return refusal.value.reason


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], Reason.TOO_FEW_TURNS),
        ([("Nora", "Alone here.")], Reason.TOO_FEW_TURNS),
        ([("Nora", "Anybody?"), ("Nora", "Hello?")], Reason.ONE_SPEAKER),
        ([("Nora", "Hi."), ("Otis", "Hi."), ("Ravi", "Hi.")], Reason.TOO_MANY_SPEAKERS),
        ([(f"guest {i}", "Hi.") for i in range(12)], Reason.TOO_MANY_SPEAKERS),
        ([("Nora", "Hi."), ("Otis", "")], Reason.EMPTY_TURN),
        ([("Nora", " \n"), ("Otis", "Hi.")], Reason.EMPTY_TURN),
        ([("Nora", "Hi."), ("Otis", "?!...")], Reason.NO_WORDS),
        ([("Nora", "Hi."), ("Otis", "😀😀")], Reason.NO_WORDS),
        ([("Nora", "Hi."), ("Otis", "https://example.org/page")], Reason.NO_WORDS),
        ([("Nora", "Hi."), ("Otis", "well " * 5000)], Reason.TURN_TOO_LONG),
        ([("Nora", "Hi."), ("Otis", "half an emoji \ud83d")], Reason.UNREADABLE_ENCODING),
        ([("Nora", "caf\udce9"), ("Otis", "Yes.")], Reason.UNREADABLE_ENCODING),
        ([("Nora", "th\ufffdre"), ("Otis", "Yes.")], Reason.UNREADABLE_ENCODING),
    ],
)
def test_a_dialogue_that_cannot_be_used_is_refused(lines: list[tuple[str, str]], reason: Reason) -> None:
    assert reason_of(native(*lines)) is reason


@pytest.mark.parametrize(
    ("language", "first", "second", "accepted"),
    [
        (ZH, "你好吗？", "很好。", True),
        (ZH, "你好吗？", "OK, bye bye!", True),
        (ZH, "我想听 Let it be 这首歌", "好的，马上放", True),
        (ZH, "Hello there, how are you?", "Fine.", False),
        (ZH, "你好吗？我今天去了公园，玩得很开心，你呢？", "I would rather not talk about it today", False),
        (ZH, "一二三四五六七八九十", "Привет, как у тебя сегодня дела", False),
        (EN, "How are you?", "Fine.", True),
        (EN, "How do you say thanks in Chinese?", "谢谢你。", True),
        (EN, "你好吗？", "很好，谢谢。", False),
        (EN, "How do you say that in your language, please?", "我们说谢谢大家光临", False),
        (EN, "12 34", "56 78", False),
    ],
)
def test_the_language_is_checked_but_mixing_is_tolerated(
    language: Language, first: str, second: str, accepted: bool
) -> None:
    dialogue = native(("Nora", first), ("Otis", second))

    if accepted:
        assert len(shaped(dialogue, language).turns) == 2
    else:
        assert reason_of(dialogue, language) is Reason.WRONG_LANGUAGE


@pytest.mark.parametrize(("language", "word"), [(EN, "well "), (ZH, "好")])
def test_the_longest_turn_is_counted_in_words_or_characters(language: Language, word: str) -> None:
    def opening(words: int) -> NativeDialogue:
        return native(("Nora", word * words), ("Otis", "Yes, 好的"))

    assert len(words_of(shaped(opening(MAX_TURN_WORDS), language).turns[0].text)) == MAX_TURN_WORDS
    assert reason_of(opening(MAX_TURN_WORDS + 1), language) is Reason.TURN_TOO_LONG


def test_an_empty_utterance_inside_a_run_is_kept_as_raw() -> None:
    seed = shaped(native(("Nora", "Hi."), ("Otis", ""), ("Otis", "Hello.")))

    assert seed.turns[1].raw == ("", "Hello.")
    assert seed.turns[1].text == "Hello."


@pytest.mark.parametrize(
    ("labels", "emotion"),
    [
        (["anger", "neutral"], "anger"),
        (["anger", "joy", "none"], "joy"),
        (["Neutral", "Neutral"], "Neutral"),
        ([None, None], None),
        ([None, "sad", None], "sad"),
        ([], None),
    ],
)
def test_a_merged_turn_has_the_last_feeling_that_was_felt(
    labels: list[str | None], emotion: str | None
) -> None:
    assert run_emotion(labels) == emotion


def test_who_speaks_first_is_a() -> None:
    seed = shaped(native(("Otis", "Hi."), ("Nora", "Hi.")))

    assert [(s.label, s.name) for s in seed.speakers] == [("A", "Otis"), ("B", "Nora")]


UTTERANCES = st.lists(
    st.tuples(
        st.sampled_from(["Nora", "Otis"]),
        st.one_of(
            st.sampled_from(["Yes.", "well, no", "", "...", "😀 so", "<i>it</i> is"]), st.text(max_size=12)
        ),
    ),
    max_size=12,
)


@given(UTTERANCES)
def test_shaping_never_loses_an_utterance_and_always_alternates(lines: list[tuple[str, str]]) -> None:
    seed = shaped_or_none(native(*lines))
    if seed is None:
        return

    assert [raw for turn in seed.turns for raw in turn.raw] == [text for _, text in lines]
    assert [turn.speaker for turn in seed.turns] == ["AB"[i % 2] for i in range(len(seed.turns))]
    assert all(words_of(turn.text) for turn in seed.turns)
    said = [name for name, _ in lines]
    by_label = {speaker.label: speaker.name for speaker in seed.speakers}
    assert [by_label[turn.speaker] for turn in seed.turns for _ in turn.raw] == said


@given(st.lists(st.sampled_from(["Yes.", "No.", "Oh, well."]), min_size=2, max_size=9))
def test_unnamed_parties_take_turns(texts: list[str]) -> None:
    dialogue = NativeDialogue("d1", "train", alternating(texts), named=False)
    seed = shaped(dialogue)

    assert [turn.text for turn in seed.turns] == texts
    assert {speaker.name for speaker in seed.speakers} == {None}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: NativeDialogue("d\udce9", "train", alternating(["Yes.", "No."])),
        lambda: NativeDialogue("d1", "train", alternating(["Yes.", "No."]), topic="caf\udce9"),
        lambda: NativeDialogue("d1", "train", (Utterance("\udce9", "Yes."), Utterance("B", "No."))),
    ],
)
def test_damage_beside_the_text_is_refused_too(spoil: Callable[[], NativeDialogue]) -> None:
    assert reason_of(spoil()) is Reason.UNREADABLE_ENCODING
