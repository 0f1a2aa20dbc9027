"""The one-channel path with a real model: taught by a run of our own, loaded and run by pyannote as any other.

The model is a fixture: it knows the embedded engine's voices and no rooms. Its scores are printed, and say that the
data teach something; they say nothing about a model for real recordings. `HUMDIAL_TINY_MODEL` names a directory that
was made before, so that nothing is trained.
"""

import importlib.util
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

if importlib.util.find_spec("pyannote") is None or importlib.util.find_spec("pyannote.audio") is None:
    pytest.skip("pyannote.audio is not installed here: make pyannote", allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from pyannote.audio.telemetry.metrics import is_metrics_enabled
    from pyannote.core import Annotation, Segment

    from pipeline.backends.pyannote import load_diarizer
    from pipeline.backends.pyannote.diarizer import PyannoteDiarizer, speakers_of, usable_voice
    from tests.pyannote.mixtures import Mixer, read_dialogues, read_tracks, speech_of, utterances_of
    from tests.pyannote.tiny_model import make_model

from pipeline.core.heard import Heard
from pipeline.core.mining.detection_eval import DetectionScores, pool_detection, score_detection
from pipeline.core.mining.scoring import Score
from pipeline.core.mining.summary import MiningSummary
from pipeline.core.turntaking.activity import Activity
from pipeline.domain.diarization import RATE_HZ, Diarization, DiarizerChoice
from pipeline.domain.errors import ConfigError
from pipeline.domain.mining import Rights
from pipeline.domain.span import Span
from pipeline.io.recordings.declaration import Declaration, DeclaredRecording
from pipeline.io.rttm import read_rttm
from pipeline.mining import Mine
from pipeline.mining_evaluation import MiningScores, evaluate
from tests.cli.calling import humdial

pytestmark = [pytest.mark.slow, pytest.mark.pyannote, pytest.mark.filterwarnings("ignore")]

SHARED = Path(os.environ.get("HUMDIAL_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
DIALOGUES = 40
HELD_OUT = 8
CONVERSATIONS = 6


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    made = humdial("preview", "demo", "-n", DIALOGUES, "--out", out, "--set", "render.sampling_rate=16000")
    assert made.code == 0, made.err
    return out


@pytest.fixture(scope="session")
def conversations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Minutes of talk by voices that the model was not taught with, overlaps of every kind in it."""
    out = tmp_path_factory.mktemp("conversations")
    settings = (
        "render.sampling_rate=16000",
        "seeds.splits={dev: 1}",
        "script.conversation.turns={min: 8, max: 12}",
    )
    made = humdial(
        "preview",
        "conversation",
        "-n",
        CONVERSATIONS,
        "--out",
        out,
        *(a for s in settings for a in ("--set", s)),
    )
    assert made.code == 0, made.err
    return out


@pytest.fixture(scope="session")
def model(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    known = os.environ.get("HUMDIAL_TINY_MODEL")
    if known is not None:
        return Path(known)
    directory = tmp_path_factory.mktemp("model")
    make_model(run, directory)
    return directory


@pytest.fixture(scope="session")
def diarizer(model: Path) -> PyannoteDiarizer:
    loaded = load_diarizer(DiarizerChoice(model=str(model)))
    assert isinstance(loaded, PyannoteDiarizer)
    return loaded


@pytest.fixture(scope="session")
def heard(run: Path, diarizer: PyannoteDiarizer) -> list[tuple[tuple[tuple[Span, ...], ...], Diarization]]:
    """Held-out dialogues, mixed down: reference and diarization."""
    found = []
    for dialogue in read_dialogues(run, "dev")[:HELD_OUT]:
        mixed = read_tracks(run, dialogue).sum(axis=1)
        found.append((speech_of(dialogue), diarizer.diarize(mixed, dialogue.timeline.dialogue_id, 2)))
    return found


def told(name: str, score: Score) -> str:
    shares = (
        f"{'-' if share is None else format(share, '.2f')}"
        for share in (score.precision, score.recall, score.f1)
    )
    return f"{name} P {next(shares)} R {next(shares)} F1 {next(shares)}"


def scored(reference: tuple[tuple[Span, ...], ...], found: Diarization) -> DetectionScores:
    hypothesis = Activity(tuple(s.talkspurts for s in found.speakers), RATE_HZ)
    return score_detection(Activity(reference, RATE_HZ), hypothesis, (Span(0, found.num_samples),))


def test_overlaps_of_voices_that_were_held_out_are_heard(run: Path, diarizer: PyannoteDiarizer) -> None:
    """Frame by frame on fresh mixtures: the first proof that a run teaches something."""
    people = utterances_of(run, "dev")
    assert not set(people) & set(utterances_of(run, "train"))
    samples, speech = Mixer(people, seed=1).draw(64)
    network = diarizer._pipeline._segmentation
    with torch.inference_mode():
        scores = network.model(torch.from_numpy(samples)[:, None])
        guess = network.conversion(scores).numpy().sum(axis=2)
    middles = ((np.arange(guess.shape[1]) + 0.5) * speech.shape[1] / guess.shape[1]).astype(int)
    truth = speech[:, middles].sum(axis=2)
    rows = {}
    for name, least in (("speech", 1), ("overlap", 2)):
        wanted, said = truth >= least, guess >= least
        rows[name] = Score.of(
            hits=float((wanted & said).sum()),
            misses=float((wanted & ~said).sum()),
            false_alarms=float((said & ~wanted).sum()),
        )
    print(
        f"\ntiny model, frames, held-out voices: {told('speech', rows['speech'])}; {told('overlap', rows['overlap'])}"
    )
    assert rows["overlap"].f1 is not None
    assert rows["overlap"].f1 >= 0.8


def test_held_out_dialogues_are_diarized_from_one_channel(
    heard: list[tuple[tuple[tuple[Span, ...], ...], Diarization]],
) -> None:
    total = pool_detection(scored(reference, found) for reference, found in heard)
    told_s = f"{told('speech', total.speech)}; {told('overlap', total.overlap)}"
    print(f"\ntiny model, {len(heard)} held-out dialogues: {told_s}")
    assert total.speech.f1 is not None
    assert total.speech.f1 >= 0.85
    for _, found in heard:
        spans = [span for speaker in found.speakers for span in speaker.talkspurts]
        assert all(span.end <= found.num_samples for span in spans)
        assert found.local.active.shape[2] == 3
        assert found.local.active.any()


def test_a_dyad_is_two_labels_with_two_voices(
    heard: list[tuple[tuple[tuple[Span, ...], ...], Diarization]],
) -> None:
    counts = [len(found.speakers) for _, found in heard]
    assert max(counts) == 2
    voices = [s.embedding for _, found in heard for s in found.speakers]
    assert sum(voice is not None for voice in voices) >= len(heard)


def test_a_voice_is_nearer_to_itself_than_to_another(run: Path, diarizer: PyannoteDiarizer) -> None:
    known = {}
    for person, said in utterances_of(run, "dev").items():
        long = [u.samples for u in said if len(u.samples) >= RATE_HZ][:6]
        known[person] = [v for v in map(diarizer.embed, long) if v is not None]
    assert all(np.linalg.norm(v) == pytest.approx(1.0, abs=1e-4) for own in known.values() for v in own)
    same = [float(a @ b) for own in known.values() for a in own for b in own if a is not b]
    other = [
        float(a @ b)
        for p, own in known.items()
        for q, its in known.items()
        if p < q
        for a in own
        for b in its
    ]
    print(
        f"\ntiny model, cosines of held-out voices: same {np.median(same):.2f}, other {np.median(other):.2f}"
    )
    assert np.median(same) > np.median(other) + 0.1


def test_silence_is_nobody(diarizer: PyannoteDiarizer) -> None:
    found = diarizer.diarize(np.zeros(12 * RATE_HZ, np.float32), "silence")
    assert found.speakers == ()


def test_too_little_speech_has_no_voice(diarizer: PyannoteDiarizer) -> None:
    assert diarizer.embed(np.ones(100, np.float32)) is None


def test_the_same_audio_is_heard_the_same_twice(run: Path, diarizer: PyannoteDiarizer) -> None:
    mixed = read_tracks(run, read_dialogues(run, "dev")[0]).sum(axis=1)
    first, second = (diarizer.diarize(mixed, "again", 2) for _ in range(2))
    assert [s.talkspurts for s in first.speakers] == [s.talkspurts for s in second.speakers]


def test_telemetry_is_off(diarizer: PyannoteDiarizer) -> None:
    assert not is_metrics_enabled()
    assert diarizer.name.startswith("pyannote.audio-4.")


def test_a_gpu_that_is_not_there_is_refused(model: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(ConfigError, match="cuda"):
        load_diarizer(DiarizerChoice(model=str(model), device="cuda"))


def test_filter_mines_events_from_the_sum_of_two_tracks(
    conversations: Path, model: Path, tmp_path: Path
) -> None:
    """Audio in, audited events out; what is refused has its code. Scores are printed, not promised."""
    names = []
    for dialogue in read_dialogues(conversations, "dev"):
        name = dialogue.timeline.dialogue_id
        soundfile.write(
            tmp_path / f"{name}.wav", read_tracks(conversations, dialogue).sum(axis=1) / 2, RATE_HZ
        )
        names.append(name)
    rights = Rights(
        corpus="own", licence_id="CC0-1.0", consent_basis="synthetic", biometric_processing_allowed=True
    )
    declaration = Declaration(
        rights=rights,
        recordings=tuple(DeclaredRecording(recording_id=n, audio=(f"{n}.wav",)) for n in names),
        workers=1,
        diarizer=DiarizerChoice(model=str(model)),
    )
    known: list[Heard] = []
    summary = Mine(declaration, tmp_path, tmp_path / "out").run(lambda heard, kept: known.append(heard))
    scores = evaluate(tmp_path / "out", (conversations,))
    print_scores(summary, scores)
    assert summary.recordings["in"] == CONVERSATIONS
    assert summary.recordings["error"] == 0
    votes = [o for h in known if h.voices for o in h.voices.overlaps.values()]
    assert votes
    assert all(o.local is not None for o in votes)
    assert scores.missing == ()
    assert scores.detection is not None
    assert (scores.detection.speech.f1 or 0.0) >= 0.85
    assert (scores.detection.overlap.recall or 0.0) >= 0.5
    assert scores.events is not None
    assert scores.events.onsets.hits > 0


def print_scores(summary: MiningSummary, scores: MiningScores) -> None:
    """Of a fixture: what a model for real recordings would score is another matter."""
    assert scores.detection is not None
    assert scores.events is not None
    left_out = {code.value: reasons.any_failing_n for code, reasons in summary.rejected.items()}
    print(f"\ntiny model (a test fixture), filter on one channel: {summary.recordings}, left out {left_out}")
    print(f"  {told('speech', scores.detection.speech)}; {told('overlap', scores.detection.overlap)}")
    print(f"  {told('onsets of events', scores.events.onsets)}")
    for one in scores.events.classes:
        print(f"  {told(one.label, one.score)} ({one.score.hits + one.score.misses:.0f} in the reference)")


@pytest.mark.parametrize(("name", "people"), [("dev00", 2), ("trn09", 3)])
def test_real_meetings_are_scored_for_the_record(diarizer: PyannoteDiarizer, name: str, people: int) -> None:
    """AMI excerpts of 30 s. The tiny model was never near a room: what it scores there is printed and means little."""
    folder = SHARED / "audio" / "ami_pyannote"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    (path,) = folder.glob(f"**/{name}.wav")
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE_HZ
    files = [read_rttm(rttm, RATE_HZ) for rttm in sorted(folder.glob("*.rttm"))]
    (reference,) = (r for file in files for r in file.recordings if r.uri == name)
    found = diarizer.diarize(samples, name, people)
    scores = score_detection(
        reference.activity,
        Activity(tuple(s.talkspurts for s in found.speakers), RATE_HZ),
        (Span(0, len(samples)),),
    )
    told_s = f"{told('speech', scores.speech)}; {told('overlap', scores.overlap)}"
    print(f"\ntiny model (a test fixture) on AMI {name}: {told_s}")
    assert len(found.speakers) <= people


def test_rows_without_a_voice_and_speech_past_the_end_are_handled() -> None:
    annotation = Annotation(uri="x")
    annotation[Segment(0.0, 1.0), 0] = "A"
    annotation[Segment(0.5, 3.0), 1] = "B"
    annotation[Segment(5.0, 6.0), 2] = "C"
    voices = np.array([[1.0, 2.0], [0.0, 0.0], [np.nan, 1.0]])
    first, second = speakers_of(annotation, voices, 2 * RATE_HZ)
    assert first.talkspurts == (Span(0, RATE_HZ),)
    assert second.talkspurts == (Span(RATE_HZ // 2, 2 * RATE_HZ),)
    assert first.embedding is not None
    assert second.embedding is None
    assert usable_voice(voices[2]) is None


def test_fewer_voices_than_labels_leave_labels_without_one() -> None:
    annotation = Annotation(uri="x")
    annotation[Segment(0.0, 1.0), 0] = "A"
    annotation[Segment(1.0, 2.0), 1] = "B"
    assert [s.embedding is None for s in speakers_of(annotation, np.ones((1, 2)), 2 * RATE_HZ)] == [
        False,
        True,
    ]
    assert all(s.embedding is None for s in speakers_of(annotation, None, 2 * RATE_HZ))
