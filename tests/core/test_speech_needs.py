"""What a run lacks is told before it begins."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pipeline.core.speech_needs import Needs, missing
from pipeline.domain.labels import Emotion, Gender, Language, Split
from pipeline.domain.takes import Capabilities
from pipeline.domain.voice import EmotionalReference, Reference, Voice
from tests.stages.doubles import HumSynthesizer, voice_of

NEEDS = Needs(languages=(Language.EN,), splits=(Split.TRAIN,), speakers=2, emotions=frozenset())
CAN = HumSynthesizer().capabilities
CLIP = Reference(audio="ada.wav", sha256="0" * 64, transcript="Good morning.", duration_s=3.0)
ADA, BO = voice_of("ada"), voice_of("bo", gender=Gender.MALE)
CLONED = ADA.model_copy(update={"reference": CLIP, "consent": "signed form"})
HAPPY_ONLY = frozenset({Emotion.NEUTRAL, Emotion.HAPPY})
SAD = (EmotionalReference(emotion=Emotion.SAD, reference=CLIP),)


@pytest.mark.parametrize(
    ("needs", "can", "voices", "problem"),
    [
        ({}, {}, (ADA, BO), None),
        ({}, {"languages": frozenset({Language.ZH})}, (ADA, BO), "hum does not speak en"),
        ({}, {}, (ADA,), "1 speakers of hum in en/train, wanted 2"),
        ({"splits": (Split.TRAIN, Split.DEV)}, {}, (ADA, BO), "0 speakers of hum in en/dev"),
        ({}, {"voices": frozenset({"ada"})}, (ADA, BO), "hum has no voice 'bo'; it has: ada"),
        ({}, {"voices": frozenset({"bo"}), "clones": True}, (CLONED, BO), None),
        ({}, {}, (CLONED, BO), "hum clones nobody"),
        ({"emotions": frozenset({Emotion.SAD})}, {}, (ADA, BO), None),
        (
            {"emotions": frozenset({Emotion.SAD})},
            {"emotions": HAPPY_ONLY},
            (ADA, BO),
            "en-ada cannot be heard as sad",
        ),
        (
            {"emotions": frozenset({Emotion.SAD}), "speakers": 1},
            {"emotions": HAPPY_ONLY, "clones": True},
            (CLONED.model_copy(update={"emotional_references": SAD}),),
            None,
        ),
    ],
)
def test_what_is_lacking_is_named(
    needs: dict[str, object], can: dict[str, object], voices: Sequence[Voice], problem: str | None
) -> None:
    wanted: Needs = replace(NEEDS, **needs)  # type: ignore[arg-type]
    capabilities: Capabilities = CAN.model_copy(update=can)
    found = missing(wanted, "hum", capabilities, voices)
    if problem is None:
        assert found == ()
    else:
        assert problem in " | ".join(found)
