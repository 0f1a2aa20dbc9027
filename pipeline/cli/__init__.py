"""The command line. Thin: each command reads its arguments, calls one function and prints what it got.

Exit codes: 0 ok, 1 findings or a failed run, 2 misuse.
"""

from pipeline.cli.context import RunFlow
from pipeline.cli.main import main

__all__ = ["RunFlow", "main"]
