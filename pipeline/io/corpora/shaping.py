"""From native utterances to a seed dialogue, by one policy for every corpus.

::

    Nora: hi          Nora: how are you?     Otis: fine        native utterances, as many as there are
    A:    "hi, how are you?"                 B: "fine"         turns: same-speaker runs merged, A first

What is refused, first match wins: text that was damaged before it came here; fewer than two utterances;
one speaker; more than two; a turn without text, without a word, or of more than `MAX_TURN_WORDS`;
a language other than the one asked for.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import cycle, groupby

from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Gender, Language
from pipeline.domain.licence import Licence
from pipeline.domain.quarantine import Reason
from pipeline.domain.seed import SeedDialogue, SeedSpeaker, SeedTurn
from pipeline.io.corpora.text import clean_text, is_han, is_latin, join_texts

MAX_TURN_WORDS = 400
"""English words or Chinese characters: over two minutes of speech, which nobody holds in a conversation."""

MAX_TURN_CHARACTERS = 20 * MAX_TURN_WORDS
"""Asked before anything is cleaned: rules for text look ahead, and a letter held down for a page would take
them minutes."""

MIN_LANGUAGE_SHARE = 0.5
"""Of a dialogue's words. Code-switching passes: a Chinese character counts as much as an English word."""

MAX_FOREIGN_WORDS = 5
"""A turn may be wholly foreign up to this length ("OK, bye bye", "谢谢你")."""

NEUTRAL_EMOTIONS = frozenset({"neutral", "none"})
"""Labels (lower case) that say that nothing was felt."""

_DAMAGE = re.compile("[\ud800-\udfff\ufffd]")


@dataclass(frozen=True, slots=True)
class Utterance:
    """One native utterance. `text` is what to clean where it is not the raw text itself."""

    speaker: str
    raw: str
    emotion: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class NativeDialogue:
    """A dialogue as its corpus has it. Speakers are told apart by name, and may be any number."""

    native_id: str
    split: str
    utterances: tuple[Utterance, ...]
    topic: str | None = None
    systems: frozenset[str] = frozenset()
    genders: Mapping[str, Gender] = field(default_factory=dict)
    named: bool = True
    """False: the corpus names nobody and `Utterance.speaker` was made up by the reader."""
    licence: Licence | None = None
    """Only where it differs from the corpus's."""


def alternating(texts: Iterable[str]) -> tuple[Utterance, ...]:
    """Utterances of a corpus that has no speakers: the parties take turns."""
    return tuple(Utterance(speaker, text) for speaker, text in zip(cycle("AB"), texts, strict=False))


def felt_by(speaker: str, emotion: str | None, utterances: tuple[Utterance, ...]) -> tuple[Utterance, ...]:
    """The utterances with a dialogue-level emotion on the turns of the one who has it."""
    return tuple(replace(u, emotion=emotion) if u.speaker == speaker else u for u in utterances)


def seed_id(corpus: str, native: NativeDialogue) -> str:
    """`corpus/split/native id`"""
    return f"{corpus}/{native.split}/{native.native_id}"


def shape(native: NativeDialogue, corpus: str, language: Language, licence: Licence) -> SeedDialogue:
    """The seed dialogue; raises RecordError with the reason where there can be none."""
    _check_undamaged(native)
    speakers = _two_speakers(native)
    runs = [tuple(run) for _, run in groupby(native.utterances, key=lambda u: u.speaker)]
    turns = tuple(_turn(index, run, language) for index, run in enumerate(runs))
    _check_language(turns, language)
    topic = clean_text(native.topic, language) if native.topic else None
    return SeedDialogue(
        seed_id=seed_id(corpus, native),
        corpus=corpus,
        language=language,
        speakers=(_speaker(native, speakers[0], "A"), _speaker(native, speakers[1], "B")),
        turns=turns,
        topic=topic or None,
        licence=native.licence or licence,
    )


