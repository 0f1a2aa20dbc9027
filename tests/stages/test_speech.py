from pathlib import Path

import numpy as np
import pytest

from pipeline.backends.espeak.synthesizer import EspeakSynthesizer
from pipeline.domain.errors import BackendError, RecordError, TerminalBackendError
from pipeline.domain.labels import Gender, Language, Speaker, Split
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import Script
from pipeline.domain.spoken import SpokenScript
from pipeline.domain.voice import SpeechRequest, Voice
from pipeline.io.store import Store
from pipeline.io.voices import load_catalogue
from pipeline.ports import SpeechSynthesizer
from pipeline.stages import speech
from pipeline.stages.shard import Shard
from pipeline.stages.speaking import Ladder
from pipeline.stages.speech import Config, Deps, routed
from tests.spoken import ALL_SHAPES, bystander, interruption, script_of
from tests.stages.doubles import HUM_RATE, HUM_WORD, VOICES, HumSynthesizer, voice_of

RATE = 24_000
SCRIPTS = tuple(shape().model_copy(update={"dialogue_id": f"en-{i}"}) for i, shape in enumerate(ALL_SHAPES))


def deps_of(
    store: Path, synthesizer: SpeechSynthesizer, voices: tuple[Voice, ...] = VOICES, sampling_rate: int = RATE
) -> Deps:
    return Deps(
        root_seed=0,
        ladder=Ladder((synthesizer,), voices),
        voices=voices,
        clips=Store(store),
        sampling_rate=sampling_rate,
    )


def run(scripts: tuple[Script, ...], deps: Deps) -> Shard[SpokenScript]:
    return speech.run(Shard(0, scripts), Config(), deps)


def refuse_parcels(request: SpeechRequest) -> None:
    if "parcel" in request.text:
        raise RecordError(Reason.SYNTHESIS_FAILED, "no parcels")


def test_exactly_what_is_said_is_spoken(tmp_path: Path) -> None:
    hum = HumSynthesizer()
    done = run(SCRIPTS, deps_of(tmp_path, hum))
    assert [one.script for one in done.records] == list(SCRIPTS)
    said = {u.text for s in SCRIPTS for u in s.utterances if u.utterance_id not in s.unsaid()}
    assert {request.text for request in hum.asked} == said
    for spoken in done.records:
        for entry in spoken.clips:
            utterance = spoken.script.utterance(entry.utterance_id)
            assert len(entry.clip.words) == len(utterance.text.split())
            wanted = len(entry.clip.words) * HUM_WORD * RATE / HUM_RATE
            assert abs(entry.clip.num_samples - wanted) <= 1
            assert entry.clip.sampling_rate == RATE


def test_parties_of_a_dialogue_are_different_persons_and_equally_loud(tmp_path: Path) -> None:
    (spoken,) = run((bystander(),), deps_of(tmp_path, HumSynthesizer())).records
    assert {voicing.speaker for voicing in spoken.voicing} == set(Speaker)
    assert len({voicing.person for voicing in spoken.voicing}) == 3
    gains = [voicing.gain_db for voicing in spoken.voicing]
    assert max(gains) - min(gains) < 1.5  # tones of one amplitude; K-weighting hears their pitch


def test_a_clip_that_is_stored_is_not_spoken_again(tmp_path: Path) -> None:
    done = run(SCRIPTS, deps_of(tmp_path, HumSynthesizer()))
    second = HumSynthesizer()
    assert run(SCRIPTS, deps_of(tmp_path, second)) == done
    assert second.asked == []


@pytest.mark.parametrize(
    ("engine", "sampling_rate"), [("hum-2", RATE), ("hum-1", 16_000)], ids=["another engine", "another rate"]
)
def test_another_engine_or_rate_gets_clips_of_its_own(
    engine: str, sampling_rate: int, tmp_path: Path
) -> None:
    run(SCRIPTS, deps_of(tmp_path, HumSynthesizer()))
    other = HumSynthesizer(engine=engine)
    done = run(SCRIPTS, deps_of(tmp_path, other, sampling_rate=sampling_rate))
    assert other.asked
    assert {(entry.clip.engine, entry.clip.sampling_rate) for one in done.records for entry in one.clips} == {
        (engine, sampling_rate)
    }


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // 3] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [Path.unlink, cut_in_half, flip_a_bit])
@pytest.mark.parametrize("suffix", [".wav", ".json"])
def test_a_damaged_clip_is_made_again_as_it_was(damage: object, suffix: str, tmp_path: Path) -> None:
    assert callable(damage)
    scripts = (interruption(),)
    done = run(scripts, deps_of(tmp_path, HumSynthesizer()))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    victim = sorted(path for path in before if path.suffix == suffix)[2]
    damage(victim)
    if suffix == ".wav" and damage is not flip_a_bit:
        with pytest.raises(BackendError, match=f"store: clip {victim.stem} .*remedy"):
            Store(tmp_path).load_clip(victim.stem)
    again = HumSynthesizer()
    assert run(scripts, deps_of(tmp_path, again)) == done
    assert len(again.asked) == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()} == before


