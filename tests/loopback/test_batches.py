"""Scripts by batch files, whole: submit, an engine that answers files, collect, and again until nothing is missing."""

import json
from collections import Counter
from pathlib import Path

import pytest
from pydantic import JsonValue

from pipeline.config import RunConfig, parse_config
from pipeline.core.batch import BatchRequest
from pipeline.domain.errors import ConfigError
from pipeline.io.run_directory import RunDirectory
from pipeline.runner import Runner
from pipeline.scripting_batches import Batches, Collection, Submission
from pipeline.stages import script
from pipeline.wiring import directory_of
from tests.cli.calling import humdial
from tests.loopback import Fault, FaultPlan, LoopbackServer
from tests.loopback.batching import Form, run_batch

DIALOGUES = 6


def author_of(url: str, server: str = "vllm") -> dict[str, JsonValue]:
    return {
        "backend": "openai",
        "model": "loopback-1",
        "endpoints": [{"base_url": url, "server": server, "api_key_variable": "BATCH_KEY"}],
        "patience": {"first_pause_s": 0.01, "longest_pause_s": 0.05, "give_up_after_s": 0.5},
    }


def content_of(url: str, server: str = "vllm", **changes: JsonValue) -> dict[str, JsonValue]:
    return {
        "shard_size": 4,
        "seeds": {
            "sources": [{"reader": "jsonl", "path": "demo", "language": "en", "limit": DIALOGUES}],
            "scenes": {"follow_up_question": 1, "user_backchannel": 1},
        },
        "script": {"author": author_of(url, server), "review": {"enabled": False}, **changes},
    }


def config_of(url: str, server: str = "vllm", **changes: JsonValue) -> RunConfig:
    return parse_config(content_of(url, server, **changes), "test")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCH_KEY", "sk-batch")


def batches_at(directory: Path, config: RunConfig) -> Batches:
    return Batches(config, directory / "run", directory / "store")


def finish(
    batches: Batches, server: LoopbackServer, directory: Path, form: Form = "vllm", lose: float = 0.0
) -> tuple[list[Submission], list[Collection]]:
    """Round after round, until nothing is missing."""
    submissions, collections = [batches.submit()], []
    while submissions[-1].files:
        assert len(submissions) < 20, "it never ends"
        files = [Path(file.path) for file in submissions[-1].files]
        number = len(submissions)
        results = run_batch(
            server.base_url, files, directory / f"out.{number}.jsonl", form=form, lose=lose, seed=number
        )
        collections.append(batches.collect(results))
        submissions.append(batches.submit())
    return submissions, collections


def write_scripts(directory: Path, config: RunConfig) -> str:
    """The script stage as a run does it: its records and refusals, as text."""
    with Runner(config, directory / "run", directory / "store") as runner:
        for ref in runner.plan():
            runner.advance(script.NAME, ref)
    stage = directory / "run" / directory_of(script.NAME)
    files = sorted([*stage.glob("records.*"), *stage.glob("quarantine.*")])
    return "".join(file.read_text(encoding="utf-8") for file in files)


@pytest.mark.parametrize(("form", "kind"), [("vllm", "vllm"), ("openai", "openai")])
def test_after_the_last_batch_a_run_pays_for_nothing_and_is_the_one_that_live_mode_makes(
    form: Form, kind: Form, tmp_path: Path
) -> None:
    live, batched = tmp_path / "live", tmp_path / "batched"
    with LoopbackServer(dialect=kind) as server:
        config = config_of(server.base_url, kind)
        submissions, collections = finish(batches_at(batched, config), server, tmp_path, form)
        asked = len(server.exchanges)
        by_batch = write_scripts(batched, config)
        assert len(server.exchanges) == asked, "no request is left for the run"
        assert write_scripts(live, config) == by_batch
        assert len(server.exchanges) == 2 * asked, "and live mode asks what the batches asked"
    assert [dict(one.outlook.requests) for one in submissions] == [
        {"adapt": DIALOGUES},
        {"place": DIALOGUES},
        {"write": DIALOGUES},
        {},
    ]
    assert [one.matched for one in collections] == [DIALOGUES] * 3
    assert submissions[-1].outlook.written == DIALOGUES


