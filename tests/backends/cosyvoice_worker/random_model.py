"""Writes a CosyVoice 1 model directory of some 10 MB with random weights: `python random_model.py ROOT OUT`.

Runs in CosyVoice's own environment, with its real classes: every layer is there, only narrow. What comes out is
noise of a plausible length, so that everything but the quality of speech can be seen to work.
"""

import sys
from pathlib import Path

YAML = """
sample_rate: 22050
llm: !new:cosyvoice.llm.llm.TransformerLM
    text_encoder_input_size: 32
    llm_input_size: 32
    llm_output_size: 32
    text_token_size: 51866
    speech_token_size: 4096
    length_normalized_loss: True
    lsm_weight: 0
    spk_embed_dim: 192
    text_encoder: !new:cosyvoice.transformer.encoder.ConformerEncoder
        input_size: 32
        output_size: 32
        attention_heads: 2
        linear_units: 64
        num_blocks: 1
        dropout_rate: 0.1
        positional_dropout_rate: 0.1
        attention_dropout_rate: 0.0
        normalize_before: True
        input_layer: 'linear'
        pos_enc_layer_type: 'rel_pos_espnet'
        selfattention_layer_type: 'rel_selfattn'
        use_cnn_module: False
        macaron_style: False
        use_dynamic_chunk: False
        use_dynamic_left_chunk: False
        static_chunk_size: 1
    llm: !new:cosyvoice.transformer.encoder.TransformerEncoder
        input_size: 32
        output_size: 32
        attention_heads: 2
        linear_units: 64
        num_blocks: 1
        dropout_rate: 0.1
        positional_dropout_rate: 0.1
        attention_dropout_rate: 0.0
        input_layer: 'linear_legacy'
        pos_enc_layer_type: 'rel_pos_espnet'
        selfattention_layer_type: 'rel_selfattn'
        static_chunk_size: 1
    sampling: !name:cosyvoice.utils.common.ras_sampling
        top_p: 0.8
        top_k: 25
        win_size: 10
        tau_r: 0.1
flow: !new:cosyvoice.flow.flow.MaskedDiffWithXvec
    input_size: 32
    output_size: 80
    spk_embed_dim: 192
    output_type: 'mel'
    vocab_size: 4096
    input_frame_rate: 50
    only_mask_loss: True
    encoder: !new:cosyvoice.transformer.encoder.ConformerEncoder
        output_size: 32
        attention_heads: 2
        linear_units: 64
        num_blocks: 1
        dropout_rate: 0.1
        positional_dropout_rate: 0.1
        attention_dropout_rate: 0.1
        normalize_before: True
        input_layer: 'linear'
        pos_enc_layer_type: 'rel_pos_espnet'
        selfattention_layer_type: 'rel_selfattn'
        input_size: 32
        use_cnn_module: False
        macaron_style: False
    length_regulator: !new:cosyvoice.flow.length_regulator.InterpolateRegulator
        channels: 80
        sampling_ratios: [1, 1, 1, 1]
    decoder: !new:cosyvoice.flow.flow_matching.ConditionalCFM
        in_channels: 240
        n_spks: 1
        spk_emb_dim: 80
        cfm_params: !new:omegaconf.DictConfig
            content:
                sigma_min: 1e-06
                solver: 'euler'
                t_scheduler: 'cosine'
                training_cfg_rate: 0.2
                inference_cfg_rate: 0.7
                reg_loss_type: 'l1'
        estimator: !new:cosyvoice.flow.decoder.ConditionalDecoder
            in_channels: 320
            out_channels: 80
            channels: [32, 32]
            dropout: 0.0
            attention_head_dim: 16
            n_blocks: 1
            num_mid_blocks: 1
            num_heads: 2
            act_fn: 'gelu'
hift: !new:cosyvoice.hifigan.generator.HiFTGenerator
    in_channels: 80
    base_channels: 32
    nb_harmonics: 8
    sampling_rate: 22050
    nsf_alpha: 0.1
    nsf_sigma: 0.003
    nsf_voiced_threshold: 10
    upsample_rates: [8, 8]
    upsample_kernel_sizes: [16, 16]
    istft_params:
        n_fft: 16
        hop_len: 4
    resblock_kernel_sizes: [3, 7, 11]
    resblock_dilation_sizes: [[1, 3, 5], [1, 3, 5], [1, 3, 5]]
    source_resblock_kernel_sizes: [7, 11]
    source_resblock_dilation_sizes: [[1, 3, 5], [1, 3, 5]]
    lrelu_slope: 0.1
    audio_limit: 0.99
    f0_predictor: !new:cosyvoice.hifigan.f0_predictor.ConvRNNF0Predictor
        num_class: 1
        in_channels: 80
        cond_channels: 32
get_tokenizer: !name:whisper.tokenizer.get_tokenizer
    multilingual: True
    num_languages: 100
    language: 'en'
    task: 'transcribe'
allowed_special: 'all'
feat_extractor: !name:matcha.utils.audio.mel_spectrogram
    n_fft: 1024
    num_mels: 80
    sampling_rate: 22050
    hop_size: 256
    win_size: 1024
    fmin: 0
    fmax: 8000
    center: False
"""
SPEAKERS = ("英文女", "英文男", "中文女")
SEED = 1


def write_model(root: Path, out: Path) -> None:
    """The files that `CosyVoice(model_dir)` reads."""
    sys.path[:0] = [str(root), str(root / "third_party" / "Matcha-TTS")]
    import torch
    from hyperpyyaml import load_hyperpyyaml

    out.mkdir(parents=True, exist_ok=True)
    (out / "cosyvoice.yaml").write_text(YAML, encoding="utf-8")
    torch.manual_seed(SEED)
    parts = load_hyperpyyaml(YAML)
    for name in ("llm", "flow", "hift"):
        torch.save(parts[name].state_dict(), out / f"{name}.pt")
    voices = {speaker: {"embedding": torch.randn(1, 192)} for speaker in SPEAKERS}
    torch.save(voices, out / "spk2info.pt")
    _write_speaker_encoder(out / "campplus.onnx")
    _write_speech_tokenizer(out / "speech_tokenizer_v1.onnx")


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


def _write_speech_tokenizer(path: Path) -> None:
    """[1, 128, frames] -> [1, frames / 2]: a token of 4096 from the mean of every second frame."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    constants = {
        "start": np.array([0], np.int64),
        "end": np.array([2**31], np.int64),
        "axis": np.array([1], np.int64),
        "step": np.array([2], np.int64),
        "scale": np.array(100_003.0, np.float32),
        "size": np.array(4096, np.int32),
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
    write_model(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
