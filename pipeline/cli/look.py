"""Commands that show what there is: seeds, prompts."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.domain.seed import SeedDialogue
    from pipeline.io.prompts import Prompt, PromptFiles


@click.group()
def seeds() -> None:
    """Corpora that seed dialogues are read from."""


@seeds.command("list")
def list_seeds() -> None:
    """Every corpus reader: languages, files, licence."""
    from pipeline.cli.tables import print_table
    from pipeline.io.corpora import CORPORA

    rows = [("reader", "languages", "corpus", "licence", "path is")]
    for name, corpus in sorted(CORPORA.items()):
        languages = " ".join(language.value for language in corpus.languages)
        rows.append((name, languages, corpus.title, corpus.licence.id, corpus.files))
    print_table(rows)


@seeds.command("show")
@click.argument("reader")
@click.argument("path")
@click.option(
    "-n", "count", type=click.IntRange(min=1), default=3, show_default=True, help="Dialogues to print."
)
@click.option("--language", type=click.Choice(["zh", "en"]), help="Where the corpus has both.")
def show_seeds(reader: str, path: str, count: int, language: str | None) -> None:
    """Read PATH with READER: print the first dialogues, and count what is accepted and refused.

    PATH `demo` names the dialogues of this package. Exit code 1 if nothing could be accepted.
    """
    from collections import Counter

    from pipeline.domain.errors import ConfigError
    from pipeline.domain.labels import Language
    from pipeline.domain.seed import SeedDialogue
    from pipeline.io.corpora import find_corpus
    from pipeline.stages.seeds import SeedSource
    from pipeline.wiring import read_source

    corpus = find_corpus(reader)
    if language is None and len(corpus.languages) > 1:
        raise ConfigError(f"seeds show: {reader} holds several languages; say which with --language")
    chosen = corpus.languages[0] if language is None else Language(language)
    reasons: Counter[str] = Counter()
    accepted = 0
    for found in read_source(SeedSource(reader=reader, path=path, language=chosen)):
        if not isinstance(found, SeedDialogue):
            reasons[found.reason.value] += 1
            continue
        accepted += 1
        if accepted <= count:
            _print_seed(found)
    refused = ", ".join(f"{name} {number}" for name, number in reasons.most_common())
    click.echo(f"{accepted} accepted, {sum(reasons.values())} refused" + (f" ({refused})" if refused else ""))
    if not accepted:
        raise click.exceptions.Exit(1)


def _print_seed(seed: "SeedDialogue") -> None:
    click.echo(f"{seed.seed_id}  [{seed.language.value}, {seed.licence.id}]  {seed.topic or ''}".rstrip())
    names = {speaker.label: speaker.name or speaker.label for speaker in seed.speakers}
    for turn in seed.turns:
        emotion = f" ({turn.emotion})" if turn.emotion else ""
        click.echo(f"  {names[turn.speaker]}{emotion}: {turn.text}")
    click.echo()


@click.group()
def prompts() -> None:
    """Versioned prompts."""


@prompts.command("list")
def list_prompts() -> None:
    """Every prompt and version."""
    from pipeline.cli.tables import print_table
    from pipeline.io.prompts import load_prompts

    rows = [("prompt", "languages", "sha256", "description")]
    for prompt in load_prompts().list():
        languages = " ".join(language.value for language in prompt.front.languages)
        rows.append((prompt.reference, languages, prompt.sha256[:12], prompt.front.description))
    print_table(rows)


@prompts.command("show")
@click.argument("name")
def show_prompt(name: str) -> None:
    """The file of a prompt, as it is: NAME as `prompts list` prints it, or without its version for the current one."""
    click.echo(_find_prompt(name)[1].text)


@prompts.command("render")
@click.argument("name")
@click.option("--language", type=click.Choice(["zh", "en"]), default="en", show_default=True)
def render_prompt(name: str, language: str) -> None:
    """A prompt rendered with the example that it carries: what a model would be sent.

    NAME is what `prompts list` prints (script/write.v1), or that without its version for the current one.
    """
    from pipeline.domain.errors import ConfigError

    library, prompt = _find_prompt(name)
    example = next((e for e in prompt.front.examples if e.language.value == language), None)
    if example is None:
        raise ConfigError(f"prompts: {prompt.reference} has no {language} example; try the other language")
    rendered = library.render(prompt.front.name, language, example.input)
    click.echo(f"--- system\n{rendered.system}\n--- user\n{rendered.user}")


def _find_prompt(name: str) -> "tuple[PromptFiles, Prompt]":
    """`script/write` as it is today, or exactly `script/write.v1`; the library renders that version."""
    from dataclasses import replace

    from pipeline.domain.errors import ConfigError
    from pipeline.io.prompts import load_prompts

    library = load_prompts()
    unversioned, dot, version = name.rpartition(".v")
    if not dot:
        return library, library.current(name)
    library.current(unversioned)  # a name that there is not is told with the nearest
    known = sorted(p.front.version for p in library.prompts if p.front.name == unversioned)
    if version not in map(str, known):
        there = ", ".join(f"{unversioned}.v{one}" for one in known)
        raise ConfigError(f"prompts: got {name!r}, wanted a version that is there: {there}")
    pinned = replace(library, pins={unversioned: int(version)})
    return pinned, pinned.current(unversioned)


@prompts.command("check")
def check_all_prompts() -> None:
    """Front matter, lock file, and that every example renders. Exit code 1 with findings."""
    from pipeline.io.prompts import check_prompts

    findings = check_prompts()
    for finding in findings:
        click.echo(finding)
    if findings:
        raise click.exceptions.Exit(1)
    click.echo("prompts: every file is locked, valid and renders")
