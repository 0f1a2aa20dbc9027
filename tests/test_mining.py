"""Recordings in, segments out: from audio alone, from words, from RTTM; no conversation is refused without a code."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.core.heard import Heard
from pipeline.core.mining.limits import EventLimits
from pipeline.core.mining.summary import MiningSummary
from pipeline.domain.diarization import Diarization, DiarizedSpeaker, LocalTracks
from pipeline.domain.errors import ConfigError, TerminalBackendError
from pipeline.domain.mining import RejectCode, Rights
from pipeline.domain.span import Span
from pipeline.io.recordings.declaration import Declaration, DeclaredRecording
from pipeline.io.rttm import read_rttm
from pipeline.mining import Mine
from tests.calls import SECONDS, TALK_A, TALK_B, call, voice, write_call

SHARED = Path(os.environ.get("HUMDIAL_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
RIGHTS = Rights(corpus="made-up", licence_id="CC0-1.0", consent_basis="invented")
OUTPUTS = (
    *("segments.jsonl", "audit.jsonl", "errors.jsonl", "summary.json", "filter.json"),
    *("timelines.jsonl", "quarantine.jsonl"),
)


def declare(*recordings: DeclaredRecording, **settings: object) -> Declaration:
    return Declaration.model_validate({"rights": RIGHTS, "recordings": recordings, "workers": 1, **settings})


def recording(name: str, *audio: Path | str, **more: object) -> DeclaredRecording:
    fields = {"recording_id": name, "audio": tuple(map(str, audio)), **more}
    return DeclaredRecording.model_validate(fields)


def mine(declaration: Declaration, base: Path, out: Path) -> tuple[MiningSummary, list[tuple[str, bool]]]:
    told: list[tuple[str, bool]] = []

    def tell(heard: Heard, kept: bool) -> None:
        told.append((heard.recording_id, kept))

    return Mine(declaration, base, out).run(tell), told


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("mined")
    write_call(base / "call.wav", call())
    mine(declare(recording("call", "call.wav")), base, base / "out")
    return base / "out"


def test_what_happened_in_a_call_is_found_in_its_audio(mined: Path) -> None:
    (segment,) = lines(mined / "segments.jsonl")
    found = [(e["type"], e["initiator"], e["onset"]) for e in segment["events"]]  # type: ignore[attr-defined]
    assert [(kind, who) for kind, who, _ in found][:2] == [("backchannel", "B"), ("interruption", "B")]
    assert [onset for _, _, onset in found][:2] == pytest.approx([8.0, 20.0], abs=0.02)
    assert segment["schema"] == "interact.filter.segment/1"
    assert segment["quality"]["snr_db"][0] > 20  # type: ignore[index]


def test_a_row_carries_every_threshold_that_decided_about_it(mined: Path) -> None:
    (segment,) = lines(mined / "segments.jsonl")
    params = segment["provenance"]["params"]  # type: ignore[index]
    assert {**params["events"], **params["segments"]}["min_overlap_s"] == 0.2
    assert (params["suppression"]["crosstalk_db"], params["timbre"]) == (11.5, None)


def test_talkspurts_are_where_the_talk_is(mined: Path) -> None:
    (found,) = read_rttm(mined / "rttm" / "call.rttm", 8000).recordings
    by_name = dict(zip(found.speakers, found.activity.speakers, strict=True))
    for name, spans in (("A", TALK_A), ("B", TALK_B)):
        heard = [span.seconds(8000) for span in by_name[name]]
        assert np.abs(np.array(heard) - np.array(spans)).max() <= 0.02


def test_every_candidate_is_in_the_audit_with_its_reasons(mined: Path) -> None:
    rows = lines(mined / "audit.jsonl")
    assert {row["level"] for row in rows} == {"recording", "event", "segment"}
    assert all(bool(row["reasons"]) == (row["decision"] != "accept") for row in rows)


@pytest.mark.parametrize("bleed_db", [-20.0])
def test_bleed_makes_no_events(tmp_path: Path, mined: Path, bleed_db: float) -> None:
    write_call(tmp_path / "call.wav", call(bleed_db=bleed_db))
    mine(declare(recording("call", "call.wav")), tmp_path, tmp_path / "out")
    wanted, found = ((directory / "rttm/call.rttm").read_text() for directory in (mined, tmp_path / "out"))
    assert len(found.splitlines()) == len(wanted.splitlines())


def test_swapped_channels_change_names_only(tmp_path: Path, mined: Path) -> None:
    write_call(tmp_path / "call.wav", call()[:, ::-1])
    mine(declare(recording("call", "call.wav")), tmp_path, tmp_path / "out")
    (straight,), (swapped,) = (lines(d / "segments.jsonl") for d in (mined, tmp_path / "out"))
    other = {"A": "B", "B": "A"}
    keys = ("type", "onset", "rule", "confidence")
    assert [[e[k] for k in keys] for e in straight["events"]] == [  # type: ignore[attr-defined]
        [e[k] for k in keys]
        for e in swapped["events"]  # type: ignore[attr-defined]
    ]
    assert [e["initiator"] for e in straight["events"]] == [  # type: ignore[attr-defined]
        other[e["initiator"]]
        for e in swapped["events"]  # type: ignore[attr-defined]
    ]


@pytest.mark.parametrize(
    ("rate", "subtype"),
    [
        *((8000, "FLOAT"), (8000, "ULAW")),
        *(pytest.param(*way, marks=pytest.mark.slow) for way in ((22_050, "PCM_24"), (48_000, "PCM_16"))),
    ],
)
def test_rate_and_sample_format_change_nothing(tmp_path: Path, rate: int, subtype: str) -> None:
    write_call(tmp_path / "call.wav", call(rate), rate, subtype)
    mine(declare(recording("call", "call.wav")), tmp_path, tmp_path / "out")
    (segment,) = lines(tmp_path / "out" / "segments.jsonl")
    kinds = [e["type"] for e in segment["events"]][:2]  # type: ignore[attr-defined]
    assert kinds == ["backchannel", "interruption"]
    assert segment["audio"]["sample_rate"] == rate  # type: ignore[index]


def stereo(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.stack([first, second], axis=1)


def loud_noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.1, (round(seconds * 8000), 2)).astype(np.float32)


A, B = voice(TALK_A, 8000), voice(TALK_B, 8000, pitch_hz=187.0)
CONTROLS: dict[str, tuple[Callable[[], np.ndarray], RejectCode]] = {
    "the same channel twice": (lambda: stereo(A, A), RejectCode.DUPLICATE_CHANNEL),
    "one channel 0.3 s late": (lambda: stereo(A + B, np.roll(A + B, 2400)), RejectCode.CHANNEL_SWAP_SUSPECT),
    "silence": (lambda: np.zeros((80_000, 2), np.float32), RejectCode.ONE_SPEAKER),
    "one side silent": (lambda: stereo(A, np.zeros_like(A)), RejectCode.ONE_SPEAKER),
    "bleed of -6 dB": (lambda: call(bleed_db=-6.0), RejectCode.CROSSTALK),
    "three channels": (lambda: np.zeros((8000, 3), np.float32), RejectCode.CHANNEL_COUNT),
    "one channel": (lambda: A[:, None], RejectCode.CHANNEL_COUNT),
    "no samples": (lambda: np.zeros((0, 2), np.float32), RejectCode.IO_ERROR),
    "no numbers": (lambda: np.full((8000, 2), np.nan, np.float32), RejectCode.IO_ERROR),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_what_is_no_conversation_is_refused_with_its_code(tmp_path: Path, control: str) -> None:
    make, code = CONTROLS[control]
    write_call(tmp_path / "call.wav", make(), subtype="FLOAT")
    summary, _ = mine(declare(recording("call", "call.wav")), tmp_path, tmp_path / "out")
    assert summary.recordings["ok"] == 0
    assert list(summary.rejected) == [code]
    (error,) = lines(tmp_path / "out" / "errors.jsonl")
    assert error["code"] == code
    assert error["detail"]
    assert (tmp_path / "out" / "segments.jsonl").read_text() == ""


def test_clipped_talk_gives_no_segment(tmp_path: Path) -> None:
    write_call(tmp_path / "call.wav", np.clip(call() * 40, -1, 1))
    summary, _ = mine(declare(recording("call", "call.wav")), tmp_path, tmp_path / "out")
    assert summary.funnel["segments"].went_out == 0
    assert RejectCode.CLIPPING in summary.rejected


def test_noise_alone_gives_no_segment(tmp_path: Path) -> None:
    write_call(tmp_path / "call.wav", loud_noise(30))
    summary, _ = mine(declare(recording("call", "call.wav")), tmp_path, tmp_path / "out")
    assert summary.funnel["segments"].went_out == 0


def test_one_second_is_handled(tmp_path: Path) -> None:
    write_call(tmp_path / "call.wav", call()[8 * 8000 : 9 * 8000])
    summary, _ = mine(declare(recording("call", "call.wav")), tmp_path, tmp_path / "out")
    assert summary.recordings["error"] == 0
    assert summary.funnel["segments"].went_out == 0


def test_broken_files_stop_nobody_else(tmp_path: Path) -> None:
    write_call(tmp_path / "call.wav", call())
    (tmp_path / "broken.wav").write_bytes(b"RIFFnothing")
    recordings = (
        recording("gone", "gone.wav"),
        recording("call", "call.wav"),
        recording("broken", "broken.wav"),
    )
    summary, _ = mine(declare(*recordings), tmp_path, tmp_path / "out")
    assert summary.recordings == {"in": 3, "ok": 1, "rejected": 0, "error": 2}
    assert [row["recording_id"] for row in lines(tmp_path / "out" / "errors.jsonl")] == ["gone", "broken"]


def test_without_rights_nothing_is_even_heard(tmp_path: Path) -> None:
    write_call(tmp_path / "call.wav", call())
    declaration = declare(recording("call", "call.wav"), rights=None)
    summary, told = mine(declaration, tmp_path, tmp_path / "out")
    assert told == []
    assert list(summary.rejected) == [RejectCode.RIGHTS]
    (error,) = lines(tmp_path / "out" / "errors.jsonl")
    assert (error["recording_id"], error["stage"], error["code"]) == ("call", "declare", "rights")
    assert "wanted `rights` of its own or of the declaration" in str(error["detail"])


@pytest.mark.parametrize("count", [1, 1000])
def test_two_strangers_are_told_apart_in_words_with_got_wanted_and_remedy(
    tmp_path: Path, mined: Path, count: int
) -> None:
    shutil.copytree(mined.parent, tmp_path / "again")
    quality = {"structure_min_candidates": count, "structure_max_share": 0.0}
    write_call(
        tmp_path / "again/call.wav", call(a=((1.0, 8.0),), b=((6.0, 8.0),))
    )  # neither has the floor then
    out = tmp_path / "again/out"
    summary, _ = mine(declare(recording("call", "call.wav"), quality=quality), tmp_path / "again", out)
    checked = summary.structure_check
    errors = [(error["stage"], error["detail"]) for error in lines(out / "errors.jsonl")]
    if count > 1:
        assert (checked.checked, checked.failed, checked.too_few_overlaps, errors) == (0, 0, 1, [])
    else:
        assert (checked.checked, checked.failed, checked.too_few_overlaps) == (1, 1, 0)
        ((stage, detail),) = errors
        assert stage == "decide"
        assert re.search(r"^call: .*got 1, wanted 0 at most; .*structure_max_share", str(detail))


def test_a_summary_says_what_made_it(mined: Path) -> None:
    summary = json.loads((mined / "summary.json").read_text())
    (segment,) = lines(mined / "segments.jsonl")
    provenance = segment["provenance"]
    assert summary["config_sha256"] == provenance["config_sha256"]  # type: ignore[index]
    assert summary["versions"] == {
        "humdial-pipeline": provenance["version"],  # type: ignore[index]
        "detector": provenance["detector"],  # type: ignore[index]
    }


def test_given_words_decide_and_are_copied_only_where_that_is_allowed(tmp_path: Path) -> None:
    said = [(s, e, "A", "so") for s, e in TALK_A] + [(s, e, "B", "but then what") for s, e in TALK_B]
    said[len(TALK_A)] = (8.0, 8.6, "B", "uh-huh")
    rows = ({"speaker": w, "start": s, "end": e, "text": t} for s, e, w, t in said)
    (tmp_path / "w.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for allowed in (False, True):
        rights = RIGHTS.model_copy(update={"derivative_allowed": allowed})
        one = recording("call", words="w.jsonl", language="en", rights=rights)
        mine(declare(one), tmp_path, tmp_path / f"out{allowed}")
        (segment,) = lines(tmp_path / f"out{allowed}" / "segments.jsonl")
        event = segment["events"][0]  # type: ignore[index]
        assert (event["type"], event["lexicon_match"], segment["mode"]) == (
            "backchannel",
            True,
            "given_words",
        )
        texts = {turn["text"] for turn in segment["turns"]}  # type: ignore[attr-defined]
        assert ("uh-huh" in texts) is allowed
        assert allowed or texts == {None}


def test_given_rttm_is_kept_to_the_sample(tmp_path: Path) -> None:
    talk = [("A", *span) for span in TALK_A] + [("B", *span) for span in TALK_B]
    rttm = "".join(
        f"SPEAKER call 1 {s:.3f} {e - s:.3f} <NA> <NA> {n} <NA> <NA>\n" for n, s, e in sorted(talk)
    )
    (tmp_path / "call.rttm").write_text(rttm)
    write_call(tmp_path / "mix.wav", (A + B)[:, None])
    one = recording("call", "mix.wav", rttm="call.rttm")
    mine(declare(one), tmp_path, tmp_path / "out")
    wanted, found = (
        read_rttm(path).recordings[0] for path in (tmp_path / "call.rttm", tmp_path / "out/rttm/call.rttm")
    )
    assert wanted == found
    (segment,) = lines(tmp_path / "out" / "segments.jsonl")
    assert (segment["mode"], segment["audio"]["duration"]) == ("given_rttm", SECONDS)  # type: ignore[index]


def content(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in OUTPUTS}


def test_a_second_call_hears_nothing_and_writes_the_same(tmp_path: Path, mined: Path) -> None:
    shutil.copytree(mined.parent, tmp_path / "again")
    before = content(mined)
    _, told = mine(declare(recording("call", "call.wav")), tmp_path / "again", tmp_path / "again" / "out")
    assert told == [("call", True)]
    assert content(tmp_path / "again" / "out") == before


def test_other_thresholds_are_answered_from_what_was_heard(tmp_path: Path, mined: Path) -> None:
    shutil.copytree(mined.parent, tmp_path / "again")
    declaration = declare(recording("call", "call.wav"), events=EventLimits(min_overlap_s=2.0))
    summary, told = mine(declaration, tmp_path / "again", tmp_path / "again" / "out")
    assert told == [("call", True)]
    assert RejectCode.OVERLAP_TOO_SHORT in summary.rejected


@pytest.mark.parametrize("damage", ["audio", "frames", "entry", "detector"])
def test_what_changed_is_heard_again(tmp_path: Path, mined: Path, damage: str) -> None:
    again = tmp_path / "again"
    shutil.copytree(mined.parent, again)
    listening = {"detector": "energy"}
    if damage == "audio":
        write_call(again / "call.wav", call(b=((8.0, 8.5), (25.0, 30.0))))
    elif damage == "frames":
        (again / "out/activity/call.npz").write_bytes(b"half a fi")
    elif damage == "entry":
        (again / "out/activity/call.json").write_text("{}")
    else:
        pytest.importorskip("webrtcvad", reason="webrtc is not installed")
        listening = {"detector": "webrtc"}
    _, told = mine(declare(recording("call", "call.wav"), listening=listening), again, again / "out")
    assert told == [("call", False)]


def test_a_killed_call_is_finished_by_the_next(tmp_path: Path, mined: Path) -> None:
    write_call(tmp_path / "call.wav", call())
    out = tmp_path / "out"
    (out / "activity").mkdir(parents=True)
    shutil.copy(mined / "activity" / "call.npz", out / "activity")  # frames are there, their entry is not yet
    (out / ".partial-1-0-segments.jsonl").write_text("half a li")
    _, told = mine(declare(recording("call", "call.wav")), tmp_path, out)
    assert told == [("call", False)]
    assert content(out) == content(mined)
    assert not list(out.rglob(".partial-*"))


@pytest.mark.slow
def test_workers_change_nothing(tmp_path: Path) -> None:
    names = ("a", "b", "c")
    for index, name in enumerate(names):
        write_call(tmp_path / f"{name}.wav", call(b=((8.0, 8.5), (20.0 + index, 33.0))))
    recordings = [recording(name, f"{name}.wav") for name in names]
    for workers in (1, 2):
        mine(declare(*recordings, workers=workers), tmp_path, tmp_path / f"out{workers}")
    one, two = content(tmp_path / "out1"), content(tmp_path / "out2")
    del one["filter.json"], two["filter.json"]  # they name the number of workers
    assert one == two


def test_the_order_of_recordings_changes_the_order_of_lines_alone(tmp_path: Path) -> None:
    for index, name in enumerate("ab"):
        write_call(tmp_path / f"{name}.wav", call(b=((8.0, 8.5), (20.0 + index, 33.0))))
    recordings = [recording(name, f"{name}.wav", language="en") for name in "ab"]
    mine(declare(*recordings), tmp_path, tmp_path / "straight")
    mine(declare(*recordings[::-1]), tmp_path, tmp_path / "turned")
    for name in ("segments.jsonl", "audit.jsonl", "timelines.jsonl"):
        straight, turned = ((tmp_path / out / name).read_text() for out in ("straight", "turned"))
        without_config = [re.sub('"config_sha256":"[^"]*"', "", text) for text in (straight, turned)]
        assert sorted(without_config[0].splitlines()) == sorted(without_config[1].splitlines())
    straight, turned = (
        json.loads((tmp_path / o / "summary.json").read_text()) for o in ("straight", "turned")
    )
    assert straight.pop("config_sha256") != turned.pop("config_sha256")
    assert straight == turned


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_recordings(tmp_path: Path) -> None:
    import tracemalloc

    said = [(s, e, "A", "so") for s, e in TALK_A] + [(s, e, "B", "but then") for s, e in TALK_B]
    said = [(s + 50 * n, e + 50 * n, w, t) for n in range(6) for s, e, w, t in said]
    lines = [json.dumps({"speaker": w, "start": s, "end": e, "text": t}) for s, e, w, t in said]
    (tmp_path / "w.jsonl").write_text("\n".join(lines))
    peaks = []
    for count in (4, 16):
        recordings = [recording(f"call{n}", words="w.jsonl", language="en") for n in range(count)]
        work = Mine(declare(*recordings), tmp_path, tmp_path / f"out{count}")
        work.hear(lambda heard, kept: None)
        tracemalloc.start()
        summary = work.write()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert summary.timelines == 6 * count
    assert peaks[1] < 1.5 * peaks[0]  # four times the recordings


class _Unable:
    """A diarizer that hears nothing, or one recording only."""

    name = "unable-1"

    def __init__(self, *able: str) -> None:
        self.able, self.asked = able, list[str]()

    def diarize(self, samples: np.ndarray, uri: str, num_speakers: int | None = None) -> Diarization:
        self.asked.append(uri)
        if uri not in self.able:
            raise TerminalBackendError(f"diarizer: {uri} failed (out of memory)")
        speakers = tuple(
            DiarizedSpeaker(name, tuple(Span(round(s * 16_000), round(e * 16_000)) for s, e in spans), None)
            for name, spans in (("S0", TALK_A), ("S1", TALK_B))
        )
        return Diarization(len(samples), speakers, LocalTracks((), 160_000, np.zeros((0, 1, 2), bool)))

    def embed(self, samples: np.ndarray) -> None:
        return None


def test_a_recording_that_the_diarizer_fails_at_is_refused_and_asked_again(tmp_path: Path) -> None:
    for name in "ab":
        write_call(tmp_path / f"{name}.wav", (A + B)[:, None])
    declaration = declare(recording("a", "a.wav"), recording("b", "b.wav"), diarizer={"model": "none"})

    def run(*able: str) -> tuple[MiningSummary, list[str]]:
        diarizer = _Unable(*able)
        return Mine(declaration, tmp_path, tmp_path / "out", diarizer).run(lambda h, k: None), diarizer.asked

    summary, asked = run("b")
    assert (summary.recordings["error"], asked) == (1, ["a", "b"])
    (error,) = lines(tmp_path / "out" / "errors.jsonl")
    assert (error["recording_id"], error["code"]) == ("a", "backend_failed")
    assert "out of memory" in str(error["detail"])
    summary, asked = run("a", "b")
    assert (summary.recordings["error"], asked) == (0, ["a"])
    assert lines(tmp_path / "out" / "errors.jsonl") == []


def test_a_diarization_that_thresholds_refuse_is_told_with_what_it_lacks(tmp_path: Path) -> None:
    write_call(tmp_path / "a.wav", (A + B)[:, None])
    declaration = declare(
        recording("a", "a.wav"), diarizer={"model": "none"}, timbre={"min_clean_chunks": 10_000}
    )
    summary = Mine(declaration, tmp_path, tmp_path / "out", _Unable("a")).run(lambda heard, kept: None)
    assert summary.recordings["rejected"] == 1
    (error,) = lines(tmp_path / "out" / "errors.jsonl")
    assert (error["stage"], error["code"]) == ("decide", "diarization_unreliable")
    assert re.search(r"^a: .*got \d+, wanted 10000 at least; .*min_clean_chunks", str(error["detail"]))


def test_a_diarizer_that_cannot_be_loaded_stops_at_once(tmp_path: Path) -> None:
    write_call(tmp_path / "a.wav", (A + B)[:, None])
    declaration = declare(recording("a", "a.wav"), diarizer={"model": str(tmp_path / "nowhere")})
    with pytest.raises((ConfigError, TerminalBackendError)):
        Mine(declaration, tmp_path, tmp_path / "out").run(lambda heard, kept: None)
    assert not (tmp_path / "out" / "summary.json").exists()


@pytest.mark.slow
def test_hours_are_heard_in_the_memory_of_minutes(tmp_path: Path) -> None:
    import tracemalloc

    peaks = []
    for repeats in (2, 8):
        with soundfile.SoundFile(tmp_path / f"{repeats}.wav", "w", 8000, 2) as file:
            for _ in range(repeats):
                file.write(call())
        tracemalloc.start()
        mine(declare(recording("call", f"{repeats}.wav")), tmp_path, tmp_path / f"out{repeats}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]  # six times the audio: blocks stay, and frames are 6 bytes per 10 ms


@pytest.mark.skipif(not SHARED.is_dir(), reason="no sample of real recordings: set HUMDIAL_SHARED_DATA")
@pytest.mark.parametrize(("number", "fewest", "most"), [("49", 14, 18), ("40", 0, 0)])
def test_real_calls_overlap_as_their_notes_state(tmp_path: Path, number: str, fewest: int, most: int) -> None:
    folder = SHARED / "audio" / "aws_call"
    sides = [folder / f"Auto_Repairs_{number}_UTC_{side}.part1.wav" for side in ("agent", "caller")]
    mine(declare(recording("call", *sides)), tmp_path, tmp_path / "out")
    (found,) = read_rttm(tmp_path / "out/rttm/call.rttm").recordings
    first, second = found.activity.speakers
    both = [part for a in first for b in second if (part := a.overlap(b))]
    assert fewest <= sum(len(part) >= 0.2 * 16_000 for part in both) <= most
