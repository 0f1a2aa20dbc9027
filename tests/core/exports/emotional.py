"""Invented emotional dialogues placed by hand, with noise bursts for speech."""

import json
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.core.exports.audio import render_wavs
from pipeline.core.exports.files import WavFile
from pipeline.core.exports.humdial_track1 import (
    Track1Options,
    assign_track1_ids,
    close_track1,
    export_track1,
)
from pipeline.core.tokens import words_of
from pipeline.domain.emotional import EmotionalArc, EmotionalTask, Feeling, Intensity, TagPlace, Topic
from pipeline.domain.labels import Emotion, Gender, Language, Recipe, Speaker, Split, Style
from pipeline.domain.span import Span, to_samples
from pipeline.domain.timeline import Provenance, Supervision, Timeline, Unsaid, Voicing
from pipeline.domain.words import TimeSource, Word
from tests.core.exports.build import LICENCE, RATE, as_dialogue, noise
from tests.emotional import FELT, TAGS

ANGER, SURPRISE, NEUTRAL, SAD = Emotion.ANGER, Emotion.SURPRISE, Emotion.NEUTRAL, Emotion.SAD
PAUSE_S, GAP_S = 0.2004, 0.6007
Files = dict[str, bytes]


def spoken(
    name: str, turn: int, speaker: Speaker, text: str, start: int, length: int, emotion: Emotion
) -> Supervision:
    span = Span(start=start, end=start + length)
    words = words_of(text)
    edges = [start + length * i // len(words) for i in range(len(words) + 1)]
    tag = TAGS.get(emotion) if speaker is Speaker.USER else None
    return Supervision(
        supervision_id=name,
        turn=turn,
        speaker=speaker,
        span=span,
        text=text,
        planned_text=text,
        words=tuple(
            Word(text=word, span=Span(start=edges[i], end=edges[i + 1]), source=TimeSource.ENGINE)
            for i, word in enumerate(words)
        ),
        emotion=emotion,
        style=Style.PLAIN,
        clip="0" * 64,
        clip_samples=length,
        engine="noise-1",
        fade_samples=0,
        distance=None,
        tags=(TagPlace(tag=tag, words=1),) if tag is not None else (),
    )


def emotional_timeline(
    emotions: Sequence[Emotion] = (ANGER, SURPRISE, NEUTRAL),
    task: EmotionalTask = EmotionalTask.TRAJECTORY,
    *,
    language: Language = Language.EN,
    split: Split = Split.TRAIN,
    dialogue_id: str = "e-1",
    person: str = "ann",
    aloud: bool = False,
    responses: bool = True,
    sentence_s: float = 0.9001,
    texts: Sequence[tuple[str, ...]] | None = None,
) -> Timeline:
    """A user turn per feeling, of the sentences that `tests.emotional` has for it, and a response to each.

    ::

        user       |= sentence =| |= sentence =|                   |= sentence =| ...
        assistant                                  |= response =|
    """
    length, at = to_samples(sentence_s, RATE), to_samples(0.3, RATE)
    supervisions: list[Supervision] = []
    unsaid: list[Unsaid] = []
    for index, emotion in enumerate(emotions):
        sentences, _, response = FELT[language][emotion]
        for sentence in texts[index] if texts else sentences:
            name = f"u{len(supervisions):02d}"
            supervisions.append(spoken(name, 2 * index, Speaker.USER, sentence, at, length, emotion))
            at += length + to_samples(PAUSE_S, RATE)
        at += to_samples(GAP_S, RATE)
        if responses and aloud:
            name = f"u{len(supervisions):02d}"
            supervisions.append(spoken(name, 2 * index + 1, Speaker.ASSISTANT, response, at, length, NEUTRAL))
            at += length + to_samples(GAP_S, RATE)
        elif responses:
            unsaid.append(
                Unsaid(
                    utterance_id=f"r{index}",
                    turn=2 * index + 1,
                    speaker=Speaker.ASSISTANT,
                    text=response,
                    why="text_only",
                )
            )
    speakers = sorted({s.speaker for s in supervisions})
    return Timeline(
        dialogue_id=dialogue_id,
        language=language,
        recipe=Recipe.EMOTIONAL,
        scene=None,
        split=split,
        topic="a deposit",
        sampling_rate=RATE,
        num_samples=at + to_samples(0.5, RATE),
        profile="invented",
        supervisions=tuple(supervisions),
        events=(),
        unsaid=tuple(unsaid),
        voicing=tuple(
            Voicing(
                speaker=speaker,
                voice_id=f"{speaker.value}-{person}",
                person=person if speaker is Speaker.USER else f"assistant-{split.value}",
                gender=Gender.FEMALE,
                gain_db=0.0,
            )
            for speaker in speakers
        ),
        licence=LICENCE,
        provenance=Provenance(
            seed_id=f"invented/{dialogue_id}", author=(), root_seed=7, stages=("timing-1",)
        ),
        arc=EmotionalArc(
            task=task,
            topic=Topic.HOME,
            persona="a tenant",
            feelings=tuple(
                Feeling(
                    emotion=emotion,
                    intensity=Intensity.CLEAR,
                    cause=FELT[language][emotion][1] or None,
                )
                for emotion in emotions
            ),
        ),
    )


def lines_of(files: Files, path: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in files[path].decode().splitlines()]


def pcm(samples: npt.NDArray[np.int16]) -> bytes:
    return samples.astype("<i2").tobytes()


def export(run: Iterable[Timeline], options: Track1Options | None = None) -> Files:
    """Map, render and close a run; wav files as bare samples. What the stage does, without its rim."""
    options, run = options or Track1Options(), list(run)
    ids = assign_track1_ids(run, options)
    files: Files = {}
    rows = []
    for timeline in run:
        made = export_track1(as_dialogue(timeline), ids[timeline.dialogue_id], options)
        rows.append(made.row)
        wavs = [file for file in made.files if isinstance(file, WavFile)]
        assert len(wavs) == len(made.files)
        for wav, samples in render_wavs(noise(timeline, floor=40), RATE, wavs):
            assert wav.path not in files
            files[wav.path] = pcm(samples)
    for file in close_track1(tuple(rows)):
        files[file.path] = file.content.encode()
    return files
