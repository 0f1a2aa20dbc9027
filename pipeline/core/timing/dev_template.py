"""HumDial's dev and test template: the user's side only, with room for a system under test to speak.

::

    user   |== query ==|        5 s        |== event ==|        10 s        |
           0.01 s
"""

from collections.abc import Mapping

from pipeline.core.timing.placement import Placed, Placement, Realised
from pipeline.core.timing.profile import Profile
from pipeline.domain.labels import Speaker
from pipeline.domain.script import AfterHesitation
from pipeline.domain.span import Span, to_samples
from pipeline.domain.spoken import SpokenScript

LEAD_IN_S = 0.01
GAP_S = 5.0
TAIL_S = 10.0


def place_dev_template(spoken: SpokenScript, profile: Profile) -> Placement:
    """Place everything but the assistant's turns, which the system under test will supply.

    Segments follow each other at 5.0 s, whatever the assistant would have said meanwhile; pauses inside a
    turn are drawn as usual.
    """
    placed: dict[str, Placed] = {}
    last: Placed | None = None
    for utterance in spoken.script.utterances:
        if utterance.speaker is Speaker.ASSISTANT:
            continue
        clip, name = spoken.clip(utterance.utterance_id), utterance.utterance_id
        rate = clip.sampling_rate
        if last is None:
            start = to_samples(LEAD_IN_S, rate)
        elif last.utterance.turn != utterance.turn:
            start = last.span.end + to_samples(GAP_S, rate)
        elif isinstance(utterance.anchor, AfterHesitation):
            start = last.span.end + to_samples(
                profile.hesitation_s(f"hesitation/{name}", spoken.script.language), rate
            )
        else:
            start = last.span.end + to_samples(profile.pause_s(f"pause/{name}"), rate)
        last = Placed(
            utterance=utterance, span=Span(start=start, end=start + clip.num_samples), words=clip.words
        )
        placed[name] = last
    return Placement(placed=placed, events=_realise(spoken, placed), offsets=())


def _realise(spoken: SpokenScript, placed: Mapping[str, Placed]) -> tuple[Realised, ...]:
    realised = []
    for event in spoken.script.events:
        hosted = event.host is not None and event.host in placed
        onset = placed[event.utterance_id].span.start
        if hosted and event.host is not None:
            onset = placed[event.host].span.end
        realised.append(Realised(event=event, onset=onset, anchor_at=None, yielded_at=None, hosted=hosted))
    return tuple(realised)
