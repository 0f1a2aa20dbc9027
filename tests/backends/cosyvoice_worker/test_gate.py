"""What the gate lets through, and what it says about the rest."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backends.cosyvoice.worker.gate import BadAudioError, duration_bounds, judge
from pipeline.backends.cosyvoice.worker.messages import Kind

RATE_HZ = 24_000


def tone(duration_s: float, gain: float = 0.3) -> npt.NDArray[np.float32]:
    time_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    return (gain * np.sin(2 * np.pi * 200 * time_s)).astype(np.float32)


def silence(duration_s: float) -> npt.NDArray[np.float32]:
    return np.zeros(round(duration_s * RATE_HZ), np.float32)


def reason_of(samples: npt.NDArray[np.float32], text: str = "你好吗朋友", kind: Kind = "turn") -> str:
    try:
        judge(samples, RATE_HZ, text=text, kind=kind)
    except BadAudioError as error:
        return error.reason
    return "passed"


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (tone(1.0), "passed"),
        (tone(1.0)[:0], "too_short"),
        (np.where(np.arange(24_000) == 5, np.nan, tone(1.0)).astype(np.float32), "nan"),
        (np.where(np.arange(24_000) == 5, np.inf, tone(1.0)).astype(np.float32), "nan"),
        (silence(1.0), "silent"),
        (tone(1.0, gain=0.002), "silent"),
        (np.concatenate([silence(2.2), tone(1.0)]), "silent"),
        (np.concatenate([tone(1.0), silence(2.2)]), "silent"),
        (np.concatenate([silence(1.5), tone(1.0), silence(1.5)]), "passed"),
        (np.clip(tone(1.0, gain=2.0), -0.99, 0.99), "clipped"),
        (tone(0.1), "too_short"),
        (tone(2.9), "too_long"),
        (tone(2.7), "passed"),
    ],
)
def test_audio_is_refused_for_what_is_wrong_with_it(samples: npt.NDArray[np.float32], reason: str) -> None:
    assert reason_of(samples) == reason


@pytest.mark.parametrize(
    ("text", "kind", "low_s", "high_s"),
    [
        ("你好", "turn", 0.08, 1.4),
        ("How are you", "turn", 0.36, 3.2),
        ("好 okay", "interruption", 0.16, 1.85),
        ("[laughter]你好", "turn", 0.08, 1.4),
        ("嗯", "backchannel", 0.08, 1.5),
        ("Right, right.", "backchannel", 0.08, 2.3),
    ],
)
def test_bounds_count_what_is_said(text: str, kind: Kind, low_s: float, high_s: float) -> None:
    assert duration_bounds(text, kind, 1.0, None) == pytest.approx((low_s, high_s))
    assert duration_bounds(text, kind, 2.0, None) == pytest.approx((low_s / 2, high_s / 2))
    assert duration_bounds(text, kind, 1.0, 0.9) == pytest.approx((low_s, 0.9))


@given(lead_s=st.floats(0, 1.9), tail_s=st.floats(0, 1.9))
def test_silence_is_trimmed_to_40_ms_and_counted(lead_s: float, tail_s: float) -> None:
    samples = np.concatenate([silence(lead_s), tone(1.0), silence(tail_s)])
    passed = judge(samples, RATE_HZ, text="你好吗朋友", kind="turn")
    for trimmed_s, edge_s in ((passed.trimmed_lead_s, lead_s), (passed.trimmed_tail_s, tail_s)):
        assert trimmed_s == pytest.approx(max(0.0, edge_s - 0.04), abs=0.0101)
    whole_s = len(passed.samples) / RATE_HZ + passed.trimmed_lead_s + passed.trimmed_tail_s
    assert whole_s == pytest.approx(len(samples) / RATE_HZ, abs=1e-3)
    assert passed.samples.flags.c_contiguous


def test_a_long_pause_inside_is_told_but_no_fault() -> None:
    samples = np.concatenate([tone(0.5), silence(1.3), tone(0.5)])
    assert judge(samples, RATE_HZ, text="你好吗朋友", kind="turn").warnings == ("inner_silence_1.3s",)
    samples = np.concatenate([tone(0.5), silence(0.9), tone(0.5)])
    assert judge(samples, RATE_HZ, text="你好吗朋友", kind="turn").warnings == ()
