"""espeak-ng behind the SpeechSynthesizer port: embedded, offline, bit-exact, with word times."""

import asyncio
import hashlib
import os
import queue
import unicodedata
import weakref
from concurrent.futures import ThreadPoolExecutor
from importlib.resources.abc import Traversable
from types import TracebackType
from typing import Self

from pipeline.backends.espeak import prosody as prosodies
from pipeline.backends.espeak import silence
from pipeline.backends.espeak.alignment import EngineEvent, align
from pipeline.backends.espeak.folder import find_installation
from pipeline.backends.espeak.process import EngineRequest, WorkerProcess
from pipeline.backends.espeak.spelling import ENGLISH, MANDARIN, spell
from pipeline.core.tokens import words_of
from pipeline.domain.errors import BadTakeError, ConfigError, RecordError, TerminalBackendError
from pipeline.domain.labels import Emotion, Language
from pipeline.domain.quarantine import Reason
from pipeline.domain.takes import Capabilities, Flaw, Take
from pipeline.domain.voice import SpeechRequest

BACKEND = "espeak"
PROCESSING = "1"
"""Raise it when code, not a table, changes what an equal request sounds like; a golden clip watches."""
SLOWEST_WPM, FASTEST_WPM = 80, 400
"""Beyond, the engine clamps, or changes its method."""
LONGEST_TEXT = 2000
"""Code points in one request; an utterance is a sentence or less."""


class EspeakSynthesizer:
    """A few engine processes, and what turns their output into takes.

    Equal requests give equal samples and word times, in any order and with any number of workers::

        with EspeakSynthesizer(workers=2) as synthesizer:
            take = asyncio.run(synthesizer.synthesize(request))

    The first process starts at once, so that a missing engine is noticed before work begins.
    `voices` holds further voice variants of the engine (None: the shipped ones).
    """

    def __init__(self, *, workers: int = 2, deadline_s: int = 20, voices: Traversable | None = None) -> None:
        if workers < 1 or deadline_s < 1:
            raise ConfigError(
                f"espeak: wanted workers >= 1 and deadline_s >= 1, got {workers} and {deadline_s}"
            )
        if not hasattr(os, "fork"):
            raise ConfigError(
                "espeak: this system has no fork; remedy: Linux, macOS, WSL, or another speech.backend"
            )
        installation = find_installation(voices)
        self._deadline_s = deadline_s
        self._workers = tuple(WorkerProcess(installation, deadline_s) for _ in range(workers))
        self._workers[0].start()
        self._engine = f"espeak-ng-{self._workers[0].version}+{_revision(installation.variants)}"
        self._idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="espeak")
        self._finalizer = weakref.finalize(self, _close, self._threads, self._workers)

    @property
    def backend(self) -> str:
        """The name under which voices of the catalogue belong to this synthesizer."""
        return BACKEND

    @property
    def capabilities(self) -> Capabilities:
        """Words in every mood and at every speed, bit-exact; no sounds beside them: a word read out for a sigh
        is no sigh. One request per process."""
        return Capabilities(
            engine=self._engine,
            languages=frozenset(Language),
            voices=None,
            clones=False,
            emotions=frozenset(Emotion),
            tags=frozenset(),
            seed="exact",
            word_times=True,
            longest_text=LONGEST_TEXT,
            max_in_flight=len(self._workers),
        )

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of the processes that run now, for `doctor` and fault injection."""
        return tuple(worker.pid for worker in self._workers if worker.pid is not None)

    async def synthesize(self, request: SpeechRequest) -> Take:
        """Speak one request on the next idle process."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._speak, request)

    def close(self) -> None:
        """End the processes. Also happens when the object is forgotten or the interpreter ends."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _speak(self, request: SpeechRequest) -> Take:
        _check(request)
        spelled = spell(request.text, request.language)
        engine_request = _engine_request(request, spelled.text, self._deadline_s)
        worker = self._idle.get()
        try:
            events, pcm = worker.speak(engine_request)
            sampling_rate = worker.sampling_rate
        finally:
            self._idle.put(worker)
        tidied = silence.tidy(pcm, sampling_rate)
        if tidied is None:
            raise RecordError(Reason.UNSPEAKABLE_TEXT, f"espeak: nothing audible comes of {request.text!r}")
        moved = [
            EngineEvent(event.kind, spelled.position(event.position), tidied.place(event.sample))
            for event in events
        ]
        try:
            words = align(request.text, moved, tidied.runs, sampling_rate)
        except ValueError as error:
            raise BadTakeError(
                Flaw.ENGINE_FAILED, f"espeak: {len(tidied.samples)} samples for {request.text!r}: {error}"
            ) from None
        return Take(samples=tidied.samples, sampling_rate=sampling_rate, words=words, engine=self._engine)


def _close(threads: ThreadPoolExecutor, workers: tuple[WorkerProcess, ...]) -> None:
    threads.shutdown(wait=True, cancel_futures=True)
    for worker in workers:
        worker.close()


def _check(request: SpeechRequest) -> None:
    voice = request.voice
    if voice.backend != BACKEND or voice.language is not request.language:
        raise TerminalBackendError(
            f"espeak: wanted an espeak voice for {request.language.value}, got {voice.voice_id!r} of "
            f"{voice.backend!r} for {voice.language.value}; remedy: choose another voice"
        )
    _check_text(request.text)


def _engine_request(request: SpeechRequest, spelled: str, deadline_s: int) -> EngineRequest:
    settings = prosodies.prosody(request.language, request.emotion, request.style, request.intensity)
    return EngineRequest(
        text=spelled,
        voice=request.voice.backend_voice,
        seed=request.seed,
        rate_wpm=min(max(round(settings.rate_wpm * request.speed), SLOWEST_WPM), FASTEST_WPM),
        pitch=settings.pitch,
        pitch_range=settings.pitch_range,
        volume=settings.volume,
        deadline_s=deadline_s,
    )


def _check_text(text: str) -> None:
    """Digits and symbols make the engine report repeated and backward positions, so none may come here."""
    if not words_of(text):
        raise RecordError(Reason.UNSPEAKABLE_TEXT, f"espeak: no word in {text!r}")
    if len(text) > LONGEST_TEXT:
        raise RecordError(
            Reason.UNSPEAKABLE_TEXT, f"espeak: wanted at most {LONGEST_TEXT} characters, got {len(text)}"
        )
    odd = sorted({char for char in text if not _speakable_character(char)})
    if odd:
        raise RecordError(
            Reason.UNSPEAKABLE_TEXT,
            f"espeak: wanted words and punctuation, got {''.join(odd)!r} in {text!r}; remedy: speakable() first",
        )


def _speakable_character(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LM" or category in ("Zs", "Pd", "Pi", "Pf") or char in "\n'\",.?!;:，。？！；：、…"


def _revision(variants: tuple[tuple[str, str], ...]) -> str:
    """Eight hex digits over everything of ours that shapes the sound."""
    tables = (
        PROCESSING,
        variants,
        sorted(prosodies.EMOTIONS.items()),
        sorted(prosodies.STYLES.items()),
        sorted(prosodies.INTENSITIES.items()),
        sorted(prosodies.NEUTRAL_RATE_WPM.items()),
        prosodies.NEUTRAL_VOLUME,
        ENGLISH,
        sorted(MANDARIN.items()),
        (silence.AUDIBLE_DB, silence.CLOSURE_S, silence.LONGEST_PAUSE_S, silence.LEAD_S, silence.TAIL_S),
    )
    return hashlib.sha256(repr(tables).encode()).hexdigest()[:8]
