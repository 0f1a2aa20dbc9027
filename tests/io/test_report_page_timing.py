"""The page's section on timing: what was asked, what moved, what was drawn, two figures."""

import re

import pytest

from pipeline.io.report_page import render_page
from tests.io.shown import make_dialogue, make_report, page_text


def test_the_page_says_what_was_asked_planned_and_feasible_and_what_moved() -> None:
    dialogues = (make_dialogue("en-1"),)
    text = page_text(render_page("run", make_report(dialogues), dialogues))
    assert "Overlap ratio: 0.0500 asked, 0.0498 planned; feasible 0.0012 to 0.1987;" in text
    assert "0.0345 at dial 0. Dial: +0.432." in text
    assert "transfer 1,234 +0.147 -0.024 -0.171" in text


def test_the_page_shows_each_drawn_duration_with_its_distance_and_noise() -> None:
    dialogues = (make_dialogue("en-1"),)
    report = make_report(dialogues)
    text = page_text(render_page("run", report, dialogues))
    # from the query to its answer and from the interruption to the reaction: 0.2 s each; a cut after 0.25 s
    assert [(row.name.strip(), row.n, row.p50) for row in report.timing.drawn] == [
        ("fto (not fixed by events)", 2, 0.2),
        ("user to assistant", 2, 0.2),
        ("yield time (after an interruption)", 1, 0.25),
    ]
    row = report.timing.drawn[0]
    assert f"{row.name} 2 +0.200 {row.reference_p50:+.3f} {row.ks:.3f} {row.noise_ks_mean:.3f}" in text
    assert f"{row.noise_ks_p95:.3f} {row.emd_s:.3f} user to assistant" in text


def test_a_run_that_asked_for_no_overlap_says_so() -> None:
    dialogues = (make_dialogue("en-1"),)
    text = page_text(render_page("run", make_report(dialogues, calibration=None), dialogues))
    assert "No overlap ratio was asked for." in text
    assert "on purpose" not in text
    assert "What the dial moved" not in text


def test_a_spread_over_dialogues_is_named() -> None:
    dialogues = (make_dialogue("en-1"),)
    report = make_report(dialogues, calibration=None, spread=(0.02, 0.08))
    text = page_text(render_page("run", report, dialogues))
    assert "0.0200 to 0.0800 asked, spread over dialogues" in text
    assert "The dial moves offsets away from the reference on purpose." in text


@pytest.mark.parametrize("own_latency", [False, True])
def test_a_response_latency_of_its_own_is_named(own_latency: bool) -> None:
    dialogues = (make_dialogue("en-1"),)
    text = page_text(render_page("run", make_report(dialogues, own_latency=own_latency), dialogues))
    assert ("user to assistant is not meant to match" in text) is own_latency


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("human-assistant", "the assistant never starts before its user has ended"),
        ("humdial-dev", "placed on a fixed template"),
    ],
)
def test_a_profile_that_leaves_the_reference_is_named(profile: str, said: str) -> None:
    dialogues = (make_dialogue("en-1"),)
    pages = [
        page_text(render_page("run", make_report(dialogues, profile=name), dialogues))
        for name in (profile, "reference")
    ]
    assert [said in page for page in pages] == [True, False]


def test_the_page_holds_two_figures_and_they_need_no_script() -> None:
    dialogues = (make_dialogue("en-1"), make_dialogue("en-2"))
    page = render_page("run", make_report(dialogues), dialogues)
    body = page.split("<body>")[1].split("<script")[0]
    assert body.count('<svg class="figure"') == 2
    assert re.findall(r'<path class="curve (\w+)"', body) == [
        "run",
        "reference",
    ]  # dashes on top: seen where both agree
    assert re.findall(r'<line class="mark (\w+)"', body) == ["whole", "asked"]
    # 0.25 of 2.75 s in both
    assert re.findall(r"<title>(.*?)</title></rect>", body) == ["2 dialogues at 0.09 to 0.095"]
