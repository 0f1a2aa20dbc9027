"""Every claim of `conformance` about every engine that is installed, doubled or reachable.

Servers of your own, where their variables are set:

    HUMDIAL_CONFORMANCE_COSYVOICE="http://gpu-1:50000"
    HUMDIAL_CONFORMANCE_OPENAI_SPEECH="kokoro kokoro af_heart http://127.0.0.1:8880/v1"   profile, model, voice, address
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from pipeline.backends.espeak.synthesizer import EspeakSynthesizer
from pipeline.backends.speech_servers import (
    CosyVoice,
    CosyVoiceFastApi,
    CosyVoiceFastApiSettings,
    CosyVoiceSettings,
    OpenAISpeech,
    OpenAISpeechSettings,
    SpeechServer,
)
from pipeline.backends.speech_servers.profiles import PROFILES, ProfileName
from pipeline.core.patience import Patience
from pipeline.domain.labels import Language
from pipeline.domain.voice import Voice
from pipeline.stages.speech_servers_config import SPEECH_PATIENCE
from tests.backends.conformance import CLAIMS, Candidate
from tests.backends.cosyvoice_worker.double import running_worker
from tests.backends.speech_servers.cosyvoice_double import CosyVoiceDouble
from tests.backends.speech_servers.fastapi_double import FastApiDouble
from tests.backends.speech_servers.openai_double import MODEL, OpenAIDouble
from tests.backends.speech_servers.speaking import QUICK, SLOW_ENOUGH, read_reference, voice_of

STEADY = QUICK.model_copy(update={"timeout_s": 30.0, "give_up_after_s": 30.0, "longest_retry_after_s": 30.0})
"""As patient as a test on a busy machine."""
BUILT_IN = {Language.ZH: "中文女", Language.EN: "英文女"}


@contextmanager
def espeak() -> Iterator[Candidate]:
    voices = {
        Language.ZH: voice_of("espeak", "cmn", Language.ZH),
        Language.EN: voice_of("espeak", "en-us", Language.EN),
    }
    with EspeakSynthesizer(workers=2) as synthesizer:
        yield Candidate(synthesizer, voices)


def cosyvoice_client(url: str, patience: Patience, slowest: float, at_once: int) -> CosyVoice:
    return CosyVoice(CosyVoiceSettings((SpeechServer(url, at_once),), patience, slowest), read_reference)


@contextmanager
def cosyvoice_script() -> Iterator[Candidate]:
    voices = {
        Language.ZH: voice_of("cosyvoice", "中文女", Language.ZH),
        Language.EN: voice_of("cosyvoice", "英文男", Language.EN),
    }
    with CosyVoiceDouble() as double, cosyvoice_client(double.url, STEADY, SLOW_ENOUGH, 8) as client:
        yield Candidate(client, voices, lambda: double.serving.under_way)


@contextmanager
def cosyvoice_worker() -> Iterator[Candidate]:
    voices = {language: voice_of("cosyvoice", "ann", language, recorded=True) for language in Language}
    with running_worker() as worker, cosyvoice_client(worker.url, STEADY, 5.0, 4) as client:
        yield Candidate(client, voices)


@contextmanager
def cosyvoice_fastapi() -> Iterator[Candidate]:
    voices = {
        Language.ZH: voice_of("cosyvoice_fastapi", "中文女", Language.ZH),
        Language.EN: voice_of("cosyvoice_fastapi", "英文男", Language.EN),
    }
    double = FastApiDouble()
    with double.serving as server:
        settings = CosyVoiceFastApiSettings((SpeechServer(server.url, 2),), STEADY, SLOW_ENOUGH, 22_050)
        with CosyVoiceFastApi(settings) as client:
            yield Candidate(client, voices, lambda: server.under_way)


def openai_speech(profile: ProfileName) -> Callable[[], AbstractContextManager[Candidate]]:
    @contextmanager
    def opened() -> Iterator[Candidate]:
        traits = PROFILES[profile]
        voices = {
            language: voice_of("openai_speech", "alloy", language, recorded=traits.clones)
            for language in Language
        }
        with OpenAIDouble(profile) as double:
            settings = OpenAISpeechSettings(
                model=MODEL,
                profile=profile,
                servers=(SpeechServer(double.url, 8),),
                patience=STEADY,
                slowest=SLOW_ENOUGH,
                word_times=traits.words != "none",
            )
            with OpenAISpeech(settings, read_reference) as client:
                yield Candidate(client, voices, lambda: double.serving.under_way)

    return opened


@contextmanager
def own_cosyvoice() -> Iterator[Candidate]:
    url = os.environ.get("HUMDIAL_CONFORMANCE_COSYVOICE")
    if not url:
        pytest.skip("HUMDIAL_CONFORMANCE_COSYVOICE is not set: no worker of your own to ask")
    with cosyvoice_client(url, SPEECH_PATIENCE, 20.0, 2) as client:
        able = client.capabilities
        voices: dict[Language, Voice] = {}
        for language in able.languages:
            built_in = able.voices is not None and BUILT_IN[language] in able.voices
            name = BUILT_IN[language] if built_in else "conformance"
            voices[language] = voice_of("cosyvoice", name, language, recorded=not built_in)
        yield Candidate(client, voices)


@contextmanager
def own_openai_speech() -> Iterator[Candidate]:
    named = os.environ.get("HUMDIAL_CONFORMANCE_OPENAI_SPEECH", "").split()
    if not named:
        pytest.skip("HUMDIAL_CONFORMANCE_OPENAI_SPEECH is not set: no server of your own to ask")
    chosen, model, name, url = named
    (profile,) = (one for one in PROFILES if one == chosen)
    voices = {
        language: voice_of("openai_speech", name, language, recorded=PROFILES[profile].clones)
        for language in Language
    }
    servers = (SpeechServer(url, 4, os.environ.get("OPENAI_API_KEY") if profile == "openai" else None),)
    settings = OpenAISpeechSettings(model, profile, servers, SPEECH_PATIENCE, 20.0)
    with OpenAISpeech(settings, read_reference) as client:
        yield Candidate(client, voices)


BACKENDS = [
    pytest.param(espeak, id="espeak"),
    pytest.param(cosyvoice_script, id="cosyvoice"),
    pytest.param(cosyvoice_worker, id="cosyvoice-worker", marks=pytest.mark.slow),
    pytest.param(cosyvoice_fastapi, id="cosyvoice_fastapi"),
    *(pytest.param(openai_speech(profile), id=f"openai_speech-{profile}") for profile in PROFILES),
    pytest.param(own_cosyvoice, id="own-cosyvoice"),
    pytest.param(own_openai_speech, id="own-openai_speech"),
]


@pytest.fixture(scope="module", params=BACKENDS)
def candidate(request: pytest.FixtureRequest) -> Iterator[Candidate]:
    opened: Callable[[], AbstractContextManager[Candidate]] = request.param
    with opened() as found:
        yield found


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_every_engine_keeps_its_promises(candidate: Candidate, claim: Callable[[Candidate], None]) -> None:
    claim(candidate)
