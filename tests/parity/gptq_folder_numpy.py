"""A packed 4-bit Llama folder read and run in plain NumPy: an independent reading of the format, no kernel involved.

Layout of a layer `NAME` (https://github.com/ModelCloud/GPTQModel, `qweight` packed along the inputs, eight to an i32, lowest bits first):
    NAME.qweight i32 [in/8, out]   NAME.qzeros i32 [groups, out/8]   NAME.scales f16 [groups, out]   NAME.g_idx i32 [in]
    weight[i, o] = (q[i, o] - zero[g_idx[i], o]) * scale[g_idx[i], o]
`checkpoint_format: gptq` stores zero - 1, `gptq_v2` stores zero.
Embeddings and head may be stored as 8-bit rows, which is ours alone: NAME.weight_q8 i8 [rows, d], NAME.weight_scale f32 [rows].
"""
import json
from pathlib import Path

import numpy as np

# Codes are 0..15.
BITS = 4
PER_WORD = 32 // BITS
NUMPY_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U32": "<u4", "U8": "u1", "I8": "i1"}


def read_safetensors(path):
    """All tensors of a file by name: a length, a JSON header, then the bytes. bf16 becomes f32, which numpy knows."""
    data = np.memmap(path, np.uint8, "r")
    start = 8 + int(data[:8].view("<u8")[0])
    header = json.loads(data[8:start].tobytes())
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        raw = data[start + first : start + last].tobytes()
        if entry["dtype"] == "BF16":
            array = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            array = np.frombuffer(raw, NUMPY_TYPES[entry["dtype"]])
        found[name] = array.reshape(entry["shape"])
    return found


def tensors(folder):
    """All tensors of a folder by name, as numpy arrays."""
    found = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        found.update(read_safetensors(path))
    return found


def unpack(words, axis):
    """The 4-bit numbers in i32 `words`, eight to a word along `axis`."""
    shifts = np.arange(PER_WORD, dtype=np.uint32) * BITS
    codes = (words.view(np.uint32)[..., None] >> shifts) & 15
    codes = np.moveaxis(codes, -1, axis + 1)
    shape = list(words.shape)
    shape[axis] *= PER_WORD
    return codes.reshape(shape).astype(np.int32)


def dequantize(found, name, stored_minus_one):
    """f32 weight [in, out] of layer `name`; raises ValueError if its tensors do not fit together."""
    qweight, qzeros, scales, g_idx = (found[f"{name}.{part}"] for part in ("qweight", "qzeros", "scales", "g_idx"))
    inputs, outputs, groups = qweight.shape[0] * PER_WORD, qweight.shape[1], scales.shape[0]
    if g_idx.shape != (inputs,) or scales.shape != (groups, outputs) or qzeros.shape != (groups, outputs // PER_WORD):
        raise ValueError(f"{name}: shapes {qweight.shape} {qzeros.shape} {scales.shape} {g_idx.shape} do not fit together")
    if g_idx.min() < 0 or g_idx.max() >= groups or not np.isfinite(scales).all():
        raise ValueError(f"{name}: g_idx out of range or a scale that is no number")
    zeros = unpack(qzeros, 1)
    if stored_minus_one:
        zeros = zeros + 1
    return (unpack(qweight, 0) - zeros[g_idx]).astype(np.float32) * scales.astype(np.float32)[g_idx]


def load(folder):
    """(config, every weight in f32; matrices of linear layers as [in, out], names without `.weight`)."""
    config = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    quantization = config["quantization_config"]
    if quantization["quant_method"] != "gptq" or quantization["bits"] != BITS:
        raise ValueError("not a 4-bit GPTQ folder")
    minus_one = quantization.get("checkpoint_format", quantization.get("format", "gptq")) == "gptq"
    found = tensors(folder)
    packed = [name.removesuffix(".qweight") for name in found if name.endswith(".qweight")]
    weights = {name: dequantize(found, name, minus_one) for name in packed}
    rows8 = [name.removesuffix("_q8") for name in found if name.endswith(".weight_q8")]
    found.update({name: found[f"{name}_q8"] * found[f"{name}_scale"][:, None] for name in rows8})
    for name, tensor in found.items():
        if name.endswith(".weight"):
            matrix = tensor.ndim == 2 and "embed_tokens" not in name
            weights[name.removesuffix(".weight")] = (tensor.T if matrix else tensor).astype(np.float32)
    return config, packed, weights


def rms_norm(x, weight, epsilon):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * weight


def rotate(x, theta):
    """Rotary embedding of x [t, heads, width], position = row."""
    width = x.shape[-1]
    angle = np.arange(x.shape[0])[:, None] / theta ** (np.arange(0, width, 2) / width)
    cos, sin = (np.concatenate([f(angle)] * 2, -1)[:, None].astype(np.float32) for f in (np.cos, np.sin))
    first, second = x[..., : width // 2], x[..., width // 2 :]
    return x * cos + np.concatenate([-second, first], -1) * sin


def attention(q, k, v):
    """Causal attention; q [t, heads, width], k and v [t, kv_heads, width]."""
    repeat = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, repeat, 1), np.repeat(v, repeat, 1)
    scores = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(q.shape[-1]).astype(np.float32)
    scores = np.where(np.tril(np.ones(scores.shape[1:], bool)), scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum("hqk,khd->qhd", weights / weights.sum(-1, keepdims=True), v).reshape(q.shape[0], -1)


def logits(config, w, ids):
    """Logits [t, vocabulary] of a Llama without biases and without rope scaling."""
    rope = config.get("rope_parameters") or {"rope_theta": config.get("rope_theta", 10000.0)}
    if rope.get("rope_type", "default") != "default" or config.get("rope_scaling"):
        raise ValueError("rope scaling is not part of this check")
    heads, kv_heads, epsilon = config["num_attention_heads"], config["num_key_value_heads"], config["rms_norm_eps"]
    width = config.get("head_dim") or config["hidden_size"] // heads
    x = w["model.embed_tokens"][ids]
    for index in range(config["num_hidden_layers"]):
        layer = f"model.layers.{index}"
        normed = rms_norm(x, w[f"{layer}.input_layernorm"], epsilon)
        q, k, v = ((normed @ w[f"{layer}.self_attn.{p}_proj"]).reshape(len(ids), n, width) for p, n in (("q", heads), ("k", kv_heads), ("v", kv_heads)))
        mixed = attention(rotate(q, rope["rope_theta"]), rotate(k, rope["rope_theta"]), v)
        x = x + mixed @ w[f"{layer}.self_attn.o_proj"]
        normed = rms_norm(x, w[f"{layer}.post_attention_layernorm"], epsilon)
        gate = normed @ w[f"{layer}.mlp.gate_proj"]
        x = x + (gate / (1 + np.exp(-gate)) * (normed @ w[f"{layer}.mlp.up_proj"])) @ w[f"{layer}.mlp.down_proj"]
    head = w["lm_head"] if "lm_head" in w else w["model.embed_tokens"].T
    return rms_norm(x, w["model.norm"], epsilon) @ head
