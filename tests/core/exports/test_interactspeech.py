import json
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.io import wavfile

from pipeline.core.exports.audio import resample
from pipeline.core.exports.format_names import FormatName
from pipeline.core.exports.interactspeech import InteractSpeechDialogue
from pipeline.domain.errors import RecordError
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Language, Speaker, Split
from pipeline.domain.quarantine import Reason
from pipeline.domain.timeline import Supervision, Timeline
from tests.core.exports.build import noise
from tests.core.exports.in_memory import export_as
from tests.core.exports.interactspeech_talk import ReadLine, read_folder, said, talk
from tests.exported import export_at
from tests.placed import event_of

INTERACTSPEECH = FormatName.INTERACTSPEECH
USER, ASSISTANT, THIRD = Speaker.USER, Speaker.ASSISTANT, Speaker.THIRD_PARTY
RATE, TARGET = 24_000, 22_050
Track = npt.NDArray[np.float32] | npt.NDArray[np.int16]

_DEFAULT = Path(__file__).parents[4] / "shared" / "data"
DEMO = Path(os.environ.get("HUMDIAL_SHARED_DATA", _DEFAULT)) / "audio" / "interactspeech_demo"


ASKED = said("u0", 0, USER, 0.5, 1.5, "How do I get to the pier?")
CUT = said("u1", 1, ASSISTANT, 1.9, 3.1, "Take the third street, then left.", heard=3, fragment="str")
ASKS = said("u2", 2, USER, 2.8, 3.9, "The third or the second?")
REPLY = said("u3", 3, ASSISTANT, 4.2, 5.0, "The third.")
NEVER = (1, ASSISTANT, "It is five minutes.")


def interrupted(dialogue_id: str = "c-1", split: Split = Split.TRAIN) -> Timeline:
    event = event_of(EventType.CLARIFICATION_REQUEST, ASKS, CUT)
    return talk((ASKED, CUT, ASKS, REPLY), (event,), (NEVER,), dialogue_id=dialogue_id, split=split)


def read(timeline: Timeline) -> tuple[list[ReadLine], InteractSpeechDialogue]:
    files = export_as(INTERACTSPEECH, [timeline])
    row = InteractSpeechDialogue.from_line(files.texts["manifest.jsonl"].strip())
    a, b = (files.wavs[f"{row.export_id}/dialogue_speaker{side}.wav"] for side in "ab")
    return read_folder(files.texts[f"{row.export_id}/information.json"], a, b), row


def test_a_folder_is_the_documented_one() -> None:
    files = export_as(INTERACTSPEECH, [interrupted()])
    folder = "HUMDIAL_EN--train--1"
    assert files.paths() == {
        f"{folder}/dialogue_speakera.wav",
        f"{folder}/dialogue_speakerb.wav",
        f"{folder}/information.json",
        "manifest.jsonl",
        "LICENSES.md",
    }
    assert json.loads(files.texts[f"{folder}/information.json"]) == {
        "original_dialog_id": "",
        "dialog_index": 1,
        "processed_dialogue": "A: How do I get to the pier?\n"
        "B: Take the third str- [interrupt] street, then left. It is five minutes.\n"
        "A: The third or the second?\n"
        "B: The third.",
        "speakerA_time": [[11_025, 33_075], [61_740, 85_995]],
        "speakerB_time": [[41_895, 68_355], [92_610, 110_250]],
    }


def test_what_follows_a_mark_is_not_voiced_and_what_stands_before_it_is() -> None:
    lines, row = read(interrupted())
    assert [line.unvoiced for line in lines] == [
        None,
        "street, then left. It is five minutes.",
        None,
        None,
    ]
    assert lines[1].voiced == CUT.text
    assert row.marked_lines == (1,)
    assert row.interruptions == 1
    assert not row.more_than_published
    start = lines[2].interval[0]
    assert lines[1].interval[0] < start < lines[1].interval[1]


