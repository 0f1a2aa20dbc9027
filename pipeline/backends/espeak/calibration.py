"""Measure what a voice sounds like: the figures that the catalogue states.

with EspeakSynthesizer() as synthesizer:
    f0_hz = asyncio.run(measure_median_f0_hz(synthesizer, voice))
"""

from pipeline.core.voice_measures import median_f0_hz
from pipeline.domain.labels import Emotion, Language, Style
from pipeline.domain.voice import SpeechRequest, Voice
from pipeline.ports import SpeechSynthesizer

TEST_SENTENCES = {
    Language.EN: "The weather is lovely today, so we may walk along the river all morning.",
    Language.ZH: "今天天气很好，我们可以一起去河边走一走。",
}
"""Mostly voiced sounds; in Mandarin, all four tones."""


async def measure_median_f0_hz(
    synthesizer: SpeechSynthesizer,
    voice: Voice,
    emotion: Emotion = Emotion.NEUTRAL,
    style: Style = Style.PLAIN,
) -> float:
    """Median pitch of a voice on the test sentence of its language. Raises ValueError where no frame is voiced."""
    request = SpeechRequest(
        text=TEST_SENTENCES[voice.language],
        language=voice.language,
        voice=voice,
        emotion=emotion,
        style=style,
        seed=0,
    )
    take = await synthesizer.synthesize(request)
    f0_hz = median_f0_hz(take.samples, take.sampling_rate)
    if f0_hz is None:
        raise ValueError(f"{voice.voice_id}: no voiced frame in {request.text!r}")
    return f0_hz
