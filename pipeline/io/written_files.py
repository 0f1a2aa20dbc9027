"""Which files of a folder are ours: a list of the names that were written there, kept outside of it.

::

    audio/                     list
      call-000000.flac          call-000000.flac      listed and wanted       stays
      call-000001.flac          call-000001.flac      listed, wanted no more  goes
      my-own-recording.wav                            not listed              is somebody else's

A name is on the list before its file is there, so that whoever was killed in between leaves nothing that the next
writer does not know. A list that is lost costs space: what it named stays.
"""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from pipeline.io.files import write_text


class WrittenFiles:
    """The files of ours directly in `folder`; `listed_in` is outside of what is removed."""

    def __init__(self, folder: Path, listed_in: Path) -> None:
        self._folder, self._list = folder, listed_in

    def add(self, names: Iterable[str]) -> None:
        """Say what is about to be written. Several processes may do so at once."""
        lines = "".join(f"{name}\n" for name in names).encode()
        if not lines:
            return
        self._list.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._list, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, lines)  # one call: lines of two writers do not mix
        finally:
            os.close(descriptor)

    def keep(self, wanted: Collection[str]) -> None:
        """Remove every file of ours but these. They alone are listed from now on."""
        for name in self._listed().difference(wanted):
            (self._folder / name).unlink(missing_ok=True)
        text = "".join(f"{name}\n" for name in sorted(wanted))
        if not text:
            self._list.unlink(missing_ok=True)
        elif text != self._read():
            write_text(self._list, text)

    def _listed(self) -> set[str]:
        """Names of files in the folder itself; the end of a line that was cut off is none."""
        whole, _, _ = self._read().rpartition("\n")
        return {name for name in whole.split("\n") if name == Path(name).name and name not in ("", "..")}

    def _read(self) -> str:
        try:
            return self._list.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return ""
