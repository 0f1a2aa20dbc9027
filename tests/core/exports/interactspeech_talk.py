"""Talk placed by hand for InteractSpeech, and a reader of its folders by the documented rules."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.tokens import head, words_of
from pipeline.domain.labels import Emotion, Gender, Language, Recipe, Speaker, Split, Style
from pipeline.domain.span import Span
from pipeline.domain.timeline import Event, Provenance, Supervision, Timeline, Unsaid, Voicing
from pipeline.domain.words import TimeSource, Word
from tests.core.exports.build import LICENCE

USER, ASSISTANT, THIRD = Speaker.USER, Speaker.ASSISTANT, Speaker.THIRD_PARTY
RATE = 24_000
Track = npt.NDArray[np.float32] | npt.NDArray[np.int16]


@dataclass(frozen=True)
class ReadLine:
    """A line as a reader of the demos has it."""

    speaker: str
    interval: tuple[int, int]
    voiced: str
    unvoiced: str | None


def read_folder(information: str, speakera: Track, speakerb: Track) -> list[ReadLine]:
    """The documented rules, to the letter: intervals of both speakers, sorted by time, are the lines in order."""
    content = json.loads(information)
    assert list(content) == [
        "original_dialog_id",
        "dialog_index",
        "processed_dialogue",
        "speakerA_time",
        "speakerB_time",
    ]
    assert isinstance(content["original_dialog_id"], str)
    assert isinstance(content["dialog_index"], int)
    assert len(speakera) == len(speakerb)
    placed = []
    for speaker, track in (("A", speakera), ("B", speakerb)):
        silent = np.ones(len(track), dtype=bool)
        for start, end in content[f"speaker{speaker}_time"]:
            assert 0 <= start < end <= len(track)
            assert silent[start:end].all(), "one speaker overlaps itself"
            assert track[start:end].any(), "an interval in which nobody speaks"
            silent[start:end] = False
            placed.append(((start, end), speaker))
        assert not track[silent].any(), "sound outside the intervals"
    placed.sort()
    assert len({interval[0] for interval, _ in placed}) == len(placed)
    lines = content["processed_dialogue"].split("\n")
    assert len(lines) == len(placed)
    read = []
    for line, (interval, speaker) in zip(lines, placed, strict=True):
        assert line.startswith(f"{speaker}: ")
        voiced, mark, unvoiced = line[3:].partition(" [interrupt] ")
        assert voiced
        assert "[" not in voiced + unvoiced
        assert bool(unvoiced) == bool(mark)
        read.append(ReadLine(speaker, interval, voiced, unvoiced if mark else None))
    return read


def said(
    name: str,
    turn: int,
    speaker: Speaker,
    start_s: float,
    end_s: float,
    text: str,
    heard: int | None = None,
    fragment: str | None = None,
) -> Supervision:
    """A supervision; with `heard`, broken off after so many words and, maybe, a fragment of the next."""
    span = Span(start=round(start_s * RATE), end=round(end_s * RATE))
    words = list(words_of(text) if heard is None else words_of(text)[:heard])
    left = text if heard is None else head(text, heard).rstrip(",.?，。？ ")
    if fragment is not None:
        words.append(fragment)
        left = f"{left} {fragment}-"
    edges = [span.start + len(span) * i // len(words) for i in range(len(words) + 1)]
    return Supervision(
        supervision_id=name,
        turn=turn,
        speaker=speaker,
        span=span,
        text=left,
        planned_text=text,
        words=tuple(
            Word(
                text=word,
                span=Span(start=edges[i], end=edges[i + 1]),
                source=TimeSource.ENGINE,
                cut=fragment is not None and i == len(words) - 1,
            )
            for i, word in enumerate(words)
        ),
        emotion=Emotion.NEUTRAL,
        style=Style.PLAIN,
        clip="0" * 64,
        clip_samples=len(span) + (0 if heard is None else RATE // 2),
        engine="noise-1",
        fade_samples=0 if heard is None else RATE // 50,
        distance=None,
    )


def talk(
    supervisions: Sequence[Supervision],
    events: Sequence[Event] = (),
    unsaid: Sequence[tuple[int, Speaker, str]] = (),
    *,
    dialogue_id: str = "c-1",
    language: Language = Language.EN,
    split: Split = Split.TRAIN,
) -> Timeline:
    return Timeline(
        dialogue_id=dialogue_id,
        language=language,
        recipe=Recipe.CONVERSATION,
        scene=None,
        split=split,
        topic="the way",
        sampling_rate=RATE,
        num_samples=max(s.span.end for s in supervisions) + 12_001,
        profile="invented",
        supervisions=tuple(sorted(supervisions, key=lambda s: (s.span.start, s.supervision_id))),
        events=tuple(events),
        unsaid=tuple(
            Unsaid(utterance_id=f"x{i}", turn=turn, speaker=speaker, text=text, why="interrupted")
            for i, (turn, speaker, text) in enumerate(unsaid)
        ),
        voicing=tuple(
            Voicing(
                speaker=speaker,
                voice_id=f"{speaker.value}-voice",
                person=speaker.value,
                gender=Gender.MALE,
                gain_db=0.0,
            )
            for speaker in sorted({s.speaker for s in supervisions})
        ),
        licence=LICENCE,
        provenance=Provenance(
            seed_id=f"invented/{dialogue_id}", author=(), root_seed=7, stages=("timing-1",)
        ),
    )
