#!/usr/bin/env python3
"""Make the GGUF fixtures of models/tests/gguf.rs: tests/parity/gguf/.

    pip install gguf tokenizers transformers torch safetensors
    python3 tests/parity/make_gguf_fixtures.py

Every file comes with what a reader must make of it, computed by other programs:

- blocks.gguf: one tensor of every block format; blocks.safetensors holds what gguf-py's `dequantize` makes of them.
- llama-*.gguf, qwen2.gguf, qwen3.gguf: tiny random models as llama.cpp's converter writes them; NAME.safetensors holds the weights
  under Hugging Face names before conversion (rounded to the stored format), and transformers' own GGUF reader must agree
  (this script fails if it does not). Row order and names are thereby checked against two other programs.
- tokenizers.json: texts and the ids that the Hugging Face tokenizer with the same vocabulary gives. Its pre-tokenizers are those of
  the `tokenizer.json` that SmolLM2, LLaMA 3, Qwen 2 and GPT-2 ship.
"""

import json
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Q
from safetensors.numpy import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM

OUT = Path(__file__).resolve().parent / "gguf"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
HIDDEN, HEADS, KV_HEADS, FFN, CONTEXT = 32, 4, 2, 64, 128
VOCAB = 360
LLAMA3_PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2_PATTERN = LLAMA3_PATTERN.replace("{1,3}", "")

TRAINING = """The quick brown fox jumps over the lazy dog. The dog does not mind. Take one tablet twice a day with water, not more than
four tablets in 24 hours. Don't take it if you're allergic; they've said it isn't safe. Store below 25 degrees. Best before 11/2027.
Reading a label is easier when the light is good and the hand is still. 100 200 300 400 500 600 700 800 900 1000 12345
""".splitlines()

TEXTS = [
    "",
    "The dog takes 2 tablets.",
    "Don't take more than 12345 mg in 24 hours; they've said it isn't safe, I'LL say it again.",
    "   leading, trailing   and\ttabs \n\n and newlines\r\n",
    "naïve café, 日本語のテキスト, emoji 👩‍🦯 and e\u0301 (decomposed), ½ ٣ Ⅷ",
    "<|im_start|>user\nWhat is it?<|im_end|>\n<|im_start|>assistant\n",
    "price: $4.99 / 3,50 € -- best before 11/2027!!! #1_000 x<|endoftext|>y",
    "SHOUTING camelCase snake_case a.b@c.org",
]


def trained_tokenizer(kind):
    """A small byte-level BPE that splits words as `kind` does."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=kind == "llama-bpe"))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind in ("smollm", "gpt-2"))
    split = lambda pattern: pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False)
    tokenizer.pre_tokenizer = {
        "smollm": lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level]),
        "gpt-2": lambda: byte_level,
        "llama-bpe": lambda: pre_tokenizers.Sequence([split(LLAMA3_PATTERN), byte_level]),
        "qwen2": lambda: pre_tokenizers.Sequence([split(QWEN2_PATTERN), byte_level]),
    }[kind]()
    if kind == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCAB, special_tokens=SPECIAL, initial_alphabet=sorted(alphabet), show_progress=False)
    tokenizer.train_from_iterator(TRAINING, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    if kind == "llama-bpe":
        tokenizer.post_processor = processors.TemplateProcessing(single=f"{SPECIAL[1]} $A", special_tokens=[(SPECIAL[1], 1)])
    return tokenizer


def add_tokenizer(writer, tokenizer, kind):
    state = json.loads(tokenizer.to_str())["model"]
    vocab = sorted(state["vocab"], key=state["vocab"].get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(kind)
    writer.add_token_list(vocab)
    writer.add_token_types([3 if token in SPECIAL else 1 for token in vocab])
    writer.add_token_merges([" ".join(pair) for pair in state["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    if kind != "llama-bpe":  # left out there, where the pre-tokenizer implies it
        writer.add_add_bos_token(False)
    writer.add_chat_template("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}")
    return vocab


def permute(weight, heads):
    """What llama.cpp's converter does to query and key rows of the Llama family."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def rounded(array, kind):
    """The array as it survives being stored in a format: raw bytes, values."""
    if kind == Q.F32:
        return array.astype(np.float32), array.astype(np.float32)
    raw = gguf.quants.quantize(array, kind)
    return raw, gguf.quants.dequantize(raw, kind).reshape(array.shape).astype(np.float32)


