"""Emotion, intensity and sounds beside words on their way to the engine, and their level on the way out."""

from pathlib import Path

import pytest

from pipeline.backends.espeak.synthesizer import EspeakSynthesizer
from pipeline.core.assembly import assemble
from pipeline.core.checks import check_dialogue
from pipeline.core.loudness import integrated_loudness_lufs
from pipeline.domain.emotional import Intensity, Tag
from pipeline.domain.labels import Emotion, Gender, Language, Speaker, Split, Track
from pipeline.domain.script import Script
from pipeline.domain.timeline import AudioFile, Dialogue
from pipeline.domain.voice import Voice
from pipeline.io.store import Store
from pipeline.io.voices import load_catalogue
from pipeline.ports import SpeechSynthesizer
from pipeline.stages import speech, timing
from pipeline.stages.shard import Shard
from pipeline.stages.speaking import Ladder
from tests.core.timing.dialogues import DYADS, REFERENCE
from tests.emotional import TAGS, emotional_script
from tests.stages.doubles import VOICES, HumSynthesizer, voice_of

RATE = 24_000
SAD_ANGRY = (Emotion.SAD, Emotion.ANGER, Emotion.NEUTRAL)


def deps_of(store: Path, synthesizer: SpeechSynthesizer, voices: tuple[Voice, ...] = VOICES) -> speech.Deps:
    return speech.Deps(
        root_seed=0,
        ladder=Ladder((synthesizer,), voices),
        voices=voices,
        clips=Store(store),
        sampling_rate=RATE,
    )


def run(script: Script, deps: speech.Deps) -> Shard[speech.SpokenScript]:
    return speech.run(Shard(0, (script,)), speech.Config(), deps)


@pytest.mark.parametrize("intensity", list(Intensity))
def test_what_is_felt_reaches_the_engine(intensity: Intensity, tmp_path: Path) -> None:
    hum = HumSynthesizer()
    script = emotional_script(emotions=SAD_ANGRY, intensity=intensity)
    run(script, deps_of(tmp_path, hum))
    asked = {request.text: (request.emotion, request.intensity) for request in hum.asked}
    assert asked == {u.text: (u.emotion, intensity) for u in script.utterances if u.aloud}


@pytest.mark.parametrize(
    "can",
    [frozenset(), frozenset({Tag.LAUGHTER, Tag.COUGH}), frozenset(Tag)],
    ids=["none", "laughter", "all"],
)
def test_an_engine_is_asked_for_the_sounds_that_it_can_make_and_the_script_keeps_all(
    can: frozenset[Tag], tmp_path: Path
) -> None:
    hum = HumSynthesizer(tags=can)
    script = emotional_script(emotions=(Emotion.HAPPY, Emotion.ANGER, Emotion.NEUTRAL))
    (spoken,) = run(script, deps_of(tmp_path, hum)).records
    assert spoken.script == script
    for request in hum.asked:
        (utterance,) = (u for u in script.utterances if u.text == request.text)
        assert request.tags == tuple(place for place in utterance.tags if place.tag in can)
    assert sum(len(u.tags) for u in script.utterances) == 2


def test_a_sound_that_cannot_be_made_costs_no_clip_of_its_own(tmp_path: Path) -> None:
    script = emotional_script(emotions=SAD_ANGRY)
    untagged = script.model_copy(
        update={"utterances": tuple(u.model_copy(update={"tags": ()}) for u in script.utterances)}
    )
    (with_tags,) = run(script, deps_of(tmp_path, HumSynthesizer())).records
    (without,) = run(untagged, deps_of(tmp_path, HumSynthesizer())).records
    assert with_tags.clips == without.clips
    (made,) = run(script, deps_of(tmp_path, HumSynthesizer(tags=frozenset(Tag)))).records
    assert sum(a != b for a, b in zip(made.clips, without.clips, strict=True)) == sum(
        emotion in TAGS for emotion in SAD_ANGRY
    )


def test_who_is_text_only_needs_no_voice(tmp_path: Path) -> None:
    one_person = (voice_of("ada"),)
    (spoken,) = run(emotional_script(), deps_of(tmp_path, HumSynthesizer(), one_person)).records
    assert [voicing.speaker for voicing in spoken.voicing] == [Speaker.USER]
    refused = run(emotional_script(response_audio=True), deps_of(tmp_path, HumSynthesizer(), one_person))
    assert len(refused.refusals) == 1


@pytest.mark.parametrize("gender", list(Gender))
def test_the_user_has_the_gender_that_was_assigned(gender: Gender, tmp_path: Path) -> None:
    (spoken,) = run(emotional_script(user_gender=gender), deps_of(tmp_path, HumSynthesizer())).records
    assert [voicing.gender for voicing in spoken.voicing] == [gender]


def test_the_embedded_engine_claims_no_sound_that_it_cannot_make() -> None:
    pytest.importorskip("espeakng_loader", reason="the extra 'espeak' is not installed")
    with EspeakSynthesizer(workers=1) as engine:
        assert engine.capabilities.tags == frozenset()


@pytest.mark.parametrize("intensity", [Intensity.CLEAR, Intensity.STRONG])
@pytest.mark.parametrize("language", list(Language))
def test_feelings_differ_in_level_in_the_finished_audio_which_passes_every_check(
    language: Language, intensity: Intensity, tmp_path: Path
) -> None:
    pytest.importorskip("espeakng_loader", reason="the extra 'espeak' is not installed")
    voices = tuple(voice for voice in load_catalogue() if voice.backend == "espeak")
    script = emotional_script(
        f"{language.value}-1", language=language, emotions=SAD_ANGRY, intensity=intensity, split=Split.TRAIN
    )
    with EspeakSynthesizer(workers=2) as engine:
        deps = deps_of(tmp_path, engine, voices)
        spoken = run(script, deps)
    timed = timing.run(
        spoken,
        timing.Config(),
        timing.Deps(root_seed=0, reference=REFERENCE, dyads=DYADS, stages=("timing-3",), dial=0.0),
    )
    (timeline,) = timed.records
    audio = assemble(timeline, deps.clips.load_clip)
    level = {}
    for turn in timeline.turns():
        start, end = turn[0].span.start, turn[-1].span.end
        level[turn[0].emotion] = integrated_loudness_lufs(audio[start:end, Track.USER.channel], RATE)
    least = 2.0 if intensity is Intensity.CLEAR else 3.0
    assert level[Emotion.SAD] + least < level[Emotion.NEUTRAL] < level[Emotion.ANGER] - least
    file = AudioFile(
        path="x.flac", digest="xxh3:" + "0" * 32, num_bytes=1, num_samples=len(audio), sampling_rate=RATE
    )
    findings = check_dialogue(Dialogue(timeline=timeline, audio=file), audio, RATE)
    assert [finding.detail for finding in findings] == []