def run_emotion(labels: Iterable[str | None]) -> str | None:
    """The emotion of a merged turn: the last label that is not neutral, else the last one.

    >>> run_emotion(["neutral", "anger", None, "neutral"])
    'anger'
    """
    given = [label for label in labels if label]
    felt = [label for label in given if label.lower() not in NEUTRAL_EMOTIONS]
    return next(reversed(felt or given), None)


def _check_undamaged(native: NativeDialogue) -> None:
    """Lone surrogates (undecodable bytes, halves of an emoji) and U+FFFD are traces of a wrong decoding."""
    for index, utterance in enumerate(native.utterances):
        if _DAMAGE.search(f"{utterance.raw} {utterance.text} {utterance.speaker} {utterance.emotion}"):
            raise RecordError(
                Reason.UNREADABLE_ENCODING, f"utterance {index} was damaged by a wrong decoding"
            )
    if _DAMAGE.search(f"{native.split} {native.native_id} {native.topic}"):
        raise RecordError(Reason.UNREADABLE_ENCODING, "its id or topic was damaged by a wrong decoding")


def _two_speakers(native: NativeDialogue) -> tuple[str, str]:
    names = tuple(dict.fromkeys(utterance.speaker for utterance in native.utterances))
    if len(native.utterances) < 2:
        raise RecordError(Reason.TOO_FEW_TURNS, f"{len(native.utterances)} utterance(s), wanted at least 2")
    if len(names) == 1:
        raise RecordError(Reason.ONE_SPEAKER, f"only {names[0]!r} speaks, wanted two parties")
    if len(names) > 2:
        shown = ", ".join(repr(name) for name in names[:4])
        raise RecordError(Reason.TOO_MANY_SPEAKERS, f"{len(names)} speakers ({shown} ...), wanted two")
    return names[0], names[1]


def _turn(index: int, run: tuple[Utterance, ...], language: Language) -> SeedTurn:
    raw = tuple(utterance.raw for utterance in run)
    characters = sum(map(len, raw))
    if characters > MAX_TURN_CHARACTERS:
        raise RecordError(
            Reason.TURN_TOO_LONG,
            f"turn {index} has {characters} characters, wanted at most {MAX_TURN_CHARACTERS}",
        )
    parts = (u.raw if u.text is None else u.text for u in run)
    text = join_texts(tuple(clean_text(part, language) for part in parts), language)
    if not "".join(raw).strip():
        raise RecordError(Reason.EMPTY_TURN, f"turn {index} has no text")
    words = len(words_of(text))
    if not words:
        raise RecordError(
            Reason.NO_WORDS, f"turn {index} has no word that could be spoken: {''.join(raw)[:80]!r}"
        )
    if words > MAX_TURN_WORDS:
        raise RecordError(
            Reason.TURN_TOO_LONG, f"turn {index} has {words} words, wanted at most {MAX_TURN_WORDS}"
        )
    emotion = run_emotion(utterance.emotion for utterance in run)
    return SeedTurn(speaker="B" if index % 2 else "A", text=text, raw=raw, emotion=emotion)


def _check_language(turns: tuple[SeedTurn, ...], language: Language) -> None:
    belongs = is_han if language is Language.ZH else is_latin
    own = total = 0
    for index, turn in enumerate(turns):
        lettered = [word for word in words_of(turn.text) if word[0].isalpha()]
        own_here = sum(map(belongs, lettered))
        if not own_here and len(lettered) > MAX_FOREIGN_WORDS:
            detail = f"turn {index}: none of its {len(lettered)} words is in {language.value!r}"
            raise RecordError(Reason.WRONG_LANGUAGE, detail)
        own, total = own + own_here, total + len(lettered)
    if own < max(1, total * MIN_LANGUAGE_SHARE):
        detail = f"{own} of {total} words are in {language.value!r}, wanted {MIN_LANGUAGE_SHARE:.0%} or more"
        raise RecordError(Reason.WRONG_LANGUAGE, detail)


def _speaker(native: NativeDialogue, name: str, label: str) -> SeedSpeaker:
    return SeedSpeaker(
        label="A" if label == "A" else "B",
        name=name if native.named else None,
        gender=native.genders.get(name),
        is_system=name in native.systems,
    )
