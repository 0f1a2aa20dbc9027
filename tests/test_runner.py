"""Runs without Prefect: what is repeated, what is found again, and that nothing but the input decides."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from pipeline.config import RunConfig, load_config
from pipeline.domain.errors import BackendError, ConfigError, PipelineError
from pipeline.domain.timeline import Dialogue
from pipeline.io.jsonl import read_records
from pipeline.io.run_directory import RunDirectory
from pipeline.run_records import DESCRIPTION, ShardRef, read_description
from pipeline.runner import Runner, run_in_process
from tests.runs import data_of, finished_run, run_at, small_config


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory)


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """The finished run and its store, to be damaged."""
    shutil.copytree(finished.parent, tmp_path / "copy")
    return tmp_path / "copy" / finished.name


def records(directory: Path) -> dict[str, str]:
    lines = (directory / "dialogues.jsonl").read_text(encoding="utf-8").splitlines()
    return {Dialogue.from_line(line).timeline.dialogue_id: line for line in lines}


def test_a_run_holds_what_the_design_says(finished: Path) -> None:
    stages = {"01-seeds", "02-script", "03-speech", "04-timing", "05-render"}
    assert {path.name for path in finished.iterdir()} == stages | {
        "audio",
        "dialogues.jsonl",
        "run.json",
        ".lock",
    }
    dialogues = list(read_records(finished / "dialogues.jsonl", Dialogue))
    assert {d.timeline.language.value for d in dialogues} == {"en", "zh"}
    assert {f"{d.timeline.dialogue_id}.flac" for d in dialogues} == {
        p.name for p in (finished / "audio").iterdir()
    }
    described = read_description(finished)
    refusals = list(RunDirectory(finished).read_refusals())
    assert described.num_dialogues == len(dialogues)
    assert len(dialogues) + len(refusals) == 6
    assert sum(described.refusals.values()) == len(refusals)


def test_a_second_run_repeats_nothing_and_takes_far_less(copied: Path) -> None:
    before, changed = data_of(copied), {p: p.stat().st_mtime_ns for p in copied.rglob("*.*.jsonl")}
    shutil.rmtree(copied.parent / "store")  # what is finished needs no store
    began = time.perf_counter()
    summary = run_at(copied)
    took_s = time.perf_counter() - began
    assert (summary.shards_run, summary.shards_cached) == (0, 15)
    assert data_of(copied) == before
    assert {p: p.stat().st_mtime_ns for p in copied.rglob("*.*.jsonl")} == changed
    began = time.perf_counter()
    run_at(copied.parent / "anew")
    assert took_s < (time.perf_counter() - began) / 3


@pytest.mark.parametrize(
    "changes",
    [
        {"shard_size": 1, "workers": 1, "speech": {"processes": 1}},
        {"shard_size": 100, "workers": 7, "speech": {"processes": 3}},
        {"shard_size": 4, "script": {"author": {"max_in_flight": 1}}},
    ],
)
def test_shards_workers_and_processes_never_change_the_data(
    changes: dict[str, object], finished: Path, tmp_path: Path
) -> None:
    run_at(tmp_path / "other", small_config(**changes))
    assert data_of(tmp_path / "other") == data_of(finished)


def test_smaller_shards_in_the_same_directory_leave_nothing_of_the_larger_ones(copied: Path) -> None:
    before = data_of(copied)
    for size, count in ((1, 6), (10, 1)):
        run_at(copied, small_config(shard_size=size))
        assert data_of(copied) == before
        for stage in RunDirectory(copied).path.glob("0*"):
            assert len(list(stage.glob("records.*"))) == len(list(stage.glob("stamp.*"))) == count
            assert len(list(stage.glob("quarantine.*"))) == count


def test_a_smaller_run_in_the_same_directory_leaves_no_audio_of_the_larger_one(
    copied: Path, tmp_path: Path
) -> None:
    fewer = small_config().model_dump(mode="json")
    fewer["seeds"]["sources"] = fewer["seeds"]["sources"][:1]
    config = RunConfig.model_validate(fewer)
    run_at(copied, config)
    run_at(tmp_path / "alone", config)
    assert data_of(copied) == data_of(tmp_path / "alone")
    assert {path.stem for path in (copied / "audio").iterdir()} == set(records(copied))


class KilledError(Exception):
    """The process would be gone now."""


def stop_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let so many shards be written; the next one dies half way."""
    written = iter(range(count))
    write_shard = RunDirectory.write_shard

    def write_or_die(self: RunDirectory, stage: str, index: int, *rest: object) -> object:
        if next(written, None) is None:
            (self.path / stage).mkdir(exist_ok=True, parents=True)
            (self.path / stage / f"records.{index:05d}.jsonl").write_text('{"dialogue_id": "half')
            raise KilledError
        return write_shard(self, stage, index, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(RunDirectory, "write_shard", write_or_die)


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, 2, 3, 5, 8, 10, 14])
def test_a_run_that_died_is_finished_by_the_same_command(
    count: int, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished.parent / "store", tmp_path / "store")  # speech is not what is tested here
    with monkeypatch.context() as patched:
        stop_after(count, patched)
        with pytest.raises(KilledError):
            run_at(tmp_path / "run")
    summary = run_at(tmp_path / "run")
    assert summary.shards_run == 15 - (count if count >= 3 else 0)
    assert data_of(tmp_path / "run") == data_of(finished)