def test_a_conversation_and_its_review_take_a_round_per_step(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        config = config_of(server.base_url, recipe="conversation", review={})
        submissions, _ = finish(batches_at(tmp_path, config), server, tmp_path)
    steps = [set(one.outlook.requests) for one in submissions]
    assert steps[0] == {"conversation_adapt"}
    assert set[str]().union(*steps) == {
        *("conversation_adapt", "conversation_place", "conversation_write", "review")
    }
    last = submissions[-1].outlook
    assert (last.waiting, last.written + sum(last.refused.values())) == (0, DIALOGUES)
    assert last.written > 0


@pytest.mark.parametrize("backend", ["openai", "offline"])
def test_a_judge_of_another_model_gets_files_of_its_own(backend: str, tmp_path: Path) -> None:
    with LoopbackServer() as server, LoopbackServer(model="judge-1") as other:
        judge = {**author_of(other.base_url), "model": "judge-1"}
        author = {**author_of(server.base_url), "backend": backend}
        config = config_of(server.base_url, author=author, review={"judge": judge})
        batches = batches_at(tmp_path, config)
        seen: list[tuple[str, str]] = []
        while files := (submission := batches.submit()).files:
            seen += [(file.model, *submission.outlook.requests) for file in files]
            urls = {"loopback-1": server.base_url, "judge-1": other.base_url}
            for file in files:
                batches.collect(run_batch(urls[file.model], [Path(file.path)], tmp_path / "out.jsonl"))
    written = [("loopback-1", "adapt"), ("loopback-1", "place"), ("loopback-1", "write")]
    assert seen == [*(written if backend == "openai" else []), ("judge-1", "review")]
    assert submission.outlook.written == DIALOGUES


@pytest.mark.parametrize("form", ["vllm", "openai"])
def test_what_is_lost_damaged_or_refused_is_asked_again_until_every_dialogue_has_ended(
    form: Form, tmp_path: Path
) -> None:
    rates = {
        Fault.UNAVAILABLE: 0.2,
        Fault.TRUNCATED: 0.15,
        Fault.MALFORMED: 0.15,
        Fault.WRONG_LANGUAGE: 0.1,
    }
    with LoopbackServer(FaultPlan(rates, seed=4), dialect=form) as server:
        config = config_of(server.base_url, form)
        batches = batches_at(tmp_path, config)
        submissions, collections = finish(batches, server, tmp_path, form, lose=0.2)
        asked = len(server.exchanges)
        write_scripts(tmp_path, config)
        assert len(server.exchanges) == asked
    assert sum(one.missing for one in collections) > 0 or form == "openai"
    failed = sum((Counter(one.failed) for one in collections), Counter[str]())
    assert failed["503"] > 0
    assert (failed["batch_expired"] > 0) is (form == "openai")
    last = submissions[-1].outlook
    refusals = [one for one in RunDirectory(tmp_path / "run").read_refusals() if one.stage == script.NAME]
    assert Counter(one.reason.value for one in refusals) == Counter(last.refused)
    assert last.written + sum(last.refused.values()) == DIALOGUES
    assert last.waiting == 0


def test_a_request_that_no_server_can_answer_ends_its_dialogue_with_the_servers_own_words(
    tmp_path: Path,
) -> None:
    with LoopbackServer(max_model_len=2_100) as server:
        batches = batches_at(tmp_path, config_of(server.base_url))
        submissions, collections = finish(batches, server, tmp_path)
        assert len(submissions) == 3, "asked, repaired once, given up"
        assert [one.refused for one in collections] == [DIALOGUES, DIALOGUES]
        assert submissions[-1].outlook.refused == {"invalid_reply": DIALOGUES}
        scripts = write_scripts(tmp_path, config_of(server.base_url))
    assert scripts.count("This model's maximum context length is 2100 tokens") >= DIALOGUES


def test_results_are_taken_in_any_order_twice_and_from_elsewhere_and_each_kind_is_counted(
    tmp_path: Path,
) -> None:
    with LoopbackServer() as server:
        batches = batches_at(tmp_path, config_of(server.base_url))
        (file,) = batches.submit().files
        (good,) = run_batch(server.base_url, [Path(file.path)], tmp_path / "good.jsonl")
    lines = good.read_text().splitlines()
    first = json.loads(lines[0])["custom_id"]
    failure = {"custom_id": first, "response": None, "error": {"code": "batch_expired", "message": "late"}}
    stranger = {**json.loads(lines[1]), "custom_id": "other:adapt:0123456789abcdef"}
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text(
        "\n".join([json.dumps(failure), json.dumps(stranger), *lines[:4], "", lines[0], '{"custom_id": "cut'])
    )
    found = batches.collect([mixed])
    assert (found.matched, found.repeated, found.unknown, found.missing) == (4, 1, 1, DIALOGUES - 4)
    assert found.failed == {}, "what was answered did not fail"
    assert found.unreadable == (f"{mixed}:9",)
    again = batches.collect([good, mixed])
    assert (again.matched, again.repeated, again.unknown) == (DIALOGUES - 4, 4 + 6, 1)
    assert again.outlook.requests == {"place": DIALOGUES}


def test_a_file_holds_its_prompts_in_the_order_of_a_prefix_cache_and_nothing_secret(tmp_path: Path) -> None:
    config = config_of("http://127.0.0.1:9/v1")
    (file,) = batches_at(tmp_path, config).submit().files
    text = Path(file.path).read_text(encoding="utf-8")
    requests = [BatchRequest.from_line(line) for line in text.splitlines()]
    prompts = [json.dumps(one.body["messages"], ensure_ascii=False) for one in requests]
    assert prompts == sorted(prompts)
    assert len({one.custom_id for one in requests}) == DIALOGUES == file.num_requests
    assert file.num_bytes == len(text.encode())
    assert "sk-batch" not in text
    for request in requests:
        dialogue_id, step, fingerprint = request.custom_id.split(":")
        assert (step, len(fingerprint)) == ("adapt", 16)
        assert dialogue_id.startswith("en-")


def test_files_of_an_earlier_submission_give_way(tmp_path: Path) -> None:
    batches = batches_at(tmp_path, config_of("http://127.0.0.1:9/v1"))
    stale = tmp_path / "run" / "batch" / "requests.0007.jsonl"
    stale.parent.mkdir(parents=True)
    stale.write_text("{}\n")
    batches.submit()
    assert [path.name for path in stale.parent.iterdir()] == ["requests.0000.jsonl"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"author": {"backend": "offline"}}, "got backend offline"),
        (
            {
                "author": {
                    "backend": "openai",
                    "model": "m",
                    "endpoints": [
                        {"base_url": "http://a/v1", "server": "vllm"},
                        {"base_url": "http://b/v1", "server": "openai"},
                    ],
                }
            },
            "servers of kinds openai, vllm",
        ),
    ],
)
def test_a_configuration_that_batches_are_not_for_is_refused(
    changes: dict[str, JsonValue], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said):
        batches_at(tmp_path, config_of("http://a/v1", "vllm", **changes)).submit()


