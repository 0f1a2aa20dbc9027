"""WAV, forms, texts and frames: what comes in and goes out is what it was."""

import ast
import io
import json
import os
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backends.cosyvoice.worker.framing import PipeClosedError, frame, read_message, write_all
from pipeline.backends.cosyvoice.worker.listening import error_rate
from pipeline.backends.cosyvoice.worker.messages import Format
from pipeline.backends.cosyvoice.worker.multipart import MultipartError, parse_form
from pipeline.backends.cosyvoice.worker.options import read_options
from pipeline.backends.cosyvoice.worker.text import Units, count_units
from pipeline.backends.cosyvoice.worker.wav import WavError, read_wav, write_wav
from tests.backends.cosyvoice_worker.asking import prompt, upload
from tests.backends.cosyvoice_worker.double import MODULE, PACKAGES, ROOT, running_worker
from tests.backends.cosyvoice_worker.fake_checkout import write_checkout


@pytest.mark.parametrize(("encoding", "subtype"), [("float32", "FLOAT"), ("pcm16", "PCM_16")])
def test_others_read_what_is_written(encoding: Format, subtype: str) -> None:
    samples = np.linspace(-1, 1, 4001, dtype=np.float32)
    content = write_wav(samples, 22_050, encoding)
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        assert (file.samplerate, file.channels, file.subtype) == (22_050, 1, subtype)
        assert np.abs(file.read(dtype="float32") - samples).max() < 1e-4


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
def test_what_others_write_is_read(subtype: str, channels: int, container: str) -> None:
    rng = np.random.default_rng(1)
    samples = rng.uniform(-0.9, 0.9, (1001, channels)).astype(np.float32)
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, subtype=subtype, format=container)
    wav = read_wav(file.getvalue())
    assert wav.rate_hz == 16_000
    assert np.abs(wav.samples - samples.mean(axis=1)).max() < 1e-4


@given(content=st.binary(max_size=200))
def test_rubbish_is_refused_and_never_crashes(content: bytes) -> None:
    with pytest.raises(WavError):
        read_wav(content)
    broken = prompt(0.01)[:44] + content
    assert read_wav(broken).samples.ndim == 1


@given(fields=st.dictionaries(st.text("abcdefgh_", min_size=1), st.binary()), ending=st.binary(max_size=40))
def test_a_form_is_read_to_the_byte(fields: dict[str, bytes], ending: bytes) -> None:
    boundary = "----boundary-of-no-content-123"
    fields = {name: value + ending for name, value in fields.items()} or {"one": ending}
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="x"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + value
        + b"\r\n"
        for name, value in fields.items()
    )
    read = parse_form(f'multipart/form-data; boundary="{boundary}"', body + f"--{boundary}--\r\n".encode())
    assert read == fields


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1'),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--"),
    ],
)
def test_what_is_no_form_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(MultipartError):
        parse_form(content_type, body)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("你好，世界。", Units(4, 0)),
        ("It's a well-known song.", Units(0, 4)),
        ("我用 iPhone 看", Units(3, 1)),
        ("[laughter] hello <strong>there</strong>", Units(0, 2)),
        ("……！？", Units(0, 0)),
        ("", Units(0, 0)),
    ],
)
def test_units_are_what_is_spoken(text: str, units: Units) -> None:
    assert count_units(text) == units


def test_messages_cross_a_pipe_whole_and_its_end_is_told() -> None:
    inward, outward = os.pipe()
    write_all(outward, frame(b"one") + frame(b"") + frame("二".encode()))
    os.close(outward)
    assert [read_message(inward) for _ in range(3)] == [b"one", b"", "二".encode()]
    with pytest.raises(PipeClosedError):
        read_message(inward)
    os.close(inward)


@pytest.mark.parametrize(
    ("said", "heard", "rate"),
    [
        ("你好吗？", "你好吗", 0.0),
        ("Hello there.", "hello THERE", 0.0),
        ("abcd", "abxd", 0.25),
        ("abcd", "", 1.0),
    ],
)
def test_the_error_rate_is_of_characters(said: str, heard: str, rate: float) -> None:
    assert error_rate(said, heard) == rate


