"""Who is spoken by which voice."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.casting import cast
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Gender, Language, Speaker, Split
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import Script
from pipeline.domain.voice import Voice
from tests.spoken import LICENCE, bystander, interruption


def voice(
    name: str,
    person: str | None = None,
    gender: Gender = Gender.FEMALE,
    language: Language = Language.EN,
    split: Split = Split.TRAIN,
) -> Voice:
    return Voice(
        voice_id=name,
        speaker=person or f"person-{name}",
        language=language,
        gender=gender,
        split=split,
        backend="espeak",
        backend_voice=name,
        median_f0_hz=150.0,
        formant_scale=1.0,
        licence=LICENCE,
    )


CATALOGUE = (
    *(voice(f"en-f{n}") for n in range(4)),
    *(voice(f"en-m{n}", gender=Gender.MALE) for n in range(3)),
    voice("en-f0-soft", person="person-en-f0"),
    voice("zh-f0", language=Language.ZH),
    voice("zh-of-en-f1", person="person-en-f1", language=Language.ZH),
    *(voice(f"dev-{n}", split=Split.DEV) for n in range(3)),
)


def script(number: int = 0, gender: Gender | None = None) -> Script:
    return bystander().model_copy(update={"dialogue_id": f"en-{number}", "user_gender": gender})


@given(st.integers(0, 10_000), st.integers(0, 100), st.sampled_from([None, *Gender]))
def test_every_speaker_is_another_person_of_the_scripts_language_and_split(
    number: int, seed: int, gender: Gender | None
) -> None:
    voices = cast(script(number, gender), CATALOGUE, seed)
    assert set(voices) == set(Speaker)
    assert len({one.speaker for one in voices.values()}) == 3
    assert {(one.language, one.split) for one in voices.values()} == {(Language.EN, Split.TRAIN)}
    if gender is not None:
        assert voices[Speaker.USER].gender is gender


@given(st.permutations(CATALOGUE), st.integers(0, 100))
def test_the_order_of_the_catalogue_and_voices_of_other_splits_change_nothing(
    shuffled: Sequence[Voice], number: int
) -> None:
    alone = [one for one in shuffled if one.split is Split.TRAIN and one.language is Language.EN]
    wanted = cast(script(number), CATALOGUE, 7)
    assert cast(script(number), shuffled, 7) == wanted
    assert cast(script(number), alone, 7) == wanted


def test_a_dialogues_cast_depends_on_its_id_and_on_the_seed() -> None:
    assert cast(script(1), CATALOGUE, 0) == cast(script(1), CATALOGUE, 0)
    assert len({str(cast(script(n), CATALOGUE, 0)) for n in range(30)}) > 20
    assert len({str(cast(script(1), CATALOGUE, seed)) for seed in range(30)}) > 20


@pytest.mark.parametrize("speaker", list(Speaker))
def test_every_voice_gets_its_turn(speaker: Speaker) -> None:
    counts = Counter(cast(script(number), CATALOGUE, 0)[speaker].voice_id for number in range(800))
    assert set(counts) == {one.voice_id for one in CATALOGUE[:8]}
    assert min(counts.values()) > 60


def test_only_who_speaks_is_cast() -> None:
    assert set(cast(interruption(), CATALOGUE, 0)) == {Speaker.USER, Speaker.ASSISTANT}


def test_where_a_split_lacks_the_users_gender_another_voice_is_taken() -> None:
    women = CATALOGUE[:4]
    assert cast(script(0, Gender.MALE), women, 0)[Speaker.USER].gender is Gender.FEMALE


@pytest.mark.parametrize(
    ("voices", "count"),
    [((), 0), (CATALOGUE[:2], 2), ((CATALOGUE[0], CATALOGUE[7], CATALOGUE[1]), 3)],
    ids=["none", "two for three", "three voices of two persons"],
)
def test_too_few_persons_have_a_reason_code(voices: tuple[Voice, ...], count: int) -> None:
    with pytest.raises(RecordError, match=f"3 speakers in en/train, {count} voices there") as caught:
        cast(script(), voices, 0)
    assert caught.value.reason is Reason.NO_VOICE
