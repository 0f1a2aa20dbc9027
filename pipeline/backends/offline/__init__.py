"""The embedded author: dialogues from written phrase banks, without a key, a network or a model.

It answers the same steps as a language model and is deterministic: one request, one reply. What it says is
written by people (`bank/<language>/*.yaml`); code only chooses, fills slots and puts sentences in order.

    queries, replies   what of the seed can be used: a question worth asking, an answer worth giving
    knowledge          a chat about one thing: the facts told in it
    derived            a query made of what a seed is about, where none of its turns can stand alone
    domains            which advice fits it
    adapt, place, write   the three steps of an exchange with one event
    conversation_outline, _adapt, _place, _write   the same for a long dialogue with many
    planted            sentences that give an event its cause, found again by their text
    needed             what of an answer cannot be left unsaid
    single             all steps in one answer
    manner             how one speaks about a field
    frames, banks      sentence frames and where they come from
"""

from pipeline.backends.offline.author import OfflineAuthor

__all__ = ["OfflineAuthor"]
