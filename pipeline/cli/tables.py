"""Plain tables: aligned columns, no decoration, readable in a log."""

from collections.abc import Sequence
from unicodedata import east_asian_width

import click


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of cells, the first row being the header; numbers are right-aligned."""
    for line in format_table(rows):
        click.echo(line)


def format_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of an aligned table.

    >>> format_table([("scene", "n"), ("pause", "12")])
    ['scene   n', 'pause  12']
    """
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    numeric = [all(_is_number(row[column]) for row in rows[1:]) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = []
        for cell, width, right in zip(row, widths, numeric, strict=True):
            space = " " * (width - _width(cell))
            cells.append(space + cell if right else cell + space)
        lines.append("  ".join(cells).rstrip())
    return lines


def _width(text: str) -> int:
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _is_number(cell: str) -> bool:
    return bool(cell) and (
        cell == "-" or cell.replace(",", "").replace(".", "").replace("%", "").lstrip("-").isdigit()
    )
