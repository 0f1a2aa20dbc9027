"""What a stage makes of fixed input is what it made before, unless its VERSION says otherwise.

After a change that was meant: raise VERSION in the stage's file (runs that are resumed then make their shards
anew instead of mixing old with new), run `python -m tests.golden`, and commit both.
"""

import json

import numpy as np
import pytest

from tests.golden.shards import GOLDEN, made, path_of

TOLERANCE = 1
"""Of audio, in steps of int16: the last bit of a cosine differs between processors."""


@pytest.mark.parametrize("stage", GOLDEN)
def test_the_output_of_a_stage_changes_only_with_its_version(stage: str) -> None:
    kept = path_of(stage).read_text(encoding="utf-8").splitlines()
    now = made(stage).splitlines()
    kept_version, version = (json.loads(lines[0])["version"] for lines in (kept, now))
    if version != kept_version:
        pytest.fail(
            f"{stage}: VERSION is {version}, its golden shard is of {kept_version}; run `python -m tests.golden`"
        )
    changed = [i for i, (a, b) in enumerate(zip(kept, now, strict=False)) if not agree(a, b)]
    if changed or len(kept) != len(now):
        pytest.fail(
            f"{stage}: output changed (lines {changed or 'count'} of {path_of(stage).name}) and VERSION is still "
            f"{version}; if that was meant, raise VERSION in pipeline/stages/{stage}.py, then run "
            "`python -m tests.golden`"
        )


def agree(kept: str, now: str) -> bool:
    """Whether two lines say the same, samples to within the tolerance."""
    if kept == now:
        return True
    old, new = json.loads(kept), json.loads(now)
    samples = old.pop("samples", None), new.pop("samples", None)
    if old != new or None in samples:
        return False
    before, after = (np.array(tracks) for tracks in samples)
    return before.shape == after.shape and bool((np.abs(before - after) <= TOLERANCE).all())


@pytest.mark.parametrize("stage", GOLDEN)
def test_a_golden_shard_is_the_same_when_it_is_made_twice(stage: str) -> None:
    assert made(stage) == made(stage)


def test_a_changed_line_is_noticed() -> None:
    line = json.dumps({"path": "a", "samples": [[1, 2], [3, 4]]})
    assert agree(line, json.dumps({"path": "a", "samples": [[1, 3], [3, 4]]}))
    assert not agree(line, json.dumps({"path": "a", "samples": [[1, 4], [3, 4]]}))
    assert not agree(line, json.dumps({"path": "b", "samples": [[1, 2], [3, 4]]}))
    assert not agree(line, json.dumps({"path": "a", "samples": [[1, 2, 5], [3, 4, 5]]}))
    assert not agree('{"path": "a"}', '{"path": "b"}')
