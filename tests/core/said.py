"""Dialogues written as who says what from when to when: cases small enough to work out by hand."""

from pipeline.domain.events import EventType
from pipeline.domain.labels import Emotion, Gender, Language, Recipe, Speaker, Split, Style
from pipeline.domain.licence import Licence
from pipeline.domain.scene import Scene
from pipeline.domain.span import Span
from pipeline.domain.timeline import AudioFile, Dialogue, Provenance, Supervision, Timeline, Voicing
from pipeline.domain.words import TimeSource, Word
from tests.placed import event_of

RATE = 1000
USER, ASSISTANT, THIRD = Speaker.USER, Speaker.ASSISTANT, Speaker.THIRD_PARTY

Said = tuple[Speaker, int, tuple[tuple[int, int], ...]]
"""Who, in which turn, and the words from when to when, in milliseconds (= samples here)."""

QUERY: Said = (USER, 0, ((0, 400), (450, 1000)))
ANSWER: Said = (ASSISTANT, 1, ((1300, 1700), (1750, 3000)))
BACKCHANNEL: Said = (USER, 2, ((2000, 2200),))


def supervision(index: int, said: Said) -> Supervision:
    speaker, turn, words = said
    span = Span(start=words[0][0], end=words[-1][1])
    text = " ".join(["word"] * len(words))
    return Supervision(
        supervision_id=f"u{index}",
        turn=turn,
        speaker=speaker,
        span=span,
        text=text,
        planned_text=text,
        words=tuple(Word(text="word", span=Span(start=a, end=b), source=TimeSource.ENGINE) for a, b in words),
        emotion=Emotion.NEUTRAL,
        style=Style.PLAIN,
        clip="0" * 64,
        clip_samples=len(span),
        engine="test-1",
        fade_samples=0,
        distance=None,
    )


def timeline(
    *said: Said,
    events: tuple[tuple[EventType, int], ...] = (),
    dialogue_id: str = "d",
    scene: Scene = Scene.FOLLOW_UP_QUESTION,
    language: Language = Language.EN,
    split: Split = Split.TRAIN,
    voice: str = "v",
    num_samples: int = 36_000,
) -> Timeline:
    supervisions = [supervision(index, one) for index, one in enumerate(said)]
    return Timeline(
        dialogue_id=dialogue_id,
        language=language,
        recipe=Recipe.FULL_DUPLEX,
        scene=scene,
        split=split,
        topic="tea",
        sampling_rate=RATE,
        num_samples=num_samples,
        profile="test",
        supervisions=tuple(sorted(supervisions, key=lambda s: (s.span.start, s.supervision_id))),
        events=tuple(event_of(kind, supervisions[index]) for kind, index in events),
        unsaid=(),
        voicing=tuple(
            Voicing(
                speaker=speaker, voice_id=f"{voice}-{speaker}", person=voice, gender=Gender.FEMALE, gain_db=0
            )
            for speaker in sorted({one[0] for one in said})
        ),
        licence=Licence(
            id="CC0-1.0", non_commercial=False, share_alike=False, redistributable=True, attribution=""
        ),
        provenance=Provenance(seed_id="demo/train/1", author=(), root_seed=0, stages=()),
    )


def realise(placed: Timeline) -> Dialogue:
    audio = AudioFile(
        path=f"audio/{placed.dialogue_id}.flac",
        digest=f"xxh3:{0:032x}",
        num_bytes=1,
        num_samples=placed.num_samples,
        sampling_rate=RATE,
    )
    return Dialogue(timeline=placed, audio=audio)
