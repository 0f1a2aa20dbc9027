"""Takes, retakes, the next engine: nothing bad gets through, and everything that was tried is known."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from pipeline.core.content import ContentLimits
from pipeline.core.voice_similarity import VoiceLimits
from pipeline.domain.emotional import Tag, TagPlace
from pipeline.domain.errors import BadTakeError, PipelineError, RecordError, TerminalBackendError
from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.quarantine import Reason
from pipeline.domain.takes import Capabilities, Flaw, Kind, Take
from pipeline.domain.voice import Clip, EmotionalReference, Reference, SpeechRequest, Voice
from pipeline.domain.words import TimeSource
from pipeline.stages.speaking import Comparer, Ladder, Listener, NobodySaysItError, Speaking
from tests.stages.doubles import HumSynthesizer, voice_of

TEXT = "See you at nine."
HERE = voice_of("ada").model_copy(update={"backend": "first"})
THERE = HERE.model_copy(update={"backend": "second", "voice_id": "en-ada-2", "backend_voice": "ada2"})
OTHER = voice_of("bo").model_copy(update={"backend": "second"})

Fault = Callable[[Take], Take]


def raises(error: PipelineError) -> Fault:
    def fault(take: Take) -> Take:
        raise error

    return fault


def samples(change: Callable[[np.ndarray], np.ndarray]) -> Fault:
    return lambda take: replace(take, samples=change(take.samples), words=())


EMPTY = samples(lambda x: x[:0])
NAN = samples(lambda x: np.full_like(x, np.nan))
ENDLESS = samples(lambda x: np.concatenate([x, np.zeros(28 * 16_000, np.float32)]))
STUCK = raises(BadTakeError(Flaw.TIMED_OUT, "no answer in 20 s"))
WHOLE: Fault = lambda take: take  # noqa: E731 - named beside the others


@dataclass
class Engine:
    """Hums, with the faults that it is told, take by take; then without."""

    backend: str
    faults: list[Fault] = field(default_factory=list)
    tags: frozenset[Tag] = frozenset()
    word_times: bool = True
    asked: list[SpeechRequest] = field(default_factory=list)

    @property
    def capabilities(self) -> Capabilities:
        hum = HumSynthesizer(engine=f"{self.backend}-1", tags=self.tags).capabilities
        return hum.model_copy(update={"word_times": self.word_times})

    async def synthesize(self, request: SpeechRequest) -> Take:
        self.asked.append(request)
        take = await HumSynthesizer(engine=f"{self.backend}-1").synthesize(request)
        take = take if self.word_times else replace(take, words=())
        return self.faults.pop(0)(take) if self.faults else take


def request_of(kind: Kind = Kind.TURN, voice: Voice = HERE, tags: tuple[TagPlace, ...] = ()) -> SpeechRequest:
    return SpeechRequest(
        text=TEXT,
        language=Language.EN,
        voice=voice,
        emotion=Emotion.NEUTRAL,
        style=Style.PLAIN,
        seed=7,
        kind=kind,
        tags=tags,
    )


def speak(ladder: Ladder, request: SpeechRequest | None = None) -> Clip:
    return asyncio.run(Speaking(ladder).speak(request or request_of()))


@pytest.mark.parametrize(
    ("fault", "flaw"),
    [
        (EMPTY, Flaw.EMPTY),
        (NAN, Flaw.NOT_FINITE),
        (ENDLESS, Flaw.LONG_SILENCE),
        (STUCK, Flaw.TIMED_OUT),
        (raises(BadTakeError(Flaw.ENGINE_FAILED, "CUDA error")), Flaw.ENGINE_FAILED),
        (samples(lambda x: np.tile(x, 9)), Flaw.TOO_LONG),
        (samples(lambda x: x), Flaw.NO_WORDS),
    ],
)
def test_a_flawed_take_is_taken_again_with_another_seed(fault: Fault, flaw: Flaw) -> None:
    engine = Engine("first", [fault])
    clip = speak(Ladder((engine,), (HERE,)))
    assert [one.seed for one in engine.asked] == [7, engine.asked[1].seed]
    assert engine.asked[1].seed != 7
    assert [(one.flaw, one.seed, one.engine) for one in clip.making.refused] == [(flaw, 7, "first-1")]
    assert len(clip.words) == 4


def test_the_next_engine_speaks_with_the_same_speakers_voice() -> None:
    first, second = Engine("first", [NAN] * 3), Engine("second")
    clip = speak(Ladder((first, second), (HERE, OTHER, THERE), retakes=2))
    assert clip.engine == "second-1"
    assert [one.flaw for one in clip.making.refused] == [Flaw.NOT_FINITE] * 3
    assert [one.voice for one in second.asked] == [THERE]


def test_an_engine_without_a_voice_of_the_speaker_is_not_asked() -> None:
    first, second = Engine("first", [NAN] * 3), Engine("second")
    with pytest.raises(RecordError, match="not_finite") as caught:
        speak(Ladder((first, second), (HERE, OTHER), retakes=2))
    assert caught.value.reason is Reason.BAD_AUDIO
    assert second.asked == []


def test_what_an_engine_refuses_to_say_is_not_asked_of_it_again() -> None:
    first = Engine("first", [raises(RecordError(Reason.UNSPEAKABLE_TEXT, "too long"))])
    second = Engine("second")
    clip = speak(Ladder((first, second), (HERE, THERE)))
    assert (len(first.asked), clip.engine) == (1, "second-1")
    first = Engine("first", [raises(RecordError(Reason.UNSPEAKABLE_TEXT, "too long"))])
    with pytest.raises(RecordError) as caught:
        speak(Ladder((first,), (HERE,)))
    assert caught.value.reason is Reason.UNSPEAKABLE_TEXT


def test_a_speaker_whom_nobody_can_speak_is_named() -> None:
    with pytest.raises(RecordError, match="no engine of the ladder has a voice of this speaker") as caught:
        speak(Ladder((Engine("third"),), (HERE, THERE)))
    assert caught.value.reason is Reason.NO_VOICE


def test_an_engine_that_is_gone_stops_the_run_and_refuses_nobody() -> None:
    with pytest.raises(TerminalBackendError, match="gone"):
        speak(
            Ladder((Engine("first", [raises(TerminalBackendError("gone"))]), Engine("second")), (HERE, THERE))
        )


@pytest.mark.parametrize(
    ("kind", "engine"),
    [(Kind.BACKCHANNEL, "second-1"), (Kind.TURN, "first-1"), (Kind.INTERRUPTION, "first-1")],
)
def test_the_bank_has_an_engine_of_its_own(kind: Kind, engine: str) -> None:
    ladder = Ladder((Engine("first"), Engine("second")), (HERE, THERE), bank="second")
    assert speak(ladder, request_of(kind)).engine == engine


def test_each_engine_is_asked_for_the_sounds_that_it_can_make() -> None:
    places = (TagPlace(tag=Tag.LAUGHTER, words=0), TagPlace(tag=Tag.SIGH, words=2))
    first, second = Engine("first", [NAN] * 3, frozenset({Tag.SIGH})), Engine("second")
    speak(Ladder((first, second), (HERE, THERE)), request_of(tags=places))
    assert [tuple(p.tag for p in one.tags) for one in first.asked] == [(Tag.SIGH,)] * 3
    assert [one.tags for one in second.asked] == [()]


def test_words_of_an_engine_without_times_are_estimated() -> None:
    clip = speak(Ladder((Engine("first", word_times=False),), (HERE,)))
    assert [word.text for word in clip.words] == ["See", "you", "at", "nine"]
    assert {word.source for word in clip.words} == {TimeSource.ESTIMATE}


@dataclass
class Recogniser:
    heard: list[str]
    name: str = "recogniser-1"

    async def transcribe(self, samples: np.ndarray, sampling_rate: int, language: Language) -> str:
        if not self.heard:
            raise RecordError(Reason.BAD_AUDIO, "500 for this clip alone")
        return self.heard.pop(0)


def test_a_take_that_says_something_else_is_taken_again() -> None:
    listener = Listener(Recogniser(["you are a helpful assistant", "see you at 9"]), ContentLimits())
    clip = speak(Ladder((Engine("first"),), (HERE,), listener=listener))
    assert [one.flaw for one in clip.making.refused] == [Flaw.WRONG_WORDS]
    assert "helpful" in clip.making.refused[0].detail


def test_the_address_of_a_clip_tells_the_whole_ladder() -> None:
    plain = Ladder((Engine("first"),), (HERE,))
    others = (
        replace(plain, rungs=(Engine("first"), Engine("second"))),
        replace(plain, bank="second"),
        replace(plain, retakes=1),
        replace(plain, limits=plain.limits.model_copy(update={"silence_s": 1.0})),
        replace(plain, listener=Listener(Recogniser([]), ContentLimits())),
    )
    digests = {ladder.clip_digest(request_of(), 24_000) for ladder in (plain, *others)}
    assert len(digests) == 1 + len(others)
    assert plain.clip_digest(request_of(), 24_000) == plain.clip_digest(request_of(), 24_000)


def test_what_a_catalogue_remarks_of_a_voice_moves_no_clip() -> None:
    ladder = Ladder((Engine("first"),), (HERE,))
    reference = Reference(audio="ada.wav", sha256="0" * 64, transcript="Good morning.", duration_s=3.0)
    cloned = HERE.model_copy(update={"reference": reference, "consent": "form 1"})

    def digest(voice: Voice, emotion: Emotion = Emotion.NEUTRAL) -> str:
        request = request_of(voice=voice).model_copy(update={"emotion": emotion})
        return ladder.clip_digest(request, 24_000)

    sad = EmotionalReference(emotion=Emotion.SAD, reference=reference.model_copy(update={"sha256": "1" * 64}))
    moody = cloned.model_copy(update={"emotional_references": (sad,)})
    assert digest(cloned) == digest(cloned.model_copy(update={"consent": "form 2", "median_f0_hz": 99.0}))
    assert digest(cloned) == digest(moody)
    assert digest(cloned, Emotion.SAD) != digest(moody, Emotion.SAD)
    assert digest(cloned) != digest(HERE)


def test_a_recogniser_is_not_asked_about_what_it_would_not_be_judged_by() -> None:
    listener = Listener(Recogniser([]), ContentLimits())
    passed = speak(Ladder((Engine("first"),), (HERE,), listener=listener), request_of(Kind.BACKCHANNEL))
    assert passed.making.warnings == ()
    unheard = speak(Ladder((Engine("first"),), (HERE,), listener=listener))
    assert unheard.making.warnings == ("not heard by recogniser-1: 500 for this clip alone",)
    heard = Listener(Recogniser(["see you at ten"]), ContentLimits())
    assert speak(Ladder((Engine("first"),), (HERE,), listener=heard)).making.error_rate == 0.25


@dataclass
class Encoder:
    """Everything sounds alike, and `near` to any reference."""

    near: float
    name: str = "encoder-1"

    def embed(self, samples: np.ndarray, sampling_rate: int) -> np.ndarray:
        return np.array([self.near, np.sqrt(1 - self.near**2)], np.float32)


@pytest.mark.parametrize(("near", "wanted"), [(0.9, 0.9), (0.1, None)])
def test_a_take_in_another_voice_is_refused_and_how_near_a_good_one_is_stands_with_it(
    near: float, wanted: float | None
) -> None:
    reference = Reference(audio="ada.wav", sha256="0" * 64, transcript="Good morning.", duration_s=3.0)
    cloned = HERE.model_copy(update={"reference": reference, "consent": "form 1"})
    comparer = Comparer(Encoder(near), VoiceLimits(), lambda reference: np.array([1.0, 0.0], np.float32))
    ladder = Ladder((Engine("first"),), (cloned,), comparer=comparer)
    if wanted is None:
        with pytest.raises(NobodySaysItError) as caught:
            speak(ladder, request_of(voice=cloned))
        assert {take.flaw for take in caught.value.refused} == {Flaw.OTHER_VOICE}
    else:
        assert speak(ladder, request_of(voice=cloned)).making.similarity == pytest.approx(wanted)


class Short(Engine):
    """Takes ten characters at once."""

    @property
    def capabilities(self) -> Capabilities:
        return super().capabilities.model_copy(update={"longest_text": 10})


def test_each_clause_of_a_long_text_is_judged_by_itself() -> None:
    engine = Short("first")
    clip = speak(Ladder((engine,), (HERE,)))
    assert [one.text for one in engine.asked] == ["See you.", "at nine."]
    assert [word.text for word in clip.words] == ["See", "you", "at", "nine"]
    swallowed = Short("first", [WHOLE, samples(lambda x: 0 * x)])
    clip = speak(Ladder((swallowed,), (HERE,)))
    assert [take.flaw for take in clip.making.refused] == [Flaw.SILENT]
