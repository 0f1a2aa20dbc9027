"""The report on disk: complete, self-contained, and deaf to markup in records."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.report import RunReport, summarise
from pipeline.core.tokens import tokenize
from pipeline.domain.labels import Emotion, Gender, Language, Speaker, Split, Style
from pipeline.domain.licence import Licence
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.scene import EventType, FloorEffect, Scene
from pipeline.domain.script import Follows
from pipeline.domain.span import Span
from pipeline.domain.timeline import (
    AudioFile,
    Dialogue,
    Event,
    Provenance,
    Supervision,
    Timeline,
    Unsaid,
    Voicing,
)
from pipeline.domain.words import TimeSource, Word
from pipeline.io.audio import RunAudio
from pipeline.io.report_page import (
    SHOWN_DIALOGUES,
    PageData,
    ShownScene,
    inert_json,
    render_page,
    write_report,
)

RATE = 8000
WORD = 2000
"""Every word lasts a quarter of a second."""

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)> \u2028\u2029 <!-- <b> &amp; \"'` {{ 7*7 }}"


def supervision(
    name: str, turn: int, speaker: Speaker, start: int, text: str, meant: str = ""
) -> Supervision:
    words = tuple(
        Word(
            text=word, span=Span(start=start + i * WORD, end=start + (i + 1) * WORD), source=TimeSource.ENGINE
        )
        for i, (word, _, _) in enumerate(tokenize(text))
    )
    span = Span(start=start, end=words[-1].span.end)
    return Supervision(
        supervision_id=name,
        turn=turn,
        speaker=speaker,
        span=span,
        text=text,
        planned_text=meant or text,
        words=words,
        emotion=Emotion.NEUTRAL,
        style=Style.PLAIN,
        clip="0" * 64,
        clip_samples=len(span) + (WORD if meant else 0),
        engine="test-1",
        fade_samples=100 if meant else 0,
        distance=None,
    )


def make_timeline(dialogue_id: str, extra: str = "", scene: Scene = Scene.FOLLOW_UP_QUESTION) -> Timeline:
    """A query, an answer, an interruption that it yields to, a reaction; `extra` in every free text."""
    query = supervision("u0", 0, Speaker.USER, 0, f"may I ask {extra}")
    answer = supervision(
        "u1", 1, Speaker.ASSISTANT, query.span.end + 1600, "of course it is", "of course it is known"
    )
    cut_in = supervision("u2", 2, Speaker.USER, answer.span.end - WORD, "wait why")
    reaction = supervision("u3", 3, Speaker.ASSISTANT, cut_in.span.end + 1600, "because of tea")
    speakers = (Speaker.USER, Speaker.ASSISTANT)
    return Timeline(
        dialogue_id=dialogue_id,
        language=Language.EN,
        scene=scene,
        split=Split.TRAIN,
        topic=f"tea {extra}",
        sampling_rate=RATE,
        num_samples=reaction.span.end + RATE,
        profile="test",
        supervisions=(query, answer, cut_in, reaction),
        events=(
            Event(
                type=EventType.FOLLOW_UP_QUESTION,
                supervision_id="u2",
                initiator=Speaker.USER,
                host="u1",
                effect=FloorEffect.YIELDS,
                anchor=Follows(),
                onset=cut_in.span.start,
                anchor_at=None,
                yielded_at=answer.span.end,
            ),
        ),
        unsaid=(Unsaid(utterance_id="u9", turn=1, speaker=Speaker.ASSISTANT, text=f"never said {extra}"),),
        voicing=tuple(
            Voicing(
                speaker=who, voice_id=f"v-{who}{extra}", person=f"p{extra}", gender=Gender.MALE, gain_db=0
            )
            for who in speakers
        ),
        licence=Licence(
            id=f"CC0-1.0{extra}",
            non_commercial=False,
            share_alike=False,
            redistributable=True,
            attribution="",
        ),
        provenance=Provenance(seed_id=f"demo/{extra}", author=(), root_seed=0, stages=()),
    )


def make_dialogue(dialogue_id: str, extra: str = "", scene: Scene = Scene.FOLLOW_UP_QUESTION) -> Dialogue:
    timeline = make_timeline(dialogue_id, extra, scene)
    return Dialogue(
        timeline=timeline,
        audio=AudioFile(
            path=f"audio/{dialogue_id}.flac",
            sha256="0" * 64,
            num_bytes=1,
            num_samples=timeline.num_samples,
            sampling_rate=RATE,
        ),
    )


def make_report(dialogues: tuple[Dialogue, ...], extra: str = "") -> RunReport:
    refusal = Refusal(
        stage=f"seeds{extra}",
        record_id=f"demo:1{extra}",
        reason=Reason.ONE_SPEAKER,
        detail=f"all by A {extra}",
        payload="",
    )
    return summarise(dialogues, (refusal,))


class Outline(HTMLParser):
    """The skeleton of a page: its elements in order with their attribute names, and inline contents."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.inline: dict[str, str] = {}
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += attrs
        if tag in ("script", "style"):
            self._open = "data" if ("id", "data") in attrs else tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inline[self._open] = self.inline.get(self._open, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def data(self) -> PageData:
        return PageData.model_validate_json(self.inline["data"])


@pytest.fixture
def run_directory(tmp_path: Path) -> Path:
    return tmp_path / "tea-run"


def test_the_report_is_a_page_and_its_numbers(run_directory: Path) -> None:
    dialogues = tuple(make_dialogue(f"en-{number}") for number in range(3))
    report = make_report(dialogues)
    page = write_report(run_directory, report, iter(dialogues))
    assert page == run_directory / "report" / "index.html"
    stats = (run_directory / "report" / "stats.json").read_text(encoding="utf-8")
    assert RunReport.model_validate_json(stats) == report
    assert sorted(path.name for path in page.parent.iterdir()) == ["index.html", "stats.json"]
    assert [d.id for d in Outline(page.read_text(encoding="utf-8")).data().dialogues] == [
        "en-0",
        "en-1",
        "en-2",
    ]


@pytest.mark.parametrize("dialogue_id", ["en-1", "a b#c?d%20", "茶-1"])
def test_the_page_finds_the_audio_beside_it(run_directory: Path, dialogue_id: str) -> None:
    timeline = make_timeline(dialogue_id)
    silence = np.zeros((timeline.num_samples, 2), dtype=np.int16)
    audio = RunAudio(run_directory).write_audio(dialogue_id, silence, RATE, "flac")
    dialogues = (Dialogue(timeline=timeline, audio=audio),)
    page = write_report(run_directory, make_report(dialogues), dialogues)
    (shown,) = Outline(page.read_text(encoding="utf-8")).data().dialogues
    assert not re.search(r"[#?\s]", shown.audio)
    assert (page.parent / unquote(shown.audio)).resolve() == run_directory / audio.path
    assert (page.parent / unquote(shown.audio)).is_file()


def test_times_are_shown_in_seconds_of_the_record() -> None:
    dialogue = make_dialogue("en-1")
    (shown,) = Outline(render_page("run", make_report((dialogue,)), (dialogue,))).data().dialogues
    # query 0 to 0.75, answer from 0.95 for 1.0, cut in a word before its end, reaction 0.2 after that
    assert [u.at_s for u in shown.utterances] == [(0.0, 0.75), (0.95, 1.95), (1.7, 2.2), (2.4, 3.15)]
    assert shown.utterances[0].words[1] == ("I", 0.25, 0.5)
    assert [u.truncated for u in shown.utterances] == [False, True, False, False]
    assert shown.events[0].onset_s == 1.7
    assert shown.events[0].yielded_at_s == 1.95
    assert shown.overlaps_s == ((1.7, 1.95),)
    assert shown.response_offsets_s == (0.2, 0.2)
    # heard: 0.75 + (2.2 - 0.95) + 0.75 = 2.75
    assert shown.overlap_ratio == round(0.25 / 2.75, 4)
    assert shown.duration_s == 4.15


def test_hostile_text_adds_no_markup() -> None:
    benign, hostile = make_dialogue("en-1", "x"), make_dialogue("en-1", HOSTILE)
    tame = Outline(render_page("run", make_report((benign,), "x"), (benign,)))
    page = render_page(HOSTILE, make_report((hostile,), HOSTILE), (hostile,))
    wild = Outline(page)
    assert wild.elements == tame.elements
    assert wild.inline["script"] == tame.inline["script"]
    (shown,) = wild.data().dialogues
    assert shown.topic == f"tea {HOSTILE}"
    assert shown.voices[0][1].endswith(HOSTILE)
    assert "alert(1)</script>" not in page
    assert "<img" not in page


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from("<>&'\"/!-=`\\\u2028\u2029\x00{}% sScriptaz茶\U0001f375")))
def test_any_text_stays_text(text: str) -> None:
    dialogue = make_dialogue("en-1", text)
    wild = Outline(render_page(text, make_report((dialogue,), text), (dialogue,)))
    plain = make_dialogue("en-1", "x")
    tame = Outline(render_page("x", make_report((plain,), "x"), (plain,)))
    assert wild.elements == tame.elements
    assert wild.data().dialogues[0].topic == f"tea {text}"


