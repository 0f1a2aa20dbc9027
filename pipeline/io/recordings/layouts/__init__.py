"""Layouts of corpora of real talk: which files make a conversation, who is on which channel, what may be done with it.

One module per corpus. Each defines its source, an entry of a declaration's `sources`, which names a folder and finds
the conversations in it::

    sources:
      - {layout: candor, path: candor, limit: 50}
      - {layout: switchboard, path: swb1, text: swb_ms98_transcriptions}
      - {layout: two_channel, path: calls, pair: ["{id}-agent.wav", "{id}-caller.wav"], rights: {...}}
"""

from typing import Annotated

from pydantic import Field

from pipeline.io.recordings.layouts.ami import AmiSource
from pipeline.io.recordings.layouts.candor import CandorSource
from pipeline.io.recordings.layouts.files import RttmSource, TwoChannelSource
from pipeline.io.recordings.layouts.fisher import FisherSource
from pipeline.io.recordings.layouts.harper_valley import HarperValleySource
from pipeline.io.recordings.layouts.switchboard import SwitchboardSource

DeclaredSource = Annotated[
    CandorSource
    | FisherSource
    | SwitchboardSource
    | AmiSource
    | HarperValleySource
    | TwoChannelSource
    | RttmSource,
    Field(discriminator="layout"),
]
"""An entry of `sources`, told by its `layout`."""
