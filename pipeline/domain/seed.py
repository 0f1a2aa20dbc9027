"""Seed dialogues: what is read from a text corpus."""

from typing import Literal

from pydantic import model_validator

from pipeline.domain.labels import Gender, Language
from pipeline.domain.licence import Licence
from pipeline.domain.record import Record


class SeedSpeaker(Record):
    """One party of a seed dialogue."""

    label: Literal["A", "B"]
    """A speaks first."""
    name: str | None
    """Native name or role, as the corpus has it."""
    gender: Gender | None
    is_system: bool
    """Whether the corpus says that this party is the system, agent or counsellor."""


class SeedTurn(Record):
    """What one party said until the other one spoke."""

    speaker: Literal["A", "B"]
    text: str
    """Cleaned by the corpus's own rules (apostrophes, spacing, markers)."""
    raw: tuple[str, ...]
    """Native utterances that this turn was made from; more than one where a same-speaker run was merged."""
    emotion: str | None
    """Native emotion label, where the corpus has one."""


class SeedDialogue(Record):
    """A two-party text dialogue: strict alternation, A first, no empty turn."""

    seed_id: str
    """`corpus/split/native id`."""
    corpus: str
    language: Language
    speakers: tuple[SeedSpeaker, SeedSpeaker]
    turns: tuple[SeedTurn, ...]
    topic: str | None
    licence: Licence

    @model_validator(mode="after")
    def _alternates(self) -> "SeedDialogue":
        if tuple(speaker.label for speaker in self.speakers) != ("A", "B"):
            raise ValueError("speakers must be A and B, in that order")
        if len(self.turns) < 2:
            raise ValueError(f"a dialogue has at least 2 turns, got {len(self.turns)}")
        for index, turn in enumerate(self.turns):
            if turn.speaker != "AB"[index % 2]:
                raise ValueError(f"turn {index} must be by {'AB'[index % 2]}: turns alternate, A first")
            if not turn.text.strip():
                raise ValueError(f"turn {index} is empty")
        return self
