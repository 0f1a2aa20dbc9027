"""One utterance becomes a clip: takes, the gate, retakes, the next engine, word times.

    engine 1   take --gate--> flaw     other seed     take --gate--> flaw
    engine 2                                             take --gate--> good --word times--> clip
    nobody                                               RecordError: the dialogue is refused

What every take was refused for stays with the clip, or in the reason why there is none.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace

from pipeline.core.content import ContentLimits, check_content, is_judged
from pipeline.core.seeding import derive_seed
from pipeline.core.speakable.clauses import split_clauses
from pipeline.core.takes import USUAL_LIMITS, GateLimits, Trimmed, examine, join_takes
from pipeline.core.voice_similarity import Embedding, VoiceLimits, check_voice
from pipeline.domain.emotional import Tag
from pipeline.domain.errors import BadTakeError, RecordError
from pipeline.domain.quarantine import Reason
from pipeline.domain.takes import Flaw, Kind, Making, RefusedTake, Take
from pipeline.domain.voice import Clip, ClipRef, Reference, SpeechRequest, Voice
from pipeline.ports import Aligner, SpeechSynthesizer, Transcriber, VoiceEncoder
from pipeline.stages.word_times import align_words


@dataclass(frozen=True, slots=True)
class Listener:
    """Hears whether a take says its text."""

    transcriber: Transcriber
    limits: ContentLimits

    def fingerprint(self) -> str:
        """Of what it lets pass."""
        return f"{self.transcriber.name}/{self.limits.fingerprint()}"


@dataclass(frozen=True, slots=True)
class Comparer:
    """Hears whether a take sounds like its voice."""

    encoder: VoiceEncoder
    limits: VoiceLimits
    voice_in: Callable[[Reference], Embedding | None]
    """A reference as the encoder hears it; None where too little is said in it."""

    def fingerprint(self) -> str:
        """Of what it lets pass."""
        return f"{self.encoder.name}/{self.limits.fingerprint()}"


@dataclass(frozen=True, slots=True)
class Ladder:
    """Engines in the order in which they are asked, how often each is, and what a take has to be like."""

    rungs: tuple[SpeechSynthesizer, ...]
    voices: tuple[Voice, ...]
    """Of all of them: the same speaker may have a voice of each."""
    bank: str | None = None
    """The backend that is asked first for backchannels."""
    bank_only: bool = False
    """It is asked for nothing else."""
    retakes: int = 2
    limits: GateLimits = USUAL_LIMITS
    aligners: tuple[Aligner, ...] = ()
    listener: Listener | None = None
    comparer: Comparer | None = None

    @property
    def tags(self) -> frozenset[Tag]:
        """Sounds beside words that one of them at least can make."""
        return frozenset[Tag]().union(*(rung.capabilities.tags for rung in self.rungs))

    def fingerprint(self) -> str:
        """Of everything that changes the clip of an equal request."""
        parts = [rung.capabilities.engine for rung in self.rungs]
        parts += [f"{self.bank} only" if self.bank_only else str(self.bank)]
        parts += [str(self.retakes), self.limits.fingerprint()]
        parts += [aligner.name for aligner in self.aligners]
        parts += [judge.fingerprint() for judge in (self.listener, self.comparer) if judge is not None]
        return "/".join(parts)

    def clip_digest(self, request: SpeechRequest, sampling_rate: int) -> str:
        """Address of a clip: what was asked, in which voices, of whom, at which rate.

        Of a voice, what engines get to hear of it: a catalogue's remarks can change, and its clips stay.
        """
        tags = tuple(place for place in request.tags if place.tag in self.tags)
        asked = request.model_copy(update={"tags": tags}).model_dump(mode="json", exclude={"voice"})
        voices = [
            (voice.backend, voice.backend_voice, _heard_of(voice, request))
            for _, voice in self.rungs_for(request)
        ]
        parts = [asked, voices, self.fingerprint(), sampling_rate]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def rungs_for(self, request: SpeechRequest) -> Iterator[tuple[SpeechSynthesizer, Voice]]:
        """Engines that have a voice of this speaker, in order: nobody's voice changes in mid-dialogue."""
        is_backchannel = request.kind is Kind.BACKCHANNEL
        first = self.bank if is_backchannel else None
        for rung in sorted(self.rungs, key=lambda rung: rung.backend != first):
            if self.bank_only and rung.backend == self.bank and not is_backchannel:
                continue
            voice = self._voice_of(request.voice, rung.backend)
            if voice is not None and request.language in rung.capabilities.languages:
                yield rung, voice

    def _voice_of(self, voice: Voice, backend: str) -> Voice | None:
        if voice.backend == backend:
            return voice
        return next(
            (
                other
                for other in self.voices
                if (other.backend, other.speaker, other.language) == (backend, voice.speaker, voice.language)
            ),
            None,
        )


class NobodySaysItError(RecordError):
    """No engine of a ladder made a good take of a text. Carries those that it made."""

    def __init__(self, reason: Reason, detail: str, refused: tuple[RefusedTake, ...]) -> None:
        super().__init__(reason, detail)
        self.refused = refused


