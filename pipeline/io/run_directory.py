"""One run's directory: shards of records with their stamps, the final records, what the run was.

::

    outputs/<run>/
      run.json
      02-script/records.00000.jsonl  quarantine.00000.jsonl  stamp.00000.json  ledger.00000.jsonl
      audio/<dialogue_id>.flac       dialogues.jsonl         export/  report/
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from pipeline.core.ledger import Call
from pipeline.domain.errors import ConfigError
from pipeline.domain.quarantine import Refusal
from pipeline.domain.record import Record
from pipeline.domain.timeline import Dialogue
from pipeline.io.files import file_sha256, sweep_partials, whole_file, write_text
from pipeline.io.jsonl import read_records, write_records
from pipeline.io.written_files import WrittenFiles

R = TypeVar("R", bound=Record)


class Artefact(Record):
    """A file that a shard's records speak of."""

    path: str
    """Relative to the run directory."""
    num_bytes: int


class Stamp(Record):
    """Proof that a shard is complete: written last, and valid only for its key and its files' content."""

    key: str
    records_sha256: str
    refusals_sha256: str
    num_records: int
    num_refusals: int
    artefacts: tuple[Artefact, ...] = ()
    """Named here so that a rerun need not read thousands of records to learn whether their files are there."""


class Note(Record):
    """Something found once for a whole stage (how many shards, which dial), for which key."""

    key: str
    content: str
    """A record as JSON."""
    content_sha256: str
    """All later shards hang on it: a note that was changed is none."""