def delete(path: Path, _rng: random.Random) -> None:
    path.unlink()


def truncate(path: Path, rng: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: rng.randrange(max(1, path.stat().st_size))])


def flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if content:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(7)
    path.write_bytes(content)


def replace_digit(path: Path, rng: random.Random) -> None:
    """A change that leaves the JSON valid."""
    content = bytearray(path.read_bytes())
    digits = [i for i, byte in enumerate(content) if chr(byte).isdigit()]
    if digits:
        content[rng.choice(digits)] = ord("3")
    path.write_bytes(content)


NOTES = ["0*/records.*", "0*/quarantine.*", "0*/stamp.*", "01-seeds/slicing.json"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        *product(NOTES, [delete, truncate, flip, replace_digit]),
        *product(["audio/*"], [delete, truncate]),  # a flipped bit of audio is for `humdial check` to find
    ],
)
def test_a_damaged_run_heals(
    kind: str, damage: Callable[[Path, random.Random], None], finished: Path, copied: Path
) -> None:
    rng = random.Random(f"{kind}/{damage.__name__}")
    victims = sorted(path for path in copied.glob(kind) if path.stat().st_size)
    for path in rng.sample(victims, min(3, len(victims))):
        damage(path, rng)
    run_at(copied)
    assert data_of(copied) == data_of(finished)
    for stage in ("02-script", "04-timing"):
        for path in (finished / stage).iterdir():
            assert (copied / stage / path.name).read_bytes() == path.read_bytes()
    described, original = read_description(copied), read_description(finished)
    assert (described.num_dialogues, described.refusals) == (original.num_dialogues, original.refusals)


@pytest.mark.slow
@pytest.mark.parametrize("damage", [delete, truncate, flip, replace_digit])
@pytest.mark.parametrize("kind", ["clips/*/*.wav", "clips/*/*.json", "replies/*/*.json"])
def test_a_damaged_store_is_made_good_before_it_is_used(
    kind: str, damage: Callable[[Path, random.Random], None], finished: Path, copied: Path
) -> None:
    store = copied.parent / "store"
    rng = random.Random(f"{kind}/{damage.__name__}")
    for path in rng.sample(sorted(store.glob(kind)), 8):
        damage(path, rng)
    shutil.rmtree(copied)
    run_at(copied)
    assert data_of(copied) == data_of(finished)
    for path in (finished.parent / "store").rglob("*.*"):
        assert (store / path.relative_to(finished.parent / "store")).read_bytes() == path.read_bytes()


def test_a_finished_run_is_not_finished_while_its_audio_is_made_anew(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its records would speak of audio that is no longer there; what reads a run must not mix the two.
    longer = small_config(timing={"tail_s": 2.0})
    with monkeypatch.context() as patched:
        stop_after(4, patched)  # three shards of timing, then rendering has begun
        with pytest.raises(KilledError):
            run_at(copied, longer)
    with pytest.raises(
        ConfigError, match=r"holds no dialogues\.jsonl; wanted the directory of a finished run"
    ):
        RunDirectory(copied).read_dialogues()
    assert load_config(copied / DESCRIPTION) == small_config(), "what it was can still be repeated"
    run_at(copied, longer)
    assert len(records(copied)) == 6


def test_a_clip_that_is_lost_behind_finished_speech_is_named_with_the_remedy(copied: Path) -> None:
    shutil.rmtree(copied.parent / "store" / "clips")
    shutil.rmtree(copied / "05-render")
    with pytest.raises(BackendError, match="remedy: run the speech stage again"):
        run_at(copied)


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.9, 1.4, 1.9, 2.4])
def test_a_killed_process_leaves_a_run_that_can_be_finished(
    after_s: float, finished: Path, tmp_path: Path
) -> None:
    program = "import sys; from pathlib import Path; from tests.runs import run_at; run_at(Path(sys.argv[1]))"
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "run")], start_new_session=True)
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run_at(tmp_path / "run")
    assert data_of(tmp_path / "run") == data_of(finished)
    assert not list(tmp_path.rglob("run/**/.partial-*"))


def test_a_second_writer_is_turned_away(copied: Path) -> None:
    with (
        RunDirectory(copied).locked(),
        pytest.raises(ConfigError, match="another run is writing here; wait for it or choose another --out"),
    ):
        run_at(copied)
    assert run_at(copied).shards_run == 0