def test_the_commands_say_what_there_is_and_what_comes_next(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with LoopbackServer() as server:
        path = tmp_path / "run.yaml"
        path.write_text(json.dumps(content_of(server.base_url)), encoding="utf-8")
        submitted = humdial("script", "submit", path, "--out", out)
        assert submitted.code == 0, submitted.err
        assert f"to be asked: {DIALOGUES} (adapt {DIALOGUES})" in submitted.out
        assert f"vllm run-batch -i {out}/batch/requests.0000.jsonl" in submitted.out
        (results,) = run_batch(server.base_url, [out / "batch" / "requests.0000.jsonl"], tmp_path / "r.jsonl")
        collected = humdial("script", "collect", path, results, "--out", out)
        assert collected.code == 0, collected.err
        assert f"results: {DIALOGUES} matched, 0 refused for good, 0 failed" in collected.out
        assert f"to be asked: {DIALOGUES} (place {DIALOGUES})" in collected.out
        assert f"next: humdial script submit {path} --out {out}" in collected.out
        with results.open("a") as file:
            file.write("not a result\n")
        assert humdial("script", "collect", path, results, "--out", out).code == 1
        missing = humdial("script", "collect", path, tmp_path / "none.jsonl", "--out", out)
    assert missing.code == 2
    assert "wanted a file that vllm run-batch or OpenAI's Batch API wrote" in missing.problem
