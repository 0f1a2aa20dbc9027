from pathlib import Path

import pytest

from flows.request import RunRequest, resolve
from pipeline.config import DEMO, RunConfig, find_config, load_config
from pipeline.core.planning import plan_dialogues
from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language, Split
from pipeline.domain.scene import Scene
from pipeline.domain.seed import SeedDialogue
from pipeline.io.corpora import CORPORA
from pipeline.wiring import read_source

PRESETS = ("conversation", "demo", "emotional", "full", "small")


def preset(name: str) -> RunConfig:
    return load_config(find_config(name))


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_valid_configuration_of_its_own_name(name: str) -> None:
    assert preset(name).name == name


def test_there_are_no_other_presets() -> None:
    directory = find_config("demo").parent
    assert sorted(path.stem for path in directory.glob("*.yaml")) == sorted(PRESETS)


@pytest.mark.parametrize("name", ["conversation", "demo", "emotional", "small"])
def test_a_preset_without_corpora_resolves_as_it_is(name: str) -> None:
    request = resolve(name, None, ())
    assert Path(request.run_directory) == Path("outputs").absolute() / name
    assert request.run_config() == preset(name)


def test_the_demo_plans_two_dialogues_or_more_per_scene_language_and_split() -> None:
    config = preset("demo")
    seeds = [
        seed
        for source in config.seeds.sources
        for seed in read_source(source)
        if isinstance(seed, SeedDialogue)
    ]
    plans = plan_dialogues(
        seeds, config.script.recipe, config.seeds.scenes, config.seeds.splits, config.script.emotional
    )
    counts = {
        (scene, language, split): sum(
            (plan.scene, plan.seed.language, plan.split) == (scene, language, split) for plan in plans
        )
        for scene in Scene
        for language in Language
        for split in (Split.TRAIN, Split.DEV)
    }
    assert min(counts.values()) >= 2, counts


def test_full_names_every_reader_once_per_language() -> None:
    wanted = {(name, language) for name, corpus in CORPORA.items() for language in corpus.languages}
    got = [(source.reader, source.language) for source in preset("full").seeds.sources]
    assert len(got) == len(set(got))
    # one line for dialogues of one's own shows the form; it is the same in the other language
    assert wanted - set(got) <= {("jsonl", Language.ZH)}
    assert set(got) <= wanted


def test_full_as_it_is_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"full\.yaml: seeds\.sources\.0\.path .* does not exist; .*copy"):
        resolve("full", None, ())


def test_a_copy_of_full_runs_beside_its_corpora(tmp_path: Path) -> None:
    copy = tmp_path / "full.yaml"
    copy.write_bytes(find_config("full").read_bytes())
    for source in load_config(copy).seeds.sources:
        assert source.path != DEMO
        path = Path(source.path)
        assert path.is_relative_to(tmp_path / "corpora")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert resolve(str(copy), None, ()).run_config().name == "full"


@pytest.mark.parametrize(
    ("config", "overrides", "message"),
    [
        ("nosuch", (), "neither a file nor a preset"),
        ("nosuch.yaml", (), "cannot be read"),
        ("demo", ("sedd=1",), "did you mean 'seed'"),
        ("demo", ("seed=minus one",), "seed: "),
        ("demo", ("seed",), "wanted section.key=value"),
    ],
)
def test_what_cannot_be_run_is_refused(config: str, overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(config, None, overrides)


def test_a_request_survives_its_journey_to_a_task(tmp_path: Path) -> None:
    request = resolve("demo", tmp_path / "out" / "run", ("timing.tail_s=1.0", "seed=7"))
    again = RunRequest.from_line(request.to_line())
    assert again == request
    assert (again.run_config().seed, again.run_config().timing.tail_s) == (7, 1.0)
    assert Path(again.store_directory) == tmp_path / "out" / "store"
