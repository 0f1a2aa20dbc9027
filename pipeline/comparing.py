"""Two runs side by side, out of their directories: `humdial compare`."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, Field, RootModel

from pipeline.core.compare import JUDGING, SCORING, Audio, Comparison, RunMaterial, Survey, compare, survey
from pipeline.core.prompting import parse_reply
from pipeline.domain.errors import ConfigError, RecordError
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.script import AxisScore, Script
from pipeline.io.run_directory import RunDirectory
from pipeline.io.store import Store
from pipeline.run_records import RunDescription, read_description
from pipeline.stages import script, seeds
from pipeline.wiring import directory_of


class _Score(BaseModel):
    """Any rubric's judgement, without its reason."""

    score: int = Field(ge=1, le=5)


class _Scores(RootModel[dict[str, _Score]]):
    """Any rubric's reply, by axis."""


def compare_runs(a: Path, b: Path) -> Comparison:
    """Read, count and compare two finished runs. Raises ConfigError where one is not finished."""
    return compare(survey_run(a), survey_run(b))


def survey_run(run_directory: Path) -> Survey:
    """Count one run from what it wrote down; its audio is not read."""
    description = read_description(run_directory)
    config = description.config
    run = RunDirectory(run_directory)
    shards = _finished_shards(run)
    refusals = tuple(run.read_refusals())
    writer = config.script.author
    judge = (config.script.review.judge or writer).model if config.script.review.judges(writer) else None
    turned_down, unread = _read_turned_down(run, description, judge, refusals)
    return survey(
        RunMaterial(
            name=str(run_directory),
            recipe=config.script.recipe,
            prompting=config.script.prompting,
            root_seed=config.seed,
            author=writer.model if writer.backend == "openai" and writer.model else writer.backend,
            judge=judge,
            min_score=config.script.review.min_score,
            scripts=_read_scripts(run, shards),
            refused=frozenset(row.record_id for row in refusals if row.stage == script.NAME),
            refusals=refusals,
            turned_down=turned_down,
            unread=unread,
            audio=_read_audio(run),
            ledger=description.ledger,
        )
    )


def _finished_shards(run: RunDirectory) -> tuple[int, ...]:
    """Indices of the script shards. Raises ConfigError unless every dialogue in them was accepted or refused."""
    planned = {index: stamp.num_records for index, stamp in run.find_shards(directory_of(seeds.NAME))}
    done = {
        index: stamp.num_records + stamp.num_refusals
        for index, stamp in run.find_shards(directory_of(script.NAME))
    }
    if not done:
        raise ConfigError(
            f"compare: {run.path} holds no {directory_of(script.NAME)}; wanted scripts; finish that run first"
        )
    for index, count in done.items():
        if planned.get(index) != count:
            raise ConfigError(
                f"compare: {run.path}: shard {index:05d} has {count} dialogues written or refused, wanted the "
                f"{planned.get(index, 0)} that were planned; finish that run first"
            )
    return tuple(done)


def _read_scripts(run: RunDirectory, shards: Iterable[int]) -> Iterator[Script]:
    for index in shards:
        yield from run.read_shard(directory_of(script.NAME), index, Script)


def _read_audio(run: RunDirectory) -> Audio | None:
    """How much came to audio; None for a run that got no further than its scripts."""
    if not run.dialogues_path.is_file():
        return None
    count, seconds = 0, 0.0
    for dialogue in run.read_dialogues():
        count += 1
        seconds += dialogue.audio.num_samples / dialogue.audio.sampling_rate
    return Audio(dialogues=count, hours=seconds / 3600)


def _read_turned_down(
    run: RunDirectory, description: RunDescription, judge: str | None, refusals: Sequence[Refusal]
) -> tuple[tuple[tuple[AxisScore, ...], ...], int]:
    """What the judge gave the scripts that it turned down, and for how many that cannot be told.

    A refused script has no record that could hold its scores. The ledger names the judge's last reply about it,
    and the store has the reply. Some scripts are turned down before anything is scored: those lack no scores.
    """
    refused = {row.record_id for row in refusals if row.reason is Reason.POOR_REVIEW}
    calls = run.read_calls() if refused else ()
    asked = [call for call in calls if call.step in JUDGING and call.dialogue_id in refused]
    last = {call.dialogue_id: call.reply for call in asked if call.step in SCORING}
    store = Store(run.path / description.store)
    found = [_find_scores(store, f"{judge}/{fingerprint}") for fingerprint in last.values()]
    scores = tuple(one for one in found if one is not None)
    unknown = refused - {call.dialogue_id for call in asked}  # an embedded author keeps no ledger
    return scores, len(unknown) + len(found) - len(scores)


def _find_scores(store: Store, address: str) -> tuple[AxisScore, ...] | None:
    reply = store.find_reply(address)
    if reply is None:
        return None
    try:
        given = parse_reply(reply, _Scores).root
    except RecordError:  # what the judge said last was no judgement
        return None
    return tuple(AxisScore(axis=axis, score=one.score) for axis, one in given.items())