@pytest.mark.parametrize(
    ("language", "host", "unsaid", "text"),
    [
        (Language.EN, ("Go left, then right.", 2, None), (), "Go left [interrupt] then right."),
        (Language.EN, ("Go left, then right.", 3, "r"), (), "Go left, then r- [interrupt] right."),
        (Language.EN, ("Go left, then right.", 1, ""), (), "Go [interrupt] left, then right."),
        (Language.EN, ("Go left.", 2, None), (), "Go left"),
        (Language.EN, ("Go left.", 2, None), ("Then stop.",), "Go left [interrupt] Then stop."),
        (
            Language.EN,
            ("Go left.", None, None),
            ("Then\nstop.", "Wait."),
            "Go left. [interrupt] Then stop. Wait.",
        ),
        (Language.EN, ("Go left.", None, None), (), "Go left."),
        (
            Language.ZH,
            ("先往左走，再往右。", 4, None),
            ("就到了。",),
            "先往左走 [interrupt] 再往右。就到了。",
        ),
    ],
)
def test_a_mark_stands_where_words_were_left_to_say(
    language: Language, host: tuple[str, int | None, str | None], unsaid: tuple[str, ...], text: str
) -> None:
    planned, heard, fragment = host
    floor = said("u1", 1, ASSISTANT, 1.9, 3.1, planned, heard, fragment)
    left = [(1, ASSISTANT, one) for one in unsaid]
    lines, row = read(talk((ASKED, floor, ASKS), (), left, language=language))
    voiced, mark, unvoiced = text.partition(" [interrupt] ")
    assert (lines[1].voiced, lines[1].unvoiced) == (voiced, unvoiced if mark else None)
    assert row.marked_lines == ((1,) if mark else ())


def test_a_backchannel_is_a_line_inside_its_hosts() -> None:
    host = said("u1", 1, ASSISTANT, 1.9, 3.9, "Take the third street, then left.")
    nod = said("u2", 2, USER, 2.6, 2.9, "Mm.")
    lines, row = read(talk((ASKED, host, nod), (event_of(EventType.CONTINUER, nod, host),)))
    assert [line.speaker for line in lines] == ["A", "B", "A"]
    assert lines[1].interval[0] < lines[2].interval[0] < lines[2].interval[1] < lines[1].interval[1]
    assert all(line.unvoiced is None for line in lines)
    assert (row.backchannel_lines, row.aside_lines, row.interruptions) == ((2,), (), 0)


def test_what_is_said_to_others_is_a_line_and_named_in_the_manifest() -> None:
    host = said("u1", 1, ASSISTANT, 1.9, 3.9, "Take the third street, then left.")
    aside = said("u2", 2, USER, 2.6, 3.2, "Close the door.")
    event = event_of(EventType.SPEECH_DIRECTED_AT_OTHERS, aside, host)
    lines, row = read(talk((ASKED, host, aside), (event,)))
    assert lines[2].voiced == "Close the door."
    assert row.aside_lines == (2,)


def test_third_parties_are_silenced_and_named_in_the_manifest() -> None:
    other = said("u9", 9, THIRD, 2.3, 2.9, "Dinner is ready.")
    host = said("u1", 1, ASSISTANT, 1.9, 3.9, "Take the third street, then left.")
    event = event_of(EventType.THIRD_PARTY_SPEECH, other, host)
    lines, row = read(talk((ASKED, host, other), (event,)))
    assert len(lines) == 2
    assert row.silenced == ("u9",)
    assert "Dinner" in row.supervisions[-1].text


def test_more_interruptions_than_published_are_kept_and_noted() -> None:
    supervisions, events = [ASKED], []
    for n in range(3):
        start = 2.0 + 3 * n
        host = said(f"h{n}", 2 * n + 1, ASSISTANT, start, start + 1.2, "Take the third street.", heard=2)
        asks = said(f"i{n}", 2 * n + 2, USER, start + 1.0, start + 2.0, "Which one?")
        supervisions += [host, asks]
        events.append(event_of(EventType.FOLLOW_UP_QUESTION, asks, host))
    lines, row = read(talk(supervisions, events))
    assert sum(line.unvoiced is not None for line in lines) == 3
    assert row.interruptions == 3
    assert row.marked_lines == (1, 3, 5)
    assert row.more_than_published


