import pytest

from pipeline.core.mining.completeness import Completeness, Transcript
from pipeline.core.mining.events import find_events
from pipeline.core.mining.lexicon import ENGLISH, LEXICONS, MANDARIN, is_only_laughter, is_only_noise
from pipeline.core.mining.limits import EventLimits
from pipeline.domain.labels import Language
from pipeline.domain.mining import MinedType, RejectCode, TimedWord
from tests.core.mining.made import Said, at, span, talk

T = MinedType


@pytest.mark.parametrize(
    ("text", "strict", "wide"),
    [
        ("yeah", True, True),
        ("Yeah.", True, True),
        ("oh yeah right okay", True, True),
        ("oh yeah right okay sure", False, False),  # five words
        ("[laughter] yeah", True, True),
        ("[laughter-yeah]", True, True),
        ("[laughter]", False, False),
        ("", False, False),
        ("um", False, False),
        ("uh um", False, False),
        ("um yeah", True, True),
        ("yeah but", False, False),
        ("no", False, False),
        ("well", False, False),
        ("i see", True, True),
        ("Oh, I see!", True, True),
        ("is that right?", True, True),
        ("I", False, False),
        ("mm-hmm", True, True),
        ("Mhmm", True, True),
        ("mm hm", True, True),
        ("uh huh", True, True),
        ("OK", True, True),
        ("wow", False, True),
        ("oh wow", False, True),
        ("that's true", False, True),
        ("that\u2019s right", False, True),
        ("exactly", False, True),
    ],
)
def test_english_backchannels_are_told_by_their_words(text: str, strict: bool, wide: bool) -> None:
    assert ENGLISH.matches(text, 4) is strict
    assert ENGLISH.matches(text, 4, assessments=True) is wide


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("嗯", True),
        ("嗯嗯。", True),
        ("对对对对对对", True),  # repeats count once
        ("對", True),
        ("是的", True),
        ("嗯对", True),
        ("呃", False),
        ("呃对", True),
        ("然后", False),
        ("对我来说", False),
        ("嗯好的是啊对", False),  # more than four syllables
        ("哇", False),
        ("这样啊", True),
    ],
)
def test_chinese_candidates_collapse_repeats_and_need_no_segmentation(text: str, matches: bool) -> None:
    assert MANDARIN.matches(text, 4) is matches


def test_only_the_english_list_was_measured() -> None:
    assert {language: lexicon.verified for language, lexicon in LEXICONS.items()} == {
        Language.EN: True,
        Language.ZH: False,
    }


@pytest.mark.parametrize(
    ("text", "count"), [("yeah", 0), ("yeah but where does it", 4), ("uh huh I know", 2), ("[noise] so", 1)]
)
def test_words_outside_the_core_make_a_bid(text: str, count: int) -> None:
    assert ENGLISH.words_outside(text) == count


@pytest.mark.parametrize(
    ("text", "laughter", "noise"),
    [
        ("[laughter]", True, False),
        ("[laughter] [laughter]", True, False),
        ("[noise]", False, True),
        ("[laughter] [noise]", False, True),
        ("[laughter-yes]", False, False),
        ("[noise] yes", False, False),
        ("", False, False),
    ],
)
def test_marks_alone_are_no_talk(text: str, laughter: bool, noise: bool) -> None:
    assert (is_only_laughter(text), is_only_noise(text)) == (laughter, noise)


HOST: Said = tuple((f"word{i}", i * 0.5, i * 0.5 + 0.5) for i in range(20))


@pytest.mark.parametrize(
    ("said", "end", "label"),
    [
        ((("yeah", 3.0, 3.4),), 3.4, T.BACKCHANNEL),  # own silence is 0.6 s: timing would say no
        ((("uh-huh", 3.0, 4.5),), 4.5, T.BACKCHANNEL),
        ((("uh-huh", 3.0, 4.501),), 4.501, T.FAILED_INTERRUPTION),
        ((("wait", 3.0, 3.4),), 3.4, T.SHORT_INCURSION),
        ((("but", 3.0, 3.2), ("why", 3.2, 3.4)), 3.4, T.SHORT_INCURSION),
        ((("but", 3.0, 3.2), ("why", 3.2, 3.3), ("me", 3.3, 3.4)), 3.4, T.FAILED_INTERRUPTION),
    ],
)
def test_where_there_are_words_they_decide(said: Said, end: float, label: MinedType) -> None:
    words = {"A": HOST, "B": ((("so", 1.0, 2.4), *said))}
    activity = talk(((0, 10),), ((1, 2.4), (3, end)), words=words)
    found = at(activity, 3, language=Language.EN)
    assert found.event.type is label
    assert found.event.confidence <= 1.0
    assert "needs_transcript" not in found.event.tags


def test_words_raise_confidence_and_a_talkspurt_without_any_falls_back_on_timing() -> None:
    words = {"A": HOST, "B": (("why", 3.0, 5.0),)}
    activity = talk(((0, 5),), ((3, 8), (12, 13)), words=words)
    assert at(activity, 3, language=Language.EN).event.confidence == pytest.approx(1.0)
    assert at(activity, 3, language=None).event.confidence == pytest.approx(0.9)
    bare = talk(((0, 10),), ((3, 3.5),), words={"A": HOST})
    assert at(bare, 3, language=Language.EN).event.type is T.BACKCHANNEL
    assert at(bare, 3, EventLimits(words_required=True), Language.EN).reasons == (
        RejectCode.TRANSCRIPT_MISSING,
    )


