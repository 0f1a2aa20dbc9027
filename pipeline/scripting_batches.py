"""Scripts by batch files: what the script stage would ask next, written down to be answered later.

::

    submit:   plans -> the stage's own author loop -> request without a stored reply? -> batch/requests.NNNN.jsonl
                                                      (its dialogue waits)
    collect:  results -> the store, at the addresses of live mode
    ... and again, one step further each time, until nothing is missing; `humdial run` then pays for nothing.

There is no list of what was sent: the store says what is answered, the stage says what it would ask. So either
command can be killed, repeated, or given results twice.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pipeline.backends.openai_chat.failures import is_about_the_record
from pipeline.backends.openai_chat.wire import ServerKind, body_of, reply_of
from pipeline.config import RunConfig
from pipeline.core.batch import Answered, BatchRequest, Failed, cache_order, custom_id_of, short, short_of
from pipeline.core.ledger import Call
from pipeline.domain.chat import ChatReply, ChatRequest
from pipeline.domain.errors import ConfigError, ReplyAwaitedError, TransientBackendError
from pipeline.domain.record import Record
from pipeline.domain.script import DialoguePlan
from pipeline.io.batch_files import BATCH, BatchFile, read_results, write_requests
from pipeline.io.store import Store
from pipeline.ports import ChatModel
from pipeline.run_records import SILENT, Progress, ShardRef
from pipeline.runner import Runner
from pipeline.stages import script, seeds
from pipeline.stages.author_config import AuthorConfig
from pipeline.wiring import Wiring, directory_of

R = TypeVar("R", bound=Record)


class Outlook(Record):
    """How far a run's scripts are."""

    requests: dict[str, int]
    """That the next submission holds, by step."""
    waiting: int
    """Dialogues that one of them is for."""
    written: int
    """Dialogues with every reply that they need."""
    refused: dict[str, int]
    """Dialogues that no reply can help any more, by reason."""


class Submission(Record):
    """What `submit` wrote."""

    files: tuple[BatchFile, ...]
    outlook: Outlook


class Collection(Record):
    """What `collect` found."""

    matched: int
    """Answers that were waited for, and are stored now."""
    refused: int
    """Requests that can never be answered (too long, filtered): stored too, for their dialogues to be repaired
    or refused."""
    failed: dict[str, int]
    """Requests without an answer, by the server's code: the next submission holds them again."""
    repeated: int
    """Results of requests that were answered before."""
    unknown: int
    """Results that belong to no request of this run: another run's, or another configuration's."""
    unreadable: tuple[str, ...]
    """`<file>:<line>` of lines that are no results."""
    missing: int
    """Requests that were waited for and that no line is about."""
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class Awaited:
    """A request that the stage made and nobody has answered."""

    request: ChatRequest
    model: str
    server: ServerKind

    @property
    def address(self) -> str:
        """Where live mode would store the reply."""
        return f"{self.model}/{self.request.fingerprint()}"

    def line(self, custom_id: str) -> str:
        """Its line of a batch file."""
        return BatchRequest(
            custom_id=custom_id, body=body_of(self.request, self.model, self.server)
        ).to_line()


@dataclass(frozen=True, slots=True)
class _Tray:
    """What was asked while the stage ran: in vain, and with success."""

    awaited: dict[str, Awaited] = field(default_factory=dict)
    """By custom id."""
    answered: set[str] = field(default_factory=set)
    """Short fingerprints."""

    def empty(self) -> "_Tray":
        """Hand over what lies in it."""
        found = _Tray(dict(self.awaited), set(self.answered))
        self.awaited.clear()
        self.answered.clear()
        return found


