"""Results do not go where recordings are looked for."""

from pathlib import Path

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.io.recordings.searched import check_not_searched


@pytest.mark.parametrize(
    ("source", "out", "refused"),
    [
        ("{layout: rttm, path: calls}", "calls", True),
        ("{layout: rttm, path: calls}", "calls/deep/mined", True),
        ("{layout: rttm, path: calls}", "link/mined", True),
        ("{layout: two_channel, path: .}", "mined", True),
        ("{layout: rttm, path: other, audio: calls}", "calls/mined", True),
        ("{layout: switchboard, path: other, text: calls}", "calls/mined", True),
        ("{layout: rttm, path: calls, limit: 3}", "calls-mined", False),
        ("{layout: rttm, path: calls/deep}", "calls/mined", False),
        ("{layout: rttm, path: calls}", "../mined", False),
    ],
)
def test_out_is_not_inside_a_folder_that_is_looked_through(
    tmp_path: Path, source: str, out: str, refused: bool
) -> None:
    base = tmp_path / "base"
    (base / "calls/deep").mkdir(parents=True)
    (base / "link").symlink_to(base / "calls")
    (base / "d.yaml").write_text(f"sources: [{source}]\n")
    if refused:
        with pytest.raises(ConfigError, match=r"is inside .*base.*choose another --out"):
            check_not_searched(base / "d.yaml", base / out)
    else:
        check_not_searched(base / "d.yaml", base / out)
        assert not (base / out).exists()


def test_a_declaration_that_names_its_recordings_looks_nowhere(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text("recordings: [{recording_id: a, audio: [a.wav]}]\n")
    check_not_searched(tmp_path / "d.yaml", tmp_path)