@pytest.mark.parametrize(
    ("text", "reason"), [("[laughter]", RejectCode.LAUGHTER_ONLY), ("[noise]", RejectCode.NONSPEECH)]
)
def test_laughter_and_noise_start_nothing(text: str, reason: RejectCode) -> None:
    activity = talk(((0, 10),), ((3, 5),), words={"A": HOST, "B": ((text, 3, 5),)})
    assert at(activity, 3, language=Language.EN).reasons == (reason,)


ZH = EventLimits(bc_lexicon=(Language.EN, Language.ZH))
CHINESE: Said = tuple(("好", i * 0.5, i * 0.5 + 0.5) for i in range(20))


def test_the_unverified_list_is_off_until_asked_for_and_caps_confidence() -> None:
    activity = talk(((0, 10),), ((1, 2.4), (3, 3.4)), words={"A": CHINESE, "B": (("嗯", 3, 3.4),)})
    off, on = at(activity, 3, language=Language.ZH), at(activity, 3, ZH, Language.ZH)
    assert (off.event.type, on.event.type) == (T.SHORT_INCURSION, T.BACKCHANNEL)
    assert on.event.confidence <= 0.6
    assert on.event.context is not None
    assert on.event.context.lexicon_verified is False


@pytest.mark.parametrize(
    ("asked", "asked_end", "label"),
    [
        ("吗", 2.9, T.SHORT_INCURSION),
        ("吗？", 2.9, T.SHORT_INCURSION),
        ("吗", 1.999, T.BACKCHANNEL),  # more than 1 s ago
        ("了", 2.9, T.BACKCHANNEL),
    ],
)
def test_a_word_right_after_a_question_is_an_answer(asked: str, asked_end: float, label: MinedType) -> None:
    words: dict[str, Said] = {"A": ((asked, asked_end - 0.2, asked_end),), "B": (("对", 3, 3.4),)}
    activity = talk(((0, 10),), ((1, 2.4), (3, 3.4)), words=words)
    assert at(activity, 3, ZH, Language.ZH).event.type is label


def test_an_unverified_word_whose_speaker_goes_on_at_once_is_none() -> None:
    words: dict[str, Said] = {"A": CHINESE, "B": (("对", 3, 3.4),)}
    for start, label in ((3.899, T.SHORT_INCURSION), (3.9, T.BACKCHANNEL)):
        activity = talk(((0, 10),), ((1, 2.4), (3, 3.4), (start, 4.2)), words=words)
        assert at(activity, 3, ZH, Language.ZH).event.type is label


@pytest.mark.parametrize(
    ("words", "elsewhere", "wanted"),
    [
        (("I", "thi-"), "", "no"),
        (("and", "then..."), "", "no"),
        (("I", "think"), "", "unknown"),
        (("I", "think"), "Yes.", "no"),
        (("I", "do."), "", "yes"),
        (("真", "的？"), "", "yes"),
        (("[laughter]",), "Yes.", "unknown"),
        ((), "Yes.", "unknown"),
        (("do.", "[laughter]"), "", "yes"),
        (('"Yes."',), "", "yes"),
    ],
)
def test_the_last_word_tells_whether_somebody_had_finished(
    words: tuple[str, ...], elsewhere: str, wanted: Completeness
) -> None:
    timed = tuple(TimedWord(text=text, span=span(i, i + 1)) for i, text in enumerate(words))
    other = (TimedWord(text=elsewhere, span=span(90, 91)),) if elsewhere else ()
    assert Transcript.of((*timed, *other)).completeness(timed) == wanted


@pytest.mark.parametrize(
    ("last", "label", "rule"),
    [("bec-", T.INTERRUPTION, "7u"), ("because", T.TERMINAL_OVERLAP, "7")],
)
def test_an_early_start_on_a_broken_word_is_an_interruption(last: str, label: MinedType, rule: str) -> None:
    words: dict[str, Said] = {"A": (("so", 0, 4), (last, 4, 5)), "B": (("no", 4.6, 5), ("never", 5, 8))}
    event = at(talk(((0, 5),), ((4.6, 8),), words=words), 4.6, language=Language.EN).event
    assert (event.type, event.rule) == (label, rule)


def test_an_early_start_at_the_end_of_a_recording_is_upgraded_to_nothing() -> None:
    words: dict[str, Said] = {"A": (("so", 0, 4), ("bec-", 4, 5)), "B": (("no", 4.6, 5), ("never", 5, 5.9))}
    found = at(talk(((0, 5),), ((4.6, 5.9),), words=words, total_s=5.9), 4.6, language=Language.EN)
    assert (found.event.type, found.event.rule) == (T.TERMINAL_OVERLAP, "6")
    assert found.reasons == (RejectCode.CONTEXT_MISSING,)


def test_words_without_a_language_leave_the_classes_to_timing() -> None:
    words: dict[str, Said] = {"A": HOST, "B": (("yeah", 3.0, 3.4),)}
    activity = talk(((0, 10),), ((1, 2.4), (3, 3.4)), words=words)
    kinds = {c.event.onset: c.event.type for c in find_events(activity)}
    assert kinds[3000] is T.SHORT_INCURSION
