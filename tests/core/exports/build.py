"""Small invented dialogues, one for each scene, with noise bursts for speech."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.exports.audio import render_wavs
from pipeline.core.exports.files import CopyFile, TextFile, WavFile
from pipeline.core.exports.humdial_track2 import Track2Options, export_track2
from pipeline.core.exports.manifest import ExportRow
from pipeline.domain.events import FloorEffect
from pipeline.domain.labels import Emotion, Gender, Language, Recipe, Speaker, Split, Style
from pipeline.domain.licence import Licence
from pipeline.domain.scene import Scene, scene_definition
from pipeline.domain.script import AfterWords, Follows
from pipeline.domain.span import Span, to_samples
from pipeline.domain.timeline import AudioFile, Dialogue, Event, Provenance, Supervision, Timeline, Voicing
from pipeline.domain.words import TimeSource, Word

RATE = 24_000
USER, ASSISTANT, THIRD = Speaker.USER, Speaker.ASSISTANT, Speaker.THIRD_PARTY

LICENCE = Licence(
    id="CC-BY-4.0",
    non_commercial=False,
    share_alike=False,
    redistributable=True,
    attribution="Invented dialogues by nobody",
)


@dataclass(frozen=True)
class Say:
    """One utterance: `start_s` and `end_s` on the dialogue's clock."""

    turn: int
    speaker: Speaker
    start_s: float
    end_s: float
    text: str
    zh: str
    cut: bool = False
    """Broken off by the event."""


_QUERY = Say(0, USER, 0.30004, 2.1, "Which trees grow fast?", "什么树长得快？")
_ANSWER = Say(1, ASSISTANT, 2.7, 4.2, "Poplars grow fast.", "杨树长得快。")
_HOST = Say(1, ASSISTANT, 4.5, 6.65004, "They like wet soil and", "它们喜欢潮湿", cut=True)
_EVENT = Say(2, USER, 6.2, 7.9, 'What is "wet"?', "什么叫“潮湿”？")
_REACTION = Say(3, ASSISTANT, 8.75008, 10.5, "Soil near a river.", "河边的土。")
_WHOLE_HOST = Say(1, ASSISTANT, 4.5, 7.1, "They like wet soil and sun.", "它们喜欢潮湿和阳光。")
_INTERRUPTION = (_QUERY, _ANSWER, _HOST, _EVENT, _REACTION)

PLANS: dict[Scene, tuple[Say, ...]] = {
    Scene.FOLLOW_UP_QUESTION: _INTERRUPTION,
    Scene.NEGATION_OR_DISSATISFACTION: _INTERRUPTION,
    Scene.REPETITION_REQUEST: _INTERRUPTION,
    Scene.TOPIC_SWITCHING: _INTERRUPTION,
    Scene.SILENCE_OR_TERMINATION: _INTERRUPTION,
    Scene.USER_BACKCHANNEL: (_QUERY, _ANSWER, _WHOLE_HOST, Say(2, USER, 5.4, 5.8, "Mm.", "嗯。")),
    Scene.PAUSE_HANDLING: (
        Say(0, USER, 0.3, 1.4, "Please remind me to", "请提醒我"),
        Say(0, USER, 2.6, 4.0, "water the tomatoes.", "浇番茄。"),
        Say(1, ASSISTANT, 4.64004, 6.0, "I will.", "好的。"),
    ),
    Scene.THIRD_PARTY_BEFORE: (
        Say(0, THIRD, 0.2, 1.9, "Dinner is ready.", "吃饭了。"),
        Say(1, USER, 2.6, 4.0, "Which trees grow fast?", "什么树长得快？"),
        Say(2, ASSISTANT, 4.71, 6.0, "Poplars grow fast.", "杨树长得快。"),
    ),
    Scene.THIRD_PARTY_AFTER: (
        _QUERY,
        _ANSWER,
        _WHOLE_HOST,
        Say(2, THIRD, 5.4, 6.9, "Dinner is ready.", "吃饭了。"),
    ),
    Scene.DIRECTED_AT_OTHERS: (
        _QUERY,
        Say(1, ASSISTANT, 2.7, 4.2, "Poplars grow fast.", "杨树长得快。"),
        Say(2, USER, 5.00004, 6.4, "And in shade?", "阴处呢？"),
        Say(3, ASSISTANT, 7.0, 10.0, "Beeches do well in shade.", "山毛榉耐阴。"),
        Say(4, USER, 8.2, 9.1, "Close the door.", "关门。"),
    ),
}