def test_a_host_that_finishes_all_it_had_to_say_has_no_mark() -> None:
    host = said("u1", 1, ASSISTANT, 1.9, 3.1, "Take the third street.")
    asks = said("u2", 2, USER, 2.9, 3.9, "The third?")
    event = event_of(EventType.FOLLOW_UP_QUESTION, asks, host).model_copy(
        update={"effect": FloorEffect.FINISHES}
    )
    lines, row = read(talk((ASKED, host, asks), (event,)))
    assert [line.unvoiced for line in lines] == [None, None, None]
    assert (row.interruptions, row.marked_lines) == (1, ())


_AGAIN = said("u4", 4, USER, 2.2, 2.6, "Please.")
_FIRST = said("u0", 0, USER, 0.5, 1.2, "One thing.")
_THEN = said("u5", 0, USER, 3.0, 3.6, "And another.")


@pytest.mark.parametrize(
    ("timeline", "why"),
    [
        (talk((ASKED,)), "the assistant says nothing"),
        (talk((CUT, REPLY)), "the user says nothing"),
        (talk((_FIRST, CUT, _AGAIN, _THEN)), "a turn of the user begins inside another of its turns"),
        (
            talk((ASKED, said("u1", 1, ASSISTANT, 0.5, 2.0, "Take the third street."))),
            "two turns begin at sample 11025",
        ),
        (
            talk((ASKED, REPLY, said("u9", 9, THIRD, 1.2, 1.9, "Dinner is ready."))),
            "u9 of a third party falls into what the user says",
        ),
        (
            talk((ASKED, CUT, said("u7", 1, ASSISTANT, 4.0, 4.5, "Where was I?"))),
            "turn 1 goes on after it broke off",
        ),
        (
            talk((ASKED, said("u1", 1, ASSISTANT, 2.0, 3.0, "Take the [third] street."))),
            "turn 1 holds brackets",
        ),
    ],
    ids=["no assistant", "no user", "turn in turn", "one onset", "two voices", "goes on", "brackets"],
)
def test_what_lines_and_intervals_could_not_tell_is_refused(timeline: Timeline, why: str) -> None:
    with pytest.raises(RecordError, match=why) as caught:
        read(timeline)
    assert caught.value.reason is Reason.NOT_EXPORTABLE


@st.composite
def talks(draw: st.DrawFn) -> Timeline:
    """Turns of one or two sentences by either speaker, with gaps, overlaps and backchannels as they fall."""
    supervisions: list[Supervision] = []
    free = dict.fromkeys((USER, ASSISTANT, THIRD), 0.1)
    for turn in range(draw(st.integers(2, 9))):
        speaker = draw(st.sampled_from((USER, ASSISTANT, ASSISTANT, USER, THIRD)))
        at = max(free[speaker], max(free.values()) + draw(st.floats(-1.2, 0.8)))
        for _ in range(draw(st.integers(1, 2))):
            end = at + draw(st.floats(0.2, 1.5))
            name = f"u{len(supervisions):02d}"
            supervisions.append(said(name, turn, speaker, at, end, "Over the bridge."))
            at = free[speaker] = end + draw(st.floats(0.01, 0.5))
    return talk(supervisions)


@given(talks())
@settings(max_examples=30)
def test_lines_and_intervals_of_whatever_is_not_refused_tell_of_the_same_turns(timeline: Timeline) -> None:
    try:
        lines, row = read(timeline)
    except RecordError:
        assume(False)  # which hypothesis objects to where it happens too often
    heard = [turn for turn in timeline.turns() if turn[0].speaker is not THIRD]
    assert len(lines) == len(heard)
    for line, turn in zip(lines, heard, strict=True):
        assert line.speaker == ("A" if turn[0].speaker is USER else "B")
        assert line.voiced == " ".join(s.text for s in turn)
        ends = turn[0].span.start, max(s.span.end for s in turn)
        assert all(
            2 * abs(got * RATE - want * TARGET) <= RATE  # half a sample of the file
            for got, want in zip(line.interval, ends, strict=True)
        )
    assert len(row.silenced) == sum(s.speaker is THIRD for s in timeline.supervisions)


