import pytest

from pipeline.core.exports.files import TextFile
from pipeline.core.exports.format_names import FormatName
from pipeline.core.exports.formats import Exported, ExportFormat, gather_lines
from pipeline.domain.labels import Recipe
from pipeline.domain.record import Record
from pipeline.stages.export import FORMATS, Config


class Row(Record):
    name: str


class Other(Record):
    name: str


PLAIN = ExportFormat(
    row=Row,
    numbering=lambda timelines: {t.dialogue_id: "1" for t in timelines},
    mapping=lambda dialogue, export_id: Exported((), Row(name=export_id)),
    closing=lambda rows: tuple(TextFile(row.name, "") for row in rows),
)


def test_a_format_closes_with_its_own_rows() -> None:
    assert PLAIN.close([Row(name="b"), Row(name="a")]) == (TextFile("b", ""), TextFile("a", ""))


def test_rows_of_another_format_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="got a Other, wanted the Row of this format"):
        PLAIN.close([Row(name="b"), Other(name="a")])


def test_lines_are_gathered_by_file_and_ordered_whatever_order_they_come_in() -> None:
    lines = [("b", "2", "x"), ("a", "9", "y"), ("b", "10", "z"), ("b", "1", "w")]
    wanted = (TextFile("a", "y\n"), TextFile("b", "w\nz\nx\n"))
    assert gather_lines(lines) == gather_lines(reversed(lines)) == wanted
    assert gather_lines([]) == ()


@pytest.mark.parametrize("name", list(FormatName))
def test_every_name_has_a_format_a_section_of_options_and_a_recipe(name: FormatName) -> None:
    assert name in FORMATS
    assert name.section in Config.model_fields
    assert name.recipe in Recipe
