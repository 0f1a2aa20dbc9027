"""What every speech engine promises, as claims about any `SpeechSynthesizer`.

    candidate (an engine that is open, and a voice per language)  x  claim  ->  holds, or an AssertionError

A backend of your own conforms if every function in `CLAIMS` passes with it.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.core.tokens import words_of
from pipeline.domain.errors import BadTakeError, RecordError, TerminalBackendError
from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.quarantine import Reason
from pipeline.domain.span import Span
from pipeline.domain.takes import Kind, Take
from pipeline.domain.voice import SpeechRequest, Voice
from pipeline.domain.words import ordered_inside
from pipeline.ports import SpeechSynthesizer


@dataclass(frozen=True)
class Candidate:
    """One engine under test."""

    synthesizer: SpeechSynthesizer
    voices: Mapping[Language, Voice]
    under_way: Callable[[], int] = lambda: 0
    """Requests that its server works at, where that can be known."""

    def request(
        self,
        language: Language,
        text: str,
        *,
        seed: int = 5,
        kind: Kind = Kind.TURN,
        emotion: Emotion = Emotion.NEUTRAL,
        speed: float = 1.0,
        voice: Voice | None = None,
    ) -> SpeechRequest:
        return SpeechRequest(
            text=text,
            language=language,
            voice=voice or self.voices[language],
            emotion=emotion,
            style=Style.PLAIN,
            seed=seed,
            kind=kind,
            speed=speed,
        )

    def speak(self, request: SpeechRequest) -> Take:
        return asyncio.run(self.synthesizer.synthesize(request))

    @property
    def any_language(self) -> Language:
        return min(self.voices)


SENTENCE = {
    Language.ZH: "今天天气很好，我们去公园走走吧。",
    Language.EN: "The weather is lovely today, so let us go for a walk.",
}
SYLLABLE = {Language.ZH: "嗯。", Language.EN: "Oh."}
LONG = {
    Language.ZH: ("我们昨天去了城里的图书馆，借了三本书，然后在河边坐了一会儿。" * 20)[:499] + "。",
    Language.EN: ("We went to the library in town, took three books home, and sat by the river. " * 9)[:499]
    + ".",
}
NOTHING = ("", "   ", "……", "?!", "，。", "—")


def speaks_every_language_that_it_claims(candidate: Candidate) -> None:
    assert candidate.synthesizer.capabilities.languages == frozenset(candidate.voices)
    for language, text in SENTENCE.items():
        if language in candidate.voices:
            take = candidate.speak(candidate.request(language, text))
            duration_s = len(take.samples) / take.sampling_rate
            assert 1.0 < duration_s < 12.0, (language, duration_s)


def answers_with_finite_mono_floats_at_its_own_rate(candidate: Candidate) -> None:
    take = candidate.speak(candidate.request(candidate.any_language, SENTENCE[candidate.any_language]))
    assert take.samples.dtype == np.float32
    assert take.samples.ndim == 1
    assert np.isfinite(take.samples).all()
    assert 0.01 < float(np.abs(take.samples).max()) <= 1.0
    assert 16_000 <= take.sampling_rate <= 48_000


def signs_its_takes_with_the_engine_that_it_claims_to_be(candidate: Candidate) -> None:
    take = candidate.speak(candidate.request(candidate.any_language, SYLLABLE[candidate.any_language]))
    assert take.engine == candidate.synthesizer.capabilities.engine
    assert set(take.unapplied) <= {"emotion", "style", "seed", "speed", "tags"}


def refuses_a_text_without_a_word(candidate: Candidate) -> None:
    for text in NOTHING:
        with pytest.raises(RecordError) as caught:
            candidate.speak(candidate.request(candidate.any_language, text))
        assert caught.value.reason is Reason.UNSPEAKABLE_TEXT, text


def says_one_syllable(candidate: Candidate) -> None:
    for language in candidate.voices:
        take = candidate.speak(candidate.request(language, SYLLABLE[language], kind=Kind.BACKCHANNEL))
        assert 0.04 < len(take.samples) / take.sampling_rate < 3.0


def says_five_hundred_characters_or_claims_less(candidate: Candidate) -> None:
    for language in candidate.voices:
        request = candidate.request(language, LONG[language])
        assert len(request.text) == 500
        if candidate.synthesizer.capabilities.longest_text < 500:
            with pytest.raises(RecordError):
                candidate.speak(request)
            continue
        take = candidate.speak(request)
        least_s = 0.04 * len(words_of(request.text))
        assert least_s < len(take.samples) / take.sampling_rate < 300


def keeps_its_word_about_seeds(candidate: Candidate) -> None:
    request = candidate.request(candidate.any_language, SENTENCE[candidate.any_language])
    first = candidate.speak(request)
    candidate.speak(candidate.request(candidate.any_language, SYLLABLE[candidate.any_language], seed=9))
    again = candidate.speak(request)
    promise = candidate.synthesizer.capabilities.seed
    if promise == "exact":
        np.testing.assert_array_equal(first.samples, again.samples)
        assert first.words == again.words
    assert ("seed" in first.unapplied) == (promise == "none")


def tells_which_emotion_it_did_not_make(candidate: Candidate) -> None:
    able = candidate.synthesizer.capabilities.emotions
    assert Emotion.NEUTRAL in able
    for emotion in (Emotion.NEUTRAL, *sorted(set(Emotion) - able)[:2]):
        request = candidate.request(candidate.any_language, SENTENCE[candidate.any_language], emotion=emotion)
        assert ("emotion" in candidate.speak(request).unapplied) == (emotion is not Emotion.NEUTRAL)


def is_faster_where_speed_is_asked_for_or_says_that_it_is_not(candidate: Candidate) -> None:
    text = SENTENCE[candidate.any_language]
    slow, fast = (
        candidate.speak(candidate.request(candidate.any_language, text, speed=speed)) for speed in (0.8, 1.25)
    )
    assert len(fast.samples) < len(slow.samples) or "speed" in fast.unapplied


def gives_ordered_times_for_the_words_of_the_text_or_none(candidate: Candidate) -> None:
    for language in candidate.voices:
        take = candidate.speak(candidate.request(language, SENTENCE[language]))
        if take.words or candidate.synthesizer.capabilities.word_times:
            assert tuple(word.text for word in take.words) == words_of(SENTENCE[language])
            assert ordered_inside(take.words, Span(0, len(take.samples)))


def refuses_a_voice_of_another_backend_for_good(candidate: Candidate) -> None:
    voice = candidate.voices[candidate.any_language]
    stranger = voice.model_copy(update={"backend": "somebody_else"})
    with pytest.raises(TerminalBackendError, match="remedy"):
        candidate.speak(candidate.request(candidate.any_language, "Oh.", voice=stranger))


def never_speaks_with_a_voice_that_it_does_not_have(candidate: Candidate) -> None:
    voice = candidate.voices[candidate.any_language]
    if voice.reference is not None:
        pytest.skip("speaks with recordings that it is given: no voice is unknown to it")
    nobody = voice.model_copy(update={"backend_voice": "nobody-of-this-name"})
    with pytest.raises((TerminalBackendError, BadTakeError)):
        candidate.speak(
            candidate.request(candidate.any_language, SENTENCE[candidate.any_language], voice=nobody)
        )


def answers_sixty_four_requests_at_once(candidate: Candidate) -> None:
    language = candidate.any_language
    requests = [candidate.request(language, SYLLABLE[language], seed=seed) for seed in range(64)]

    async def all_of_them() -> list[Take]:
        return await asyncio.gather(*map(candidate.synthesizer.synthesize, requests))

    takes = asyncio.run(all_of_them())
    assert len(takes) == 64
    assert all(len(take.samples) for take in takes)


def serves_several_event_loops_at_once(candidate: Candidate) -> None:
    language = candidate.any_language
    takes: list[Take] = []

    def shard(seed: int) -> None:
        takes.append(candidate.speak(candidate.request(language, SYLLABLE[language], seed=seed)))

    threads = [threading.Thread(target=shard, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(takes) == 4


def leaves_nothing_under_way_when_nobody_waits_any_more(candidate: Candidate) -> None:
    language = candidate.any_language

    async def give_up() -> None:
        tasks = [
            asyncio.ensure_future(
                candidate.synthesizer.synthesize(candidate.request(language, SENTENCE[language], seed=seed))
            )
            for seed in range(100, 108)
        ]
        await asyncio.sleep(0.002)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(give_up())
    end_s = time.monotonic() + 10
    while candidate.under_way() and time.monotonic() < end_s:
        time.sleep(0.01)
    assert candidate.under_way() == 0
    assert len(candidate.speak(candidate.request(language, SYLLABLE[language])).samples)


CLAIMS: tuple[Callable[[Candidate], None], ...] = (
    speaks_every_language_that_it_claims,
    answers_with_finite_mono_floats_at_its_own_rate,
    signs_its_takes_with_the_engine_that_it_claims_to_be,
    refuses_a_text_without_a_word,
    says_one_syllable,
    says_five_hundred_characters_or_claims_less,
    keeps_its_word_about_seeds,
    tells_which_emotion_it_did_not_make,
    is_faster_where_speed_is_asked_for_or_says_that_it_is_not,
    gives_ordered_times_for_the_words_of_the_text_or_none,
    refuses_a_voice_of_another_backend_for_good,
    never_speaks_with_a_voice_that_it_does_not_have,
    answers_sixty_four_requests_at_once,
    serves_several_event_loops_at_once,
    leaves_nothing_under_way_when_nobody_waits_any_more,
)
