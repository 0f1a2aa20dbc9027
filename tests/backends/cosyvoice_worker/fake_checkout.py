"""A checkout of CosyVoice without a model: its modules, classes and signatures, and its traps; no torch.

Every class hums for a length that fits the text, and writes down how it was called. What upstream does wrong with
its callers is done here too: a missing model directory is downloaded (here: an error of its own), keywords that a
class does not have raise, instruct2 with a registered speaker uses the prompt text that the speaker was registered
with, version 3 fails in a thread without `<|endofprompt|>` and then yields silence.
"""

import json
from pathlib import Path

import numpy as np

from pipeline.backends.cosyvoice.worker.wav import write_wav

CALLS = "calls.jsonl"
_LIBRARY = """
import json, os, threading
import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STATE = {"seed": None}

def note(**call):
    with open(os.path.join(ROOT, "calls.jsonl"), "a", encoding="utf-8") as file:
        file.write(json.dumps(call, ensure_ascii=False) + "\\n")

class Tensor:
    def __init__(self, samples):
        self.samples = samples
    def numpy(self):
        return self.samples

class CosyVoice:
    sample_rate = 22050
    yaml = "cosyvoice.yaml"
    def __init__(self, model_dir, load_jit=False, load_trt=False, fp16=False, trt_concurrent=1):
        self._open(model_dir, dict(load_jit=load_jit, load_trt=load_trt, fp16=fp16))
    def _open(self, model_dir, keywords):
        note(call="load", version=type(self).__name__, **keywords)
        with open(os.path.join(model_dir, "speakers.json"), encoding="utf-8") as file:
            self.spk2info = dict.fromkeys(json.load(file))
    def list_available_spks(self):
        return list(self.spk2info)
    def add_zero_shot_spk(self, prompt_text, prompt_wav, zero_shot_spk_id):
        assert zero_shot_spk_id != "" and os.path.exists(prompt_wav)
        note(call="add", prompt_text=prompt_text, id=zero_shot_spk_id)
        self.spk2info[zero_shot_spk_id] = prompt_text
        return True
    def _check(self, prompt_text):
        pass
    def _tts(self, call, text, prompt_text, stream, speed, text_frontend):
        note(call=call, text=text, prompt_text=prompt_text, stream=stream, speed=speed,
             text_frontend=text_frontend, seed=STATE["seed"])
        if text == "\\u55ef":
            return
        thread = threading.Thread(target=self._check, args=(prompt_text,))
        thread.start()
        thread.join()
        han = sum("\\u4e00" <= c <= "\\u9fff" for c in text)
        length = int(self.sample_rate * (0.2 * han + 0.3 * (len(text.split()) - (han > 0)) + 0.1) / speed)
        for part in (0, 1):
            yield {"tts_speech": Tensor(0.3 * np.sin(np.arange(length // 2, dtype=np.float32) / 20)[None])}
    def inference_sft(self, tts_text, spk_id, stream=False, speed=1.0, text_frontend=True):
        self.spk2info[spk_id]
        yield from self._tts("sft", tts_text, None, stream, speed, text_frontend)
    def inference_zero_shot(self, tts_text, prompt_text, prompt_wav, zero_shot_spk_id="", stream=False, speed=1.0,
                            text_frontend=True):
        prompt_text = self.spk2info[zero_shot_spk_id] if zero_shot_spk_id else prompt_text
        yield from self._tts("zero_shot", tts_text, prompt_text, stream, speed, text_frontend)

class CosyVoice2(CosyVoice):
    sample_rate = 24000
    yaml = "cosyvoice2.yaml"
    def __init__(self, model_dir, load_jit=False, load_trt=False, load_vllm=False, fp16=False, trt_concurrent=1):
        self._open(model_dir, dict(load_jit=load_jit, load_trt=load_trt, load_vllm=load_vllm, fp16=fp16))
    def inference_instruct2(self, tts_text, instruct_text, prompt_wav, zero_shot_spk_id="", stream=False, speed=1.0,
                            text_frontend=True):
        instruct_text = self.spk2info[zero_shot_spk_id] if zero_shot_spk_id else instruct_text
        yield from self._tts("instruct2", tts_text, instruct_text, stream, speed, text_frontend)

class CosyVoice3(CosyVoice2):
    yaml = "cosyvoice3.yaml"
    def __init__(self, model_dir, load_trt=False, load_vllm=False, fp16=False, trt_concurrent=1):
        self._open(model_dir, dict(load_trt=load_trt, load_vllm=load_vllm, fp16=fp16))
    def _check(self, prompt_text):
        assert "<|endofprompt|>" in prompt_text, "no end of prompt"

def AutoModel(**keywords):
    for model in (CosyVoice, CosyVoice2, CosyVoice3):
        if os.path.exists(os.path.join(keywords["model_dir"], model.yaml)):
            return model(**keywords)
    raise TypeError("a download was tried")
"""
_COMMON = """
def set_all_random_seed(seed):
    from cosyvoice.cli.cosyvoice import STATE
    STATE["seed"] = seed
"""
_TORCH = """
class cuda:
    @staticmethod
    def is_available():
        return False
"""


def write_checkout(root: Path, version: int = 1, speakers: tuple[str, ...] = (), prompt: bool = True) -> Path:
    """A checkout at `root` with one model; returns the model's directory."""
    files = {
        "cosyvoice/__init__.py": "",
        "cosyvoice/cli/__init__.py": "",
        "cosyvoice/cli/cosyvoice.py": _LIBRARY,
        "cosyvoice/utils/__init__.py": "",
        "cosyvoice/utils/common.py": _COMMON,
        "third_party/Matcha-TTS/matcha/__init__.py": "",
        "torch.py": _TORCH,
    }
    model_dir = root / "pretrained_models" / f"model-{version}"
    name = f"cosyvoice{version if version > 1 else ''}.yaml"
    files[f"pretrained_models/model-{version}/{name}"] = "sample_rate: 1\n"
    files[f"pretrained_models/model-{version}/speakers.json"] = json.dumps(speakers)
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, encoding="utf-8")
    if prompt:
        (root / "asset").mkdir()
        vowel = (0.3 * np.sin(np.arange(48_000) / 30)).astype(np.float32)
        (root / "asset" / "zero_shot_prompt.wav").write_bytes(write_wav(vowel, 24_000, "pcm16"))
    return model_dir


def calls(root: Path) -> list[dict[str, object]]:
    """How the library was called, in order."""
    return [json.loads(line) for line in (root / CALLS).read_text(encoding="utf-8").splitlines()]
