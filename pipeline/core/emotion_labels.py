"""From the emotion labels of corpora to the seven of HumDial Track 1.

A label that says several things, or none of the seven, maps to nothing: it does not drive a trajectory.
"""

from pipeline.domain.labels import Emotion

_HAPPY, _SAD, _ANGER, _FEAR = Emotion.HAPPY, Emotion.SAD, Emotion.ANGER, Emotion.FEAR
_NEUTRAL, _SURPRISE, _DISGUST = Emotion.NEUTRAL, Emotion.SURPRISE, Emotion.DISGUST

LABELS: dict[str, Emotion] = {
    # the seven themselves, and MELD's and XDailyDialog's words for them
    **{emotion.value: emotion for emotion in Emotion},
    "joy": _HAPPY,
    "happiness": _HAPPY,
    "sadness": _SAD,
    "none": _NEUTRAL,
    # EmoryNLP: "peaceful" and "powerful" are moods, not one of the seven
    "joyful": _HAPPY,
    "mad": _ANGER,
    "scared": _FEAR,
    # CPED: "grateful", "relaxed", "positive-other" and "negative-other" say no more than a direction
    "depress": _SAD,
    "worried": _FEAR,
    "astonished": _SURPRISE,
    # EmpatheticDialogues: 32 situations of the first speaker
    "surprised": _SURPRISE,
    "excited": _HAPPY,
    "annoyed": _ANGER,
    "angry": _ANGER,
    "furious": _ANGER,
    "lonely": _SAD,
    "afraid": _FEAR,
    "terrified": _FEAR,
    "anxious": _FEAR,
    "apprehensive": _FEAR,
    "disgusted": _DISGUST,
    "devastated": _SAD,
    "disappointed": _SAD,
    "joyous": _HAPPY,
    "content": _HAPPY,
    "proud": _HAPPY,
    # ESConv: what the one who seeks help feels; "shame" is none of the seven
    "anxiety": _FEAR,
    "depression": _SAD,
}


def emotion_of(label: str) -> Emotion | None:
    """The label of Track 1 for a corpus's own; None where it says none of the seven.

    >>> emotion_of("Joyful"), emotion_of("nostalgic")
    (<Emotion.HAPPY: 'happy'>, None)
    """
    return LABELS.get(label.strip().lower())
