"""Need decides the mode: the table of the module, row by row."""

from pathlib import Path

import pytest

from pipeline.backends.cosyvoice.worker.choosing import choose
from pipeline.backends.cosyvoice.worker.messages import Greeting, TtsRequest
from pipeline.backends.cosyvoice.worker.refusals import RefusalError
from pipeline.backends.cosyvoice.worker.voices import Registry
from tests.backends.cosyvoice_worker.asking import prompt, wish

HAPPY = "请非常开心地说一句话。"
FIELDS = {"prompt_text": "你好。", "licence": "CC0-1.0", "consent": "form 7"}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """`plain` has one recording; `rich` has a short one, a frightened one and a short frightened one as well."""
    registry = Registry(tmp_path)
    uses = [
        {"id": "plain"},
        {"id": "rich"},
        {"id": "rich", "short": "true"},
        {"id": "rich", "emotion": "fear"},
        {"id": "rich", "emotion": "fear", "short": "true"},
    ]
    for index, use in enumerate(uses):
        reference, is_new = registry.check({**FIELDS, **use}, prompt(pitch_hz=100 + 10 * index))
        assert is_new
        registry.add(reference)
    return registry


def greeting(*, instructs: bool = True) -> Greeting:
    return Greeting(
        model="m",
        revision="r",
        sample_rate=24_000,
        device="cpu",
        speakers=["中文女"],
        modes=["sft", "zero_shot", "instruct"] if instructs else ["sft", "zero_shot"],
        languages=["zh", "en"],
        emotions={"happy": HAPPY} if instructs else {},
        tags=["[laughter]"],
    )


@pytest.mark.parametrize(
    ("wishes", "mode", "use", "instruction", "unmet"),
    [
        ({"voice": "中文女"}, "sft", "", None, []),
        ({"voice": "中文女", "emotion": "happy"}, "sft", "", None, ["emotion_not_applied"]),
        (
            {"voice": "中文女", "mode": "sft", "instruction": "x"},
            "sft",
            "",
            None,
            ["instruction_not_applied"],
        ),
        ({"voice": "plain"}, "zero_shot", "neutral#long", None, []),
        ({"voice": "plain", "kind": "backchannel"}, "zero_shot", "neutral#long", None, ["no_short_prompt"]),
        ({"voice": "rich", "kind": "backchannel"}, "zero_shot", "neutral#short", None, []),
        ({"voice": "rich", "emotion": "fear"}, "zero_shot", "fear#long", None, []),
        ({"voice": "rich", "emotion": "fear", "kind": "backchannel"}, "zero_shot", "fear#short", None, []),
        ({"voice": "rich", "emotion": "sad"}, "zero_shot", "neutral#long", None, ["emotion_not_applied"]),
        ({"voice": "rich", "emotion": "happy"}, "instruct", "neutral#long", HAPPY, []),
        (
            {"voice": "rich", "emotion": "happy", "kind": "backchannel"},
            "zero_shot",
            "neutral#short",
            None,
            ["emotion_not_applied"],
        ),
        (
            {"voice": "rich", "emotion": "happy", "mode": "zero_shot"},
            "zero_shot",
            "neutral#long",
            None,
            ["emotion_not_applied"],
        ),
        ({"voice": "rich", "instruction": "慢一点"}, "instruct", "neutral#long", "慢一点", []),
        ({"voice": "rich", "emotion": "happy", "mode": "instruct"}, "instruct", "neutral#long", HAPPY, []),
        (
            {"voice": "rich", "emotion": "fear", "instruction": "慢一点"},
            "instruct",
            "neutral#long",
            "慢一点",
            ["emotion_not_applied"],
        ),
    ],
)
def test_need_decides_the_mode_and_the_recording(
    registry: Registry,
    wishes: dict[str, str],
    mode: str,
    use: str,
    instruction: str | None,
    unmet: list[str],
) -> None:
    choice = choose(TtsRequest.model_validate(wish(**wishes)), greeting(), registry)
    key = choice.job.reference.key if choice.job.reference else ""
    assert (choice.job.mode, choice.job.instruction, list(choice.warnings)) == (mode, instruction, unmet)
    assert use in key
    assert key.startswith(wishes["voice"] if use else "")
    assert choice.applied.emotion is ("emotion_not_applied" not in unmet)


@pytest.mark.parametrize(
    ("wishes", "instructs", "complaint"),
    [
        ({"voice": "中文女", "mode": "instruct"}, True, "has only sft"),
        ({"voice": "plain", "mode": "sft"}, True, "not built in"),
        ({"voice": "plain", "mode": "instruct"}, True, "neither an instruction nor one of the emotions"),
        ({"voice": "plain", "mode": "instruct", "instruction": "x"}, False, "m has"),
    ],
)
def test_a_mode_that_cannot_be_is_refused(
    registry: Registry, wishes: dict[str, str], instructs: bool, complaint: str
) -> None:
    with pytest.raises(RefusalError, match=complaint):
        choose(TtsRequest.model_validate(wish(**wishes)), greeting(instructs=instructs), registry)


def test_what_is_known_about_prompts_is_told_with_every_one(registry: Registry) -> None:
    known = greeting().model_copy(update={"prompt_warnings": ["v1_prompt_rate"]})
    spoken = choose(TtsRequest.model_validate(wish(voice="plain")), known, registry)
    built_in = choose(TtsRequest.model_validate(wish()), known, registry)
    assert (spoken.warnings, built_in.warnings) == (("v1_prompt_rate",), ())


def test_a_registry_is_read_again_as_it_was_written(registry: Registry, tmp_path: Path) -> None:
    again = Registry(tmp_path)
    assert again.references == registry.references
    assert [one.short for one in again.of("rich")] == [False, True, False, True]
    reference, is_new = again.check({**FIELDS, "id": "plain"}, prompt(pitch_hz=100))
    assert (reference, is_new) == (registry.of("plain")[0], False)


def test_what_was_only_checked_is_not_there(registry: Registry, tmp_path: Path) -> None:
    reference, is_new = registry.check({**FIELDS, "id": "new"}, prompt(pitch_hz=300))
    registry.store_recording(reference, prompt(pitch_hz=300))
    assert is_new
    assert registry.of("new") == Registry(tmp_path).of("new") == ()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