def write_model(name, arch, kind, formats, tied, rng, rope_factors=None):
    """Writes NAME.gguf and NAME.safetensors; returns the tokenizer."""
    writer = gguf.GGUFWriter(OUT / f"{name}.gguf", arch)
    tokenizer = trained_tokenizer(kind)
    vocab = add_tokenizer(writer, tokenizer, kind)
    head_dim = HIDDEN // HEADS
    writer.add_block_count(1)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(50000.0)
    writer.add_vocab_size(len(vocab))
    writer.add_file_type(0)
    if arch == "qwen3":
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)

    layer, q, kv = "model.layers.0", HEADS * head_dim, KV_HEADS * head_dim
    shapes = {
        ("model.embed_tokens.weight", "token_embd.weight"): (len(vocab), HIDDEN),
        ("model.norm.weight", "output_norm.weight"): (HIDDEN,),
        (f"{layer}.input_layernorm.weight", "blk.0.attn_norm.weight"): (HIDDEN,),
        (f"{layer}.post_attention_layernorm.weight", "blk.0.ffn_norm.weight"): (HIDDEN,),
        (f"{layer}.self_attn.q_proj.weight", "blk.0.attn_q.weight"): (q, HIDDEN),
        (f"{layer}.self_attn.k_proj.weight", "blk.0.attn_k.weight"): (kv, HIDDEN),
        (f"{layer}.self_attn.v_proj.weight", "blk.0.attn_v.weight"): (kv, HIDDEN),
        (f"{layer}.self_attn.o_proj.weight", "blk.0.attn_output.weight"): (HIDDEN, q),
        (f"{layer}.mlp.gate_proj.weight", "blk.0.ffn_gate.weight"): (FFN, HIDDEN),
        (f"{layer}.mlp.up_proj.weight", "blk.0.ffn_up.weight"): (FFN, HIDDEN),
        (f"{layer}.mlp.down_proj.weight", "blk.0.ffn_down.weight"): (HIDDEN, FFN),
    }
    if not tied:
        shapes["lm_head.weight", "output.weight"] = (len(vocab), HIDDEN)
    if arch == "qwen2":
        for module, size in (("q", q), ("k", kv), ("v", kv)):
            shapes[f"{layer}.self_attn.{module}_proj.bias", f"blk.0.attn_{module}.bias"] = (size,)
    if arch == "qwen3":
        for module in ("q", "k"):
            shapes[f"{layer}.self_attn.{module}_norm.weight", f"blk.0.attn_{module}_norm.weight"] = (head_dim,)

    expected = {}
    for number, ((hf_name, ggml_name), shape) in enumerate(shapes.items()):
        weight = rng.standard_normal(shape).astype(np.float32)
        kind_of_tensor = Q.F32 if len(shape) == 1 else formats[number % len(formats)]
        heads = {"attn_q": HEADS, "attn_k": KV_HEADS}.get(ggml_name.split(".")[-2]) if arch == "llama" else None
        if heads:
            raw, values = rounded(permute(weight, heads), kind_of_tensor)
            # Rounding acts within rows and moving rows commutes with it, so this is what the file holds in the old order.
            expected[hf_name] = rounded(weight, kind_of_tensor)[1]
            assert np.array_equal(permute(expected[hf_name], heads), values)
        else:
            raw, expected[hf_name] = rounded(weight, kind_of_tensor)
        writer.add_tensor(ggml_name, raw, raw_dtype=None if kind_of_tensor == Q.F32 else kind_of_tensor)
    if rope_factors is not None:
        writer.add_tensor("rope_freqs.weight", np.asarray(rope_factors, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, OUT / f"{name}.safetensors")
    check_with_transformers(name, expected)
    return tokenizer


def check_with_transformers(name, expected):
    # transformers does not read the head size that Qwen 3 files state.
    settings = {"head_dim": HIDDEN // HEADS} if name == "qwen3" else {}
    model = AutoModelForCausalLM.from_pretrained(OUT, gguf_file=f"{name}.gguf", dtype=torch.float32, **settings)
    state = model.state_dict()
    for key, value in expected.items():
        assert torch.equal(state[key], torch.from_numpy(value)), f"transformers reads another {key} from {name}.gguf"


def write_blocks(rng):
    """Every format: those that gguf-py writes from normal values, the K formats from random codes with sane scales."""
    writer = gguf.GGUFWriter(OUT / "blocks.gguf", "llama")
    writer.add_block_count(1)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    rows, width = 3, 512
    expected = {}
    for kind in (Q.F32, Q.F16, Q.BF16, Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q8_0):
        raw, expected[f"test.{kind.name}"] = rounded(rng.standard_normal((rows, width)).astype(np.float32), kind)
        writer.add_tensor(f"test.{kind.name}", raw, raw_dtype=None if kind == Q.F32 else kind)
    for kind, scales in ((Q.Q4_K, (0, 2)), (Q.Q5_K, (0, 2)), (Q.Q6_K, (208,))):
        block, size = gguf.GGML_QUANT_SIZES[kind]
        raw = rng.integers(0, 256, (rows, width // block, size), dtype=np.uint8)
        for at in scales:
            raw[..., at : at + 2] = (rng.standard_normal((rows, width // block, 1)) / 64).astype(np.float16).view(np.uint8)
        raw = raw.reshape(rows, -1)
        expected[f"test.{kind.name}"] = gguf.quants.dequantize(raw, kind).reshape(rows, width).astype(np.float32)
        writer.add_tensor(f"test.{kind.name}", raw, raw_dtype=kind)
    embeddings = np.zeros((4, HIDDEN), dtype=np.float32)
    expected["model.embed_tokens.weight"] = embeddings
    writer.add_tensor("token_embd.weight", embeddings)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, OUT / "blocks.safetensors")


def llama3_factors(theta, head_dim, factor, low=1.0, high=4.0, context=8192.0):
    """The divisors that llama.cpp's converter stores for LLaMA 3.1's rotary scaling."""
    factors = []
    for i in range(0, head_dim, 2):
        wavelength = 2 * np.pi * theta ** (i / head_dim)
        if wavelength < context / high:
            factors.append(1.0)
        elif wavelength > context / low:
            factors.append(factor)
        else:
            smooth = (context / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / factor + smooth))
    return factors


def main():
    OUT.mkdir(exist_ok=True)
    rng = np.random.default_rng(20260101)
    write_blocks(rng)
    models_to_write = [
        ("llama-smollm", "llama", "smollm", [Q.Q8_0, Q.Q4_1, Q.F16], True, None),
        ("llama-llama3", "llama", "llama-bpe", [Q.F16, Q.Q4_0], False, llama3_factors(50000.0, HIDDEN // HEADS, 8.0)),
        ("llama-gpt2", "llama", "gpt-2", [Q.BF16], True, None),
        ("qwen2", "qwen2", "qwen2", [Q.F16, Q.Q5_0], True, None),
        ("qwen3", "qwen3", "qwen2", [Q.F32, Q.Q5_1], False, None),
    ]
    cases = {}
    for name, arch, kind, formats, tied, factors in models_to_write:
        tokenizer = write_model(name, arch, kind, formats, tied, rng, factors)
        cases[name] = [{"text": text, "ids": tokenizer.encode(text).ids} for text in TEXTS]
    (OUT / "tokenizers.json").write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for path in sorted(OUT.iterdir()):
        print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")
        assert path.stat().st_size < 200_000


if __name__ == "__main__":
    main()
