"""Files of prompts: versions, the lock, and what is refused."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.io.prompts import LOCK_FILE, check_prompts, load_prompts, lock_prompts

SMALL = """---
name: story/tell
version: 1
step: place
languages: [en]
description: A prompt for tests.
input: pipeline.core.scripting.steps.Line
output: pipeline.core.scripting.steps.Placement
examples:
  - language: en
    input: {speaker: user, text: Hello there}
    reply: {quote: Hello, why: It begins.}
---
--- system ---
Head in {{ language }} {{ schema }}
{% for example in examples %}
{{ example.question }} -> {{ example.reply }}
{% endfor %}
--- user ---
<line>{{ text }}</line>
"""


def library_of(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A directory with one prompt, locked."""
    root = library_of(tmp_path / "prompts", {"story/tell.v1.md": SMALL})
    lock_prompts(root)
    return root


def second_version(text: str = "Head two") -> str:
    return SMALL.replace("version: 1", "version: 2").replace("Head in {{ language }}", text)


def test_the_newest_version_is_current_and_a_pin_keeps_an_older_one(small: Path) -> None:
    library_of(
        small, {"story/tell.v2.md": second_version(), "story/tell.v10.md": SMALL.replace("n: 1", "n: 10")}
    )
    line = {"speaker": "user", "text": "Hi"}
    assert load_prompts(small).render("story/tell", "en", line).reference == "story/tell.v10"
    pinned = load_prompts(small, pins={"story/tell": 2})
    assert pinned.render("story/tell", "en", line).system.startswith("Head two")
    assert [prompt.reference for prompt in pinned.list()] == ["story/tell.v2"]
    assert pinned.show("story/tell.v1") == SMALL
    assert pinned.show("story/tell") == second_version()


def test_a_changed_locked_version_is_refused_everywhere(small: Path) -> None:
    path = small / "story/tell.v1.md"
    path.write_text(SMALL.replace("Head", "Hat"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"story/tell\.v1 was changed or removed after it was locked"):
        load_prompts(small)
    with pytest.raises(ConfigError, match="changed or removed"):
        lock_prompts(small)
    assert any("changed or removed" in finding for finding in check_prompts(small))


def test_a_removed_locked_version_is_found(small: Path) -> None:
    library_of(small, {"story/tell.v2.md": second_version()})
    (small / "story/tell.v1.md").unlink()
    findings = check_prompts(small)
    assert any("story/tell.v1 was changed or removed" in finding for finding in findings)
    with pytest.raises(ConfigError, match="changed or removed"):
        lock_prompts(small)


def test_locking_adds_what_is_new_and_keeps_what_was(small: Path) -> None:
    before = json.loads((small / LOCK_FILE).read_text(encoding="utf-8"))
    library_of(small, {"story/tell.v2.md": second_version()})
    assert any("story/tell.v2.md is not in" in finding for finding in check_prompts(small))
    assert lock_prompts(small) == ("story/tell.v2.md",)
    assert lock_prompts(small) == ()
    after = json.loads((small / LOCK_FILE).read_text(encoding="utf-8"))
    assert after.keys() == {"story/tell.v1.md", "story/tell.v2.md"}
    assert before.items() <= after.items()
    assert check_prompts(small) == ()
    assert sorted(path.name for path in small.iterdir()) == [LOCK_FILE, "story"]


@pytest.mark.parametrize("text", ["{not json", "[]", '{"story/tell.v1.md": 3}'])
def test_a_broken_lock_is_refused(small: Path, text: str) -> None:
    (small / LOCK_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="restore it from version control"):
        load_prompts(small)


@pytest.mark.parametrize(
    ("name", "language", "variables", "message"),
    [
        ("story/tel", "en", {}, "wanted 'story/tell'"),
        ("zzz", "en", {}, "wanted one of: story/tell"),
        ("story/tell", "en", {"speaker": "user", "texts": "x"}, "got variable 'texts', wanted 'text'"),
        ("story/tell", "en", {"speaker": "user"}, r"variables \['text'\] are missing"),
        ("story/tell", "fr", {"speaker": "user", "text": "x"}, "got language 'fr', wanted one of: en"),
        ("story/tell", "en", {"speaker": "nobody", "text": "x"}, "speaker"),
        ("story/tell", "en", {"speaker": "user", "text": 3}, "valid string"),
    ],
)
def test_misuse_is_named_with_the_nearest_right_thing(
    small: Path, name: str, language: str, variables: Mapping[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_prompts(small).render(name, language, variables)


@pytest.mark.parametrize("pins", [{"story/tell": 7}, {"story/tall": 1}])
def test_a_pin_must_name_a_version_that_exists(small: Path, pins: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"wanted 'story/tell\.v1'"):
        load_prompts(small, pins=pins)


def test_a_directory_without_prompts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="found none under"):
        load_prompts(tmp_path)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("story/tell.md", "", "", r"wanted <stage>/<name>\.v<N>\.md"),
        ("story/tell.v01.md", "", "", r"wanted <stage>/<name>\.v<N>\.md"),
        ("story/tell.v2.md", "", "", "says 'story/tell version 1', wanted story/tell version 2"),
        ("poem/tell.v1.md", "", "", "wanted poem/tell version 1"),
        ("story/tell.v1.md", "--- user ---", "--- tail ---", "--- user ---"),
        ("story/tell.v1.md", "step: place", "steps: place", "steps"),
        ("story/tell.v1.md", "languages: [en]", "languages: [xx]", "languages"),
        ("story/tell.v1.md", "description: A prompt", "description: [A prompt", "not a prompt"),
        ("story/tell.v1.md", "scripting.steps.Line", "scripting.steps.Lime", "is not a Record"),
        (
            "story/tell.v1.md",
            "pipeline.core.scripting.steps.Line",
            "os.path.join",
            "is not under pipeline.core",
        ),
        ("story/tell.v1.md", "scripting.steps.Line", "scriptwriting.Line", "names no module"),
        ("story/tell.v1.md", "Hello there", "\ud800", "utf-8"),
    ],
)
def test_a_broken_file_is_refused_at_loading_and_found_by_the_check(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    text = SMALL.replace(old, new) if old else SMALL
    path = tmp_path / file
    path.parent.mkdir()
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(ConfigError, match=message):
        load_prompts(tmp_path)
    assert any(file in finding for finding in check_prompts(tmp_path))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Head in {{ language }}", "{{ text }}", "'text' is undefined"),
        ("<line>{{ text }}</line>", "<line>{{ schema }}</line>", "'schema' is undefined"),
        ("<line>{{ text }}</line>", "<line>{{ text.nothing }}</line>", "no attribute 'nothing'"),
        ("<line>{{ text }}</line>", "{% if %}", "template fails"),
        ("<line>{{ text }}</line>", "{{ ''.__class__.__mro__ }}", "unsafe"),
        ("text: Hello there", "txt: Hello there", "got variable 'txt', wanted 'text'"),
        ("quote: Hello", "quotes: Hello", "quotes"),
        ("languages: [en]", "languages: [en, zh]", "no example in zh"),
    ],
)
def test_the_check_renders_every_example(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A head that names the dialogue and a tail that names shared things fail alike."""
    root = library_of(tmp_path, {"story/tell.v1.md": SMALL.replace(old, new)})
    lock_prompts(root)
    findings = check_prompts(root)
    assert len(findings) >= 1
    assert message in " ".join(findings)
