"""The flow against a real (embedded) server. Fakes stand in for the pipeline only where it has to fail."""

import threading
import urllib.request
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

import flows.build
from flows import tasks
from flows.build import build
from flows.request import resolve
from flows.tasks import opened
from flows.watching import watched
from pipeline.config import RunConfig, find_config, load_config
from pipeline.domain.errors import (
    ConfigError,
    PipelineError,
    TerminalBackendError,
    TransientBackendError,
)
from pipeline.io.files import file_sha256
from pipeline.run_records import RunSummary, ShardRef
from pipeline.runner import Runner, run_in_process
from pipeline.wiring import ORDER


class Recorded:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.expected = 0
        self.refs: list[ShardRef] = []
        self.ended = False

    def begin(self, num_shards: int) -> None:
        self.expected = num_shards

    def advance(self, ref: ShardRef) -> None:
        self.refs.append(ref)

    def calibrating(self, number: int, done: int, num_dialogues: int) -> None:
        raise AssertionError("a flow's calibration is a task of its own")

    def end(self) -> None:
        self.ended = True


def ref(stage: str, index: int) -> ShardRef:
    return ShardRef(stage=stage, index=index, records_sha256="", num_records=1, num_refusals=0, cached=False)


class FailingRunner:
    """Raises the given errors, one per try of one shard of the speech stage; remembers what was tried."""

    def __init__(self, errors: list[Exception], num_shards: int = 3) -> None:
        self.errors = errors
        self.num_shards = num_shards
        self.tries: list[tuple[str, int]] = []
        self.closed = False
        self.directory = SimpleNamespace(locked=nullcontext)
        self.config = load_config(find_config("demo"))
        self.needs_calibration = False
        self.dial_error: Exception | None = None
        self._lock = threading.Lock()

    def __call__(self, config: RunConfig, *_: object) -> "FailingRunner":
        self.config = config
        return self

    def __enter__(self) -> "FailingRunner":
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def plan(self) -> tuple[ShardRef, ...]:
        return tuple(ref(ORDER[0], index) for index in range(self.num_shards))

    def advance(self, stage: str, upstream: ShardRef) -> ShardRef:
        with self._lock:
            self.tries.append((stage, upstream.index))
            if (stage, upstream.index) == ("speech", 1) and self.errors:
                raise self.errors.pop(0)
        return ref(stage, upstream.index)

    def calibrate(self, spoken: tuple[ShardRef, ...]) -> None:
        assert {one.stage for one in spoken} == {"speech"}
        assert len(spoken) == self.num_shards
        self.tries.append(("calibrate", 0))
        if self.dial_error is not None:
            raise self.dial_error

    def finish(self, rendered: tuple[ShardRef, ...], done: tuple[ShardRef, ...]) -> RunSummary:
        assert [one.index for one in rendered] == list(range(self.num_shards))
        assert {one.stage for one in rendered} == {ORDER[-1]}
        return RunSummary(
            directory="",
            num_dialogues=len(rendered),
            num_refusals=0,
            refusals={},
            shards_run=len(done),
            shards_cached=0,
        )


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch, api: str) -> type[FailingRunner]:
    """Run the flow on a `FailingRunner`: no waiting between tries, nothing to export or report."""

    class Installed(FailingRunner):
        def __init__(self, errors: list[Exception], num_shards: int = 3) -> None:
            super().__init__(errors, num_shards)
            monkeypatch.setattr(tasks, "Runner", self)

    monkeypatch.setattr(flows.build, "speech", tasks.speech.with_options(retry_delay_seconds=0))
    monkeypatch.setattr(flows.build, "export", lambda *_: None)
    monkeypatch.setattr(flows.build, "report", lambda *_: None)
    monkeypatch.setattr(flows.build, "publish", lambda *_: None)
    return Installed


def run_watched(
    out: Path, config: str = "demo", overrides: tuple[str, ...] = ()
) -> tuple[RunSummary, Recorded]:
    progress = Recorded()
    with watched(progress):
        summary = build(config=config, out=str(out), overrides=overrides)
    return summary, progress


def test_the_flow_makes_what_a_plain_loop_makes(api: str, small_config: Path, tmp_path: Path) -> None:
    summary, progress = run_watched(tmp_path / "a" / "run", str(small_config))
    plain = tmp_path / "b" / "run"
    with Runner(load_config(small_config), plain, plain.parent / "store") as runner:
        wanted = run_in_process(runner)

    assert summary.num_dialogues == wanted.num_dialogues > 0
    names = sorted(path.name for path in (plain / "audio").iterdir())
    for name in ["dialogues.jsonl", *(f"audio/{name}" for name in names)]:
        assert file_sha256(tmp_path / "a" / "run" / name) == file_sha256(plain / name), name
    assert progress.expected == len(progress.refs) == 2 * 4
    assert progress.ended
    assert (tmp_path / "a" / "run" / "export" / "humdial-track2").is_dir()
    assert (tmp_path / "a" / "run" / "report" / "index.html").is_file()

    again, _ = run_watched(tmp_path / "a" / "run", str(small_config))
    assert (again.shards_run, again.shards_cached) == (0, summary.shards_run + summary.shards_cached)