class RunDirectory:
    """Reads and writes one run's files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def dialogues_path(self) -> Path:
        """The final records."""
        return self.path / "dialogues.jsonl"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for one writer. Raises ConfigError if another process holds it.

        The lock is the kernel's: a killed process leaves none behind.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("w")
        except OSError as error:
            raise ConfigError(
                f"{self.path}: cannot be written ({error.strerror}); choose another directory with --out"
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ConfigError(
                    f"{self.path}: another run is writing here; wait for it or choose another --out"
                ) from error
            sweep_partials(self.path)
            yield

    def find_stamp(self, stage: str, index: int, key: str | None) -> Stamp | None:
        """The shard's stamp, if the shard is complete, unchanged, and was made for this key (None: for any).

        Artefacts are complete where they are there in full length. Their content is compared by `humdial
        check`: hashing hours of audio would make a rerun that has nothing to do wait for the disk.
        """
        records_path, refusals_path, stamp_path = self._shard_paths(stage, index)
        try:
            stamp = Stamp.from_line(stamp_path.read_bytes())
            if key not in (None, stamp.key):
                return None
            found = (*_digest_lines(records_path), *_digest_lines(refusals_path))
        except (OSError, ValidationError):
            return None
        wanted = (stamp.records_sha256, stamp.num_records, stamp.refusals_sha256, stamp.num_refusals)
        return stamp if found == wanted and all(map(self._is_whole, stamp.artefacts)) else None

    def write_shard(
        self,
        stage: str,
        index: int,
        key: str,
        records: Iterable[Record],
        refusals: Iterable[Refusal],
        artefacts: Iterable[Artefact] = (),
    ) -> Stamp:
        """Write records, refusals, then the stamp that makes them count; `artefacts` are there already."""
        artefacts = tuple(artefacts)
        self.announce(stage, (artefact.path for artefact in artefacts))
        records_path, refusals_path, stamp_path = self._shard_paths(stage, index)
        stamp_path.unlink(missing_ok=True)
        num_records = write_records(records_path, records)
        num_refusals = write_records(refusals_path, refusals)
        stamp = Stamp(
            key=key,
            records_sha256=file_sha256(records_path),
            refusals_sha256=file_sha256(refusals_path),
            num_records=num_records,
            num_refusals=num_refusals,
            artefacts=artefacts,
        )
        write_text(stamp_path, stamp.to_line())
        return stamp

    def announce(self, stage: str, paths: Iterable[str]) -> None:
        """Say that `audio/<name>` is ours, or about to be: only such files are ever removed."""
        self._audio_of(stage).add(Path(path).name for path in paths)

    def find_note(self, stage: str, name: str, key: str, kind: type[R]) -> R | None:
        """What was noted for this key; None where nothing was, or it was changed since."""
        try:
            note = Note.from_line((self.path / stage / f"{name}.json").read_bytes())
            whole = note.content_sha256 == hashlib.sha256(note.content.encode()).hexdigest()
            return kind.from_line(note.content) if whole and note.key == key else None
        except (OSError, ValidationError):
            return None

    def write_note(self, stage: str, name: str, key: str, content: Record) -> None:
        """Keep a record of a whole stage beside its shards."""
        line = content.to_line()
        note = Note(key=key, content=line, content_sha256=hashlib.sha256(line.encode()).hexdigest())
        write_text(self.path / stage / f"{name}.json", note.to_line())

    def read_shard(self, stage: str, index: int, kind: type[R]) -> tuple[R, ...]:
        """The records of one shard."""
        return tuple(read_records(self._shard_paths(stage, index)[0], kind))

    def read_refusals(self) -> Iterator[Refusal]:
        """Every refused record of the run, stage by stage."""
        for path in sorted(self.path.glob("[0-9][0-9]-*/quarantine.*.jsonl")):
            yield from read_records(path, Refusal)

    def read_calls(self) -> Iterator[Call]:
        """What every question to the author took; nothing where the author asks for no pay."""
        for path in sorted(self.path.glob("[0-9][0-9]-*/ledger.*.jsonl")):
            yield from read_records(path, Call)

    def drop_shards_from(self, stage: str, count: int) -> None:
        """Remove shards beyond the first `count`: leftovers of a run with smaller shards."""
        for path in (self.path / stage).glob("*.[0-9][0-9][0-9][0-9][0-9].json*"):
            if int(path.name.split(".")[1]) >= count:
                path.unlink()

    def read_dialogues(self) -> Iterator[Dialogue]:
        """The final records. Raises ConfigError where this is no finished run."""
        if not self.dialogues_path.is_file():
            raise ConfigError(
                f"{self.path}: holds no dialogues.jsonl; wanted the directory of a finished run"
            )
        return read_records(self.dialogues_path, Dialogue)

    def reopen(self) -> None:
        """Make it an unfinished run again: its final records are about to speak of other audio than is there."""
        self.dialogues_path.unlink(missing_ok=True)

    def collect_dialogues(self, stage: str, indices: Sequence[int]) -> None:
        """Put rendered shards together as `dialogues.jsonl`, and remove audio of ours that none of them names."""
        wanted: set[str] = set()
        with whole_file(self.dialogues_path) as partial, partial.open("wb") as together:
            for index in indices:
                records_path, _, stamp_path = self._shard_paths(stage, index)
                with records_path.open("rb") as shard:
                    shutil.copyfileobj(shard, together)
                stamp = Stamp.from_line(stamp_path.read_bytes())
                wanted.update(Path(artefact.path).name for artefact in stamp.artefacts)
        self._audio_of(stage).keep(wanted)

    def find_shards(self, stage: str) -> Iterator[tuple[int, Stamp]]:
        """Every shard of a stage with its stamp, whatever it was made for. Raises ConfigError for a gap."""
        paths = (self.path / stage).glob("*.[0-9][0-9][0-9][0-9][0-9].json*")
        for index in range(1 + max((int(path.name.split(".")[1]) for path in paths), default=-1)):
            stamp = self.find_stamp(stage, index, key=None)
            if stamp is None:
                raise ConfigError(
                    f"{self.path / stage}: shard {index:05d} is incomplete or changed; finish that run first"
                )
            yield index, stamp

    def adopt_stage(self, other: "RunDirectory", stage: str) -> None:
        """Take over the shards of another run's stage: hard links where there are such, else copies."""
        if not (other.path / stage).is_dir():
            raise ConfigError(f"{other.path / stage}: is not there; finish that run first")
        target = self.path / stage
        target.mkdir(parents=True, exist_ok=True)
        for path in target.iterdir():
            path.unlink()
        for path in sorted((other.path / stage).iterdir()):
            try:
                os.link(path, target / path.name)
            except OSError:
                shutil.copyfile(path, target / path.name)

    def _audio_of(self, stage: str) -> WrittenFiles:
        return WrittenFiles(self.path / "audio", self.path / stage / "written.txt")

    def _is_whole(self, artefact: Artefact) -> bool:
        try:
            return (self.path / artefact.path).stat().st_size == artefact.num_bytes
        except OSError:
            return False

    def _shard_paths(self, stage: str, index: int) -> tuple[Path, Path, Path]:
        directory = self.path / stage
        return (
            directory / f"records.{index:05d}.jsonl",
            directory / f"quarantine.{index:05d}.jsonl",
            directory / f"stamp.{index:05d}.json",
        )


def _digest_lines(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and number of lines: a stamp that lies about either was changed."""
    content = path.read_bytes()
    return hashlib.sha256(content).hexdigest(), content.count(b"\n")
