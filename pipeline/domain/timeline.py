"""Timelines: all supervisions and events of one dialogue on one clock."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.domain.emotional import EmotionalArc, Intensity, TagPlace
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Emotion, Gender, Language, Recipe, Speaker, Split, Style, Track
from pipeline.domain.licence import Licence
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene, check_scene
from pipeline.domain.script import Anchor, PromptUse
from pipeline.domain.span import Span
from pipeline.domain.words import Word, ordered_inside


class Provenance(Record):
    """Where a dialogue comes from."""

    seed_id: str
    author: tuple[PromptUse, ...]
    root_seed: int
    stages: tuple[str, ...]
    """`<stage>-<version>` of every stage that made it, in order."""


class Voicing(Record):
    """Who speaks: one entry per speaker of the dialogue."""

    speaker: Speaker
    voice_id: str
    person: str
    """The catalogue's speaker, for disjointness checks across splits."""
    gender: Gender | None
    """None where nobody noted it."""
    gain_db: float
    """One gain for all clips of this speaker in this dialogue, towards the loudness target."""


class Distance(Record):
    """How a speaker further from the microphone is rendered: level, air and a small room."""

    level_db: float = Field(le=0)
    """Added to the speaker's gain."""
    lowpass_hz: float = Field(gt=0)
    reverberation_s: float = Field(gt=0)
    """RT60 of the synthetic room."""
    direct_to_reverberant_db: float
    seed: int = Field(ge=0)


class Supervision(Record):
    """An utterance placed on a track: who, what, when."""

    supervision_id: str
    """The utterance's id."""
    turn: int = Field(ge=0)
    speaker: Speaker
    span: Span
    text: str = Field(min_length=1)
    """What is heard."""
    planned_text: str
    """What was meant; differs from `text` where the supervision is truncated."""
    words: tuple[Word, ...] = Field(min_length=1)
    """On the dialogue's clock."""
    emotion: Emotion | None
    """None in recorded talk: nobody planned it, nobody labelled it."""
    style: Style | None
    clip: str
    """Address of the clip in the store; the audio at `span` is its first `len(span)` samples."""
    clip_samples: int = Field(gt=0)
    engine: str
    fade_samples: int = Field(ge=0)
    """Length of the fade-out that ends at `span.end`; 0 where the clip is heard to its end."""
    distance: Distance | None
    """None: close to the microphone."""
    intensity: Intensity = Intensity.CLEAR
    tags: tuple[TagPlace, ...] = ()
    """Sounds beside the planned words. Those that the engine could not render are not in the audio."""

    @property
    def track(self) -> Track:
        """The track that it is heard on."""
        return Track.of(self.speaker)

    @property
    def truncated(self) -> bool:
        """Whether the speaker broke off before the clip's end."""
        return len(self.span) < self.clip_samples

    def model_post_init(self, _context: object, /) -> None:
        """Check it once, when it is made: an `after` validator would run again for the timeline that holds it."""
        truncated = self.truncated
        if not truncated and len(self.span) != self.clip_samples:
            raise ValueError(
                f"{self.supervision_id}: span of {len(self.span)} samples, clip of {self.clip_samples}"
            )
        if not ordered_inside(self.words, self.span):
            raise ValueError(f"{self.supervision_id}: words must be ordered and lie inside the span")
        if truncated and not self.fade_samples:
            raise ValueError(f"{self.supervision_id}: truncated without a fade")
        if not truncated and self.text != self.planned_text:
            raise ValueError(f"{self.supervision_id}: heard to its end, so text and planned_text must agree")
        for word in self.words[:-1]:
            if word.cut:
                raise ValueError(f"{self.supervision_id}: only the last word can be cut")


class Event(Record):
    """A planned interaction and where it was realised."""

    type: EventType
    supervision_id: str
    """The supervision that realises it."""
    initiator: Speaker
    host: str | None
    """The supervision it falls into; None where nobody holds the floor on this timeline."""
    effect: FloorEffect
    anchor: Anchor
    onset: int = Field(ge=0)
    """Sample at which it starts: the supervision's start; for a hesitation pause, the start of the silence."""
    anchor_at: int | None
    """Sample at which the anchor's condition was met."""
    yielded_at: int | None
    """Sample at which the host fell silent, where it loses the floor."""


class Unsaid(Record):
    """An utterance of the script that is not heard."""

    utterance_id: str
    turn: int
    speaker: Speaker
    text: str
    why: Literal["interrupted", "text_only"]
    """Its turn lost the floor before, or nobody was to render it."""


