"""The phrase banks: every written sentence can be said."""

import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from pipeline.backends.offline.banks import bank_revision, load_bank
from pipeline.backends.offline.frames import Composer, Frame, lower_first, split_sentences
from pipeline.backends.offline.lexicon import load_lexicon
from pipeline.backends.offline.manner import suits
from pipeline.backends.offline.planted import PLANTED_FILES, read_planted
from pipeline.core.speakable import speakable
from pipeline.core.tokens import words_of
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language

LANGUAGES = tuple(Language)
HEAVILY_USED = (
    "banking", "eating_out", "feelings", "general", "hotel", "pressure", "relationships", "sights", "transport",
    "travel",
)  # fmt: skip
SLOTS = {
    Language.EN: {"topic": "the cheap hotel", "about": "keeping the heat low", "rest": "cool on the rack"},
    Language.ZH: {"topic": "周末旅行", "about": "提前备菜", "rest": "放凉"},
}
ALLOWED = {
    Language.EN: re.compile(r"[A-Za-z' ,.?!-]+"),
    Language.ZH: re.compile(r"[\u4e00-\u9fff，。？！、]+"),
}
END = re.compile(r"[.?!。？！]$")
# Frames that continue into another one and therefore do not end a sentence.
LEADS = (
    "response/links",
    "follow_up/leads",
    "topics/leads",
    "events/information/leads",
    "events/clarification/leads",
    "events/resumption/assistant",
    "events/resumption/user",
    "events/resumption/extra",
)