def test_audio_on_disk_is_float32_at_22050_hz_and_the_rendered_track(tmp_path: Path) -> None:
    run = [interrupted("c-1"), interrupted("c-2", Split.DEV)]
    out = export_at(tmp_path / "first", run, INTERACTSPEECH)
    again = export_at(tmp_path / "second", run, INTERACTSPEECH)
    paths = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    assert [(again / path).read_bytes() for path in paths] == [(out / path).read_bytes() for path in paths]
    wavs = [path for path in paths if path.suffix == ".wav"]
    assert len(wavs) == 4
    for path in wavs:
        info = soundfile.info(out / path)
        assert (info.format, info.subtype, info.channels, info.samplerate) == ("WAV", "FLOAT", 1, TARGET)
        rate, samples = wavfile.read(out / path)
        assert (rate, samples.dtype) == (TARGET, np.float32)
        assert np.array_equal(samples, soundfile.read(out / path, dtype="float32")[0])
        assert np.array_equal(samples * 32_768, np.rint(samples * 32_768))
        assert 0.1 < np.abs(samples).max() < 1.0
    folder = out / "HUMDIAL_EN--dev--2"
    tracks = [wavfile.read(folder / f"dialogue_speaker{side}.wav")[1] for side in "ab"]
    assert len(read_folder((folder / "information.json").read_text("utf-8"), *tracks)) == 4


def test_a_track_is_the_speakers_own_to_the_sample() -> None:
    timeline = interrupted()
    files = export_as(INTERACTSPEECH, [timeline])
    for side, speaker, channel in (("a", USER, 0), ("b", ASSISTANT, 1)):
        whole = resample(noise(timeline, floor=40)[:, channel], RATE, TARGET)
        wanted = np.zeros_like(whole)
        for s in timeline.supervisions:
            if s.speaker is speaker:
                part = slice(*(round(x * TARGET / RATE) for x in (s.span.start, s.span.end)))
                wanted[part] = whole[part]
        wav = files.made[f"HUMDIAL_EN--train--1/dialogue_speaker{side}.wav"]
        assert wav.float32
        assert wav.sampling_rate == TARGET
        assert np.array_equal(files.wavs[wav.path], wanted)


def test_folders_are_numbered_by_dialogue_and_every_one_has_its_provenance() -> None:
    run = [interrupted(name, split) for name, split in (("c-9", Split.TEST), ("c-1", Split.TRAIN))]
    files = export_as(INTERACTSPEECH, run, {"first_index": 40})
    rows = [InteractSpeechDialogue.from_line(line) for line in files.texts["manifest.jsonl"].splitlines()]
    assert {row.dialogue_id: row.export_id for row in rows} == {
        "c-1": "HUMDIAL_EN--train--40",
        "c-9": "HUMDIAL_EN--test--41",
    }
    for row in rows:
        content = json.loads(files.texts[f"{row.directory}/information.json"])
        assert row.export_id.endswith(f"--{content['dialog_index']}")
        assert row.provenance.seed_id == f"invented/{row.dialogue_id}"
        assert row.events[0].type is EventType.CLARIFICATION_REQUEST
    assert "- dialogues: 2" in files.texts["LICENSES.md"]


@pytest.mark.skipif(not DEMO.is_dir(), reason="the official demo (HUMDIAL_SHARED_DATA) is not here")
def test_the_reader_of_these_tests_reads_the_official_demo() -> None:
    (folder,) = DEMO.iterdir()
    tracks = []
    for side in "ab":
        track, rate = soundfile.read(folder / f"dialogue_speaker{side}.wav", dtype="float32")
        assert rate == TARGET
        tracks.append(track)
    lines = read_folder((folder / "information.json").read_text("utf-8"), *tracks)
    assert [line.speaker for line in lines] == ["A", "B", "A", "B", "A"]
    assert [line.unvoiced is not None for line in lines] == [True, False, False, False, False]
    steps = [after.interval[0] - before.interval[1] for before, after in pairwise(lines)]
    assert steps == [-10_000, 0, 0, 0]