class Timeline(Record):
    """Every supervision and event of one dialogue, in samples on one clock.

    ::

        user       |== query ==|            |= interruption =|
        assistant                |== answer ==~|                |== reaction ==|
        samples    0                        ^onset ^yielded_at                  num_samples
    """

    dialogue_id: str
    language: Language
    recipe: Recipe
    scene: Scene | None
    """Of HumDial Track 2; None for the other recipes."""
    split: Split
    topic: str
    sampling_rate: int = Field(gt=0)
    num_samples: int = Field(gt=0)
    profile: str
    """The timing profile that placed it; `recorded` where nobody did."""
    dyad: dict[str, float] = Field(default_factory=dict)
    """The pair's own medians, by metric of the reference, s; empty where it knows no conversations."""
    supervisions: tuple[Supervision, ...] = Field(min_length=1)
    """By start, then id."""
    events: tuple[Event, ...]
    unsaid: tuple[Unsaid, ...]
    voicing: tuple[Voicing, ...]
    licence: Licence
    provenance: Provenance
    arc: EmotionalArc | None = None
    """What an emotional dialogue is about; None for the other recipes."""

    def model_post_init(self, _context: object, /) -> None:
        """Check it once, when it is made."""
        check_scene(self.recipe, self.scene)
        by_id = {s.supervision_id: s for s in self.supervisions}
        if len(by_id) != len(self.supervisions):
            raise ValueError(f"{self.dialogue_id}: supervision ids repeat")
        last_end: dict[Speaker, int] = {}
        previous = -1
        for supervision in self.supervisions:
            name = f"{self.dialogue_id}/{supervision.supervision_id}"
            if supervision.span.start < previous:
                raise ValueError(f"{name}: supervisions must be ordered by start")
            previous = supervision.span.start
            if supervision.span.end > self.num_samples:
                raise ValueError(
                    f"{name}: ends at {supervision.span.end}, after the audio's {self.num_samples}"
                )
            if supervision.span.start < last_end.get(supervision.speaker, 0):
                raise ValueError(f"{name}: {supervision.speaker.value} would overlap itself")
            last_end[supervision.speaker] = supervision.span.end
        if {v.speaker for v in self.voicing} != set(last_end):
            raise ValueError(f"{self.dialogue_id}: voicing must name exactly the speakers that are heard")
        for event in self.events:
            self._check_event(event, by_id)

    def _check_event(self, event: Event, by_id: dict[str, Supervision]) -> None:
        name = f"{self.dialogue_id}: event {event.type.value}"
        if event.supervision_id not in by_id:
            raise ValueError(f"{name} names unknown supervision {event.supervision_id!r}")
        if event.host is None:
            return
        if event.host not in by_id:
            raise ValueError(f"{name} names unknown host {event.host!r}")
        host = by_id[event.host]
        if event.type.is_interruption and event.onset not in host.span:
            raise ValueError(f"{name} at {event.onset} lies outside the supervision it interrupts")
        if event.type.is_backchannel:
            turn = [s.span for s in by_id.values() if s.turn == host.turn]
            if not min(s.start for s in turn) <= event.onset <= max(s.end for s in turn):
                raise ValueError(f"{name} at {event.onset} lies outside its host's turn")
        if event.effect.takes_floor and event.yielded_at != host.span.end:
            raise ValueError(f"{name}: its host ends at {host.span.end}, yielded_at says {event.yielded_at}")

    def supervision(self, supervision_id: str) -> Supervision:
        """Look one up by id; raises KeyError."""
        for supervision in self.supervisions:
            if supervision.supervision_id == supervision_id:
                return supervision
        raise KeyError(supervision_id)

    def turns(self) -> tuple[tuple[Supervision, ...], ...]:
        """Supervisions grouped by turn, turns by onset."""
        groups: dict[int, list[Supervision]] = {}
        for supervision in self.supervisions:
            groups.setdefault(supervision.turn, []).append(supervision)
        return tuple(tuple(group) for group in groups.values())


class AudioFile(Record):
    """A two-channel file: channel 0 user, channel 1 assistant."""

    path: str
    """Relative to the run directory."""
    digest: str = Field(pattern=r"^xxh3:[0-9a-f]{32}$")
    """Of the file's bytes: `xxh3:` and XXH3's 128 bits. For integrity: it proves nothing about who wrote it."""
    num_bytes: int = Field(gt=0)
    num_samples: int = Field(gt=0)
    sampling_rate: int = Field(gt=0)


class Dialogue(Record):
    """The final record: a timeline and the audio that realises it."""

    timeline: Timeline
    audio: AudioFile

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        wanted = (self.timeline.num_samples, self.timeline.sampling_rate)
        if (self.audio.num_samples, self.audio.sampling_rate) != wanted:
            raise ValueError(
                f"{self.timeline.dialogue_id}: audio is not the timeline's length or rate {wanted}"
            )
        return self