@dataclass(frozen=True, slots=True)
class _LaterAuthor:
    """Implements ChatModel: writes a request down, and has its dialogue wait."""

    name: str
    server: ServerKind
    tray: _Tray

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Never answers. Raises ReplyAwaitedError."""
        custom_id = custom_id_of(request)
        self.tray.awaited[custom_id] = Awaited(request, self.name, self.server)
        raise ReplyAwaitedError(f"{custom_id}: is asked in a batch")


class _NotingStore(Store):
    """Notes which replies were there."""

    def __init__(self, directory: Path, tray: _Tray) -> None:
        super().__init__(directory)
        self._tray = tray

    def find_reply(self, address: str) -> ChatReply | None:
        found = super().find_reply(address)
        if found is not None:
            self._tray.answered.add(short(address.rpartition("/")[2]))
        return found


class _LaterWiring(Wiring):
    """The stages of a run whose language models answer later. The embedded author answers at once."""

    def __init__(self, config: RunConfig, run_directory: Path, store_directory: Path) -> None:
        super().__init__(config, run_directory, store_directory)
        self.tray = _Tray()
        self._store = _NotingStore(store_directory, self.tray)

    def _author(self, config: AuthorConfig) -> ChatModel:
        if config.backend == "offline":
            return super()._author(config)
        return _LaterAuthor(config.model or "", server_of(config), self.tray)

    def _keep_calls(self, index: int, calls: tuple[Call, ...]) -> None:
        """The run that follows keeps the ledger."""


@dataclass(frozen=True, slots=True)
class _Plans:
    """A shard of plans, read as the stage reads it."""

    plans: tuple[DialoguePlan, ...]

    def __call__(self, kind: type[R]) -> tuple[R, ...]:
        return tuple(plan for plan in self.plans if isinstance(plan, kind))


def server_of(author: AuthorConfig) -> ServerKind:
    """What will read the batch files. Raises ConfigError unless all endpoints are of one kind."""
    kinds = sorted({endpoint.server for endpoint in author.endpoints})
    if len(kinds) != 1:
        raise ConfigError(
            f"script.author.endpoints: got servers of kinds {', '.join(kinds)}, wanted one that batch files are "
            "for; leave `server: vllm` (for vllm run-batch) or `server: openai` (for the Batch API)"
        )
    return kinds[0]


def check_author(config: script.Config) -> None:
    """Raise ConfigError where no language model is asked, so that there is nothing to submit."""
    asked = (config.author, *((config.review.judge,) if config.review.judge is not None else ()))
    if all(author.backend == "offline" for author in asked):
        raise ConfigError(
            "script.author: got backend offline, which answers at once; wanted a language model for batch files; "
            "set `backend: openai`, its `model`, and an endpoint whose `server` is vllm or openai"
        )


class Batches:
    """The batches of one run. Each method holds the run's directory while it works."""

    def __init__(self, config: RunConfig, run_directory: Path, store_directory: Path) -> None:
        check_author(config.script)
        self._config = config
        self._run_directory = run_directory
        self._store_directory = store_directory

    def submit(self, progress: Progress = SILENT) -> Submission:
        """Write what is to be asked next. Writes no file where nothing is."""
        with self._open() as (runner, wiring):
            tray, outlook = _look(runner, wiring, runner.plan(speaks=False), progress)
            return Submission(files=self._write(tray), outlook=outlook)

    def collect(self, paths: Sequence[Path], progress: Progress = SILENT) -> Collection:
        """Store what came back, and see what is to be asked next."""
        with self._open() as (runner, wiring):
            plan = runner.plan(speaks=False)
            tray, _ = _look(runner, wiring, plan, progress)
            found = _Results(tray, Store(self._store_directory))
            for where, result in read_results(paths):
                found.take(where, result)
            return found.collection(_look(runner, wiring, plan, progress)[1])

    @contextmanager
    def _open(self) -> Iterator[tuple[Runner, _LaterWiring]]:
        where = (self._config, self._run_directory, self._store_directory)
        with Runner(*where) as runner, runner.directory.locked(), closing(_LaterWiring(*where)) as wiring:
            yield runner, wiring

    def _write(self, tray: _Tray) -> tuple[BatchFile, ...]:
        ordered = sorted(tray.awaited.items(), key=lambda item: (item[1].model, cache_order(item[1].request)))
        by_model: dict[str, list[tuple[str, Awaited]]] = {}
        for custom_id, one in ordered:
            by_model.setdefault(one.model, []).append((custom_id, one))
        directory = self._run_directory / BATCH
        return write_requests(
            directory,
            {model: (one.line(custom_id) for custom_id, one in found) for model, found in by_model.items()},
        )


