"""The licence that travels with every record, so that an export can refuse or filter."""

from pydantic import Field

from pipeline.domain.record import Record


class Licence(Record):
    """An engineering summary of a source's terms; not legal advice."""

    id: str = Field(min_length=1, max_length=200)
    """SPDX identifier where one exists, else the terms' own name."""
    non_commercial: bool
    share_alike: bool
    redistributable: bool
    """False: text and speech made from it stay on the user's machine."""
    attribution: str
    """The line that a publication has to carry; may be empty where none is owed."""
