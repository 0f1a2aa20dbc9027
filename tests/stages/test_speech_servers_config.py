from typing import get_args

import pytest
import yaml
from pydantic import JsonValue, ValidationError

from pipeline.backends.speech_servers.profiles import PROFILES
from pipeline.config import parse_config
from pipeline.domain.errors import ConfigError
from pipeline.stages import speech_servers_config
from pipeline.stages.speech_config import Config
from pipeline.stages.speech_servers_config import (
    CosyVoiceFastApiConfig,
    OpenAISpeechConfig,
    TranscriberConfig,
)


def test_one_line_is_enough_to_switch_the_synthesizer() -> None:
    config = Config.model_validate({"backend": "cosyvoice"})
    assert config.cosyvoice.endpoints == ()
    assert config.cosyvoice.patience.give_up_after_s >= 300


def test_the_example_of_the_module_is_read() -> None:
    lines = (speech_servers_config.__doc__ or "").splitlines()
    example = yaml.safe_load("\n".join(line for line in lines if line.startswith("    ")))
    config = Config.model_validate(example["speech"])
    assert [one.base_url for one in config.cosyvoice.endpoints] == [
        "http://gpu-1:50000",
        "http://gpu-2:50000",
    ]


def test_every_profile_that_can_be_named_is_known_to_the_client() -> None:
    assert get_args(OpenAISpeechConfig.model_fields["profile"].annotation) == tuple(PROFILES)


@pytest.mark.parametrize("key", ["sk-live-abc", "a_secret", "1KEY", "SECRET\n", ""])
def test_a_key_itself_is_no_name_of_a_variable_and_is_not_repeated(key: str) -> None:
    endpoints: list[JsonValue] = [{"base_url": "http://a", "api_key_variable": key}]
    with pytest.raises(ConfigError, match="api_key_variable") as caught:
        parse_config({"speech": {"openai_speech": {"endpoints": endpoints}}}, "run.yaml")
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("sampling_rate", [16_000, 44_100, 24_001])
def test_cosyvoices_own_server_has_one_of_two_rates(sampling_rate: int) -> None:
    with pytest.raises(ValidationError, match="sampling_rate"):
        CosyVoiceFastApiConfig.model_validate({"sampling_rate": sampling_rate})


def test_a_transcriber_has_to_be_named() -> None:
    with pytest.raises(ValidationError, match="model"):
        TranscriberConfig.model_validate({})
