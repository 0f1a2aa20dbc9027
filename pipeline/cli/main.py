"""`humdial`: the group of commands, and what happens to an error."""

import sys
import traceback

import click

from pipeline import __version__
from pipeline.cli.author import script
from pipeline.cli.compare import compare
from pipeline.cli.context import Context, RunFlow
from pipeline.cli.filter import filter_recordings
from pipeline.cli.look import prompts, seeds
from pipeline.cli.measure import check, describe, fit
from pipeline.cli.produce import export, preview, retime, run
from pipeline.cli.speech import speech
from pipeline.cli.system import doctor
from pipeline.cli.voices import voices
from pipeline.domain.errors import ConfigError, PipelineError

EPILOG = """
Start here:  humdial preview demo -n 3 --out outputs/look   then open outputs/look/report/index.html
"""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=EPILOG
)
@click.version_option(__version__, prog_name="humdial")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def humdial(debug: bool) -> None:
    """Training data for spoken dialogue models that listen while they speak.

    Seed dialogues in; scripts with interruptions, dual-track speech with sample-exact timestamps, and
    datasets in HumDial's own layout out.
    """


for command in (
    run,
    preview,
    retime,
    filter_recordings,
    check,
    describe,
    fit,
    compare,
    export,
    script,
    seeds,
    voices,
    speech,
    prompts,
    doctor,
):
    humdial.add_command(command)


def main(run_flow: RunFlow | None = None, arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code = humdial.main(args=arguments, prog_name="humdial", standalone_mode=False, obj=Context(run_flow))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"humdial: {_usage_line(error)}", err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("humdial: interrupted; the same command goes on where it stopped", err=True)
        sys.exit(130)
    except (PipelineError, OSError) as error:  # OSError: a full disk, rights that were taken away
        if "--debug" in arguments:
            traceback.print_exc()
        click.echo(f"humdial: {_error_line(error)}", err=True)
        sys.exit(2 if isinstance(error, ConfigError) else 1)
    sys.exit(code if isinstance(code, int) else 0)


def _error_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename is not None else ""
        return f"{place}{error.strerror}"
    return " ".join(str(error).split())


def _usage_line(error: click.ClickException) -> str:
    """What was wrong with the arguments, and where to read on."""
    problem = " ".join(error.format_message().split()).rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    return problem if context is None else f"{problem}; see {context.command_path} --help"
