"""Forms of backchannels that a bank is built of: what listeners say most, per language.

English after the counts of stand-alone backchannels in Switchboard (yeah, uh-huh, um-hum and right are three
quarters of them); Mandarin forms are common ones, not counted. Other forms join the bank when a script holds them.
"""

from pipeline.domain.labels import Emotion, Language

Form = tuple[str, Emotion]
"""What is said, and the mood that it is said in."""

_NEUTRAL, _SURPRISE, _HAPPY = Emotion.NEUTRAL, Emotion.SURPRISE, Emotion.HAPPY

FORMS: dict[Language, tuple[Form, ...]] = {
    Language.EN: (
        ("Yeah.", _NEUTRAL),
        ("Uh-huh.", _NEUTRAL),
        ("Mm-hm.", _NEUTRAL),
        ("Mhm.", _NEUTRAL),
        ("Mm.", _NEUTRAL),
        ("Right.", _NEUTRAL),
        ("Okay.", _NEUTRAL),
        ("Yes.", _NEUTRAL),
        ("Sure.", _NEUTRAL),
        ("I see.", _NEUTRAL),
        ("Oh, I see.", _NEUTRAL),
        ("Oh, okay.", _NEUTRAL),
        ("Got it.", _NEUTRAL),
        ("Exactly.", _NEUTRAL),
        ("That's true.", _NEUTRAL),
        ("Really?", _SURPRISE),
        ("Oh, really?", _SURPRISE),
        ("Oh, wow.", _SURPRISE),
        ("Nice.", _HAPPY),
    ),
    Language.ZH: (
        ("嗯。", _NEUTRAL),
        ("嗯嗯。", _NEUTRAL),
        ("对。", _NEUTRAL),
        ("对对。", _NEUTRAL),
        ("对对对。", _NEUTRAL),
        ("是的。", _NEUTRAL),
        ("是啊。", _NEUTRAL),
        ("好。", _NEUTRAL),
        ("好的。", _NEUTRAL),
        ("哦。", _NEUTRAL),
        ("行。", _NEUTRAL),
        ("没错。", _NEUTRAL),
        ("明白。", _NEUTRAL),
        ("确实。", _NEUTRAL),
        ("这样啊。", _NEUTRAL),
        ("是吗？", _SURPRISE),
        ("真的吗？", _SURPRISE),
        ("哇。", _SURPRISE),
        ("太好了。", _HAPPY),
    ),
}
