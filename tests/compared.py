"""Runs on disk that hold scripts and what became of them, made without an author: what `compare` reads."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from pipeline.config import parse_config
from pipeline.core.ledger import Call, Prices, call_of, summarise_calls
from pipeline.core.scripting.review import Judgement, Review, scores_of
from pipeline.domain.chat import ChatReply
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.scene import Scene
from pipeline.domain.script import Script
from pipeline.io.jsonl import write_records
from pipeline.io.run_directory import RunDirectory
from pipeline.io.store import Store
from pipeline.run_records import RunDescription, Versions
from tests.spoken import interruption
from tests.stages.doubles import plan_of

JUDGE = "judge-1"
PRICES = Prices(prompt=1.0, cached=0.5, completion=4.0)


def reviewed(score: int) -> Review:
    """The same on every axis."""
    return Review(**dict.fromkeys(Review.model_fields, Judgement(reason="made up", score=score)))


def script_of(number: int, score: int | None = None) -> Script:
    """Judged by a language model; without a score, by an author of frames whom nobody judges."""
    made = (
        {"frames": ("en/lead", f"en/tip/{number}")}
        if score is None
        else {"review": scores_of(reviewed(score))}
    )
    return interruption(dialogue_id=f"d{number}").model_copy(update=made)


def write_compared(
    directory: Path,
    scores: Sequence[int | None],
    refused: Sequence[Reason] = (),
    *,
    turned_down: Sequence[int | None] = (),
    config: Mapping[str, JsonValue] | None = None,
    planned: int | None = None,
    judging: str = "review",
    with_ledger: bool = True,
) -> Path:
    """One script per score (None: not judged), one refusal per reason, one more per script that the judge turned
    down with a score (None: its review is not in the store)."""
    run, store = RunDirectory(directory), Store(directory.parent / "store")
    scripts = [script_of(number, score) for number, score in enumerate(scores)]
    reasons = (*refused, *(Reason.POOR_REVIEW for _ in turned_down))
    ids = [f"d{number}" for number in range(len(scripts), len(scripts) + len(reasons))]
    refusals = [
        Refusal(stage="script", record_id=name, reason=reason, detail="made up", payload="{}")
        for name, reason in zip(ids, reasons, strict=True)
    ]
    plan = plan_of(Scene.FOLLOW_UP_QUESTION)
    count = len(scripts) + len(refusals) if planned is None else planned
    plans = [plan.model_copy(update={"dialogue_id": f"d{number}"}) for number in range(count)]
    run.write_shard("01-seeds", 0, "key", plans, ())
    run.write_shard("02-script", 0, "key", scripts, refusals)
    calls = [call for one in scripts for call in _calls(directory.name, one.dialogue_id, judging)]
    for name, score in zip(ids[len(refused) :], turned_down, strict=True):
        calls += _calls(directory.name, name, judging)
        if score is not None:
            store.put_reply(f"{JUDGE}/{directory.name}/review of {name}", _reply(reviewed(score).to_line()))
    if with_ledger:
        write_records(directory / "02-script" / "ledger.00000.jsonl", calls)
    author: dict[str, JsonValue] = {
        "backend": "openai",
        "model": JUDGE,
        "endpoints": [{"base_url": "http://127.0.0.1:9/v1"}],
    }
    content: dict[str, JsonValue] = {
        "seeds": {"sources": [{"reader": "jsonl", "path": "demo", "language": "en"}]},
        "script": {"author": author if with_ledger else {"backend": "offline"}},
        **(config or {}),
    }
    description = RunDescription(
        config=parse_config(json.loads(json.dumps(content)), "test"),
        versions=Versions(pipeline="0", python="3", stages={}, deps={}, packages={}),
        num_dialogues=len(scripts),
        refusals={},
        calibration=None,
        ledger=summarise_calls(calls, PRICES) if with_ledger else None,
    )
    (directory / "run.json").write_text(description.to_line(), encoding="utf-8")
    return directory


def _calls(run: str, dialogue_id: str, judging: str) -> list[Call]:
    reply = _reply("{}")
    return [
        call_of(dialogue_id, "write", 0, "accepted", f"{run}/write {dialogue_id}", reply=reply, stored=False),
        call_of(
            dialogue_id, judging, 0, "accepted", f"{run}/review of {dialogue_id}", reply=reply, stored=False
        ),
    ]


def _reply(content: str) -> ChatReply:
    return ChatReply(
        model=JUDGE,
        content=content,
        finish_reason="stop",
        prompt_tokens=1000,
        cached_tokens=400,
        completion_tokens=200,
        frames=(),
    )
