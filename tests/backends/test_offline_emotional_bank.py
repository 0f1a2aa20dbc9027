"""What is written for emotional dialogues, before any of it is composed."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from importlib.resources import files

import pytest

from pipeline.backends.offline import emotional_bank
from pipeline.backends.offline.emotional_answer import as_told
from pipeline.backends.offline.emotional_bank import Beat, EmotionalBank, Situation, load_emotional_bank
from pipeline.backends.offline.emotional_sounds import SOUNDS
from pipeline.backends.offline.frames import Frame, split_sentences
from pipeline.core.scripting.emotional_checks import check_cause, check_length, check_names, check_question
from pipeline.core.scripting.validators import (
    MAX_SIMILARITY,
    MIN_REPEATED_WORDS,
    check_sentences,
)
from pipeline.core.tokens import words_of
from pipeline.domain.emotional import EmotionalTask, Feeling, Intensity, Topic
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Emotion, Language

LANGUAGES = pytest.mark.parametrize("language", list(Language))
ASKING = (EmotionalTask.TRAJECTORY, EmotionalTask.REASONING)


def situations(bank: EmotionalBank) -> Iterator[tuple[Topic, Situation]]:
    for topic, group in bank.situations.items():
        for situation in group:
            yield topic, situation


def beats(bank: EmotionalBank) -> Iterator[tuple[Emotion, Beat]]:
    for _, situation in situations(bank):
        for emotion, group in situation.beats.items():
            yield from ((emotion, beat) for beat in group)
    for emotion, group in bank.dwell.items():
        yield from ((emotion, beat) for beat in group)


def said_of(beat: Beat) -> tuple[str, ...]:
    return beat.say.variants()


@LANGUAGES
def test_every_topic_has_four_situations_and_every_feeling_two_events_in_each(language: Language) -> None:
    bank = load_emotional_bank(language)
    assert set(bank.situations) == set(Topic)
    assert all(len(group) >= 4 for group in bank.situations.values())
    for _, situation in situations(bank):
        assert {emotion: len(group) >= 2 for emotion, group in situation.beats.items()} == dict.fromkeys(
            Emotion, True
        )


@LANGUAGES
def test_every_event_is_heard_in_its_words(language: Language) -> None:
    for _, beat in beats(load_emotional_bank(language)):
        for text in said_of(beat):
            check_cause(beat.say.frame_id, beat.cause, text, language)


@LANGUAGES
def test_no_words_of_the_user_name_any_feeling(language: Language) -> None:
    """Of any feeling: words in conflict with the voice are some other feeling's."""
    bank = load_emotional_bank(language)
    texts = [text for _, beat in beats(bank) for text in said_of(beat)]
    texts += [frame.text for _, situation in situations(bank) for frame in situation.openings]
    for name, frames in bank.frames.items():
        if name.startswith(("join/", "more/", "burst/", "aside/", "question/")):
            texts += [text for frame in frames for text in frame.variants()]
    for emotion in Emotion:
        feelings = [Feeling(emotion=emotion, intensity=Intensity.CLEAR, cause=None)] * len(texts)
        check_names(texts, feelings, language, allowed=0)


@LANGUAGES
def test_everything_can_be_spoken_and_fits_into_a_turn(language: Language) -> None:
    bank = load_emotional_bank(language)
    for _, beat in beats(bank):
        check_sentences(split_sentences(beat.reply, language), language)
        for text in said_of(beat):
            check_sentences(split_sentences(text, language), language)
    for _, situation in situations(bank):
        longest = max((b.say.text for group in situation.beats.values() for b in group), key=len)
        for opening in situation.openings:
            check_length(situation.matter, f"{opening.text} {longest}", language)
        check_sentences([situation.matter, situation.stake], language)


@LANGUAGES
def test_nobody_gives_their_reason_away(language: Language) -> None:
    """The reasoning task asks for it: clues are enough."""
    reason = re.compile(r"\bbecause\b|\bthat's why\b|因为|所以|由于", re.IGNORECASE)
    told = [text for _, beat in beats(load_emotional_bank(language)) for text in said_of(beat)]
    assert [text for text in told if reason.search(text)] == []


