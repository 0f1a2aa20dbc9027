"""A Whisper model that knows nothing and aligns all the same: written by hand, run by the real ctranslate2.

All weights are zero but position encodings and the cross attention, which lets the n-th token attend the n-th
fifth of a second of any audio::

    decoder position 3 (predicts token 0)  --e0--.      .--e0--  encoder frames  0...9   (0.0 s to 0.2 s)
    decoder position 4 (predicts token 1)  --e1--|  ==  |--e1--  encoder frames 10...19  (0.2 s to 0.4 s)

So what comes out is known, and what is between the audio and it is the real thing: features, encoder, decoder,
attention, time warping, tokens.
"""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers
from ctranslate2.specs import WhisperSpec
from tokenizers import decoders, models, pre_tokenizers

TOKEN_S = 0.2
MOST_TOKENS = 60

_WIDTH = 64
_FRAMES = round(TOKEN_S * 50)
_SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|zh|>",
    "<|transcribe|>",
    "<|notimestamps|>",
)
WHOLE = ("well", "你好")
"""What is one token; all else is a token per byte."""


def write_tiny_whisper(directory: Path, *, multilingual: bool = True) -> Path:
    """Write the model's files into a directory that is not there yet."""
    directory.mkdir()
    tokenizer, vocabulary = _tokenizer(multilingual)
    spec = _network(len(vocabulary), 3 if multilingual else 1)
    spec.register_vocabulary(vocabulary)
    spec.config.alignment_heads = [[0, 0]]
    spec.config.lang_ids = [vocabulary.index("<|en|>"), vocabulary.index("<|zh|>")]
    spec.config.suppress_ids = spec.config.suppress_ids_begin = []
    spec.validate()
    spec.save(str(directory))
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "preprocessor_config.json").write_text(json.dumps({"feature_size": 80}), encoding="utf-8")
    return directory


def _network(num_tokens: int, prompt: int) -> WhisperSpec:
    """`prompt`: start, language, task (or the start alone); the position after it predicts the first token."""
    spec = WhisperSpec(1, 1, 1, 1)
    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv2.weight = _zeros(_WIDTH, 80, 3), _zeros(_WIDTH, _WIDTH, 3)
    decoder.embeddings.weight = decoder.projection.weight = _zeros(num_tokens, _WIDTH)
    heard, said = _zeros(1500, _WIDTH), _zeros(448, _WIDTH)
    for number in range(MOST_TOKENS):
        heard[number * _FRAMES : (number + 1) * _FRAMES, number] = said[prompt + number, number] = 1.0
    encoder.position_encodings.encodings, decoder.position_encodings.encodings = heard, said
    for layer in (encoder.layer[0], decoder.layer[0]):
        into, out_of = layer.self_attention.linear
        into.weight, out_of.weight = _zeros(3 * _WIDTH, _WIDTH), _zeros(_WIDTH, _WIDTH)
        layer.ffn.linear_0.weight, layer.ffn.linear_1.weight = _zeros(_WIDTH, _WIDTH), _zeros(_WIDTH, _WIDTH)
    query, key_and_value, out_of = decoder.layer[0].attention.linear
    query.weight, out_of.weight = np.eye(_WIDTH, dtype=np.float32), _zeros(_WIDTH, _WIDTH)
    key_and_value.weight = np.vstack([np.eye(_WIDTH, dtype=np.float32), _zeros(_WIDTH, _WIDTH)])
    for part in (encoder.layer[0], decoder.layer[0]):
        for norm in (part.self_attention.layer_norm, part.ffn.layer_norm):
            norm.gamma, norm.beta = _zeros(_WIDTH) + 1, _zeros(_WIDTH)
    for norm in (encoder.layer_norm, decoder.layer_norm, decoder.layer[0].attention.layer_norm):
        norm.gamma, norm.beta = _zeros(_WIDTH) + 1, _zeros(_WIDTH)
    return spec


def _zeros(*shape: int) -> npt.NDArray[np.float32]:
    return np.zeros(shape, np.float32)


def _tokenizer(multilingual: bool) -> tuple[tokenizers.Tokenizer, list[str]]:
    """Bytes, the whole words and their beginnings, special tokens."""
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    vocabulary = sorted(byte_level.alphabet())
    merges: list[tuple[str, str]] = []
    for word in WHOLE:
        spelled = byte_level.pre_tokenize_str(word)[0][0]
        merges += [(spelled[:length], spelled[length]) for length in range(1, len(spelled))]
        vocabulary += [spelled[: length + 1] for length in range(1, len(spelled))]
    vocabulary += [""] * multilingual  # by which the library tells a multilingual model
    vocabulary += _SPECIAL
    tokenizer = tokenizers.Tokenizer(
        models.BPE(vocab={token: number for number, token in enumerate(vocabulary)}, merges=merges)
    )
    tokenizer.pre_tokenizer, tokenizer.decoder = byte_level, decoders.ByteLevel()
    return tokenizer, vocabulary
