"""The flow that mines real recordings: a declaration in, segments with their events out.

::

    recordings.yaml -> shards of recordings -> hear -> hear -> ... -> write
                                                '-> processes, one recording each; kept in activity/

Shards are heard one after the other, each by as many processes as the declaration has workers: hearing is arithmetic,
which threads would do no faster. What was heard is kept recording by recording, so that a flow that was killed goes on
where it stopped, and `humdial filter` on the same directory hears nothing again; the files are the same, too.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff

from flows.build import follow
from flows.tasks import FIRST_DELAY_S, RETRIES, is_transient
from flows.watching import watcher
from pipeline.core.heard import Heard
from pipeline.core.mining.summary import MiningSummary
from pipeline.domain.errors import PipelineError
from pipeline.domain.record import Record
from pipeline.io.recordings.declaration import Declaration, read_declaration
from pipeline.io.recordings.searched import check_not_searched
from pipeline.io.run_directory import RunDirectory
from pipeline.mining import Mine
from pipeline.run_records import ShardRef

SHARD_S = 60
"""What a shard should take each process: its start costs a second, and a task run a server tens of milliseconds."""
MOST_SHARDS = 500
"""A server that is sent some thousands of task runs at once may not live through it."""
_BYTES_PER_S = {"energy": 50_000_000, "webrtc": 20_000_000, "silero": 1_000_000}
"""Bytes of audio that one process hears in a second, roughly: 16 kHz PCM16 of two channels."""
_DIARIZED_BYTES_PER_S = 50_000


class FilterRequest(Record):
    """What is to be mined, resolved: what a file says can change no more once tasks have it."""

    declaration: str
    """The Declaration as JSON."""
    base: str
    """Relative paths in the declaration count from here."""
    out: str

    def mine(self) -> Mine:
        """Ready to hear and to write."""
        return Mine(Declaration.from_line(self.declaration), Path(self.base), Path(self.out))

    def shards(self) -> Iterator["FilterRequest"]:
        """The same for a part of the recordings each."""
        whole = Declaration.from_line(self.declaration)
        rate = _BYTES_PER_S[whole.listening.detector] if whole.diarizer is None else _DIARIZED_BYTES_PER_S
        sizes = [
            sum(_num_bytes(Path(self.base) / name) for name in recording.audio)
            for recording in whole.recordings
        ]
        for first, last in cut(sizes, SHARD_S * whole.workers * rate):
            part = whole.model_copy(update={"recordings": whole.recordings[first:last]})
            yield self.model_copy(update={"declaration": part.to_line()})


def resolve(declaration: str, out: str) -> FilterRequest:
    """Settle what is to be mined. Raises ConfigError for anything that could not be, before any task is run."""
    path = Path(declaration).absolute()
    request = FilterRequest(
        declaration=read_declaration(path).to_line(), base=str(path.parent), out=str(Path(out).absolute())
    )
    check_not_searched(path, Path(out))
    request.mine()
    return request


def cut(sizes: Sequence[int], least: int) -> tuple[tuple[int, int], ...]:
    """Half-open stretches of a row that come to `least` each, or more where there would be too many; the last to what
    is left.

    >>> cut([3, 4, 9, 1, 1], least=5)
    ((0, 2), (2, 3), (3, 5))
    """
    least = max(least, -(-sum(sizes) // MOST_SHARDS))
    found: list[tuple[int, int]] = []
    first = gathered = 0
    for index, size in enumerate(sizes):
        gathered += size
        if gathered >= least or index == len(sizes) - 1:
            found.append((first, index + 1))
            first, gathered = index + 1, 0
    return tuple(found)


@flow(name="filter", persist_result=False)
def mine(declaration: str, out: str) -> MiningSummary:
    """Mine the recordings that a declaration (a YAML file) names; results and what was heard go to `out`."""
    request = resolve(declaration, out)
    with RunDirectory(Path(request.out)).locked():
        with ThreadPoolTaskRunner[ShardRef](max_workers=1) as pool:
            shards = enumerate(request.shards())
            heard = tuple(pool.submit(hear, {"request": one, "index": index}) for index, one in shards)
            follow(watcher(), None, heard)
        summary = write(request)
        publish(request, summary)
    if not summary.recordings["ok"]:
        raise PipelineError(
            f"filter: {request.out}: none of {summary.recordings['in']} recordings could be used "
            f"({', '.join(code.value for code in summary.rejected)}); errors.jsonl there says why of each"
        )
    return summary


@task(
    name="hear",
    task_run_name="hear-{index:05d}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(backoff_factor=FIRST_DELAY_S),
    retry_jitter_factor=0.5,
    retry_condition_fn=is_transient,
)
def hear(request: FilterRequest, index: int) -> ShardRef:
    """Hear what has not been heard of one shard's recordings."""
    lines: list[str] = []
    refused = anew = 0

    def told(heard: Heard, kept: bool) -> None:
        nonlocal refused, anew
        lines.append(heard.to_line())
        refused += heard.activity is None
        anew += not kept

    request.mine().hear(told)
    return ShardRef(
        stage=hear.name,
        index=index,
        records_sha256=hashlib.sha256("".join(sorted(lines)).encode()).hexdigest(),
        num_records=len(lines) - refused,
        num_refusals=refused,
        cached=not anew,
    )


@task(name="write", cache_policy=NO_CACHE, persist_result=False)
def write(request: FilterRequest) -> MiningSummary:
    """Decide about everything that was heard, and write it down. What failed without a verdict is heard once more."""
    return request.mine().write()


def publish(request: FilterRequest, summary: MiningSummary) -> None:
    """The table that Prefect's page shows for the run: events by class."""
    rates = summary.class_per_hour
    rows = [
        {"event": kind.value, "count": count, "per hour": rates[kind]}
        for kind, count in summary.class_counts.items()
    ]
    done = summary.recordings
    create_table_artifact(
        key="humdial-filter",
        table=rows,
        description=(
            f"{request.out}: {done['ok']} of {done['in']} recordings used, {summary.funnel['segments'].went_out} "
            f"segments, {summary.hours_out:.3f} of {summary.hours_in:.3f} h kept"
        ),
    )


def _num_bytes(path: Path) -> int:
    """Zero for what is not there, which takes no time to refuse."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