def _look(
    runner: Runner, wiring: _LaterWiring, plan: Sequence[ShardRef], progress: Progress
) -> tuple[_Tray, Outlook]:
    """Run the stage on every shard with the replies that there are; its output is thrown away."""
    bound = wiring.stage(script.NAME)
    dialogues = written = 0
    refused: Counter[str] = Counter()
    progress.begin(len(plan))
    try:
        for ref in plan:
            plans = runner.directory.read_shard(directory_of(seeds.NAME), ref.index, DialoguePlan)
            done = bound.apply(_Plans(plans), ref.index)
            dialogues += len(plans)
            written += len(done.records)
            refused.update(refusal.reason.value for refusal in done.refusals)
            progress.advance(ref)
    finally:
        progress.end()
    tray = wiring.tray.empty()
    steps = Counter(one.request.step for one in tray.awaited.values())
    waiting = dialogues - written - refused.total()
    return tray, Outlook(requests=dict(steps), waiting=waiting, written=written, refused=dict(refused))


class _Results:
    """Takes results as they come; an answer counts before a failure of the same request, in whatever order."""

    def __init__(self, tray: _Tray, store: Store) -> None:
        self._tray = tray
        self._store = store
        self._matched: set[str] = set()
        self._refused: set[str] = set()
        self._failed: dict[str, str] = {}
        self._repeated = 0
        self._unknown = 0
        self._unreadable: list[str] = []

    def take(self, where: str, result: Answered | Failed | None) -> None:
        """One line."""
        if result is None:
            self._unreadable.append(where)
            return
        awaited = self._tray.awaited.get(result.custom_id)
        if awaited is None:
            known = short_of(result.custom_id) in self._tray.answered
            self._repeated += known
            self._unknown += not known
        elif result.custom_id in self._matched:
            self._repeated += 1
        elif isinstance(result, Answered):
            self._store_answer(where, awaited, result)
        elif is_about_the_record(result.code, result.message):
            self._store.put_reply(awaited.address, _refusal(awaited.model, result))
            self._refused.add(result.custom_id)
        else:
            self._failed[result.custom_id] = result.code

    def _store_answer(self, where: str, awaited: Awaited, result: Answered) -> None:
        try:
            reply = reply_of(result.completion, awaited.model, where, served=None)
        except TransientBackendError:
            self._failed[result.custom_id] = "no completion"
            return
        self._store.put_reply(awaited.address, reply)
        self._matched.add(result.custom_id)

    def collection(self, outlook: Outlook) -> Collection:
        """What it came to, with what is left to ask."""
        refused = self._refused - self._matched
        failed = {name: code for name, code in self._failed.items() if name not in self._matched | refused}
        seen = self._matched | refused | failed.keys()
        return Collection(
            matched=len(self._matched),
            refused=len(refused),
            failed=dict(Counter(failed.values()).most_common()),
            repeated=self._repeated,
            unknown=self._unknown,
            unreadable=tuple(self._unreadable),
            missing=len(self._tray.awaited.keys() - seen),
            outlook=outlook,
        )


def _refusal(model: str, result: Failed) -> ChatReply:
    """A request that can never be answered, as the reply that it would have been: the author's ordinary way with
    such replies, one repair and then a refusal that quotes the server, ends the matter."""
    filtered = "content" in result.code
    return ChatReply(
        model=model,
        content=f"{result.code}: {result.message}",
        finish_reason="content_filter" if filtered else "length",
        prompt_tokens=0,
        cached_tokens=0,
        completion_tokens=0,
        frames=(),
    )
