"""Exports on disk, made from invented dialogues: what `humdial export` writes and `humdial check` reads."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from pydantic import JsonValue

from pipeline.core.emotional_plan import emotions_of
from pipeline.core.exports.format_names import FormatName
from pipeline.domain.emotional import EmotionalTask
from pipeline.domain.labels import Emotion, Language, Recipe, Split
from pipeline.domain.scene import Scene
from pipeline.domain.timeline import Dialogue, Timeline
from pipeline.exporting import export_config, export_run
from pipeline.io.audio import RunAudio
from tests.core.exports.build import PLANS, Say, make_timeline
from tests.core.exports.emotional import emotional_timeline

_EN = [a + b for a in ("ba", "ke", "lo", "mi", "nu", "ra", "so") for b in ("den", "fer", "lop", "mar", "tin")]
_ZH = "春夏秋冬山水花草风云雨雪日月星辰江河湖海金木火土东西南北红黄蓝绿"


def sentence(rng: np.random.Generator, language: Language) -> str:
    """Words in no order, so that no two dialogues are alike."""
    if language is Language.ZH:
        return "".join(rng.choice(list(_ZH), 11)) + "。"
    return " ".join(rng.choice(_EN, 11)).capitalize() + "."


def emotional_run(
    splits: Sequence[Split] = tuple(Split), tasks: Sequence[EmotionalTask] = tuple(EmotionalTask)
) -> list[Timeline]:
    """A dialogue per split, language and task; each split has speakers and texts of its own."""
    run = []
    for number, (split, language, task) in enumerate(product(splits, Language, tasks)):
        rng = np.random.default_rng(number)
        emotions = (
            (Emotion.ANGER,)
            if task.single_turn
            else emotions_of(task, 3 + number % 3, Emotion.ANGER, Emotion.SAD)
        )
        run.append(
            emotional_timeline(
                emotions,
                task,
                language=language,
                split=split,
                dialogue_id=f"{split.value}-{language.value}-{task.value}",
                person=f"{split.value}-{language.value}",
                texts=[(sentence(rng, language),) for _ in emotions],
            )
        )
    return run


def scene_run(
    splits: Sequence[Split] = tuple(Split), scenes: Sequence[Scene] = tuple(Scene)
) -> list[Timeline]:
    """A dialogue per split and scene, in English; each split has speakers and texts of its own."""
    run = []
    for number, (split, scene) in enumerate(product(splits, scenes)):
        rng = np.random.default_rng(1_000 + number)
        says = tuple(
            Say(
                say.turn,
                say.speaker,
                say.start_s,
                say.end_s,
                sentence(rng, Language.EN),
                say.zh,
                say.cut,
            )
            for say in PLANS[scene]
        )
        timeline = make_timeline(
            says,
            scene,
            split=split,
            dialogue_id=f"{split.value}-{scene.value}",
            person=f"user-{split.value}",
        )
        provenance = timeline.provenance.model_copy(update={"seed_id": f"invented/{number}"})
        voicing = tuple(
            voice.model_copy(update={"person": f"{voice.person}-{split.value}"}) for voice in timeline.voicing
        )
        run.append(timeline.model_copy(update={"provenance": provenance, "voicing": voicing}))
    return run


def conversation_run(splits: Sequence[Split] = (Split.TRAIN, Split.DEV)) -> list[Timeline]:
    """A dialogue per split and of each: an interruption, a backchannel, an aside, a third party."""
    scenes = (
        Scene.FOLLOW_UP_QUESTION,
        Scene.USER_BACKCHANNEL,
        Scene.DIRECTED_AT_OTHERS,
        Scene.THIRD_PARTY_AFTER,
    )
    free = {"recipe": Recipe.CONVERSATION, "scene": None}
    return [timeline.model_copy(update=free) for timeline in scene_run(splits, scenes)]


def write_run(directory: Path, run: Sequence[Timeline]) -> None:
    """`dialogues.jsonl` and `audio/`: noise that is another one in every dialogue."""
    audio = RunAudio(directory)
    lines = []
    for number, timeline in enumerate(run):
        rng = np.random.default_rng(number)
        samples = np.zeros((timeline.num_samples, 2), dtype=np.int16)
        for s in timeline.supervisions:
            burst = rng.integers(-9_000, 9_001, len(s.span)).astype(np.int16)
            samples[s.span.start : s.span.end, s.track.channel] = burst
        file = audio.write_audio(timeline.dialogue_id, samples, timeline.sampling_rate, "wav")
        lines.append(Dialogue(timeline=timeline, audio=file).to_line() + "\n")
    (directory / "dialogues.jsonl").write_text("".join(lines), encoding="utf-8")


def export_at(
    directory: Path,
    run: Sequence[Timeline],
    name: FormatName = FormatName.HUMDIAL_TRACK1,
    options: Mapping[str, JsonValue] | None = None,
) -> Path:
    """Write the run and its export below `directory`; the export's place."""
    write_run(directory / "run", run)
    export_run(directory / "run", export_config(name, options or {}), directory / "export")
    return directory / "export"


def full_export(factory: pytest.TempPathFactory, name: FormatName) -> Path:
    """Every split, language and task, or scene. Made once per test process; read only: copy it to change it."""
    return _exported(factory.getbasetemp() / f"full-{name.value}", name, True)


def small_export(factory: pytest.TempPathFactory, name: FormatName) -> Path:
    """Train and dev: four dialogues with a trajectory of feelings, or two scenes with clean twins, one of them cut.

    Read only, as the full one.
    """
    return _exported(factory.getbasetemp() / f"small-{name.value}", name, False)


@cache
def _exported(directory: Path, name: FormatName, full: bool) -> Path:
    splits = tuple(Split) if full else (Split.TRAIN, Split.DEV)
    if name is FormatName.HUMDIAL_TRACK1:
        tasks = tuple(EmotionalTask) if full else (EmotionalTask.TRAJECTORY,)
        return export_at(directory, emotional_run(splits, tasks), name)
    if name in (FormatName.OSUM_ECHAT, FormatName.OPENS2S):
        return export_at(directory, emotional_run(splits, (EmotionalTask.TRAJECTORY,)), name)
    if name is FormatName.INTERACTSPEECH:
        return export_at(directory, conversation_run(splits), name)
    if name is FormatName.EASY_TURN:
        scenes = (Scene.FOLLOW_UP_QUESTION, Scene.PAUSE_HANDLING, Scene.USER_BACKCHANNEL)
        return export_at(directory, scene_run(splits, scenes), name)
    scenes = tuple(Scene) if full else (Scene.FOLLOW_UP_QUESTION, Scene.DIRECTED_AT_OTHERS)
    return export_at(directory, scene_run(splits, scenes), name, {"evaluation_folders": full})