def test_a_run_leaves_one_table_at_the_server(api: str, small_config: Path, tmp_path: Path) -> None:
    run_watched(tmp_path / "run", str(small_config), ("name=table",))
    request = urllib.request.Request(
        f"{api}/artifacts/filter", data=b"{}", headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        found = reply.read().decode()
    assert found.count(f"{tmp_path / 'run'}: ") == 1
    assert "follow_up_question" in found


def test_the_directory_is_held_during_a_run_and_free_afterwards(small_config: Path, tmp_path: Path) -> None:
    request = resolve(str(small_config), tmp_path / "run", ())
    with (
        opened(request),
        pytest.raises(ConfigError, match="another run is writing here"),
        opened(request),
    ):
        pass
    with opened(request):
        assert tasks.plan.fn(request)


def test_a_task_without_an_open_run_says_so(small_config: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not open in this process"):
        tasks.plan.fn(resolve(str(small_config), tmp_path / "run", ()))


def test_a_transient_error_is_tried_again(fail: type[FailingRunner], tmp_path: Path) -> None:
    runner = fail([TransientBackendError("busy"), TransientBackendError("still busy")])
    summary, progress = run_watched(tmp_path)
    assert summary.num_dialogues == 3
    assert runner.tries.count(("speech", 1)) == 3
    assert len(progress.refs) == 12
    assert runner.closed


def test_tries_come_to_an_end(fail: type[FailingRunner], tmp_path: Path) -> None:
    runner = fail([TransientBackendError(f"busy {number}") for number in range(9)])
    with pytest.raises(TransientBackendError, match="busy 3"):
        run_watched(tmp_path)
    assert runner.tries.count(("speech", 1)) == 1 + tasks.RETRIES


@pytest.mark.parametrize(
    "error",
    [
        TerminalBackendError("no such voice"),
        ConfigError("no such file"),
        PipelineError("damaged"),
        ValueError("a bug"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_any_other_error_is_raised_as_it_is_and_not_tried_again(
    fail: type[FailingRunner], tmp_path: Path, error: Exception
) -> None:
    runner = fail([error])
    progress = Recorded()
    with pytest.raises(type(error)) as raised, watched(progress):
        build(out=str(tmp_path))
    assert str(raised.value) == str(error)
    assert runner.tries.count(("speech", 1)) == 1
    assert ("timing", 1) not in runner.tries
    assert progress.ended
    assert runner.closed


def test_a_failed_shard_ends_the_run_before_all_others_were_tried(
    fail: type[FailingRunner], tmp_path: Path
) -> None:
    runner = fail([TerminalBackendError("no such voice")], num_shards=40)
    with pytest.raises(TerminalBackendError):
        run_watched(tmp_path, overrides=("workers=1",))
    assert ("render", 39) not in runner.tries


@pytest.mark.parametrize("workers", [1, 5])
def test_any_number_of_threads_comes_to_an_end(
    fail: type[FailingRunner], tmp_path: Path, workers: int
) -> None:
    runner = fail([], num_shards=7)
    summary, _ = run_watched(tmp_path, overrides=(f"workers={workers}",))
    assert summary.num_dialogues == 7
    assert sorted(runner.tries) == sorted((stage, index) for stage in ORDER[1:] for index in range(7))


@pytest.mark.parametrize("workers", [1, 3])
def test_a_target_for_the_dataset_is_calibrated_between_speech_and_timing(
    fail: type[FailingRunner], tmp_path: Path, workers: int
) -> None:
    runner = fail([], num_shards=5)
    runner.needs_calibration = True
    run_watched(tmp_path, overrides=(f"workers={workers}",))
    stages = [stage for stage, _ in runner.tries]
    at = stages.index("calibrate")
    assert set(stages[:at]) == {"script", "speech"}
    assert set(stages[at + 1 :]) == {"timing", "render"}
    assert len(stages) == 4 * 5 + 1


def test_a_target_out_of_reach_is_raised_as_it_is(fail: type[FailingRunner], tmp_path: Path) -> None:
    runner = fail([])
    runner.needs_calibration = True
    runner.dial_error = ConfigError("timing.overlap_ratio: feasible are 0.01 to 0.2")
    with pytest.raises(ConfigError, match=r"feasible are 0\.01 to 0\.2"):
        run_watched(tmp_path)
    assert ("timing", 0) not in runner.tries


def test_a_run_with_a_target_agrees_with_a_plain_loop(api: str, small_config: Path, tmp_path: Path) -> None:
    target = ("timing.overlap_ratio=0.05",)
    run_watched(tmp_path / "a" / "run", str(small_config), target)
    plain = tmp_path / "b" / "run"
    with Runner(load_config(small_config, target), plain, plain.parent / "store") as runner:
        run_in_process(runner)
    assert file_sha256(tmp_path / "a" / "run" / "dialogues.jsonl") == file_sha256(plain / "dialogues.jsonl")


def test_without_a_watcher_every_shard_is_a_line_in_the_log(
    fail: type[FailingRunner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    log = SimpleNamespace(info=lambda form, *values: lines.append(form % values))
    monkeypatch.setattr("flows.watching.get_run_logger", lambda: log)
    fail([], num_shards=2)
    build(out=str(tmp_path))
    assert lines[0] == "8 shards to pass"
    assert sum(" shard 00001 done: 1 records, 0 refused" in line for line in lines) == 4
    assert lines[-1] == "all 8 shards passed"


def test_a_watcher_outside_of_its_block_is_gone() -> None:
    from prefect.exceptions import MissingContextError

    from flows.watching import watcher

    progress = Recorded()
    with watched(progress):
        assert watcher() is progress
    with pytest.raises(MissingContextError):
        watcher()


def test_tasks_leave_caching_to_the_stamps() -> None:
    from prefect.cache_policies import NO_CACHE

    for task in (
        tasks.plan,
        tasks.script,
        tasks.speech,
        tasks.timing,
        tasks.render,
        tasks.finish,
        tasks.export,
    ):
        assert task.cache_policy == NO_CACHE
        assert task.persist_result is False
