"""Faults for exports on disk: each is a function that changes a copy."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from pipeline.core.checks.export_findings import ExportCode, ExportFinding
from pipeline.export_checking import ExportCheck

Change = Callable[[Path], None]


def codes(findings: list[ExportFinding]) -> set[ExportCode]:
    return {finding.code for finding in findings}


def findings_of(directory: Path) -> list[ExportFinding]:
    return list(ExportCheck(directory).findings())


def edit(change: Callable[[dict[str, object]], None], pattern: str = "train_jsonl/*/task1_*.jsonl") -> Change:
    """Change the first line of the first file that the pattern finds."""

    def apply(root: Path) -> None:
        path = sorted(root.glob(pattern))[0]
        first, *rest = path.read_text(encoding="utf-8").splitlines()
        line = json.loads(first)
        change(line)
        lines = [json.dumps(line, ensure_ascii=False), *rest]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    return apply


def in_turn(number: int, **values: object) -> Change:
    """Set fields of one turn; None takes one away."""

    def change(line: dict[str, object]) -> None:
        turn = line["turns"][number]  # type: ignore[index]
        for name, value in values.items():
            if value is None:
                del turn[name]
            else:
                turn[name] = value

    return edit(change)


def first_wav(root: Path, pattern: str = "train_jsonl/*/task1/*_1.wav") -> Path:
    return sorted(root.glob(pattern))[0]


def rewrite(
    samples: Callable[[np.ndarray], np.ndarray],
    rate: int = 16_000,
    pattern: str = "train_jsonl/*/task1/*_1.wav",
) -> Change:
    def apply(root: Path) -> None:
        path = first_wav(root, pattern)
        old, _ = soundfile.read(path, dtype="int16")
        soundfile.write(path, samples(old), rate, subtype="PCM_16")

    return apply


def garbage(pattern: str, content: bytes = b"\xff\xfe?") -> Change:
    def apply(root: Path) -> None:
        sorted(root.glob(pattern))[0].write_bytes(content)

    return apply


def remove(pattern: str) -> Change:
    def apply(root: Path) -> None:
        sorted(root.glob(pattern))[0].unlink()

    return apply


def add(path: str) -> Change:
    def apply(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"?")

    return apply


def append_copy(pattern: str = "train_jsonl/*/task1_*.jsonl") -> Change:
    def apply(root: Path) -> None:
        path = sorted(root.glob(pattern))[0]
        path.write_bytes(path.read_bytes() * 2)

    return apply


def as_float(root: Path) -> None:
    path = first_wav(root)
    samples, rate = soundfile.read(path, dtype="float32")
    soundfile.write(path, samples, rate, subtype="FLOAT")


def same_audio(root: Path) -> None:
    one, other = sorted(root.glob("train_jsonl/*/task1/*.wav"))[:2]
    other.write_bytes(one.read_bytes())


def swap(*keys: str) -> Callable[[dict[str, object]], None]:
    def change(line: dict[str, object]) -> None:
        line[keys[0]] = keys[1]

    return change


def drop_line(root: Path) -> None:
    path = sorted(root.glob("train_jsonl/*/task1_*.jsonl"))[0]
    path.write_text("")


def drop_row(root: Path) -> None:
    path = root / "manifest.jsonl"
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")


def in_manifest(change: Callable[[list[dict[str, object]]], None]) -> Change:
    def apply(root: Path) -> None:
        path = root / "manifest.jsonl"
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        change(rows)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    return apply


def by_split(rows: list[dict[str, object]], split: str) -> dict[str, object]:
    return next(row for row in rows if row["split"] == split)


def share(field: str) -> Change:
    """Give a train dialogue what a dev dialogue has."""

    def change(rows: list[dict[str, object]]) -> None:
        by_split(rows, "dev")[field] = by_split(rows, "train")[field]

    return in_manifest(change)


def nearly_the_same(rows: list[dict[str, object]]) -> None:
    long = [row for row in rows if len(row.get("texts", row.get("supervisions", ()))) >= 3]
    one, other = long[:2]
    key = "texts" if "texts" in one else "supervisions"
    copied = json.loads(json.dumps(one[key]))
    if key == "texts":
        copied[0] = copied[0][:-2] + "x."
    else:
        copied[0]["text"] += " x"
    other[key] = copied


def in_first_json(pattern: str, change: Callable[[dict[str, object]], None]) -> Change:
    def apply(root: Path) -> None:
        path = sorted(root.glob(pattern))[0]
        content = json.loads(path.read_text("utf-8"))
        change(content)
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    return apply


def replaced(pattern: str, old: str, new: str) -> Change:
    def apply(root: Path) -> None:
        path = sorted(root.glob(pattern))[0]
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return apply


def new_name(old: str, new: str) -> Change:
    def apply(root: Path) -> None:
        path = sorted(root.glob(old))[0]
        shutil.copyfile(path, path.with_name(new.replace("ID", path.name[:9])))

    return apply
