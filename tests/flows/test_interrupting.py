import os
import signal
from contextlib import suppress

import pytest

from flows.interrupting import interruptible
from pipeline.run_records import SILENT, ShardRef

REF = ShardRef(stage="speech", index=0, records_sha256="0" * 64, num_records=1, num_refusals=0, cached=False)


def test_an_interrupt_that_was_swallowed_ends_the_run_at_the_next_shard() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruptible(SILENT) as progress:
        progress.advance(REF)
        with suppress(KeyboardInterrupt):  # what a library may do
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            progress.advance(REF)
    assert signal.getsignal(signal.SIGINT) is before
