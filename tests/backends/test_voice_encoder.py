"""Voices as points, by the real runtime on a network made on the spot."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.backends.voice_encoder import _WESPEAKER, OnnxVoiceEncoder, _fbank
from pipeline.core.voice_similarity import cosine
from pipeline.domain.errors import ConfigError, TerminalBackendError

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="the extra `similarity` is not installed")
pytest.importorskip("kaldi_native_fbank", reason="the extra `similarity` is not installed")

RATE = 24_000
DIM = 16
Wave = npt.NDArray[np.float32]


def write_network(path: Path, *, name: str = "feats", bins: int = 80, weights: Wave | None = None) -> Path:
    """How much every mel band moves over time, through one matrix: little of a voice, but more than nothing."""
    weights = (
        np.random.default_rng(1).normal(0, 1, (bins, DIM)).astype(np.float32) if weights is None else weights
    )
    tensor = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("Mul", [name, name], ["power"]),
            onnx.helper.make_node("ReduceMean", ["power", "time"], ["spread"], keepdims=0),
            onnx.helper.make_node("MatMul", ["spread", "weights"], ["embs"]),
        ],
        "voice",
        [onnx.helper.make_tensor_value_info(name, tensor, ["B", "T", bins])],
        [onnx.helper.make_tensor_value_info("embs", tensor, ["B", DIM])],
        [
            onnx.numpy_helper.from_array(weights, "weights"),
            onnx.numpy_helper.from_array(np.array([1], np.int64), "time"),
        ],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def voice(f0_hz: float, seed: int, seconds: float = 2.0) -> Wave:
    """Syllables of a buzz: the seed says when they come, the pitch whose they are."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * f0_hz * k * t) / k for k in range(1, 30))
    syllables = np.repeat(rng.uniform(0.05, 1.0, 40), -(-len(t) // 40))[: len(t)]
    return np.asarray(0.05 * syllables * buzz + rng.normal(0, 1e-4, len(t)), dtype=np.float32)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> OnnxVoiceEncoder:
    return OnnxVoiceEncoder(write_network(tmp_path_factory.mktemp("encoder") / "tiny.onnx"))


def embed(encoder: OnnxVoiceEncoder, samples: Wave, rate: int = RATE) -> npt.NDArray[np.float32]:
    point = encoder.embed(samples, rate)
    assert point is not None
    return point


def test_a_voice_is_a_point_of_length_1(encoder: OnnxVoiceEncoder) -> None:
    point = embed(encoder, voice(120, 0))
    assert (point.shape, point.dtype) == ((DIM,), np.float32)
    assert np.linalg.norm(point) == pytest.approx(1.0, abs=1e-6)


def test_one_voice_is_nearer_to_itself_than_to_another(encoder: OnnxVoiceEncoder) -> None:
    low, low_again, high = (embed(encoder, voice(*one)) for one in ((110, 0), (110, 1), (260, 2)))
    assert cosine(low, low_again) > cosine(low, high)


def test_silence_around_and_between_words_is_none_of_the_voice(encoder: OnnxVoiceEncoder) -> None:
    first, second, rest = voice(120, 0), voice(120, 1), np.zeros(RATE, np.float32)
    near = embed(encoder, np.concatenate([first, second]))
    far = embed(encoder, np.concatenate([rest, first, rest, rest, second, rest]))
    assert cosine(near, far) > 0.999


def test_loudness_is_none_of_the_voice(encoder: OnnxVoiceEncoder) -> None:
    samples = voice(120, 0)
    assert cosine(embed(encoder, samples), embed(encoder, samples * np.float32(0.25))) > 0.999


def test_equal_samples_give_equal_points_from_any_thread(encoder: OnnxVoiceEncoder) -> None:
    samples = voice(120, 0)
    with ThreadPoolExecutor(4) as threads:
        points = list(threads.map(lambda _: embed(encoder, samples), range(8)))
    assert all(np.array_equal(point, points[0]) for point in points)


@pytest.mark.parametrize(
    "samples",
    [np.zeros(3 * RATE, np.float32), voice(120, 0, seconds=0.8), np.zeros(0, np.float32)],
    ids=["silence", "a backchannel", "nothing"],
)
def test_nobody_is_told_by_less_than_a_second(encoder: OnnxVoiceEncoder, samples: Wave) -> None:
    assert encoder.embed(samples, RATE) is None


def test_features_are_log_mel_energies_per_10_ms_less_their_mean() -> None:
    features = _fbank(voice(120, 0)[::2][:16_000], _WESPEAKER)
    assert features.shape == (98, 80)
    assert np.abs(features.mean(axis=0)).max() < 1e-4
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    on_off = tone * np.repeat([1.0, 0.1], 8000).astype(np.float32)
    # A tenth of the amplitude is a hundredth of the power, in the tone's band: log 100 = 4.6.
    bands = _fbank(on_off, _WESPEAKER)
    assert bands[:40, 28].mean() - bands[-40:, 28].mean() == pytest.approx(np.log(100), abs=0.05)


def test_the_name_tells_the_weights(tmp_path: Path) -> None:
    names = [
        OnnxVoiceEncoder(
            write_network(tmp_path / "tiny.onnx", weights=np.full((80, DIM), value, np.float32))
        ).name
        for value in (1.0, 1.0, 2.0)
    ]
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("tiny-")


def test_the_families_are_told_by_their_input(tmp_path: Path) -> None:
    samples = voice(120, 0)
    points = {
        name: embed(OnnxVoiceEncoder(write_network(tmp_path / f"{name}.onnx", name=name)), samples)
        for name in ("feats", "feature", "input")
    }
    assert np.array_equal(points["feature"], points["input"])
    assert not np.array_equal(points["feats"], points["input"])  # another window


def test_a_network_of_other_features_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"wanted one input \[batch, frames, 80\]"):
        OnnxVoiceEncoder(write_network(tmp_path / "other.onnx", bins=64))


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file; wanted a network in ONNX; remedy: WeSpeaker's"):
        OnnxVoiceEncoder(tmp_path / "none.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no network")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        OnnxVoiceEncoder(broken)


def test_a_network_that_gives_no_point_stops_the_run(tmp_path: Path) -> None:
    silent = OnnxVoiceEncoder(write_network(tmp_path / "zero.onnx", weights=np.zeros((80, DIM), np.float32)))
    with pytest.raises(TerminalBackendError, match=r"length 0\.0"):
        silent.embed(voice(120, 0), RATE)
