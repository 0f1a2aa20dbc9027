"""What only shows across an export's dialogues: things that should be there once, or in one split only."""

import hashlib
from collections.abc import Iterable, Iterator

from pipeline.core.checks.export_findings import ExportCode, ExportFinding, ExportLimits
from pipeline.core.duplicates import NearDuplicates
from pipeline.core.tokens import words_of
from pipeline.domain.labels import Split


class Seen:
    """Dialogues and audio so far: every method says what is there for the second time."""

    def __init__(self, limits: ExportLimits) -> None:
        self._limits = limits
        self._texts = NearDuplicates(limits.text_similarity)
        self._first: dict[tuple[ExportCode, str], tuple[str, Split]] = {}
        self._split_of: dict[tuple[ExportCode, str], tuple[Split, str]] = {}
        self._crossed: set[tuple[ExportCode, str, Split]] = set()
        self._sounds: dict[str, tuple[str, Split, str]] = {}
        self.files = 0
        """Audio files so far."""
        self.repeats = 0
        """Of them: the samples and words of an earlier one of the same split."""

    def dialogue(self, export_id: str, dialogue_id: str, split: Split) -> Iterator[ExportFinding]:
        """Ids: the export's and the run's."""
        for key, name in ((export_id, "id"), (dialogue_id, "dialogue_id")):
            yield from self._once(ExportCode.DUPLICATE_ID, f"{name} {key!r}", export_id, split)

    def text(self, export_id: str, split: Split, texts: Iterable[str]) -> Iterator[ExportFinding]:
        """What is said in a dialogue, all of it: exactly the same, or nearly."""
        texts = tuple(" ".join(text.casefold().split()) for text in texts)
        digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
        if (ExportCode.DUPLICATE_TEXT, digest) in self._first:
            yield from self._once(ExportCode.DUPLICATE_TEXT, digest, export_id, split, "all of its text")
            return
        self._first[ExportCode.DUPLICATE_TEXT, digest] = (export_id, split)
        words = [word for text in texts for word in words_of(text)]
        match = self._texts.add(f"{export_id} {split.value}", words) if self._judged(words) else None
        if match is not None:
            other, where = match.key.split()
            detail = (
                f"shares {match.similarity:.0%} of its text with {other!r} "
                f"({_where(Split(where), split)}); wanted less than {self._limits.text_similarity:.0%}"
            )
            yield ExportFinding(
                code=ExportCode.NEAR_DUPLICATE_TEXT, path=None, export_id=export_id, detail=detail
            )

    def audio(
        self, path: str, digest: str, export_id: str, split: Split, text: str
    ) -> Iterator[ExportFinding]:
        """The samples of one file. The same words by the same voice in one split are counted, see `repeated`."""
        self.files += 1
        known = self._sounds.setdefault(digest, (path, split, text))
        other, where, said = known
        if other == path:
            return
        if where is split and said == text:
            self.repeats += 1
            return
        words = "and the same words" if said == text else "and other words"
        detail = f"has the samples of {other} ({_where(where, split)}) {words}; wanted speech of its own"
        yield ExportFinding(code=ExportCode.DUPLICATE_AUDIO, path=path, export_id=export_id, detail=detail)

    def repeated(self) -> Iterator[ExportFinding]:
        """A question asked again in the same words by the same voice is one thing; a dataset of such is another."""
        most = self._limits.max_repeated_share
        if self.files >= self._limits.min_files and self.repeats > most * self.files:
            detail = (
                f"{self.repeats} of {self.files} audio files repeat words and samples of another in their split; "
                f"wanted {most:.0%} at most: vary wording or voices"
            )
            yield ExportFinding(code=ExportCode.DUPLICATE_AUDIO, path=None, export_id=None, detail=detail)

    def sources(
        self, export_id: str, split: Split, persons: Iterable[str], seed_id: str
    ) -> Iterator[ExportFinding]:
        """Whose voices, and which seed: splits share neither."""
        keys = [(ExportCode.VOICE_IN_TWO_SPLITS, person) for person in sorted(set(persons))]
        for code, key in (*keys, (ExportCode.SEED_IN_TWO_SPLITS, seed_id)):
            home, other = self._split_of.setdefault((code, key), (split, export_id))
            if split is not home and (code, key, split) not in self._crossed:
                self._crossed.add((code, key, split))
                detail = f"{key!r} is in {home.value} ({other!r}) and in {split.value}; wanted it in one split only"
                yield ExportFinding(code=code, path=None, export_id=export_id, detail=detail)

    def _judged(self, words: list[str]) -> bool:
        return len(words) >= self._limits.min_words

    def _once(
        self, code: ExportCode, key: str, export_id: str, split: Split, what: str = ""
    ) -> Iterator[ExportFinding]:
        if (code, key) in self._first:
            other, where = self._first[code, key]
            detail = (
                f"shares {what or key} with an earlier dialogue, {other!r} ({_where(where, split)}); keep one"
            )
            yield ExportFinding(code=code, path=None, export_id=export_id, detail=detail)
        else:
            self._first[code, key] = (export_id, split)


def _where(one: Split, other: Split) -> str:
    return f"both in {one.value}" if one is other else f"across splits {one.value} and {other.value}"
