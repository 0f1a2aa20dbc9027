"""What of an answer cannot be left unsaid, because of the turns around it.

user       How do I know it's too loud?
assistant  Take them off and hold them at arm's length. If you can still follow the words ...    needed
           Also, practise for twenty minutes every day.                                          needed
user       What do I do in those twenty minutes?
"""

from collections.abc import Sequence

from pipeline.backends.offline.banks import Bank
from pipeline.core.scripting.conversation_steps import LabelledTurn


def needed_later(
    bank: Bank, turns: Sequence[LabelledTurn], number: int, unsaid: Sequence[str]
) -> tuple[str, ...]:
    """Those of the unsaid sentences of a turn that answer the question before it, or that the next one is about."""
    before = bank.find_asked(turns[number - 1].sentences) if number else ()
    answers = frozenset(sentence for tip in before for sentence in tip.answer)
    asked = bank.find_asked(turns[number + 1].sentences) if number + 1 < len(turns) else ()
    needed = []
    for sentence in unsaid:
        match = bank.find_tip(sentence)
        if sentence in answers or (match and match[0] in asked):
            needed.append(sentence)
    return tuple(needed)
