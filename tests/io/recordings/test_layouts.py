"""A source is expanded into recordings, each with its files, its people and the terms of its corpus."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.domain.labels import Language, Split
from pipeline.io.recordings import declaration as declaration_module
from pipeline.io.recordings.audio import UnreadableAudioError, open_audio
from pipeline.io.recordings.declaration import read_declaration, recordings_of
from pipeline.io.recordings.given import given_activity, read_given
from pipeline.io.recordings.layouts import DeclaredSource
from tests.io.recordings.trees import (
    CANDOR_ID,
    DATA,
    HARPER_ID,
    RIGHTS,
    declared,
    make_ami,
    make_audio,
    make_calls,
    make_candor,
    make_fisher,
    make_harper_valley,
    make_rttm,
    make_switchboard,
    make_worded_call,
    recordings,
)

SOURCES = get_args(get_args(DeclaredSource)[0])

MS98 = "c/swb_ms98_transcriptions/99/9999/sw9999A-ms98-a-word.text"
TURNS = "c/fe_03_p1_tran/data/trans/999/fe_03_99999.txt"
FISHER_AUDIO = ("c/fe_03_p1_sph1/audio/999/fe_03_99999.sph",)
HARPER_AUDIO = (f"c/audio/caller/{HARPER_ID}.wav", f"c/audio/agent/{HARPER_ID}.wav")
CANDOR_AUDIO = (f"c/{CANDOR_ID}/processed/{CANDOR_ID}.mp3",)
CANDOR_TEXT = f"c/{CANDOR_ID}/transcription"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a recording is made of."""

    recording_id: str
    audio: tuple[str, ...]
    words: str | None = None
    rttm: str | None = None
    speakers: tuple[str, ...] = ()
    dyadic: bool = True


CASES: list[tuple[Callable[[Path], None], str, tuple[Wanted, ...]]] = [
    (
        make_candor,
        "{layout: candor, path: c}",
        (Wanted(f"candor:{CANDOR_ID}", CANDOR_AUDIO, speakers=("u0b2", "u0a1")),),
    ),
    (
        make_candor,
        "{layout: candor, path: c, speech_from: words}",
        (
            Wanted(
                f"candor:{CANDOR_ID}",
                CANDOR_AUDIO,
                f"{CANDOR_TEXT}/transcribe_output.json",
                speakers=("u0b2", "u0a1"),
            ),
        ),
    ),
    (
        make_candor,
        "{layout: candor, path: c, speech_from: turns}",
        (
            Wanted(
                f"candor:{CANDOR_ID}",
                CANDOR_AUDIO,
                f"{CANDOR_TEXT}/transcript_cliffhanger.csv",
                speakers=("u0b2", "u0a1"),
            ),
        ),
    ),
    (
        make_fisher,
        "{layout: fisher, path: c}",
        (Wanted("fisher:fe_03_99999", FISHER_AUDIO, speakers=("71001", "71002")),),
    ),
    (
        make_fisher,
        "{layout: fisher, path: c, speech_from: turns}",
        (Wanted("fisher:fe_03_99999", FISHER_AUDIO, TURNS, speakers=("71001", "71002")),),
    ),
    (
        make_fisher,
        "{layout: fisher, path: c, with_audio: false}",
        (Wanted("fisher:fe_03_99999", (), TURNS, speakers=("71001", "71002")),),
    ),
    (
        make_switchboard,
        "{layout: switchboard, path: c, speaker_table: c/callers.csv}",
        (
            Wanted("switchboard:sw9998", ("c/swb1_d2/data/sw09998.sph",), "c/tagged/sw9998A-word-da.csv"),
            Wanted("switchboard:sw9999", ("c/swb1_d1/data/sw09999.sph",), MS98, speakers=("1001", "1002")),
        ),
    ),
    (
        make_switchboard,
        "{layout: switchboard, path: c/swb1_d1, text: c/swb_ms98_transcriptions, speech_from: audio}",
        (Wanted("switchboard:sw9999", ("c/swb1_d1/data/sw09999.sph",)),),
    ),
    (
        make_switchboard,
        "{layout: switchboard, path: c/swb_ms98_transcriptions, with_audio: false}",
        (Wanted("switchboard:sw9999", (), MS98),),
    ),
    (
        make_ami,
        "{layout: ami, path: c}",
        (
            Wanted(
                "ami:ES9999a",
                ("c/ES9999a/audio/ES9999a.Mix-Headset.wav",),
                "c/words/ES9999a.A.words.xml",
                speakers=("FEO991", "MEO992"),
                dyadic=False,
            ),
        ),
    ),
    (  # The letter is not the number: A wears headset 2, B headset 0.
        make_ami,
        "{layout: ami, path: c, speech_from: audio, pair: [A, B]}",
        (
            Wanted(
                "ami:ES9999a-A-B",
                ("c/ES9999a/audio/ES9999a.Headset-2.wav", "c/ES9999a/audio/ES9999a.Headset-0.wav"),
                speakers=("FEO991", "MEO992"),
                dyadic=False,
            ),
        ),
    ),
    (
        make_harper_valley,
        "{layout: harper_valley, path: c}",
        (
            Wanted(
                f"harper_valley:{HARPER_ID}",
                HARPER_AUDIO,
                f"c/transcript/{HARPER_ID}.json",
                speakers=("7", "41"),
            ),
        ),
    ),
    (
        make_harper_valley,
        "{layout: harper_valley, path: c, speech_from: audio}",
        (Wanted(f"harper_valley:{HARPER_ID}", HARPER_AUDIO, speakers=("7", "41")),),
    ),
    (
        make_calls,
        f'{{layout: two_channel, path: c, pair: ["{{id}}-caller.wav", "{{id}}-agent.wav"], {RIGHTS}}}',
        (
            Wanted("my-calls:mon", ("c/mon-caller.wav", "c/mon-agent.wav")),
            Wanted("my-calls:tue", ("c/tue-caller.wav", "c/tue-agent.wav")),
        ),
    ),
    (
        make_calls,
        f"{{layout: two_channel, path: c, {RIGHTS}}}",
        tuple(
            Wanted(f"my-calls:{name}", (f"c/{name}.wav",))
            for name in ("mon-agent", "mon-caller", "tue-agent")
        ),
    ),
    (
        make_worded_call,
        f'{{layout: two_channel, path: c, words: "{{id}}.jsonl", {RIGHTS}}}',
        (Wanted("my-calls:sub_call-db4dd3fb", ("c/sub/call.WAV",), "c/sub/call.jsonl"),),
    ),
    (
        make_rttm,
        f'{{layout: rttm, path: c/rttm, audio: c/wav, audio_name: "{{id}}.flac", {RIGHTS}}}',
        (
            Wanted("my-calls:left", ("c/wav/left.flac",), rttm="c/rttm/two.rttm"),
            Wanted("my-calls:right", ("c/wav/right.flac",), rttm="c/rttm/two.rttm", dyadic=False),
        ),
    ),
]


