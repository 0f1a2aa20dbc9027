"""Closed sets of labels: language, who speaks, on which track, how."""

from enum import StrEnum


class Language(StrEnum):
    """Languages that scripts are written and spoken in (ISO 639-1)."""

    ZH = "zh"
    EN = "en"


class Recipe(StrEnum):
    """What is made of a seed dialogue."""

    FULL_DUPLEX = "full_duplex"
    """HumDial Track 2: a query, a response and one event, by scene."""
    CONVERSATION = "conversation"
    """A long dialogue with many events, planned from rates."""
    EMOTIONAL = "emotional"
    """HumDial Track 1: a user whose feelings change, and a question about them."""
    MINED = "mined"
    """Nothing is made: real talk, as the filter found it, in the user's and the assistant's places by channel."""


class Speaker(StrEnum):
    """Who speaks. The third party is anybody else in the user's room."""

    USER = "user"
    ASSISTANT = "assistant"
    THIRD_PARTY = "third_party"


class Track(StrEnum):
    """Where it is heard. The user track is the user's microphone: third parties are heard there too."""

    USER = "user"
    ASSISTANT = "assistant"

    @property
    def channel(self) -> int:
        """Index of this track in a two-channel file: 0 user, 1 assistant."""
        return 0 if self is Track.USER else 1

    @classmethod
    def of(cls, speaker: Speaker) -> "Track":
        """The track that a speaker is heard on."""
        return cls.ASSISTANT if speaker is Speaker.ASSISTANT else cls.USER


class Gender(StrEnum):
    """Gender of a voice, as its catalogue entry states it."""

    FEMALE = "female"
    MALE = "male"


class Emotion(StrEnum):
    """The seven labels of HumDial Track 1, lower case, part of speech as listed there."""

    HAPPY = "happy"
    SAD = "sad"
    ANGER = "anger"
    FEAR = "fear"
    NEUTRAL = "neutral"
    SURPRISE = "surprise"
    DISGUST = "disgust"


class Style(StrEnum):
    """Manner of speaking beside emotion."""

    PLAIN = "plain"
    CALM = "calm"
    EXCITED = "excited"
    SERIOUS = "serious"


class Split(StrEnum):
    """Parts of a dataset. No voice, seed dialogue or real speaker is in two of them."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"
