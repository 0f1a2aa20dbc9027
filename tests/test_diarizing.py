"""One channel, two voices: a made-up diarizer tells who speaks, and the votes decide what counts."""

import json
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr

from pipeline.backends.pyannote import TELEMETRY, load_diarizer
from pipeline.backends.pyannote.model_files import name_model
from pipeline.core.heard import Heard
from pipeline.core.mining.timbre import TimbreLimits
from pipeline.diarizing import read_at_16k
from pipeline.domain.diarization import RATE_HZ, Diarization, DiarizedSpeaker, DiarizerChoice, LocalTracks
from pipeline.domain.errors import ConfigError
from pipeline.domain.mining import RejectCode, Rights
from pipeline.domain.span import Span
from pipeline.io.recordings.audio import open_audio
from pipeline.io.recordings.declaration import Declaration, DeclaredRecording
from pipeline.mining import Mine

Wave = npt.NDArray[np.float32]

RIGHTS = Rights(
    corpus="made-up", licence_id="CC0-1.0", consent_basis="invented", biometric_processing_allowed=True
)
Talks = Mapping[str, tuple[tuple[float, float], ...]]
TALKS: Talks = {
    "S0": ((1.0, 14.0), (20.0, 26.0), (40.0, 54.0)),
    "S1": ((13.0, 19.0), (27.0, 39.0), (46.0, 46.5)),
}
SECONDS = 60
HZ = {"S0": 300, "S1": 1000}


def samples_at(rate: int) -> Wave:
    """Two people of one tone each."""
    times = np.arange(SECONDS * rate) / rate
    mixed = np.zeros(len(times))
    for name, talk in TALKS.items():
        for start, end in talk:
            mixed += 0.2 * np.sin(2 * np.pi * HZ[name] * times) * ((times >= start) & (times < end))
    return np.asarray(mixed, np.float32)


class MadeUp:
    """Knows who speaks, and hears a voice by its tone."""

    name = "made-up-1"

    def __init__(self, labels: tuple[str, ...] = ("S0", "S1"), named: Talks = TALKS) -> None:
        self.labels, self.named, self.calls = labels, named, 0

    def diarize(self, samples: Wave, uri: str, num_speakers: int | None = None) -> Diarization:
        self.calls += 1
        assert (uri, len(samples)) == ("call", SECONDS * RATE_HZ)
        assert num_speakers == 2
        speakers = tuple(
            DiarizedSpeaker(
                name,
                tuple(Span(round(a * RATE_HZ), round(b * RATE_HZ)) for a, b in self.named[name]),
                np.eye(2, dtype=np.float32)[index],
            )
            for index, name in enumerate(self.labels)
        )
        return Diarization(len(samples), speakers, self.local())

    def local(self) -> LocalTracks:
        starts = np.arange(SECONDS - 9)
        active = np.zeros((len(starts), 100, 3), dtype=bool)
        for row, start in zip(active, starts, strict=True):
            centres = start + (np.arange(100) + 0.5) / 10
            for track, name in enumerate(self.labels):
                for a, b in TALKS[name]:
                    row[(centres >= a) & (centres < b), track] = True
        return LocalTracks(tuple(int(s) * RATE_HZ for s in starts), 10 * RATE_HZ, active)

    def embed(self, samples: Wave) -> Wave | None:
        levels = np.abs(np.fft.rfft(samples))
        tones = [levels[round(hz * len(samples) / RATE_HZ)] for hz in HZ.values()]
        voice = np.array(tones, np.float32)
        return voice / np.float32(np.linalg.norm(voice))


def declare(rights: Rights = RIGHTS, **settings: object) -> Declaration:
    recording = DeclaredRecording(recording_id="call", audio=("call.wav",))
    fields = {"rights": rights, "recordings": (recording,), "workers": 1, "diarizer": {"model": "model"}}
    return Declaration.model_validate({**fields, **settings})


