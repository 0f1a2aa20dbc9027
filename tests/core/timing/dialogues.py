"""Made-up dialogues of many lengths and turns, and what places them: material of the timing tests."""

import random
import re
from functools import cache

from pipeline.core.timing.calibration import Talk, talk_of
from pipeline.core.timing.dyad import dyad_law
from pipeline.core.timing.material import gather
from pipeline.core.timing.placement import Placement, place
from pipeline.core.timing.profile import Profile
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Speaker
from pipeline.domain.scene import Scene
from pipeline.domain.script import (
    AfterHesitation,
    AfterSeconds,
    AfterWords,
    Anchor,
    Follows,
    Script,
    ScriptedEvent,
)
from pipeline.domain.spoken import SpokenScript
from pipeline.io.references import load_reference
from tests.spoken import RATE, Line, script_of, speak

REFERENCE = load_reference("switchboard")
DYADS = dyad_law(REFERENCE)
WORDS = tuple(
    re.findall(
        r"\w+",
        "well the small green boat on our lake needs paint before summer begins and nobody told Martin about "
        "rain yesterday although everybody heard thunder over those distant mountains",
    )
)
EVENTS = {
    Scene.FOLLOW_UP_QUESTION: (EventType.FOLLOW_UP_QUESTION, Speaker.USER, FloorEffect.YIELDS),
    Scene.TOPIC_SWITCHING: (EventType.TOPIC_SHIFT, Speaker.USER, FloorEffect.YIELDS),
    Scene.USER_BACKCHANNEL: (EventType.BACKCHANNEL, Speaker.USER, FloorEffect.CONTINUES),
    Scene.THIRD_PARTY_AFTER: (EventType.THIRD_PARTY_SPEECH, Speaker.THIRD_PARTY, FloorEffect.CONTINUES),
    Scene.PAUSE_HANDLING: (EventType.HESITATION_PAUSE, Speaker.USER, FloorEffect.CONTINUES),
}
WORD_S = 0.3
"""Length of a word in the clips of `tests.spoken`."""


@cache
def made_up(number: int) -> SpokenScript:
    """A dialogue of one's own length and words: query, answer of two to five sentences, event, reaction.

    Scenes come in turns; every other round of them anchors by seconds instead of words.
    """
    rng = random.Random(number)
    scene = list(EVENTS)[number % len(EVENTS)]
    event_type, speaker, effect = EVENTS[scene]
    lines: list[Line] = [(Speaker.USER, 0, _sentence(rng, 5, 12), Follows())]
    if scene is Scene.PAUSE_HANDLING:
        lines.append((Speaker.USER, 0, _sentence(rng, 3, 6), AfterHesitation()))
    first = len(lines)
    lines += [(Speaker.ASSISTANT, 1, _sentence(rng, 6, 18), Follows()) for _ in range(rng.randint(2, 5))]
    if scene is Scene.PAUSE_HANDLING:
        event = ScriptedEvent(type=event_type, utterance_id="u01", host="u00", effect=effect)
        return speak(script_of(tuple(lines), (event,), scene, f"en-{number:04d}"))
    host = rng.randrange(first, len(lines))
    heard = rng.randint(2, len(lines[host][2].split()) - 2)
    anchor: Anchor = AfterWords(host=f"u{host:02d}", words=heard)
    if number // len(EVENTS) % 2:
        anchor = AfterSeconds(host=f"u{host:02d}", seconds=round(heard * WORD_S + rng.uniform(0, 0.25), 3))
    text = "Right." if scene is Scene.USER_BACKCHANNEL else _sentence(rng, 4, 10)
    event = ScriptedEvent(
        type=event_type, utterance_id=f"u{len(lines):02d}", host=f"u{host:02d}", effect=effect
    )
    lines.append((speaker, 2, text, anchor))
    if effect is FloorEffect.YIELDS:
        lines.append((Speaker.ASSISTANT, 3, _sentence(rng, 5, 12), Follows()))
    return speak(script_of(tuple(lines), (event,), scene, f"en-{number:04d}"))


def hesitating(number: int) -> SpokenScript:
    """A made-up dialogue whose query holds a hesitation."""
    return made_up(len(EVENTS) * number + list(EVENTS).index(Scene.PAUSE_HANDLING))


def plain_talk(number: int, turns: int = 8) -> Script:
    """User and assistant by turns of one to three sentences, and nothing happens."""
    rng = random.Random(number)
    lines: list[Line] = []
    for turn in range(turns):
        speaker = (Speaker.USER, Speaker.ASSISTANT)[turn % 2]
        lines += [(speaker, turn, _sentence(rng, 3, 10), Follows()) for _ in range(rng.randint(1, 3))]
    return script_of(tuple(lines), dialogue_id=f"en-plain-{number}")


def _sentence(rng: random.Random, least: int, most: int) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(least, most))) + "."


def by_seconds(script: Script, seconds: float) -> Script:
    """The same script with its event so many seconds into the host, instead of after a word."""
    utterances = tuple(
        u.model_copy(update={"anchor": AfterSeconds(host=u.anchor.host, seconds=seconds)})
        if isinstance(u.anchor, AfterWords)
        else u
        for u in script.utterances
    )
    return Script.model_validate(script.model_copy(update={"utterances": utterances}).model_dump())


def profile_of(
    dialogue_id: str, root_seed: int = 0, dial: float = 0.0, *, assistant_waits: bool = False
) -> Profile:
    return Profile(
        reference=REFERENCE,
        root_seed=root_seed,
        stream="timing/0",
        dialogue_id=dialogue_id,
        dyad=DYADS.draw(root_seed, "timing/0", dialogue_id),
        dial=dial,
        assistant_waits=assistant_waits,
    )


def placement_of(
    spoken: SpokenScript, dial: float = 0.0, root_seed: int = 0, *, assistant_waits: bool = False
) -> Placement:
    profile = profile_of(spoken.script.dialogue_id, root_seed, dial, assistant_waits=assistant_waits)
    return place(gather(spoken), profile, lead_in_s=0.2)


def planned_talk(spoken: tuple[SpokenScript, ...], dial: float, *, assistant_waits: bool = False) -> Talk:
    """Speech of a dataset at a dial, as calibration plans it."""
    placements = (placement_of(one, dial, assistant_waits=assistant_waits) for one in spoken)
    return Talk.total([talk_of(tuple(one.placed.values()), RATE) for one in placements])