@pytest.mark.parametrize(("make", "source", "wanted"), CASES)
def test_a_source_names_every_conversation_with_its_files_and_people(
    tmp_path: Path, make: Callable[[Path], None], source: str, wanted: tuple[Wanted, ...]
) -> None:
    make(tmp_path / "c")
    found = recordings(tmp_path, source)
    fields = [field.name for field in dataclasses.fields(Wanted)]
    assert tuple(Wanted(**{name: getattr(one, name) for name in fields}) for one in found) == wanted


@pytest.mark.parametrize(("make", "source", "wanted"), CASES)
def test_whatever_is_there_can_be_heard(
    tmp_path: Path, make: Callable[[Path], None], source: str, wanted: tuple[Wanted, ...]
) -> None:
    make(tmp_path / "c")
    for recording in recordings(tmp_path, source):
        files = [tmp_path / name for name in recording.audio]
        if not all(file.is_file() for file in files):
            with pytest.raises(UnreadableAudioError, match=r"tue-caller\.wav|right\.flac"):
                open_audio(tuple(files))
            continue
        audio = open_audio(tuple(files)) if files else None
        given = read_given(recording, tmp_path)
        assert (given is None) == (recording.words is None and recording.rttm is None)
        if given is not None:
            activity = given_activity(recording.recording_id, given, audio)
            assert sum(bool(speaker.talkspurts) for speaker in activity.speakers) >= 2
        if audio is not None:
            assert sum(map(len, audio.blocks(20_000))) == audio.num_samples


@pytest.mark.parametrize(
    ("layout", "allowed"),
    [
        ("candor", ()),
        ("fisher", ()),
        ("switchboard", ()),
        (
            "ami",
            ("commercial_allowed", "derivative_allowed", "manifest_publishable", "redistribution_allowed"),
        ),
        (
            "harper_valley",
            ("commercial_allowed", "derivative_allowed", "manifest_publishable", "redistribution_allowed"),
        ),
        ("two_channel", None),
        ("rttm", None),
    ],
)
def test_nothing_is_allowed_that_the_terms_of_a_corpus_do_not_allow(
    layout: str, allowed: tuple[str, ...] | None
) -> None:
    (source,) = [kind for kind in SOURCES if kind.model_fields["layout"].annotation.__args__ == (layout,)]
    if allowed is None:
        assert source.terms is None
        return
    assert source.terms is not None
    said = source.terms.model_dump()
    assert tuple(sorted(name for name, value in said.items() if value is True)) == allowed
    assert said["corpus"] == layout
    assert said["consent_basis"] == "corpus-terms"
    assert said["attribution"]


