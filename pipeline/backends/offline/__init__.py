"""The embedded author: dialogues from written phrase banks, without a key, a network or a model.

It answers the same steps as a language model and is deterministic: one request, one reply. What it says is
written by people (`bank/<language>/*.yaml`); code only chooses, fills slots and puts sentences in order.

    queries, replies   what of the seed can be used: a question worth asking, an answer worth giving
    knowledge          a chat about one thing: the facts told in it
    derived            a query made of what a seed is about, where none of its turns can stand alone
    domains            which advice fits it
    adapt, place, write   the three steps
    frames, banks      sentence frames and where they come from
"""

from pipeline.backends.offline.author import OfflineAuthor

__all__ = ["OfflineAuthor"]
