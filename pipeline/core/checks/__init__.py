"""Check finished dialogues by measuring the audio again: what a record says is a claim, not evidence.

    record   user  |== query ==|     |== stop! ==|        claims spans, words, events, voices
    audio    ch 0  ~~~~~~~~~~~~      ~~~~~~~~~~~~         -> speech where claimed, silence elsewhere,
             ch 1               ~~~~~~~~~                    fades, levels, overlap at the onset

Nothing here calls the code that planned, timed or mixed the dialogue.
"""

from pipeline.core.checks.dataset import check_dataset
from pipeline.core.checks.dialogue import Detect, DialogueCheck, check_dialogue, measure_dialogue
from pipeline.core.checks.findings import RECORDED, Code, Finding, Limits
from pipeline.core.checks.tally import CheckSummary, EdgeErrors, Tally

__all__ = [
    "RECORDED",
    "CheckSummary",
    "Code",
    "Detect",
    "DialogueCheck",
    "EdgeErrors",
    "Finding",
    "Limits",
    "Tally",
    "check_dataset",
    "check_dialogue",
    "measure_dialogue",
]
