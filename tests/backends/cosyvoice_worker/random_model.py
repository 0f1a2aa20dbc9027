"""Writes a CosyVoice model directory with random weights: `python random_model.py ROOT OUT [VERSION]`.

Runs in CosyVoice's own environment, with its real classes: every layer is there, only narrow. What comes out is
noise of a plausible length, so that everything but the quality of speech can be seen to work. Version 1 takes some
10 MB, 2 and 3 some 40 MB, for the language model wants a vocabulary as large as the real one: version 3 knows
`<|endofprompt|>` by its number.
"""

import json
import shutil
import sys
from pathlib import Path

YAMLS = {1: "cosyvoice.yaml", 2: "cosyvoice2.yaml", 3: "cosyvoice3.yaml"}
SPEAKERS = ("英文女", "英文男", "中文女")
SEED = 1
_SPEECH_TOKENS = 6561
_VOCABULARY = 151_643
"""Of Qwen 2: `<|endofprompt|>` is the fourth token after it."""


def write_model(root: Path, out: Path, version: int) -> None:
    """The files that `AutoModel(model_dir)` reads."""
    sys.path[:0] = [str(root), str(root / "third_party" / "Matcha-TTS")]
    import torch
    from hyperpyyaml import load_hyperpyyaml

    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    overrides = {}
    if version > 1:
        overrides["qwen_pretrain_path"] = str(out / "CosyVoice-BlankEN")
        _write_language_model(out / "CosyVoice-BlankEN")
    yaml = shutil.copy(Path(__file__).parent / "random_models" / YAMLS[version], out)
    with Path(yaml).open(encoding="utf-8") as file:
        parts = load_hyperpyyaml(file, overrides=overrides)
    if version > 1:  # stop tokens are never among the likeliest: `random_engine.py` decides the length
        with torch.no_grad():
            parts["llm"].llm_decoder.weight[_SPEECH_TOKENS:] = 0
    for name in ("llm", "flow", "hift"):
        torch.save(parts[name].state_dict(), out / f"{name}.pt")
    if version == 1:
        voices = {speaker: {"embedding": torch.randn(1, 192)} for speaker in SPEAKERS}
        torch.save(voices, out / "spk2info.pt")
    _write_speaker_encoder(out / "campplus.onnx")
    tokens, step = (4096, 2) if version == 1 else (_SPEECH_TOKENS, 4)
    _write_speech_tokenizer(out / f"speech_tokenizer_v{version}.onnx", tokens, step)


def _write_language_model(place: Path) -> None:
    """A Qwen 2 of one layer, and a tokenizer that knows bytes only."""
    from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer
    from transformers.models.qwen2.tokenization_qwen2 import bytes_to_unicode

    place.mkdir()
    words = [*bytes_to_unicode().values()]
    words += [f"filler{index}" for index in range(_VOCABULARY - len(words))]
    (place / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (place / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = Qwen2Tokenizer(str(place / "vocab.json"), str(place / "merges.txt"))
    tokenizer.save_pretrained(place)
    config = Qwen2Config(
        vocab_size=_VOCABULARY + 400,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        initializer_range=0.5,  # as loud as speech tokens are, so that every text token is heard
    )
    Qwen2ForCausalLM(config).save_pretrained(place)


def _write_speaker_encoder(path: Path) -> None:
    """[1, frames, 80] -> [1, 192]: a random projection of the mean."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    projection = np.random.default_rng(SEED).standard_normal((80, 192)).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["feats"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "projection"], ["embedding"]),
    ]
    _save(
        path,
        nodes,
        [helper.make_tensor_value_info("feats", TensorProto.FLOAT, [1, None, 80])],
        helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 192]),
        [numpy_helper.from_array(projection, "projection")],
    )


def _write_speech_tokenizer(path: Path, tokens: int, step: int) -> None:
    """[1, 128, frames] -> [1, frames / step]: a token from the mean of every `step`-th frame."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    constants = {
        "start": np.array([0], np.int64),
        "end": np.array([2**31], np.int64),
        "axis": np.array([1], np.int64),
        "step": np.array([step], np.int64),
        "scale": np.array(100_003.0, np.float32),
        "size": np.array(tokens, np.int32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["feats"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("Slice", ["mean", "start", "end", "axis", "step"], ["half"]),
        helper.make_node("Abs", ["half"], ["positive"]),
        helper.make_node("Mul", ["positive", "scale"], ["scaled"]),
        helper.make_node("Cast", ["scaled"], ["whole"], to=TensorProto.INT32),
        helper.make_node("Mod", ["whole", "size"], ["tokens"]),
    ]
    _save(
        path,
        nodes,
        [
            helper.make_tensor_value_info("feats", TensorProto.FLOAT, [1, 128, None]),
            helper.make_tensor_value_info("feats_length", TensorProto.INT32, [1]),
        ],
        helper.make_tensor_value_info("tokens", TensorProto.INT32, [1, None]),
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )


def _save(path, nodes, inputs, output, constants) -> None:  # type: ignore[no-untyped-def]
    import onnx
    from onnx import helper

    graph = helper.make_graph(nodes, path.stem, inputs, [output], initializer=constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


if __name__ == "__main__":
    write_model(
        Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), int(sys.argv[3]) if sys.argv[3:] else 1
    )