@given(st.text())
def test_inert_json_holds_nothing_that_could_end_its_element(text: str) -> None:
    encoded = inert_json(ShownScene(name=text, summary=""))
    assert not re.search("[<>&\u2028\u2029]", encoded)
    assert json.loads(encoded) == {"name": text, "summary": ""}


def test_the_page_needs_no_network() -> None:
    dialogue = make_dialogue("en-1")
    page = render_page("run", make_report((dialogue,)), (dialogue,))
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", page))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, never fetched
    names = {name for name, _ in Outline(page).attributes}
    assert names.isdisjoint({"src", "href", "srcset", "action", "onclick", "onload", "style"})
    assert not re.search(r"@import|url\(", Outline(page).inline["style"])


def test_the_content_policy_allows_exactly_the_pages_own_style_and_script() -> None:
    dialogue = make_dialogue("en-1")
    outline = Outline(render_page("run", make_report((dialogue,)), (dialogue,)))
    policy = next(
        value for name, value in outline.attributes if name == "content" and "default-src" in str(value)
    )
    for element in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(outline.inline[element].encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in str(policy)
    assert "unsafe" not in str(policy)


def test_equal_runs_give_equal_pages(tmp_path: Path) -> None:
    dialogues = (make_dialogue("en-1"), make_dialogue("en-2"))
    pages = [write_report(tmp_path / name / "run", make_report(dialogues), dialogues) for name in "ab"]
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_a_large_run_shows_some_of_every_scene_and_says_so(run_directory: Path) -> None:
    crowd = [make_dialogue("en-0")] * (SHOWN_DIALOGUES + 50)
    rare = make_dialogue("rare", scene=Scene.PAUSE_HANDLING)
    dialogues = (*crowd, rare)
    page = write_report(run_directory, make_report(dialogues), dialogues).read_text(encoding="utf-8")
    shown = Outline(page).data().dialogues
    assert len(shown) == SHOWN_DIALOGUES
    assert "rare" in {dialogue.id for dialogue in shown}
    assert f"holds {SHOWN_DIALOGUES} of {len(dialogues)} dialogues" in page


def test_an_empty_run_has_a_page_that_says_so(run_directory: Path) -> None:
    page = write_report(run_directory, make_report(()), ()).read_text(encoding="utf-8")
    assert "This run holds no dialogues." in page
    assert "all by A" in page


def test_a_report_that_fails_leaves_the_old_one(run_directory: Path) -> None:
    dialogues = (make_dialogue("en-1"),)
    page = write_report(run_directory, make_report(dialogues), dialogues)
    before = {path.name: path.read_bytes() for path in page.parent.iterdir()}

    def broken() -> Iterator[Dialogue]:
        yield make_dialogue("en-2")
        raise RuntimeError("the records end here")

    with pytest.raises(RuntimeError, match="end here"):
        write_report(run_directory, make_report(()), broken())
    assert {path.name: path.read_bytes() for path in page.parent.iterdir()} == before


@pytest.mark.slow
def test_a_browser_draws_the_dialogues_and_runs_nothing_else(run_directory: Path, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine to open the page with")
    dialogues = (make_dialogue("en-1", HOSTILE), make_dialogue("en-2"))
    page = write_report(run_directory, make_report(dialogues, HOSTILE), dialogues)
    offline = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        *offline,
        f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1200,2000",
        "--virtual-time-budget=3000",
        "--dump-dom",
        page.as_uri(),
    ]
    drawn = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    tags = [tag for tag, _ in Outline(drawn).elements]
    assert tags.count("article") == 2
    assert drawn.count("yields after 0.25 s") == 2  # the chart, so both cards were drawn to the end
    assert "img" not in tags
    assert tags.count("script") == 2