def all_frames(language: Language) -> list[tuple[str, Frame]]:
    bank = load_bank(language)
    found = [(key, frame) for key, frames in bank.frames.items() for frame in frames]
    found += [(f"{name}/ask", pair.ask) for name, pairs in bank.exchanges.items() for pair in pairs]
    found += [(f"{name}/answer", pair.answer) for name, pairs in bank.exchanges.items() for pair in pairs]
    for domain in bank.domains:
        for tip in domain.tips:
            found += [("tip", tip.say), ("tip/ask", tip.ask)]
            found += [("tip/answer", Frame(f"{tip.ask.frame_id}/answer", text)) for text in tip.answer]
    found += [
        (f"planted/{one.file}", frame)
        for group in bank.planted.values()
        for one in group
        for frame in (one.say, one.said, one.reply)
    ]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_variant_of_every_frame_is_clean_and_speakable(language: Language) -> None:
    for key, frame in all_frames(language):
        for variant in frame.variants():
            composer = Composer(language, np.random.default_rng(0), SLOTS[language])
            text = composer.render(Frame(frame.frame_id, variant, frame.emotion, frame.kind))
            assert ALLOWED[language].fullmatch(text), (frame.frame_id, text)
            assert not re.search(r"  |[,.?!，。？！、]\s*[,.，。、]| [,.?!]|[?？][?？.。]", text), (
                frame.frame_id,
                text,
            )
            if key not in LEADS:
                assert END.search(text), (frame.frame_id, text)
                assert speakable(text, language) == text, (frame.frame_id, speakable(text, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_frame_ids_and_sentences_are_unique(language: Language) -> None:
    frames = [frame for key, frame in all_frames(language) if not key.startswith("tip/")]
    assert not [name for name, count in Counter(frame.frame_id for frame in frames).items() if count > 1]
    tips = Counter(tip.say.text for domain in load_bank(language).domains for tip in domain.tips)
    assert not [text for text, count in tips.items() if count > 1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_frames_only_use_the_slots_that_are_filled(language: Language) -> None:
    slots = {name for _, frame in all_frames(language) for name in frame.slots()}
    assert slots == {"topic", "about", "rest"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("negation/complaints", 14),
        ("repetition/requests", 14),
        ("stop/requests", 14),
        ("backchannel/signals", 14),
        ("bystander/remarks", 20),
        ("aside/remarks", 20),
        ("follow_up/leads", 14),
        ("topics/leads", 14),
        ("response/openings/how", 12),
        ("response/openings/find", 18),
        ("response/openings/request", 18),
        ("response/openings/statement", 12),
        ("response/openings/sad", 18),
        ("response/closings", 22),
        ("response/links", 24),
        ("knowledge/openings", 12),
        ("knowledge/closings", 12),
        ("query/matter", 12),
        ("talk/user/accepts", 24),
        ("talk/user/remarks", 18),
        ("talk/user/musings", 20),
        ("talk/user/more", 16),
        ("talk/user/last", 12),
        ("talk/user/returns", 12),
        ("talk/assistant/farewells", 14),
        ("talk/assistant/more", 14),
        ("events/disagreement/objections", 14),
        ("events/disagreement/replies", 12),
        ("events/urgency/calls", 16),
        ("events/completion/endings", 14),
        ("events/completion/confirmations", 12),
        ("events/signals/continuers", 20),
        ("events/signals/acknowledgements", 20),
        ("events/signals/reactions/user", 12),
        ("events/signals/reactions/assistant", 12),
        ("events/resumption/assistant", 12),
        ("events/resumption/user", 12),
    ],
)
def test_there_are_enough_phrasings(language: Language, key: str, wanted: int) -> None:
    assert len(load_bank(language).frames[key]) >= wanted


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_exchanges_and_tips(language: Language) -> None:
    bank = load_bank(language)
    assert len(bank.exchanges["topics"]) >= 20
    assert len(bank.exchanges["follow_up"]) >= 14
    assert len(bank.exchanges["knowledge"]) >= 12
    assert len(bank.exchanges["talk/situations"]) >= 40
    assert len(bank.exchanges["events/information"]) >= 20
    assert len(bank.exchanges["events/clarification"]) >= 16
    assert all(len(domain.tips) >= 12 for domain in bank.domains)
    assert not [name for name in HEAVILY_USED if len(bank.domain(name).tips) < 23]
    assert all(bank.domain(domain.also) for domain in bank.domains if domain.also)
    assert bank.general.name == "general"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_complaint_has_its_apologies_and_bridges(language: Language) -> None:
    frames = load_bank(language).frames
    kinds = {frame.kind for frame in frames["negation/complaints"]}
    for kind in kinds:
        assert frames[f"negation/apologies/{kind}"]
        assert any(not frame.slots() for frame in frames[f"negation/bridges/{kind}"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_sections_that_use_slots_also_have_frames_without(language: Language) -> None:
    for key, frames in load_bank(language).frames.items():
        if key.startswith("query/") or key in ("talk/user/remarks", "events/completion/endings"):
            continue  # the slot is what it is about, and always filled
        assert any(not frame.slots() for frame in frames), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_tip_is_found_again_behind_any_link(language: Language) -> None:
    bank = load_bank(language)
    for link in bank.frames["response/links"]:
        for domain in bank.domains:
            for tip in domain.tips:
                composer = Composer(language, np.random.default_rng(0), {})
                sentence = composer.lead_in(composer.render(link), tip.say.text)
                assert bank.find_tip(sentence) == (tip, domain)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_planted_sentence_is_found_again_behind_any_lead(language: Language) -> None:
    bank = load_bank(language)
    for lead in bank.frames["events/resumption/extra"]:
        for group in bank.planted.values():
            for planted in group:
                composer = Composer(language, np.random.default_rng(0), {})
                sentence = composer.lead_in(composer.render(lead), planted.say.text)
                assert bank.find_planted(sentence) is planted
                assert 2 <= planted.rest < len(words_of(planted.say.text))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("file", PLANTED_FILES.values())
def test_talk_about_any_field_can_plant_from_every_file(language: Language, file: str) -> None:
    bank = load_bank(language)
    assert len({text for one in bank.planted[file] for text in one.said.variants()}) >= 14
    for domain in bank.domains:
        assert sum(suits(one.kind, domain) for one in bank.planted[file]) >= 8, domain.name
    known = {"", "any", "place", "do", "heart"} | {domain.name for domain in bank.domains}
    assert {one.kind for one in bank.planted[file]} <= known


@pytest.mark.parametrize("language", LANGUAGES)
def test_talk_about_any_field_has_situations_and_facts_to_ask_for(language: Language) -> None:
    bank = load_bank(language)
    for name, least in (("talk/situations", 16), ("events/information", 6)):
        for domain in bank.domains:
            fitting = sum(suits(pair.ask.kind, domain) for pair in bank.exchanges[name])
            assert fitting >= least, (name, domain.name)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"say": "No place in it.", "said": "Wait.", "reply": "Oh."}, "has no place to start at"),
        ({"say": "Too / late.", "said": "Wait.", "reply": "Oh."}, "has no place to start at"),
    ],
)
def test_a_planted_sentence_without_a_place_is_refused(entry: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_planted({"planted": [entry]}, Language.EN, "planted/gaps")


def test_a_file_that_no_event_plants_from_is_refused() -> None:
    with pytest.raises(ConfigError, match="nothing plants from 'jokes'"):
        read_planted({"planted": []}, Language.EN, "planted/jokes")


def test_an_unknown_sentence_is_no_tip() -> None:
    assert load_bank(Language.EN).find_tip("Also, put the kettle on, please.") is None


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("Yes. It works", Language.EN, ("Yes.", "It works.")),
        ("Really?! No.", Language.EN, ("Really?!", "No.")),
        ("trailing comma,", Language.EN, ("trailing comma.",)),
        ("好。这样行吗？行", Language.ZH, ("好。", "这样行吗？", "行。")),
        ("", Language.EN, ()),
        ("...", Language.EN, ()),
    ],
)
def test_sentences_are_split_at_their_end_marks(
    text: str, language: Language, wanted: tuple[str, ...]
) -> None:
    assert split_sentences(text, language) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"), [("I'd go.", "I'd go."), ("It is.", "it is."), ("I am.", "I am.")]
)
def test_only_the_pronoun_i_keeps_its_capital(text: str, wanted: str) -> None:
    assert lower_first(text) == wanted


def test_the_revision_is_twelve_hexadecimal_digits() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", bank_revision())


def test_both_languages_load_in_three_tenths_of_a_second() -> None:
    code = (
        "import time; from pipeline.backends.offline.banks import load_bank; "
        "from pipeline.backends.offline.lexicon import load_lexicon; from pipeline.domain.labels import Language; "
        "start = time.process_time(); "
        "[(load_bank(language), load_lexicon(language)) for language in Language]; "
        "print(time.process_time() - start)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(result.stdout) < 0.3


@pytest.mark.parametrize("language", LANGUAGES)
def test_word_lists_are_not_empty(language: Language) -> None:
    lexicon = load_lexicon(language)
    assert lexicon.linking
    assert lexicon.numbers
    assert lexicon.clinging
