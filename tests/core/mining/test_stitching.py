"""Long recordings, diarized piece by piece: who is who is told by voice and by time, or refused."""

import numpy as np
import pytest

from pipeline.core.mining.stitching import UnmatchedPiecesError, pieces_of, stitch
from pipeline.domain.diarization import RATE_HZ, Diarization, DiarizedSpeaker, LocalTracks
from pipeline.domain.span import Span

ONES = {"A": np.array([1, 0, 0], np.float32), "B": np.array([0, 1, 0], np.float32)}


def talk(start_s: float, end_s: float) -> dict[str, list[tuple[float, float]]]:
    """A speaks in the first 6 s of every 10, B from second 7 to 9.5, overlapping nobody."""
    tens = range(int(start_s), int(end_s), 10)
    return {"A": [(t, t + 6.0) for t in tens], "B": [(t + 7.0, t + 9.5) for t in tens]}


def piece(
    start_s: int, end_s: int, names: dict[str, str], said: dict[str, list[tuple[float, float]]] | None = None
) -> tuple[int, Diarization]:
    speakers = []
    for true, spurts in (said or talk(start_s, end_s)).items():
        own = tuple(
            Span(round((a - start_s) * RATE_HZ), round((b - start_s) * RATE_HZ))
            for a, b in spurts
            if start_s <= a and b <= end_s
        )
        speakers.append(DiarizedSpeaker(names[true], own, ONES[true]))
    starts = tuple(range(0, (end_s - start_s - 9) * RATE_HZ, RATE_HZ))
    local = LocalTracks(starts, 10 * RATE_HZ, np.zeros((len(starts), 4, 3), dtype=bool))
    return start_s * RATE_HZ, Diarization((end_s - start_s) * RATE_HZ, tuple(speakers), local)


def seconds(diarization: Diarization) -> dict[str, list[tuple[float, float]]]:
    return {s.label: [span.seconds(RATE_HZ) for span in s.talkspurts] for s in diarization.speakers}


def test_labels_of_later_pieces_become_those_of_the_first() -> None:
    same, other = {"A": "S0", "B": "S1"}, {"A": "S1", "B": "S0"}
    whole = stitch((piece(0, 600, same), piece(300, 900, other), piece(600, 1000, same)))
    found, wanted = seconds(whole), talk(0, 1000)
    for true, label in same.items():
        total = sum(b - a for a, b in found[label])
        assert total == pytest.approx(sum(b - a for a, b in wanted[true]))
    assert whole.num_samples == 1000 * RATE_HZ
    assert whole.local.starts == tuple(sorted(set(whole.local.starts)))


def test_a_new_voice_gets_a_new_label() -> None:
    first = piece(0, 600, {"A": "S0"}, {"A": talk(0, 600)["A"]})
    whole = stitch((first, piece(300, 900, {"A": "S0", "B": "S1"})))
    assert len(whole.speakers) == 2
    assert len({s.label for s in whole.speakers}) == 2


def test_pieces_that_share_less_than_a_minute_of_speech_are_refused() -> None:
    with pytest.raises(UnmatchedPiecesError, match="wanted 60 s"):
        stitch((piece(0, 360, {"A": "S0", "B": "S1"}), piece(300, 900, {"A": "S0", "B": "S1"})))


def test_voices_and_times_that_contradict_each_other_are_refused() -> None:
    swapped = {"A": talk(0, 900)["B"], "B": []}
    with pytest.raises(UnmatchedPiecesError):
        stitch(
            (
                piece(0, 600, {"A": "S0", "B": "S1"}, {"A": talk(0, 600)["A"], "B": []}),
                piece(300, 900, {"A": "S0", "B": "S1"}, {"A": [], "B": swapped["A"]}),
            )
        )


def test_no_cut_lies_within_ten_seconds_of_an_overlap() -> None:
    """Both pieces hear an overlap in the middle of what they share; each names the speech around it its own way."""
    said = talk(0, 900)
    said["B"] = [*said["B"][:44], (444.0, 449.5), *said["B"][45:]]
    names = {"A": "S0", "B": "S1"}
    whole = stitch((piece(0, 600, names, said), piece(300, 900, names, said)))
    spurts = seconds(whole)
    assert (440.0, 446.0) in spurts["S0"]
    assert (444.0, 449.5) in spurts["S1"]


@pytest.mark.parametrize(("hours", "wanted"), [(0.5, 1), (2.0, 1), (2.01, 3), (4.0, 5)])
def test_up_to_two_hours_are_one_piece(hours: float, wanted: int) -> None:
    total = round(hours * 3600 * RATE_HZ)
    pieces = pieces_of(total)
    assert len(pieces) == wanted
    assert pieces[0].start == 0
    assert pieces[-1].end == total
