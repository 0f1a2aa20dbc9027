"""What every reader shares: which files, streaming, refusals, duplicates.

A corpus module brings two functions: one that lists the items of a file (`Items`: usually `json_items`,
`line_items` or a table's rows grouped by dialogue) and one that turns an item into a `NativeDialogue`.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.domain.errors import ConfigError, RecordError
from pipeline.domain.labels import Language
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora.base import Corpus
from pipeline.io.corpora.items import Item, refuse
from pipeline.io.corpora.recognise import recognise
from pipeline.io.corpora.shaping import NativeDialogue, seed_id, shape

Items = Callable[[Path], Iterator[Item | Refusal]]
Parse = Callable[[Item], NativeDialogue]


def read_corpus(
    corpus: Corpus, path: Path, language: Language, items: Items, parse: Parse, pattern: str | None = None
) -> Iterator[SeedDialogue | Refusal]:
    """Stream the dialogues at `path`; a directory is searched for `pattern`, where there is one.

    Raises ConfigError at once for a path or language that cannot be used.
    """
    if language not in corpus.languages:
        offered = ", ".join(known.value for known in corpus.languages)
        raise ConfigError(
            f"reader {corpus.name}: has no {language.value!r} dialogues, only {offered}; set language"
        )
    files = _source_files(corpus, path, pattern)
    found = recognise(files[0])
    if found not in {None, corpus.name}:
        raise ConfigError(
            f"reader {corpus.name}: {files[0]} looks like a file of {found!r}, wanted {corpus.files}; "
            f"set reader: {found}"
        )
    return _stream(corpus, files, language, items, parse)


def _source_files(corpus: Corpus, path: Path, pattern: str | None) -> tuple[Path, ...]:
    try:
        if path.is_dir() and pattern:
            files = tuple(sorted(file for file in path.rglob(pattern) if file.is_file()))
            if not files:
                raise ConfigError(f"reader {corpus.name}: no {pattern} below {path}; wanted {corpus.files}")
            return files
        if path.is_dir():
            raise ConfigError(
                f"reader {corpus.name}: {path} is a directory, wanted {corpus.files}; name one file"
            )
        if not path.exists():
            raise ConfigError(
                f"reader {corpus.name}: {path} does not exist; wanted {corpus.files} ({corpus.source})"
            )
        if not path.is_file():
            raise ConfigError(f"reader {corpus.name}: {path} is not a regular file, wanted {corpus.files}")
        path.open("rb").close()
    except OSError as error:
        raise ConfigError(
            f"reader {corpus.name}: cannot read {path} ({error.strerror}); check its rights"
        ) from error
    return (path,)


def _stream(
    corpus: Corpus, files: tuple[Path, ...], language: Language, items: Items, parse: Parse
) -> Iterator[SeedDialogue | Refusal]:
    seen: set[bytes] = set()
    for file in files:
        for item in _file_items(corpus, file, items):
            yield item if isinstance(item, Refusal) else _read_one(corpus, item, language, parse, seen)


def _file_items(corpus: Corpus, file: Path, items: Items) -> Iterator[Item | Refusal]:
    """The items of one file; a fault of the file itself is one refusal, after what came before it."""
    empty = True
    try:
        for item in items(file):
            empty = False
            yield item
        if empty:
            raise RecordError(Reason.MALFORMED_RECORD, f"the file holds no dialogue, wanted {corpus.files}")
    except RecordError as error:
        yield refuse(error, file.name, "")
    except OSError as error:
        raise ConfigError(f"reader {corpus.name}: cannot read {file} ({error}); check the file") from error


def _read_one(
    corpus: Corpus, item: Item, language: Language, parse: Parse, seen: set[bytes]
) -> SeedDialogue | Refusal:
    record_id = item.place
    try:
        native = parse(item)
        record_id = seed_id(corpus.name, native)
        if not _first(seen, f"id {record_id}"):
            raise RecordError(Reason.DUPLICATE_ID, f"{record_id} occurred before; again at {item.place}")
        seed = shape(native, corpus.name, language, corpus.licence)
        if not _first(seen, "text " + "\x1f".join(turn.text for turn in seed.turns)):
            raise RecordError(Reason.DUPLICATE_TEXT, f"{record_id} has the words of an earlier dialogue")
    except RecordError as error:
        return refuse(error, record_id, item.value)
    return seed


def _first(seen: set[bytes], what: str) -> bool:
    """Whether this is new. Digests, not texts: a million dialogues fit in a few hundred megabytes."""
    digest = hashlib.blake2b(what.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    if digest in seen:
        return False
    seen.add(digest)
    return True
