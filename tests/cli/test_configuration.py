"""What is wrong with a configuration is told in one line: where, what was found, what is known."""

from pathlib import Path

import pytest

from tests.cli.calling import Answer, humdial

SEEDS = "seeds: {sources: [{reader: jsonl, path: demo, language: en}]}\n"


def preview(tmp_path: Path, text: str | bytes, *overrides: str) -> Answer:
    path = tmp_path / "run.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    sets = [f"--set={override}" for override in overrides]
    answer = humdial("preview", path, "-n", "1", "--out", tmp_path / "out", *sets)
    assert not (tmp_path / "out").exists()
    return answer


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "wanted `key: value` lines"),
        ("- 1\n- 2\n", "holds list"),
        ("just words", "holds str"),
        ("a: [1, 2", "not valid YAML"),
        ("a: b: c", "not valid YAML"),
        ("\tseeds: 1", "not valid YAML"),
        ("a: !!python/object:os.system {}", "not valid YAML"),
        (b"name: \xff\xfe", "cannot be read"),
        ("name: x", "seeds is missing; add it"),
        ("seeds: {}", "seeds.sources is missing; add it"),
        ("seeds: {sources: []}", "seeds.sources: "),
        ("seeds: {sources: [{reader: jsonl, path: demo}]}", "seeds.sources.0.language is missing"),
        ("seeds: {sources: [{reader: jsonl, path: demo, language: fr}]}", "seeds.sources.0.language: "),
        ("seeds: {sources: [{reader: jsonl, paht: demo, language: en}]}", "did you mean 'path'?"),
        (SEEDS.replace("demo", "~nobody-of-that-name/x"), "cannot be a path"),
        (SEEDS + "sede: 3", "unknown key 'sede'; did you mean 'seed'?"),
        (SEEDS + "timings: {}", "did you mean 'timing'?"),
        (SEEDS + "timing: {tail: 3}", "unknown key 'timing.tail'; did you mean 'tail_s'?"),
        (SEEDS + "script: {author: {temprature: 1}}", "did you mean 'temperature'?"),
        (
            SEEDS + "timing: {overlap_ratio: {mn: 0.1, max: 0.2}}",
            "'timing.overlap_ratio.mn'; did you mean 'min'?",
        ),
        (SEEDS + "timing: {overlap_ratio: lots}", "timing.overlap_ratio: "),
        (SEEDS + "timing: {overlap_ratio: .nan}", "timing.overlap_ratio: "),
        (SEEDS + "timing: {tail_s: .inf}", "timing.tail_s: "),
        (SEEDS + "seed: -1", "seed: "),
        (SEEDS + "seed: many", "seed: "),
        (SEEDS + "workers: 0", "workers: "),
        (SEEDS + "workers: 1000", "workers: "),
        (SEEDS + "name: ../up", "name: "),
        (SEEDS + "name: 2024-05-01", "put it in quotes"),
        (SEEDS + "name: !!binary aGk=", "put it in quotes"),
        (SEEDS + "timing: &t {loop: *t}", "refers to itself"),
        (SEEDS + "export: [humdial-track3]", "export.0: "),
        (SEEDS + "render: {format: mp3}", "render.format: "),
        (SEEDS + "render: {sampling_rate: 100}", "render.sampling_rate: "),
        (SEEDS + "speech: {backend: sonata}", "speech.backend: "),
        (SEEDS + "script: {recipe: operatic}", "script.recipe: "),
        (SEEDS.replace("]}", "], scenes: {topic: 1}}"), "seeds.scenes.topic"),
        (SEEDS.replace("]}", "], scenes: {topic_switching: 0}}"), "weights must be >= 0 and not all 0"),
        (SEEDS.replace("]}", "], splits: {train: -1}}"), "weights must be >= 0 and not all 0"),
        ("[" * 5_000, "YAML"),
    ],
    ids=lambda value: repr(value)[-50:],
)
def test_a_configuration_that_cannot_be_used_is_exit_code_2(
    text: str | bytes, problem: str, tmp_path: Path
) -> None:
    answer = preview(tmp_path, text)
    assert answer.code == 2
    assert problem in answer.problem
    assert str(tmp_path / "run.yaml") in answer.problem
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("seed", "wanted section.key=value"),
        ("=3", "wanted section.key=value"),
        ("seed=[1", "'[1' is not a YAML value"),
        ("seed=x", "seed: "),
        ("sed=3", "unknown key 'sed'; did you mean 'seed'?"),
        ("timing.tale_s=3", "unknown key 'timing.tale_s'; did you mean 'tail_s'?"),
        ("timimg.tail_s=3", "unknown key 'timimg'; did you mean 'timing'?"),
        ("timing=3", "timing: "),
        ("seed.deep=3", "seed holds a single value, not keys"),
        ("name.first.second=3", "nothing called 'first' to reach into"),
        ("seeds.sources.7.limit=3", "nothing called '7' to reach into"),
        ("seeds.sources.first.limit=3", "nothing called 'first' to reach into"),
        ("seeds.sources.0.limit=0", "seeds.sources.0.limit: "),
        ("timing..tail_s=3", "unknown key 'timing.'; did you mean "),
        ("seed=2024-05-01", "put it in quotes"),
    ],
)
def test_an_override_that_cannot_be_made_is_exit_code_2(override: str, problem: str, tmp_path: Path) -> None:
    answer = preview(tmp_path, SEEDS + "seed: 3\nname: x\n", override)
    assert answer.code == 2
    assert problem in answer.problem
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (
            "dmeo",
            "neither a file nor a preset; wanted a YAML file or one of: conversation, demo, emotional, full, small",
        ),
        ("absent.yaml", "absent.yaml: cannot be read"),
        (".", "neither a file nor a preset"),
        ("", "neither a file nor a preset"),
        ("missing.d/run.yaml", "missing.d/run.yaml: cannot be read"),
    ],
)
def test_a_configuration_that_is_not_there_is_exit_code_2(
    name: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = humdial("preview", name, "--out", tmp_path / "out")
    assert answer.code == 2
    assert problem in answer.problem
