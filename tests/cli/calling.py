"""Calling `humdial` in this process: its exit code and what it printed."""

from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO

from pipeline.cli import RunFlow, main


@dataclass(frozen=True)
class Answer:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def problem(self) -> str:
        """The one line that an error is told in."""
        lines = self.err.splitlines()
        assert lines, "nothing was said"
        assert "Traceback" not in self.err
        assert lines[-1].startswith("humdial: "), self.err
        assert not any(line.startswith("humdial: ") for line in lines[:-1])
        return lines[-1]


def humdial(*arguments: object, run_flow: RunFlow | None = None) -> Answer:
    """`humdial ARGUMENTS` as a shell would see it; an exception that gets out is a traceback and a failed test."""
    out, err = StringIO(), StringIO()
    code: object = "did not exit"
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(run_flow=run_flow, arguments=[str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int), code
    return Answer(code=code, out=out.getvalue(), err=err.getvalue())
