import pytest

from pipeline.backends.server_errors import redact, retry_after_s


def test_a_message_is_one_line_that_a_person_reads() -> None:
    assert redact("a\n  b " + "c" * 1000, ()) == "a b " + "c" * 296 + " (and more)"


def test_a_message_differs_from_run_to_run_in_no_address_of_an_object() -> None:
    said = "cannot identify <_io.BytesIO object at 0x7f12ab> as a file at 0x"
    assert redact(said, ()) == "cannot identify <_io.BytesIO object> as a file at 0x"


@pytest.mark.parametrize(
    ("headers", "wish_s"),
    [
        ({}, None),
        ({"retry-after": "150"}, 150.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_the_servers_wish_is_read_in_all_its_spellings(headers: dict[str, str], wish_s: float | None) -> None:
    assert retry_after_s(headers) == wish_s
