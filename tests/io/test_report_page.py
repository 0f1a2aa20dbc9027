"""The report on disk: complete, self-contained, and deaf to markup in records."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.report import RunReport
from pipeline.domain.scene import Scene
from pipeline.domain.timeline import Dialogue
from pipeline.io.audio import RunAudio
from pipeline.io.report_page import (
    SHOWN_DIALOGUES,
    ShownScene,
    inert_json,
    render_page,
    write_report,
)
from tests.io.shown import HOSTILE, RATE, Outline, make_dialogue, make_report, make_timeline


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
    assert "<svg class" not in page
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
    ]
    # On a busy machine the browser's clock runs out before it has drawn anything: then it is given more of it.
    for budget_ms in (3_000, 15_000, 60_000):
        once = [*command, f"--virtual-time-budget={budget_ms}", "--dump-dom", page.as_uri()]
        drawn = subprocess.run(once, capture_output=True, text=True, timeout=120, check=True).stdout
        if "yields after" in drawn:
            break
    tags = [tag for tag, _ in Outline(drawn).elements]
    assert tags.count("article") == 2
    assert drawn.count("yields after 0.25 s") == 2  # the chart, so both cards were drawn to the end
    assert "img" not in tags
    assert tags.count("script") == 2