def supervision(index: int, say: Say, language: Language = Language.EN, rate: int = RATE) -> Supervision:
    """The words share the span evenly; a broken-off clip would have gone on for half a second."""
    span = Span(start=to_samples(say.start_s, rate), end=to_samples(say.end_s, rate))
    text = say.zh if language is Language.ZH else say.text
    tokens = [c for c in text if c.isalpha()] if language is Language.ZH else text.lower().strip(".?").split()
    edges = [span.start + len(span) * i // len(tokens) for i in range(len(tokens) + 1)]
    words = tuple(
        Word(
            text=token.strip('"'),
            span=Span(start=edges[i], end=edges[i + 1]),
            source=TimeSource.ENGINE,
            cut=say.cut and i == len(tokens) - 1,
        )
        for i, token in enumerate(tokens)
    )
    return Supervision(
        supervision_id=f"u{index:02d}",
        turn=say.turn,
        speaker=say.speaker,
        span=span,
        text=text,
        planned_text=f"{text} more of it" if say.cut else text,
        words=words,
        emotion=Emotion.NEUTRAL,
        style=Style.PLAIN,
        clip="0" * 64,
        clip_samples=len(span) + (rate // 2 if say.cut else 0),
        engine="noise-1",
        fade_samples=rate // 50 if say.cut else 0,
        distance=None,
    )


def _event(scene: Scene, supervisions: tuple[Supervision, ...]) -> Event:
    row = scene_definition(scene)
    names = {
        Scene.PAUSE_HANDLING: ("u01", "u00"),
        Scene.THIRD_PARTY_BEFORE: ("u00", None),
        Scene.DIRECTED_AT_OTHERS: ("u04", "u03"),
    }
    name, host = names.get(scene, ("u03", "u02"))
    by_id = {s.supervision_id: s for s in supervisions}
    pause = scene is Scene.PAUSE_HANDLING
    return Event(
        type=row.event,
        supervision_id=name,
        initiator=by_id[name].speaker,
        host=host,
        effect=row.effect,
        anchor=Follows() if host is None else AfterWords(host=host, words=1),
        onset=by_id["u00"].span.end if pause else by_id[name].span.start,
        anchor_at=None,
        yielded_at=by_id[host].span.end if host and row.effect is FloorEffect.YIELDS else None,
    )


def make_timeline(
    says: tuple[Say, ...],
    scene: Scene,
    *,
    language: Language = Language.EN,
    split: Split = Split.DEV,
    dialogue_id: str = "d-1",
    person: str = "ann",
    tail_s: float = 1.00004,
    rate: int = RATE,
    with_event: bool = True,
    licence: Licence = LICENCE,
) -> Timeline:
    numbered = [supervision(index, say, language, rate) for index, say in enumerate(says)]
    supervisions = tuple(sorted(numbered, key=lambda s: (s.span.start, s.supervision_id)))
    speakers = sorted({s.speaker for s in supervisions})
    return Timeline(
        dialogue_id=dialogue_id,
        language=language,
        recipe=Recipe.FULL_DUPLEX,
        scene=scene,
        split=split,
        topic="trees",
        sampling_rate=rate,
        num_samples=max(s.span.end for s in supervisions) + to_samples(tail_s, rate),
        profile="invented",
        supervisions=supervisions,
        events=(_event(scene, supervisions),) if with_event else (),
        unsaid=(),
        voicing=tuple(
            Voicing(
                speaker=speaker,
                voice_id=f"{speaker.value}-voice",
                person=person if speaker is USER else f"a-{speaker.value}",
                gender=Gender.FEMALE,
                gain_db=0.0,
            )
            for speaker in speakers
        ),
        licence=licence,
        provenance=Provenance(seed_id="invented/1", author=(), root_seed=7, stages=("timing-1",)),
    )


def scene_timeline(
    scene: Scene,
    *,
    language: Language = Language.EN,
    split: Split = Split.DEV,
    dialogue_id: str = "d-1",
    person: str = "ann",
    with_assistant: bool = True,
) -> Timeline:
    """The dialogue of `PLANS`; without the assistant it is the template form of the official dev files."""
    says = PLANS[scene]
    if not with_assistant:
        says = tuple(say for say in says if say.speaker is not ASSISTANT)
    return make_timeline(
        says,
        scene,
        language=language,
        split=split,
        dialogue_id=dialogue_id,
        person=person,
        with_event=with_assistant,
    )


def as_dialogue(timeline: Timeline) -> Dialogue:
    return Dialogue(
        timeline=timeline,
        audio=AudioFile(
            path=f"audio/{timeline.dialogue_id}.flac",
            digest=f"xxh3:{0:032x}",
            num_bytes=1,
            num_samples=timeline.num_samples,
            sampling_rate=timeline.sampling_rate,
        ),
    )


def noise(timeline: Timeline, floor: int = 0) -> npt.NDArray[np.int16]:
    """Audio `[num_samples, 2]`: a loud burst for each supervision; elsewhere noise of `floor`."""
    rng = np.random.default_rng(5)
    audio = rng.integers(-floor, floor + 1, (timeline.num_samples, 2)).astype(np.int16)
    for s in timeline.supervisions:
        burst = rng.integers(-9_000, 9_001, len(s.span)).astype(np.int16)
        audio[s.span.start : s.span.end, s.track.channel] = burst
    return audio


@dataclass(frozen=True)
class Written:
    """An export in memory, by path."""

    texts: dict[str, str]
    wavs: dict[str, npt.NDArray[np.int16]]
    copies: dict[str, str]
    row: ExportRow

    def folder(self) -> dict[str, str]:
        """The text files by name, as a script sees them in its folder."""
        return {path.rpartition("/")[2]: content for path, content in self.texts.items()}

    def wav(self, name: str) -> npt.NDArray[np.int16]:
        return next(samples for path, samples in self.wavs.items() if path.endswith(f"/{name}.wav"))

    def names(self) -> set[str]:
        return {path.removeprefix(f"{self.row.directory}/") for path in (*self.texts, *self.wavs)}


def export(timeline: Timeline, export_id: str = "0001_0001", options: Track2Options | None = None) -> Written:
    """Map, render and keep; what the stage does, without its rim."""
    made = export_track2(as_dialogue(timeline), export_id, options or Track2Options())
    audio = noise(timeline, floor=40)
    wavs = [file for file in made.files if isinstance(file, WavFile)]
    return Written(
        texts={file.path: file.content for file in made.files if isinstance(file, TextFile)},
        wavs={wav.path: samples for wav, samples in render_wavs(audio, timeline.sampling_rate, wavs)},
        copies={file.path: file.of for file in made.files if isinstance(file, CopyFile)},
        row=made.row,
    )
