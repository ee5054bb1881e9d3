#!/usr/bin/env python3
"""Writes the reference outputs that tests/tests/text_parity.rs compares with.

Random tiny language models, one folder each under tests/fixtures/text: config.json, model.safetensors (weights) and
expected.safetensors (`ids` [t] i64, `logits` [t, vocab] f32, `greedy` [n] i64: what follows the first PROMPT ids),
computed by transformers in f32.

With --smollm2 FOLDER (a Hugging Face folder of SmolLM2-135M-Instruct) it also writes smollm2_greedy.json: prompts and
the tokens that transformers generates greedily.

    pip install torch transformers safetensors
    python3 tests/parity/make_text_fixtures.py [NAME …] [--smollm2 FOLDER]
"""
import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

OUT = Path(__file__).resolve().parents[1] / "fixtures" / "text"
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
TINY_OPT = dict(vocab_size=96, hidden_size=32, ffn_dim=64, num_hidden_layers=2, num_attention_heads=4,
                max_position_embeddings=128, word_embed_proj_dim=32, init_std=0.3, dropout=0.0)
# Models of other kinds: their model_type and what differs from TINY or TINY_OPT.
KINDS = {
    "qwen2": ("qwen2", dict(num_key_value_heads=2, tie_word_embeddings=True)),
    "qwen2_untied": ("qwen2", dict(num_key_value_heads=1, tie_word_embeddings=False, rope_theta=1000000.0)),
    "qwen3": ("qwen3", dict(num_key_value_heads=2, head_dim=16, tie_word_embeddings=True)),
    "qwen3_bias": ("qwen3", dict(num_key_value_heads=4, head_dim=8, tie_word_embeddings=False, attention_bias=True)),
    "opt": ("opt", {}),
    "opt_350m": ("opt", dict(word_embed_proj_dim=16, do_layer_norm_before=False)),
    "opt_old": ("opt", dict(_remove_final_layer_norm=True, activation_function="gelu", enable_bias=False,
                            tie_word_embeddings=False)),
}
GROUP = 16
# Of the ids, those that greedy generation starts from, and what it adds.
PROMPT, NEW = 20, 40
PROMPTS = ["The capital of France is", "Write one sentence about the sea.", "1, 2, 3, 4,"]


def tiny_fixtures(wanted):
    llamas = {name: ("llama", extra) for name, extra in CONFIGS.items()}
    for seed, (name, (kind, extra)) in enumerate({**llamas, **KINDS}.items()):
        if not wanted(name):
            continue
        torch.manual_seed(seed)
        tiny = TINY_OPT if kind == "opt" else TINY
        config = AutoConfig.for_model(kind, **{**tiny, **extra}, bos_token_id=0, eos_token_id=1)
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        for parameter_name, parameter in model.named_parameters():
            if "norm" in parameter_name or parameter_name.endswith("bias"):
                mean = float("norm" in parameter_name and parameter_name.endswith("weight"))
                torch.nn.init.normal_(parameter, mean=mean, std=0.2)
        model.save_pretrained(OUT / name)
        save_expected(model, OUT / name)


def save_expected(model, folder):
    ids = torch.randint(0, TINY["vocab_size"], (1, 70))
    with torch.no_grad():
        logits = model(ids).logits[0]
        greedy = model.generate(ids[:, :PROMPT], attention_mask=torch.ones(1, PROMPT), do_sample=False, use_cache=True,
                                min_new_tokens=NEW, max_new_tokens=NEW, eos_token_id=None, pad_token_id=0)[0, PROMPT:]
    (folder / "generation_config.json").unlink(missing_ok=True)
    save_file({"ids": ids[0], "logits": logits.contiguous(), "greedy": greedy}, folder / "expected.safetensors")
    print(folder.name, sum(f.stat().st_size for f in folder.iterdir()), "bytes, greedy", len(set(greedy.tolist())), "tokens")


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
    parser.add_argument("names", nargs="*", metavar="NAME", help="folders to write; all without one")
    parser.add_argument("--smollm2", metavar="FOLDER")
    args = parser.parse_args()
    wanted = lambda name: not args.names or name in args.names
    tiny_fixtures(wanted)
    if wanted("packed"):
        packed_fixture()
    if args.smollm2:
        smollm2_greedy(args.smollm2)
