"""Word times are read as each corpus writes them."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.words import read_transcript, read_words

DATA = Path(__file__).parents[2] / "data" / "recordings"
MS98 = DATA / "switchboard" / "swb_ms98_transcriptions" / "99" / "9999"
CANDOR = DATA / "candor" / "00000000-1111-2222-3333-444444444444" / "transcription"
FISHER = DATA / "fisher" / "fe_03_p1_tran" / "data" / "trans" / "999" / "fe_03_99999.txt"


SWITCHBOARD_WORDS = {"A": ["so", "okay", "w[ent]-", "[laughter]", "[laughter-yeah]"], "B": ["um-hum"]}
AMI_WORDS = {"E": ["Mm-hmm."], "FEO991": ["Hi,", "bec-", "caf\u00e9"], "MEO992": ["Mm-hmm."]}


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (MS98 / "sw9999A-ms98-a-word.text", SWITCHBOARD_WORDS),
        (MS98 / "sw9999B-ms98-a-word.text", SWITCHBOARD_WORDS),
        (
            DATA / "switchboard" / "tagged" / "sw9998A-word-da.csv",
            {"A": ["so", "there", "tr[avel]-"], "B": ["um-hum"]},
        ),
        (DATA / "two_words.jsonl", {"agent": ["good morning"], "caller": ["hello"]}),
        (DATA / "ami" / "words" / "ES9999a.A.words.xml", AMI_WORDS),
        (DATA / "ami" / "words" / "ES9999a.E.words.xml", AMI_WORDS),
        (
            CANDOR / "transcribe_output.json",
            {"u0a1": ["Hi", "there,", "can", "you", "hear", "me?"], "u0b2": ["Yeah."]},
        ),
        (
            DATA / "harper_valley" / "transcript" / "00112233aabbccdd.json",
            {"agent": ["good", "morning", "hopper", "valley"], "caller": ["hi"]},
        ),
    ],
)
def test_words_are_read_of_everybody_with_the_sounds_of_mouths_and_no_other_marks(
    file: Path, said: dict[str, list[str]]
) -> None:
    assert {name: [word.text for word in words] for name, words in read_words(file)} == said


@pytest.mark.parametrize(
    ("file", "times"),
    [
        (FISHER, {"A": [("0.40", "1.90"), ("3.00", "3.40")], "B": [("1.70", "2.10")]}),
        (CANDOR / "transcript_audiophile.csv", {"u0a1": [("0.50", "2.10")], "u0b2": [("1.85", "3.00")]}),
        (
            CANDOR / "transcript_cliffhanger.csv",
            {"u0a1": [("0.50", "1.10"), ("1.10", "2.10")], "u0b2": [("1.85", "2.20")]},
        ),
    ],
)
def test_where_only_turns_have_times_no_word_is_given_one(
    file: Path, times: dict[str, list[tuple[str, str]]]
) -> None:
    transcript = read_transcript(file)
    assert transcript.timed == "turns"
    assert {n: [(str(t.start_s), str(t.end_s)) for t in turns] for n, turns in transcript.spoken} == times
    with pytest.raises(ConfigError, match="times turns, not words"):
        read_words(file)


@pytest.mark.parametrize(
    ("file", "speaker", "first"),
    [
        (DATA / "ami" / "words" / "ES9999a.A.words.xml", "MEO992", ("1.00", "1.30")),
        (CANDOR / "transcribe_output.json", "u0b2", ("1.85", "2.2")),
        # On the conversation's clock: 950 ms + 50 ms, and not on that of either side's recording.
        (DATA / "harper_valley" / "transcript" / "00112233aabbccdd.json", "caller", ("1", "1.25")),
        (DATA / "harper_valley" / "transcript" / "00112233aabbccdd.json", "agent", ("0.2", "0.5")),
    ],
)
def test_words_are_where_their_corpus_puts_them(file: Path, speaker: str, first: tuple[str, str]) -> None:
    word = dict(read_words(file))[speaker][0]
    assert (word.start_s, word.end_s) == (Decimal(first[0]), Decimal(first[1]))


def test_a_meeting_whose_people_nobody_names_keeps_their_letters(tmp_path: Path) -> None:
    shutil.copytree(DATA / "ami" / "words", tmp_path / "words")
    assert [name for name, _ in read_words(tmp_path / "words" / "ES9999a.B.words.xml")] == ["A", "B", "E"]


def test_times_are_those_of_the_file_to_the_digit() -> None:
    (_, words), _ = read_words(MS98 / "sw9999A-ms98-a-word.text")
    assert words[1][:2] == (Decimal("0.900000"), Decimal("1.300000"))


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("words.txt", "x", "no word file that is known"),
        ("w.jsonl", '{"speaker": "A", "start": 1, "end": 2}\n', "w.jsonl:1: text: Field required"),
        ("w.jsonl", '{"speaker": "A", "start": 3, "end": 2, "text": "a"}\n', "wanted 0 <= start <= end"),
        ("fe_03_99999.txt", "0.5 1.0 C: so\n", "fe_03_99999.txt:1: .* wanted start, end, A: or B:, text"),
        ("fe_03_99999.txt", "# head\n\n0.5 x A: so\n", "fe_03_99999.txt:3: '0.5' to 'x': wanted two times"),
        # A start that lost its first digit, as one of the corpus did.
        ("fe_03_99999.txt", "31.09 233.5 A: so\n", "from 31.09 to 233.5 s, .* correct the time"),
        ("fe_03_99999.txt", "230.1 231 A: so\n31.09 33.5 B: oh\n", "after one that starts at 230.1 s"),
        ("ES9999a.A.words.xml", "<w>", "cannot be read as XML"),
        ("ES9999a.A.words.xml", '<r><w starttime="2" endtime="1">a</w></r>', "w 0: 'a' from 2 to 1 s"),
        ("transcribe_output.json", "{}", "transcribe_output.json: results: Field required"),
        ("transcribe_output.json", '{"results": {}}', "channel_labels: is missing, .* mine the audio"),
        ("transcript_backbiter.csv", "", "no word file that is known"),
        ("transcript_cliffhanger.csv", "speaker,start\nu,1\n", "csv:1: no column stop, utterance; wanted"),
        ("transcript_audiophile.csv", "speaker,start,stop,utterance\nu,1\n", "csv:2: '1' to '': wanted two"),
        ("transcript_audiophile.csv", "speaker,start,stop,utterance\n,1,2,a\n", "csv:2: names no speaker"),
        ("00112233aabbccdd.json", "[{}]", "0.speaker_role: Field required"),
        (
            "00112233aabbccdd.json",
            '[{"speaker_role": "agent", "start_ms": 1, "offset_ms": 1, "transcript": "a b", "word_offsets_ms": [0]}]',
            "segment 0: 2 words of `transcript`, 1 of `word_offsets_ms`",
        ),
        ("w.jsonl", "not json\n", "w.jsonl:1: the line"),
        ("sw9997A-word-da.csv", "sw9997A-ms98-a-0001,x,1.0,so,B,o,u\n", "wanted two times in seconds"),
        ("sw9997A-word-da.csv", "sw9997A-ms98-a-0001,0.5\n", "wanted utterance, start, end, word"),
        ("sw9997A-word-da.csv", "", "sw9997B-word-da.csv: cannot be read"),
        ("sw9997A-word-da.csv", "sw9997A-ms98-a-0001,NaN,1.0,so,B,o,u\n", "wanted 0 <= start <= end"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=problem):
        read_words(tmp_path / name)
