"""Names of the published formats; imports nothing heavy, so that `--help` can list them."""

from enum import StrEnum

from pipeline.domain.labels import Recipe


class FormatName(StrEnum):
    """A published format, as `humdial export` and the key `export` of a configuration call it."""

    HUMDIAL_TRACK1 = "humdial-track1"
    HUMDIAL_TRACK2 = "humdial-track2"
    OSUM_ECHAT = "osum-echat"
    OPENS2S = "opens2s"
    EASY_TURN = "easy-turn"
    INTERACTSPEECH = "interactspeech"

    @property
    def section(self) -> str:
        """The format's own options in the configuration of the export.

        >>> FormatName.HUMDIAL_TRACK2.section
        'track2'
        """
        return self.value.removeprefix("humdial-").replace("-", "_")

    @property
    def recipe(self) -> Recipe:
        """The recipe whose dialogues it holds."""
        return _RECIPES[self]


_RECIPES = {
    FormatName.HUMDIAL_TRACK1: Recipe.EMOTIONAL,
    FormatName.HUMDIAL_TRACK2: Recipe.FULL_DUPLEX,
    FormatName.OSUM_ECHAT: Recipe.EMOTIONAL,
    FormatName.OPENS2S: Recipe.EMOTIONAL,
    FormatName.EASY_TURN: Recipe.FULL_DUPLEX,
    FormatName.INTERACTSPEECH: Recipe.CONVERSATION,
}
