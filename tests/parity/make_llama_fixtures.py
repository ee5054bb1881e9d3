#!/usr/bin/env python3
"""Writes the reference outputs that tests/tests/llama_parity.rs compares with.

Random tiny Llama models, one folder each under tests/fixtures/llama: config.json, model.safetensors (weights) and
expected.safetensors (`ids` [t] i64, `logits` [t, vocab] f32), computed by transformers in f32.

With --smollm2 FOLDER (a Hugging Face folder of SmolLM2-135M-Instruct) it also writes smollm2_greedy.json: prompts and
the tokens that transformers generates greedily.

    pip install torch transformers safetensors
    python3 tests/parity/make_llama_fixtures.py [--smollm2 FOLDER]
"""
import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

OUT = Path(__file__).resolve().parents[1] / "fixtures" / "llama"
TINY = dict(vocab_size=96, hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=4, max_position_embeddings=128, rms_norm_eps=1e-5, initializer_range=0.3)
CONFIGS = {
    "tied": dict(tie_word_embeddings=True),
    "untied_gqa": dict(tie_word_embeddings=False, num_key_value_heads=2, rope_theta=500000.0),
    "one_kv_head_bias": dict(tie_word_embeddings=True, num_key_value_heads=1, attention_bias=True, mlp_bias=True),
    "wide_heads": dict(tie_word_embeddings=True, head_dim=16, num_key_value_heads=2),
    "rope_llama3": dict(tie_word_embeddings=True, num_key_value_heads=2, rope_scaling=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)),
    "rope_linear": dict(tie_word_embeddings=True, rope_scaling=dict(rope_type="linear", factor=2.0)),
    "rope_yarn": dict(tie_word_embeddings=True, num_key_value_heads=2, rope_scaling=dict(
        rope_type="yarn", factor=4.0, original_max_position_embeddings=32)),
}
GROUP = 16
PROMPTS = ["The capital of France is", "Write one sentence about the sea.", "1, 2, 3, 4,"]


def tiny_fixtures():
    for seed, (name, extra) in enumerate(CONFIGS.items()):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(LlamaConfig(**{**TINY, **extra}, bos_token_id=0, eos_token_id=1)).eval()
        for parameter_name, parameter in model.named_parameters():
            if parameter_name.endswith(("bias", "norm.weight")):
                torch.nn.init.normal_(parameter, mean=float("norm" in parameter_name), std=0.2)
        model.save_pretrained(OUT / name)
        save_expected(model, OUT / name)


def save_expected(model, folder):
    ids = torch.randint(0, TINY["vocab_size"], (1, 70))
    with torch.no_grad():
        logits = model(ids).logits[0]
    (folder / "generation_config.json").unlink(missing_ok=True)
    save_file({"ids": ids[0], "logits": logits.contiguous()}, folder / "expected.safetensors")
    print(folder.name, sum(f.stat().st_size for f in folder.iterdir()), "bytes")


def packed_fixture():
    """A folder of 4-bit layers and an 8-bit embedding; the reference runs the same weights, dequantized, as floats.

    Columns are in activation order: in the first block q, k, v and gate, up share it, in the second they do not.
    """
    torch.manual_seed(100)
    model = LlamaForCausalLM(LlamaConfig(**{**TINY, "num_key_value_heads": 2}, bos_token_id=0, eos_token_id=1)).eval()
    weights = model.state_dict()
    packed, order = {}, None
    for name in [n for n in weights if n.endswith(("_proj.weight", "lm_head.weight"))]:
        out_features, in_features = weights[name].shape
        if order is None or len(order) != in_features or not name.startswith("model.layers.0"):
            order = torch.randperm(in_features)
        g_idx = torch.empty(in_features, dtype=torch.int32)
        g_idx[order] = torch.arange(in_features, dtype=torch.int32) // GROUP
        groups = int(g_idx.max()) + 1
        codes = torch.randint(0, 16, (out_features, in_features))
        zeros = torch.randint(4, 12, (groups, out_features))
        scales = (0.02 + 0.08 * torch.rand(groups, out_features)).half()
        g = g_idx.long()
        weights[name] = (scales.float()[g] * (codes.T - zeros[g])).T.contiguous()
        prefix = name.removesuffix(".weight")
        packed |= {f"{prefix}.qweight": pack(codes.T), f"{prefix}.qzeros": pack(zeros.T).T.contiguous(),
                   f"{prefix}.scales": scales, f"{prefix}.g_idx": g_idx}
    codes = torch.randint(-127, 128, weights["model.embed_tokens.weight"].shape, dtype=torch.int8)
    scales = (0.001 + 0.004 * torch.rand(len(codes))).half()
    weights["model.embed_tokens.weight"] = codes.float() * scales.float()[:, None]
    packed |= {"model.embed_tokens.weight_q8": codes, "model.embed_tokens.weight_scale": scales}
    packed |= {n: w.contiguous() for n, w in weights.items() if n.endswith("norm.weight")}
    model.load_state_dict(weights)

    folder = OUT / "packed"
    model.config.quantization_config = dict(
        quant_method="gptq", bits=4, group_size=GROUP, desc_act=True, sym=False, checkpoint_format="gptq_v2",
        lm_head=True, embeddings="i8_rows")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(model.config.to_dict(), indent=2, sort_keys=True) + "\n", encoding="utf-8")
    save_file(packed, folder / "model.safetensors", metadata={"format": "pt"})
    save_expected(model, folder)


def pack(codes):
    """[8 n, m] codes to [n, m] words, the first code in the lowest bits."""
    shifts = 4 * torch.arange(8).reshape(1, 8, 1)
    words = (codes.long().reshape(-1, 8, codes.shape[1]) << shifts).sum(1)
    return torch.where(words >= 1 << 31, words - (1 << 32), words).int().contiguous()


def smollm2_greedy(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    rows = []
    for prompt in PROMPTS:
        chat = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True)
        ids = tokenizer(chat, add_special_tokens=False, return_tensors="pt").input_ids
        out = model.generate(ids, max_new_tokens=40, do_sample=False, repetition_penalty=1.0)[0, ids.shape[1]:]
        rows.append({"prompt": prompt, "chat": chat, "ids": ids[0].tolist(), "new": out.tolist(),
                     "text": tokenizer.decode(out, skip_special_tokens=True)})
        print(rows[-1]["text"])
    (OUT / "smollm2_greedy.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smollm2", metavar="FOLDER")
    args = parser.parse_args()
    tiny_fixtures()
    packed_fixture()
    if args.smollm2:
        smollm2_greedy(args.smollm2)
