"""Random numbers that depend on what they are for, and on nothing else."""

import hashlib

import numpy as np


def derive_rng(root_seed: int, stage: str, dialogue_id: str) -> np.random.Generator:
    """A generator for one stage of one dialogue.

    Adding a draw in one place moves no other; shard size and worker count never change the data.

    >>> int(derive_rng(7, "timing", "en-1").integers(100)) == int(derive_rng(7, "timing", "en-1").integers(100))
    True
    """
    digest = hashlib.sha256(f"{root_seed}\x1f{stage}\x1f{dialogue_id}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def derive_seed(root_seed: int, stage: str, dialogue_id: str) -> int:
    """A 31-bit seed for an engine that wants an integer."""
    digest = hashlib.sha256(f"{root_seed}\x1f{stage}\x1f{dialogue_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def draw_uniform(root_seed: int, stage: str, dialogue_id: str, what: str) -> float:
    """One number in [0, 1) that depends on its labels only, not on how many others were drawn before.

    A draw can be added, left out or repeated without moving any other, which is what keeps a dialogue's
    timing comparable when one setting of it changes.
    """
    digest = hashlib.sha256(f"{root_seed}\x1f{stage}\x1f{dialogue_id}\x1f{what}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2.0**64