def test_terms_of_a_corpus_hold_against_the_declarations_rights_and_not_against_its_own(
    tmp_path: Path,
) -> None:
    make_candor(tmp_path / "c")
    allowed = RIGHTS[:-1] + ", redistribution_allowed: true}"
    (recording,) = recordings(tmp_path, "{layout: candor, path: c}", allowed)
    assert (recording.rights.corpus, recording.rights.redistribution_allowed) == ("candor", False)
    (recording,) = recordings(tmp_path, f"{{layout: candor, path: c, {allowed}}}")
    assert (recording.rights.corpus, recording.rights.redistribution_allowed) == ("my-calls", True)
    with pytest.raises(ConfigError, match=r"sources\.0\.candor\.rights\.corpus: Field required"):
        recordings(tmp_path, "{layout: candor, path: c, rights: {redistribution_allowed: true}}")


def test_audio_of_nobodys_corpus_has_the_declarations_rights_or_none(tmp_path: Path) -> None:
    make_calls(tmp_path / "c")
    source = "{layout: two_channel, path: c}"
    assert {one.rights.corpus for one in recordings(tmp_path, source, RIGHTS)} == {"my-calls"}
    _, without = recordings_of(declared(tmp_path, source))
    assert without == tuple(f"recordings:{name}" for name in ("mon-agent", "mon-caller", "tue-agent"))


def test_language_and_split_are_the_sources(tmp_path: Path) -> None:
    make_calls(tmp_path / "c")
    make_ami(tmp_path / "ami")
    found = recordings(
        tmp_path,
        "{layout: ami, path: ami}\n  - {layout: two_channel, path: c, language: zh, split: dev}",
        RIGHTS,
    )
    assert [(one.language, one.split) for one in found] == [
        (Language.EN, None),
        *[(Language.ZH, Split.DEV)] * 3,
    ]


def test_converted_audio_is_taken_before_what_it_was_made_of(tmp_path: Path) -> None:
    make_fisher(tmp_path / "c")
    make_audio(tmp_path / "c" / "wav" / "fe_03_99999.wav", 2)
    (recording,) = recordings(tmp_path, "{layout: fisher, path: c}")
    assert recording.audio == ("c/wav/fe_03_99999.wav",)


def test_a_larger_limit_keeps_what_a_smaller_one_drew(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / "c").mkdir(exist_ok=True)
        (tmp_path / "c" / f"call{number:02}.wav").write_bytes(b"")
    drawn = [
        [
            one.recording_id
            for one in recordings(tmp_path, f"{{layout: two_channel, path: c, limit: {limit}}}", RIGHTS)
        ]
        for limit in (3, 6, 100)
    ]
    assert [len(names) for names in drawn] == [3, 6, 12]
    assert set(drawn[0]) < set(drawn[1]) < set(drawn[2])
    assert drawn[0] != drawn[2][:3]
    assert all(names == sorted(names) for names in drawn)


def test_the_example_of_the_documentation_can_be_used(tmp_path: Path) -> None:
    make_candor(tmp_path / "candor")
    make_fisher(tmp_path / "fisher")
    make_switchboard(tmp_path / "all")
    (tmp_path / "all" / "swb_ms98_transcriptions").rename(tmp_path / "swb_ms98_transcriptions")
    (tmp_path / "all" / "callers.csv").rename(tmp_path / "callers.csv")
    (tmp_path / "all" / "swb1_d1").rename(tmp_path / "swb1")
    make_ami(tmp_path / "amicorpus")
    shutil.copytree(DATA / "ami", tmp_path / "ami_public_manual_1.6.2")
    make_harper_valley(tmp_path / "gridspace-stanford-harper-valley" / "data")
    make_calls(tmp_path / "calls")
    shutil.copytree(DATA / "rttm", tmp_path / "rttm")
    make_audio(tmp_path / "wav" / "left.flac", 1)
    assert declaration_module.__doc__ is not None
    example = declaration_module.__doc__.partition("\n    rights:")[2]
    (tmp_path / "mine.yaml").write_text("    rights:" + example)
    found, without_rights = recordings_of(read_declaration(tmp_path / "mine.yaml"))
    assert without_rights == ()
    assert [one.recording_id for one in found] == [
        "monday",
        f"candor:{CANDOR_ID}",
        "fisher:fe_03_99999",
        "switchboard:sw9999",
        "ami:ES9999a",
        f"harper_valley:{HARPER_ID}",
        "my-calls:mon",
        "my-calls:tue",
        "my-calls:left",
        "my-calls:right",
    ]
    assert {one.rights.corpus for one in found if one.rights is not None} == {
        "my-calls",
        *(kind.terms.corpus for kind in SOURCES if kind.terms is not None),
    }