def test_a_run_of_which_everything_was_refused_fails_with_the_reasons(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.jsonl"
    lines = [
        {"id": str(i), "turns": [{"speaker": "A", "text": f"Only me, {'again ' * i}."}] * 2} for i in range(3)
    ]
    seeds.write_text("\n".join(map(json.dumps, lines)) + "\nnot json\n")
    source = {"reader": "jsonl", "path": str(seeds), "language": "en"}
    with pytest.raises(
        PipelineError, match=r"all records were refused \(seeds: one_speaker x 3, seeds: malformed"
    ) as caught:
        run_at(tmp_path / "run", small_config(seeds={"sources": [source]}))
    assert not isinstance(caught.value, ConfigError)
    assert len(list(RunDirectory(tmp_path / "run").read_refusals())) == 4


def own_seeds(path: Path, count: int) -> RunConfig:
    """The first so many demo dialogues as a file of one's own."""
    demo = Path(__file__).parents[1] / "pipeline" / "data" / "seeds" / "en.jsonl"
    path.write_text("\n".join(demo.read_text(encoding="utf-8").splitlines()[:count]) + "\n", encoding="utf-8")
    source = {"reader": "jsonl", "path": str(path), "language": "en"}
    return small_config(seeds={"sources": [source], "splits": {"train": 1.0}})


def test_a_seed_added_at_the_end_changes_no_other_dialogue(tmp_path: Path) -> None:
    run_at(tmp_path / "run", own_seeds(tmp_path / "seeds.jsonl", 6))
    few, audio = records(tmp_path / "run"), data_of(tmp_path / "run")
    run_at(tmp_path / "run", own_seeds(tmp_path / "seeds.jsonl", 7))
    more = records(tmp_path / "run")
    assert len(more) == len(few) + 1
    assert {name: more[name] for name in few} == few
    assert {name: data_of(tmp_path / "run")[name] for name in audio if name != "dialogues.jsonl"} == {
        name: digest for name, digest in audio.items() if name != "dialogues.jsonl"
    }


def test_another_root_seed_gives_other_dialogues(finished: Path, tmp_path: Path) -> None:
    run_at(tmp_path / "run", small_config(seed=1))
    assert set(records(tmp_path / "run").values()).isdisjoint(records(finished).values())


def test_the_written_description_repeats_the_run(finished: Path, tmp_path: Path) -> None:
    config = load_config(finished / DESCRIPTION)
    assert config == small_config()
    shutil.copytree(finished.parent / "store", tmp_path / "store")  # speech is not what is tested here
    run_at(tmp_path / "again", config)
    assert data_of(tmp_path / "again") == data_of(finished)
    assert (tmp_path / "again" / DESCRIPTION).read_bytes() == (finished / DESCRIPTION).read_bytes()


def test_a_relative_source_in_a_description_still_points_to_its_file(tmp_path: Path) -> None:
    own_seeds(tmp_path / "seeds.jsonl", 3)
    (tmp_path / "run.yaml").write_text(
        "seeds: {sources: [{reader: jsonl, path: seeds.jsonl, language: en}], splits: {train: 1}}"
    )
    run_at(tmp_path / "out" / "run", load_config(tmp_path / "run.yaml"))
    again = load_config(tmp_path / "out" / "run" / DESCRIPTION)
    run_at(tmp_path / "out" / "again", again)
    assert data_of(tmp_path / "out" / "again") == data_of(tmp_path / "out" / "run")


def test_a_preview_makes_only_its_first_shard_and_repeats_nothing(tmp_path: Path) -> None:
    for run in (3, 0):
        with Runner(small_config(shard_size=2), tmp_path / "look", tmp_path / "store") as runner:
            summary = run_in_process(runner, max_shards=1)
        assert (
            summary.num_dialogues + sum(n for name, n in summary.refusals.items() if "seeds" not in name) == 2
        )
        assert (summary.shards_run > 0) == (run > 0)


class Watcher:
    """Counts what it is shown."""

    def __init__(self) -> None:
        self.promised = -1
        self.seen: list[ShardRef] = []
        self.ended = False
        self.passes: list[tuple[int, int, int]] = []

    def begin(self, num_shards: int) -> None:
        self.promised = num_shards

    def calibrating(self, number: int, done: int, num_dialogues: int) -> None:
        self.passes.append((number, done, num_dialogues))

    def advance(self, ref: ShardRef) -> None:
        self.seen.append(ref)

    def end(self) -> None:
        self.ended = True


def test_progress_is_promised_what_it_is_shown(copied: Path) -> None:
    watcher = Watcher()
    with Runner(small_config(), copied, copied.parent / "store") as runner:
        run_in_process(runner, watcher)
    assert watcher.promised == len(watcher.seen) == 12
    assert watcher.ended
    assert all(ref.cached for ref in watcher.seen)


def test_a_calibration_is_watched_dialogue_by_dialogue_in_every_pass(copied: Path) -> None:
    watcher, again = Watcher(), Watcher()
    config = small_config(timing={"overlap_ratio": 0.06})
    for one in (watcher, again):
        with Runner(config, copied, copied.parent / "store") as runner:
            run_in_process(runner, one)
    numbers = sorted({number for number, _, _ in watcher.passes})
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 2
    assert watcher.passes == [(number, done, 6) for number in numbers for done in range(7)]
    assert again.passes == []


def test_progress_is_ended_when_a_run_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher()
    stop_after(4, monkeypatch)
    with Runner(small_config(), tmp_path / "run", tmp_path / "store") as runner, pytest.raises(KilledError):
        run_in_process(runner, watcher)
    assert watcher.ended, "a progress bar would go on over the error message"