class Speaking:
    """Speaks requests on a ladder. Belongs to the event loop in which it is used."""

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        self._places = {
            rung.backend: asyncio.Semaphore(rung.capabilities.max_in_flight) for rung in ladder.rungs
        }
        self._under_way: dict[str, asyncio.Future[ClipRef]] = {}

    async def once(self, digest: str, make: Callable[[], Awaitable[ClipRef]]) -> ClipRef:
        """What `make` makes for an address; several dialogues that want it at the same time wait for one."""
        if digest not in self._under_way:
            self._under_way[digest] = asyncio.ensure_future(make())
        return await asyncio.shield(self._under_way[digest])

    async def speak(self, request: SpeechRequest) -> Clip:
        """The clip. Raises RecordError where no engine says it well; backend errors that no other take mends."""
        refused: list[RefusedTake] = []
        reason = Reason.NO_VOICE
        for rung, voice in self._ladder.rungs_for(request):
            for number in range(1 + self._ladder.retakes):
                asked = _asked(request, rung, voice, number)
                try:
                    return await self._take(rung, asked, tuple(refused))
                except BadTakeError as error:
                    flaw, detail, reason = error.flaw, error.detail, Reason.BAD_AUDIO
                except RecordError as error:
                    flaw, detail, reason = Flaw.REFUSED, error.detail, error.reason
                refused.append(
                    RefusedTake(engine=rung.capabilities.engine, seed=asked.seed, flaw=flaw, detail=detail)
                )
                if flaw is Flaw.REFUSED:
                    break
        raise NobodySaysItError(reason, _explain(request, refused), tuple(refused))

    async def _take(
        self, rung: SpeechSynthesizer, request: SpeechRequest, refused: tuple[RefusedTake, ...]
    ) -> Clip:
        good = examine(await self._synthesize(rung, request), request.text, request.kind, self._ladder.limits)
        if rung.capabilities.word_times and not good.take.words:
            raise BadTakeError(Flaw.NO_WORDS, f"{good.take.engine} gives word times, and gave none")
        judged = await self._listen(good, request)
        return await self._finish(good, request, judged.model_copy(update={"refused": refused}))

    async def _synthesize(self, rung: SpeechSynthesizer, request: SpeechRequest) -> Take:
        """One take, of a text that is too long for one request from takes of its clauses."""
        longest = rung.capabilities.longest_text
        if len(request.text) <= longest:
            async with self._places[rung.backend]:
                return await rung.synthesize(request)
        parts = []
        for text in split_clauses(request.text, request.language, max_chars=longest):
            # Sounds beside words have their places in the whole.
            part = request.model_copy(update={"text": text, "tags": ()})
            async with self._places[rung.backend]:
                parts.append((text, await rung.synthesize(part)))
        take = join_takes(parts, request.kind, self._ladder.limits)
        return replace(take, unapplied=(*take.unapplied, "tags")) if request.tags else take

    async def _listen(self, good: Trimmed, request: SpeechRequest) -> Making:
        """What was heard. Raises BadTakeError where somebody who listens hears another text, or another voice."""
        error_rate, unheard = await self._error_rate(good.take, request)
        return Making(
            lead_s=round(good.lead_s, 3),
            tail_s=round(good.tail_s, 3),
            error_rate=error_rate,
            similarity=await self._similarity(good.take, request),
            unapplied=good.take.unapplied,
            warnings=(*good.take.warnings, *good.warnings, *unheard),
        )

    async def _error_rate(self, take: Take, request: SpeechRequest) -> tuple[float | None, tuple[str, ...]]:
        """Where a recogniser that works fails at this one take: that it did."""
        listener = self._ladder.listener
        if listener is None or not is_judged(request.text, request.kind, listener.limits):
            return None, ()
        try:
            heard = await listener.transcriber.transcribe(take.samples, take.sampling_rate, request.language)
        except RecordError as error:
            return None, (f"not heard by {listener.transcriber.name}: {error.detail}",)
        return check_content(request.text, heard, request.language, listener.limits), ()

    async def _similarity(self, take: Take, request: SpeechRequest) -> float | None:
        comparer, reference = self._ladder.comparer, request.voice.reference_for(request.emotion, Kind.TURN)
        if comparer is None or reference is None or (wanted := comparer.voice_in(reference)) is None:
            return None
        heard = await asyncio.to_thread(comparer.encoder.embed, take.samples, take.sampling_rate)
        return check_voice(heard, wanted, comparer.limits)

    async def _finish(self, good: Trimmed, request: SpeechRequest, making: Making) -> Clip:
        take = good.take
        aligned = await align_words(take, request.text, request.language, self._ladder.aligners)
        found = {
            "aligner": aligned.aligner,
            "resolution_ms": aligned.resolution_ms,
            "warnings": (*making.warnings, *aligned.warnings),
        }
        return Clip(
            samples=take.samples,
            sampling_rate=take.sampling_rate,
            words=aligned.words,
            engine=take.engine,
            making=making.model_copy(update=found),
        )


def _heard_of(voice: Voice, request: SpeechRequest) -> list[str]:
    """Of the recording that stands for a voice in this request."""
    reference = voice.reference_for(request.emotion, request.kind)
    return [] if reference is None else [reference.sha256, reference.transcript]


def _asked(request: SpeechRequest, rung: SpeechSynthesizer, voice: Voice, number: int) -> SpeechRequest:
    """The request as this engine gets it, the n-th time."""
    return request.model_copy(
        update={
            "voice": voice,
            "tags": tuple(place for place in request.tags if place.tag in rung.capabilities.tags),
            "seed": derive_seed(request.seed, "retake", str(number)) if number else request.seed,
        }
    )


def _explain(request: SpeechRequest, refused: list[RefusedTake]) -> str:
    """What was tried, counted, for a person."""
    who = f"nobody could say {request.text!r} in the voice of {request.voice.speaker}"
    if not refused:
        return f"{who}: no engine of the ladder has a voice of this speaker in {request.language.value}"
    tried = []
    for engine in dict.fromkeys(take.engine for take in refused):
        flaws = Counter(take.flaw.value for take in refused if take.engine == engine)
        tried.append(f"{engine}: {', '.join(f'{flaw} {count}' for flaw, count in flaws.items())}")
    return f"{who}: {'; '.join(tried)}; last: {refused[-1].detail}"
