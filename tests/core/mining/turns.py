"""Made-up conversations: two people who take turns, listen and now and then cut in, as long as one likes."""

import numpy as np

from tests.core.mining.made import Times


def turns(seed: int, total_s: float) -> tuple[Times, Times]:
    """Both sides' talkspurts, s. Times between turns, lengths and listening are roughly those of the telephone."""
    rng = np.random.default_rng(seed)
    sides: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    at, holder = 1.0, 0
    while at < total_s - 40:
        end = at + float(np.clip(rng.lognormal(1.9, 0.6), 2.5, 25))
        sides[holder].extend(_with_pauses(rng, at, end))
        sides[1 - holder].extend(_listening(rng, at, end))
        # One turn in seven is cut into, most are followed at once, some overlap a little.
        offset = -float(rng.uniform(0.8, 1.8)) if rng.random() < 0.14 else float(rng.normal(0.25, 0.3))
        at, holder = end + max(offset, -2.0), 1 - holder
    return _sorted(sides[0]), _sorted(sides[1])


def _with_pauses(rng: np.random.Generator, start: float, end: float) -> list[tuple[float, float]]:
    """A turn, with a breath every few seconds."""
    spurts = []
    while end - start > 5:
        stop = start + float(rng.uniform(1.5, 4))
        spurts.append((start, stop))
        start = stop + float(rng.uniform(0.25, 0.7))
    return [*spurts, (start, end)]


def _listening(rng: np.random.Generator, start: float, end: float) -> list[tuple[float, float]]:
    """A word every four seconds or so, none near the turn's ends: those belong to its own."""
    heard, at = [], start + float(rng.uniform(2.2, 5))
    while at + 2.6 < end:
        heard.append((at, at + float(rng.uniform(0.3, 0.6))))
        at += float(rng.uniform(2.5, 6))
    return heard


def _sorted(spurts: list[tuple[float, float]]) -> Times:
    kept: list[tuple[float, float]] = []
    for start, end in sorted(spurts):
        if kept and start <= kept[-1][1]:
            kept[-1] = (kept[-1][0], max(end, kept[-1][1]))
        else:
            kept.append((start, end))
    return tuple((round(start, 3), round(end, 3)) for start, end in kept)


def shifted(side: Times, by_s: float, total_s: float) -> Times:
    """Later by so much; what falls off the end is lost."""
    moved = ((start + by_s, min(end + by_s, total_s)) for start, end in side if start + by_s < total_s - 0.2)
    return tuple((round(start, 3), round(end, 3)) for start, end in moved)