def test_a_script_with_an_utterance_that_cannot_be_spoken_is_refused_whole(tmp_path: Path) -> None:
    done = run(SCRIPTS, deps_of(tmp_path, HumSynthesizer(refuse=refuse_parcels)))
    (refusal,) = done.refusals
    assert (refusal.stage, refusal.record_id, refusal.reason) == ("speech", "en-2", Reason.SYNTHESIS_FAILED)
    assert Script.from_line(refusal.payload) == SCRIPTS[2]
    assert [one.script.dialogue_id for one in done.records] == ["en-0", "en-1", "en-3"]


@pytest.mark.parametrize(
    "shape", [np.zeros_like, lambda samples: samples * np.float32(1e-4)], ids=["silent", "80 dB down"]
)
def test_a_silent_clip_is_refused_and_not_stored(shape: object, tmp_path: Path) -> None:
    assert callable(shape)
    done = run((interruption(),), deps_of(tmp_path, HumSynthesizer(shape=shape)))
    (refusal,) = done.refusals
    assert refusal.reason is Reason.BAD_AUDIO
    assert not list(tmp_path.rglob("*.wav"))


@pytest.mark.parametrize(
    ("voices", "split"),
    [
        (VOICES[:2], Split.TRAIN),
        (VOICES, Split.DEV),
        ((*VOICES[:2], voice_of("dee", Split.DEV)), Split.TRAIN),
    ],
    ids=["two persons", "no voice in this split", "the third in another split"],
)
def test_a_dialogue_of_three_needs_three_persons_of_its_split(
    voices: tuple[Voice, ...], split: Split, tmp_path: Path
) -> None:
    hum = HumSynthesizer()
    script = bystander().model_copy(update={"split": split})
    (refusal,) = run((script,), deps_of(tmp_path, hum, voices)).refusals
    assert refusal.reason is Reason.NO_VOICE
    assert f"en/{split.value}" in refusal.detail
    assert hum.asked == []


@pytest.mark.parametrize("gender", Gender)
def test_the_user_has_the_voice_that_the_seed_tells(gender: Gender, tmp_path: Path) -> None:
    scripts = tuple(
        interruption(dialogue_id=f"en-{i}").model_copy(update={"user_gender": gender}) for i in range(6)
    )
    for spoken in run(scripts, deps_of(tmp_path, HumSynthesizer())).records:
        assert next(v for v in spoken.voicing if v.speaker is Speaker.USER).gender is gender


def test_an_engine_that_fails_for_good_stops_the_stage(tmp_path: Path) -> None:
    def fail(request: SpeechRequest) -> None:
        raise TerminalBackendError("engine gone")

    with pytest.raises(TerminalBackendError, match="engine gone"):
        run(SCRIPTS, deps_of(tmp_path, HumSynthesizer(refuse=fail)))


@pytest.mark.parametrize("most", [1, 3])
def test_an_engine_is_asked_no_more_at_once_than_it_serves(most: int, tmp_path: Path) -> None:
    hum = HumSynthesizer(max_in_flight=most)
    run(SCRIPTS, deps_of(tmp_path, hum))
    assert hum.most_at_once == most


def test_the_embedded_engine_speaks_the_same_with_one_process_and_two(tmp_path: Path) -> None:
    english = interruption()
    chinese = script_of(
        ((Speaker.USER, 0, "末班船几点开？", english.utterances[0].anchor),), dialogue_id="zh-1"
    ).model_copy(update={"language": Language.ZH})
    voices = tuple(voice for voice in load_catalogue() if voice.backend == "espeak")
    made = []
    for workers in (1, 2):
        with EspeakSynthesizer(workers=workers) as engine:
            store = tmp_path / str(workers)
            done = run((english, chinese), deps_of(store, engine, voices))
        clips = {path.name: path.read_bytes() for path in store.rglob("*.wav")}
        made.append((done, clips))
    assert made[0] == made[1]
    assert len(made[0][0].records) == 2
    assert [word.text for word in made[0][0].records[1].clips[0].clip.words] == list("末班船几点开")


def test_an_utterance_in_the_other_language_goes_to_the_same_speakers_other_voice() -> None:
    here = voice_of("ada").model_copy(update={"language": Language.ZH, "voice_id": "zh-ada"})
    there = voice_of("ada")
    stranger = voice_of("bo")
    assert routed("Have a nice day, my friend!", here, (stranger, here, there)) is there
    assert routed("Have a nice day, my friend!", here, (stranger, here)) is here
    assert routed("我在看 Attack on Titan。", here, (stranger, here, there)) is here
