"""The licence that travels with every record, so that an export can refuse or filter."""

from pipeline.domain.record import Record


class Licence(Record):
    """An engineering summary of a source's terms; not legal advice."""

    id: str
    """SPDX identifier where one exists, else the terms' own name."""
    non_commercial: bool
    share_alike: bool
    redistributable: bool
    """False: text and speech made from it stay on the user's machine."""
    attribution: str
    """The line that a publication has to carry; may be empty where none is owed."""