class _Ear(BaseHTTPRequestHandler):
    """Hears `text`, whatever it is sent."""

    text = ""
    fields: ClassVar[dict[str, bytes]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).fields = parse_form(self.headers["Content-Type"], body)
        content = json.dumps({"text": self.text}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.slow
def test_a_voice_that_another_model_does_not_understand_is_not_kept(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), _Ear) as ear:
        Thread(target=ear.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{ear.server_port}/v1"
        with running_worker(voices=tmp_path, arguments=("--asr-url", url)) as worker:
            _Ear.text = "完全听不懂的东西"
            answer = upload(worker.url, id="mumbles")
            assert (answer.status, answer.error["code"]) == (400, "invalid_request")
            assert "not understood" in answer.error["message"]
            assert read_wav(_Ear.fields["file"]).duration_s > 1
            assert _Ear.fields["language"] == b"zh"
            _Ear.text = "今天天气很好 我们去公园走走吧"
            assert upload(worker.url, id="clear").status == 201
            ear.shutdown()
            ear.server_close()
            deaf = upload(worker.url, id="unheard")
            assert (deaf.status, deaf.error["code"]) == (500, "engine_error")
            assert len(list(tmp_path.glob("*.wav"))) == 1
    kept = json.loads((tmp_path / "index.json").read_text(encoding="utf-8"))["voices"]
    assert [voice["id"] for voice in kept] == ["clear"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--engine", "double", "--engines", "0"), "wanted a whole number of 1 or more"),
        (("--engine", "double", "--engine-options", "{"), "--engine-options"),
        (("--engine", "double", "--warm-up-wav", "x.wav"), "belong together"),
        (("--engine", "double", "--quee", "3"), "--quee"),
        (("--engine", "double", "--port", "70000"), "wanted a port from 0 to 65535"),
        (("--engine", "double", "--port", "-1"), "wanted a port from 0 to 65535"),
        (("--engine", "double", "--port", "http"), "wanted a port from 0 to 65535"),
        (("--engine", "double", "--engine-options", "[1]"), "wanted a JSON object"),
        (("--engine", "double", "--engine-options", '{"a": NaN}'), "wanted a JSON object"),
        (("--engine", "double", "--engine-options", "[" * 100_000), "wanted a JSON object"),
        (("--engine", "double", "--load-timeout-s", "nan"), "wanted seconds above 0"),
        (("--engine", "double", "--load-timeout-s", "inf"), "wanted seconds above 0"),
        (("--engine", "double", "--load-timeout-s", "-3"), "wanted seconds above 0"),
        (("--engine", "double", "--asr-url", "ear:9000"), "wanted http://HOST:PORT"),
        (("--engine", "double", "--warm-up-wav", "PLACE/no.wav", "--warm-up-text", "x"), "no such file"),
        (("--root", "PLACE/empty"), "no CosyVoice checkout"),
        (("--root", "PLACE/bare"), "git submodule update"),
        (("--root", "PLACE/checkout"), "--model-dir None"),
        (("--root", "PLACE/checkout", "--model-dir", "PLACE/empty"), "holds none of cosyvoice.yaml"),
    ],
)
def test_misuse_is_told_in_one_line(
    arguments: tuple[str, ...], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("checkout", "bare"):
        write_checkout(tmp_path / name)
    (tmp_path / "bare/third_party/Matcha-TTS/matcha/__init__.py").unlink()
    (tmp_path / "bare/third_party/Matcha-TTS/matcha").rmdir()
    with pytest.raises(SystemExit) as ended:
        read_options([word.replace("PLACE", str(tmp_path)) for word in arguments])
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "complaint"),
    [("--voices", "wanted a directory that can be written"), ("--port", "another port")],
)
def test_what_cannot_be_started_is_told_in_one_line(option: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text('{"voices": [', encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        value = str(tmp_path) if option == "--voices" else str(taken.getsockname()[1])
        command = [sys.executable, "-m", MODULE, "--engine", "double", "--voices", str(tmp_path / "voices")]
        ended = subprocess.run(
            [*command, option, value], capture_output=True, text=True, cwd=ROOT, check=False
        )
    assert ended.returncode == 1
    assert complaint in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


def test_the_worker_is_python_3_10_and_needs_what_cosyvoice_has_and_nothing_of_ours() -> None:
    allowed = {*sys.stdlib_module_names, "fastapi", "starlette", "uvicorn", "pydantic", "numpy"} - {"tomllib"}
    newer = {"StrEnum", "Self", "TaskGroup", "ExceptionGroup", "UTC", "assert_never", "Never", "override"}
    sources = sorted((PACKAGES / "worker").glob("*.py"))
    assert len(sources) > 15
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"), feature_version=(3, 10))):
            if isinstance(node, ast.Import):
                assert {name.name.split(".")[0] for name in node.names} <= allowed, source
            if isinstance(node, ast.ImportFrom):
                assert node.level == 1 or (node.module or "").split(".")[0] in allowed, source
                assert not {name.name for name in node.names} & newer, source
            if isinstance(node, ast.Attribute):
                assert node.attr not in newer, source