@pytest.fixture(params=[8000, 16_000])
def base(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    soundfile.write(tmp_path / "call.wav", samples_at(request.param), request.param)
    return tmp_path


def audit(out: Path, level: str = "event") -> dict[str, dict[str, object]]:
    rows = [json.loads(line) for line in (out / "audit.jsonl").read_text().splitlines()]
    return {row["proposed_type"]: row for row in rows if row["level"] == level}


def tell(heard: Heard, kept: bool) -> None:
    return None


def test_one_channel_is_mined_with_three_votes_for_every_overlap(base: Path) -> None:
    Mine(declare(), base, base / "out", diarizer=MadeUp()).run(tell)
    rows = audit(base / "out")
    assert rows["interruption"]["decision"] == "accept"
    segments = [json.loads(line) for line in (base / "out" / "segments.jsonl").read_text().splitlines()]
    events = {e["type"]: e for s in segments for e in s["events"]}
    votes = {kind: events[kind]["timbre"] for kind in ("interruption", "backchannel")}
    assert [votes["interruption"][vote] for vote in ("label", "local", "embed")] == ["changed"] * 3
    assert [votes["backchannel"][vote] for vote in ("label", "local", "embed")] == ["same"] * 3
    windows = {(v["win_before_s"], v["win_after_s"]) for v in votes.values()}
    assert all(1.0 <= length <= 3.0 for window in windows for length in window)
    assert votes["interruption"]["cos_before_after"] < 0.1 < 0.9 < votes["backchannel"]["cos_before_after"]
    assert {s["mode"] for s in segments} == {"mono_diarized"}
    assert {s["provenance"]["detector"] for s in segments} == {"made-up-1"}
    params = segments[0]["provenance"]["params"]
    assert params["suppression"] is None
    assert params["timbre"]["emb_margin"] == 0.1
    assert {turn["source"] for s in segments for turn in s["turns"]} == {"diarization"}


def test_without_biometric_rights_two_votes_are_left(base: Path) -> None:
    rights = RIGHTS.model_copy(update={"biometric_processing_allowed": False})
    Mine(declare(rights), base, base / "out", diarizer=MadeUp()).run(tell)
    segments = [json.loads(line) for line in (base / "out" / "segments.jsonl").read_text().splitlines()]
    timbre = [e["timbre"] for s in segments for e in s["events"] if e["timbre"] is not None]
    assert timbre
    assert {(t["win_before_s"], t["win_after_s"]) for t in timbre} == {(None, None)}
    assert all(t["embed"] is None and t["cos_before_after"] is None and t["local"] for t in timbre)


def test_other_thresholds_hear_nothing_again_and_other_windows_do(base: Path) -> None:
    diarizer = MadeUp()
    for settings, calls in (
        ({}, 1),
        ({"timbre": TimbreLimits(emb_margin=0.3, max_centroid_cos=0.1)}, 1),
        ({"timbre": TimbreLimits(emb_guard_s=0.3)}, 2),
    ):
        begun = time.perf_counter()
        Mine(declare(**settings), base, base / "out", diarizer=diarizer).run(tell)
        assert diarizer.calls == calls, (settings, time.perf_counter() - begun)


def test_a_label_that_contradicts_the_voice_is_a_conflict(base: Path) -> None:
    """The diarizer gives what the second says from 14 s on to the first: as if he had kept the floor."""
    named = {**TALKS, "S0": ((1.0, 19.0), *TALKS["S0"][1:]), "S1": ((13.0, 14.0), *TALKS["S1"][1:])}
    Mine(declare(), base, base / "out", diarizer=MadeUp(named=named)).run(tell)
    rows = [json.loads(line) for line in (base / "out" / "audit.jsonl").read_text().splitlines()]
    (row,) = (row for row in rows if row["level"] == "event" and row["start_s"] == 13.0)
    assert row["decision"] == "reject"
    assert row["reasons"][0] == RejectCode.TIMBRE_CONFLICT


def test_a_margin_that_no_voice_reaches_leaves_two_votes(base: Path) -> None:
    declaration = declare(timbre=TimbreLimits(emb_margin=1.9))
    Mine(declaration, base, base / "out", diarizer=MadeUp()).run(tell)
    assert audit(base / "out")["interruption"]["decision"] == "accept"


@pytest.mark.parametrize("second", ["twice", "bled"])
def test_two_channels_in_which_everybody_is_heard_are_diarized_as_one(tmp_path: Path, second: str) -> None:
    mixed = samples_at(8000)
    noise = np.random.default_rng(3).normal(0, 1e-3, (len(mixed), 2))
    pair = np.stack([mixed, mixed if second == "twice" else np.roll(mixed, 40) * 0.7], axis=1)
    soundfile.write(tmp_path / "call.wav", pair if second == "twice" else pair + noise, 8000)
    diarizer = MadeUp()
    Mine(declare(), tmp_path, tmp_path / "out", diarizer=diarizer).run(tell)
    assert diarizer.calls == 1
    assert audit(tmp_path / "out")["interruption"]["decision"] == "accept"


def test_one_label_is_refused(base: Path) -> None:
    summary = Mine(declare(), base, base / "out", diarizer=MadeUp(("S0",))).run(tell)
    assert summary.recordings["ok"] == 0
    assert audit(base / "out", "recording")["recording"]["reasons"] == [RejectCode.ONE_SPEAKER]


def test_two_labels_of_one_voice_are_refused(base: Path) -> None:
    declaration = declare(timbre=TimbreLimits(max_centroid_cos=-0.5))
    Mine(declaration, base, base / "out", diarizer=MadeUp()).run(tell)
    assert audit(base / "out", "recording")["recording"]["reasons"] == [RejectCode.DIARIZATION_UNRELIABLE]


def test_a_one_channel_recording_without_a_diarizer_is_refused_with_the_remedy(base: Path) -> None:
    Mine(declare(diarizer=None), base, base / "out").run(tell)
    assert "diarizer" in (base / "out" / "errors.jsonl").read_text()


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050])
def test_audio_of_minutes_is_read_as_if_in_one_piece(tmp_path: Path, rate: int) -> None:
    """Both seams between blocks of a minute, and an end in the middle of one."""
    wave = np.tile(samples_at(rate), 3)[: 130 * rate + 7]
    soundfile.write(tmp_path / "a.wav", np.stack([wave, 0.5 * wave], axis=1), rate, subtype="FLOAT")
    whole = read_at_16k(open_audio((tmp_path / "a.wav",)), 0, len(wave))
    wanted = 0.75 * (wave if rate == RATE_HZ else soxr.resample(wave, rate, RATE_HZ))
    assert len(whole) == pytest.approx(len(wanted), abs=1)
    shared = min(len(whole), len(wanted))
    assert np.abs(whole[:shared] - wanted[:shared]).max() < 1e-3
    assert len(read_at_16k(open_audio((tmp_path / "a.wav",)), 5, 5)) == 0


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_audio_is_read_at_16_khz_in_one_piece_or_from_the_middle(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", samples_at(rate), rate, subtype="FLOAT")
    source = open_audio((tmp_path / "a.wav",))
    whole = read_at_16k(source, 0, source.num_samples)
    assert len(whole) == pytest.approx(SECONDS * RATE_HZ, abs=2)
    part = read_at_16k(source, 20 * rate, 22 * rate)
    inner = slice(RATE_HZ // 2, RATE_HZ)
    assert np.abs(part[inner] - whole[20 * RATE_HZ :][inner]).max() < 0.01


def test_telemetry_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TELEMETRY, "true")
    with pytest.raises(ConfigError, match=TELEMETRY):
        load_diarizer(DiarizerChoice(model="model"))


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (DiarizerChoice(model="./nowhere"), "config.yaml"),
        (DiarizerChoice(model="org/model"), "without a revision"),
        (DiarizerChoice(model="./nowhere", revision="abc"), "no revision"),
    ],
)
def test_a_model_that_cannot_be_named_is_refused(choice: DiarizerChoice, wanted: str) -> None:
    with pytest.raises(ConfigError, match=wanted):
        name_model(choice)


def test_a_model_directory_is_named_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("a")
    names = [name_model(DiarizerChoice(model=str(tmp_path)))]
    (tmp_path / "config.yaml").write_text("b")
    names.append(name_model(DiarizerChoice(model=str(tmp_path))))
    assert len(set(names)) == 2
