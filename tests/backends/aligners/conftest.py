import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "vllm: needs vLLM, installed or as a wheel that VLLM_WHEEL names")