@LANGUAGES
def test_an_event_retold_is_not_the_users_sentence_again(language: Language) -> None:
    def words(text: str) -> list[str]:
        return [word.casefold() for word in words_of(text)]

    for _, beat in beats(load_emotional_bank(language)):
        told = words(as_told(beat.cause, language))
        for sentence in (*split_sentences(beat.say.text, language), *split_sentences(beat.reply, language)):
            if len(words(sentence)) >= MIN_REPEATED_WORDS[language]:
                alike = SequenceMatcher(None, told, words(sentence), autojunk=False).ratio()
                assert alike < MAX_SIMILARITY, (beat.cause, sentence)


@LANGUAGES
@pytest.mark.parametrize("task", ASKING)
def test_questions_are_many_and_ask_what_their_task_asks(language: Language, task: EmotionalTask) -> None:
    questions = load_emotional_bank(language).frames[f"question/{task.value}"]
    assert len({question.text for question in questions}) >= 15
    for question in questions:
        check_question("the last turn", question.text, task, language)


@LANGUAGES
def test_sections_that_every_dialogue_needs_are_wide_enough(language: Language) -> None:
    """A tenth of the dialogues is the most that one sentence may be in; half of them are of one task."""
    frames = load_emotional_bank(language).frames
    needed = [name for name in frames if name.startswith(("answer/", "question/"))]
    often = [name for name in needed if name not in ("answer/conflict", "answer/calm", "answer/own")]
    assert {name: len(frames[name]) >= 12 for name in often} == dict.fromkeys(often, True)


@LANGUAGES
def test_slots_of_answers_are_the_ones_that_are_filled(language: Language) -> None:
    told = {"label", "state", "became", "cause", "said"}
    whole = {"course", "first", "last", "stake"}
    for name, frames in load_emotional_bank(language).frames.items():
        known = {"answer/course": whole, "answer/root": whole}.get(
            name, told if "answer/" in name else {"cause"}
        )
        for frame in frames:
            assert frame.slots() <= known, frame


@LANGUAGES
def test_answers_name_the_feelings_by_the_labels_own_words(language: Language) -> None:
    labels = load_emotional_bank(language).labels
    if language is Language.EN:
        assert all(forms["label"] == emotion.value for emotion, forms in labels.items())
    for forms in labels.values():
        assert all(forms["label"] in forms[form] for form in ("state", "became")), forms


@LANGUAGES
def test_frames_have_addresses_of_their_own(language: Language) -> None:
    bank = load_emotional_bank(language)
    frames: list[Frame] = [frame for group in bank.frames.values() for frame in group]
    frames += [beat.say for _, beat in beats(bank)]
    frames += [frame for _, situation in situations(bank) for frame in situation.openings]
    assert len({frame.frame_id for frame in frames}) == len(frames)


def test_every_feeling_has_sounds() -> None:
    assert all(spots for emotion in Emotion for _, spots in SOUNDS[emotion])


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("join/anger:", "join/rage:", "join/anger"),
        ("  anger: {label", "  fury: {label", "fury"),
        ("question/reasoning:", "question/why:", "question/reasoning"),
    ],
)
def test_a_bank_with_a_hole_is_refused_by_name(
    old: str, new: str, named: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("offline")
    whole = files("pipeline.backends.offline").joinpath("bank", "en", "emotional")
    copy = root / "bank" / "en" / "emotional"
    copy.mkdir(parents=True)
    for item in whole.iterdir():
        text = item.read_text("utf-8")
        copy.joinpath(item.name).write_text(text.replace(old, new, 1), "utf-8")
    monkeypatch.setattr(emotional_bank, "files", lambda package: root)
    load_emotional_bank.cache_clear()
    try:
        with pytest.raises(ConfigError, match=named):
            load_emotional_bank(Language.EN)
    finally:
        load_emotional_bank.cache_clear()
