"""CogVLM2 (cogvlm2-llama3-chat-19B) in plain torch functions over the tensors of a checkpoint, by their published names.

transformers has no CogVLM, so this is a reference of our own. It rests on the files that the model was published with, as copies of them
stand in public repositories:

- `config.json`, `configuration_cogvlm.py` and `model.safetensors.index.json` (names of fields and tensors; the shapes that `shapes` gives
  for the published configuration, with the frequencies in 16 bit, take the 39,006,214,656 bytes that the index counts);
- `modeling_cogvlm.py`, `visual.py` and `util.py` (what is computed; `build_conversation_input_ids` for prompt and picture);
- the paper (Wang et al., 2023: CogVLM, Visual Expert for Pretrained Language Models), and the ports of lmdeploy (`cogvlm.py`) and
  llama.cpp (`tools/mtmd/models/cogvlm.cpp`), with which order of norms, epsilons, routing and key/value heads were compared.

On both fixtures this reference was compared with the published code itself (Triton's rotation and xformers' attention replaced by torch):
every tensor name matched, logits were at most 3e-5 apart, greedy tokens were the same.

What is easily missed:

- The tower's norms stand behind attention and feed-forward layers, in front of the sum.
- A picture takes `boi`, a quarter of its patches, and `eoi`. All but `eoi` go through the vision expert.
- The quarter's positions are one position; `boi` and `eoi` have one each.
- The language model's frequencies have base 500,000. The published files store them in bfloat16, and loading them puts the rounded ones
  in place of those computed; so it is done here. The published code then rounds products of position and frequency to bfloat16 too where
  the model runs in that type; this reference computes in float32.
- Chats are `Question: … Answer:`, without the turns of LLaMA 3.
"""
import numpy as np
import torch
from PIL import Image
from torch.nn.functional import conv2d, embedding, gelu, layer_norm, linear, rms_norm, scaled_dot_product_attention, silu

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
ROPE_BASE = 500000
# Of the connector's norm, which takes torch's own.
CONNECTOR_EPS = 1e-5
PROMPTS = {"base": "{}", "chat": "Question: {} Answer:", "vqa": "Question: {} Short answer:"}


def head_dim(config):
    return config["hidden_size"] // config["num_attention_heads"]


def picture_positions(config):
    """Positions that a picture takes in a prompt: `boi`, squares of two by two patches, `eoi`."""
    vision = config["vision_config"]
    return (vision["image_size"] // vision["patch_size"] // 2) ** 2 + 2


def shapes(config, with_frequencies):
    """Every tensor of a checkpoint."""
    d, inner, kv = config["hidden_size"], config["intermediate_size"], config["num_multi_query_heads"] * head_dim(config)
    vision = config["vision_config"]
    v, v_inner = vision["hidden_size"], vision["intermediate_size"]
    all_shapes = {"model.embed_tokens.weight": (config["vocab_size"], d), "model.norm.weight": (d,), "lm_head.weight": (config["vocab_size"], d)}

    def put(prefix, weight, has_bias):
        all_shapes[f"{prefix}.weight"] = weight
        if has_bias:
            all_shapes[f"{prefix}.bias"] = weight[:1]

    for n in range(config["num_hidden_layers"]):
        layer = f"model.layers.{n}"
        for norm in ("input_layernorm", "post_attention_layernorm"):
            put(f"{layer}.{norm}", (d,), False)
        for expert in ("vision", "language"):
            put(f"{layer}.self_attn.{expert}_expert_query_key_value", (d + 2 * kv, d), expert == "vision")
            put(f"{layer}.self_attn.{expert}_expert_dense", (d, d), False)
            put(f"{layer}.mlp.{expert}_mlp.gate_proj", (inner, d), False)
            put(f"{layer}.mlp.{expert}_mlp.up_proj", (inner, d), False)
            put(f"{layer}.mlp.{expert}_mlp.down_proj", (d, inner), False)
        if with_frequencies:
            all_shapes[f"{layer}.self_attn.rotary_emb.inv_freq"] = (head_dim(config) // 2,)
    tower = "model.vision"
    put(f"{tower}.patch_embedding.proj", (v, vision["in_channels"], vision["patch_size"], vision["patch_size"]), True)
    all_shapes[f"{tower}.patch_embedding.cls_embedding"] = (1, v)
    put(f"{tower}.patch_embedding.position_embedding", (vision["num_positions"], v), False)
    for n in range(vision["num_hidden_layers"]):
        layer = f"{tower}.transformer.layers.{n}"
        put(f"{layer}.attention.query_key_value", (3 * v, v), True)
        put(f"{layer}.attention.dense", (v, v), True)
        put(f"{layer}.mlp.fc1", (v_inner, v), True)
        put(f"{layer}.mlp.fc2", (v, v_inner), True)
        put(f"{layer}.input_layernorm", (v,), True)
        put(f"{layer}.post_attention_layernorm", (v,), True)
    put(f"{tower}.conv", (v, v, 2, 2), True)
    put(f"{tower}.linear_proj.linear_proj", (d, v), False)
    put(f"{tower}.linear_proj.norm1", (d,), True)
    put(f"{tower}.linear_proj.dense_h_to_4h", (inner, d), False)
    put(f"{tower}.linear_proj.gate_proj", (inner, d), False)
    put(f"{tower}.linear_proj.dense_4h_to_h", (d, inner), False)
    all_shapes |= {f"{tower}.boi": (1, 1, d), f"{tower}.eoi": (1, 1, d)}
    return all_shapes


def pixel_values(picture, image_size):
    """A picture squeezed to a square, `[3, image_size, image_size]`."""
    square = np.asarray(picture.convert("RGB").resize((image_size, image_size), Image.Resampling.BICUBIC))
    planes = torch.from_numpy(square.copy()).permute(2, 0, 1).to(torch.float32) / 255
    mean, std = (torch.tensor(values, dtype=torch.float32)[:, None, None] for values in (CLIP_MEAN, CLIP_STD))
    return (planes - mean) / std


def prompt_ids(config, tokenizer, question, with_picture=True):
    """Tokens of a prompt, the picture's as the token for padding."""
    picture = [config["pad_token_id"]] * (picture_positions(config) if with_picture else 0)
    text = PROMPTS[config["template_version"]].format(question)
    return [config["bos_token_id"], *picture, *tokenizer.encode(text, add_special_tokens=False).ids]


class CogVlm:
    """Computes with `tensors`, all in float32."""

    def __init__(self, config, tensors):
        self.config, self.tensors = config, tensors

    def of(self, prefix):
        """Weight and bias, or the weight alone."""
        names = [f"{prefix}.{part}" for part in ("weight", "bias")]
        return [self.tensors[name] for name in names if name in self.tensors]

    def linear(self, prefix, x):
        return linear(x, *self.of(prefix))

    def look(self, pixels):
        """What the tower sees in a picture, `[patches, d_vision]`."""
        vision = self.config["vision_config"]
        heads, eps, root = vision["num_heads"], vision["layer_norm_eps"], "model.vision"
        patches = conv2d(pixels[None], *self.of(f"{root}.patch_embedding.proj"), stride=vision["patch_size"])[0].flatten(1).T
        x = torch.cat([self.tensors[f"{root}.patch_embedding.cls_embedding"], patches])
        x = x + self.tensors[f"{root}.patch_embedding.position_embedding.weight"]
        for n in range(vision["num_hidden_layers"]):
            layer = f"{root}.transformer.layers.{n}"
            qkv = self.linear(f"{layer}.attention.query_key_value", x).unflatten(-1, (3, heads, -1)).permute(1, 2, 0, 3)
            attended = scaled_dot_product_attention(*qkv).transpose(0, 1).flatten(1)
            attended = self.linear(f"{layer}.attention.dense", attended)
            x = x + layer_norm(attended, attended.shape[-1:], *self.of(f"{layer}.input_layernorm"), eps=eps)
            inside = gelu(self.linear(f"{layer}.mlp.fc1", x))
            outside = self.linear(f"{layer}.mlp.fc2", inside)
            x = x + layer_norm(outside, outside.shape[-1:], *self.of(f"{layer}.post_attention_layernorm"), eps=eps)
        return x[1:]

    def connect(self, seen):
        """The positions of a prompt that a picture takes, `[positions, d]`."""
        side, adapter = int(len(seen) ** 0.5), "model.vision.linear_proj"
        squares = conv2d(seen.T.unflatten(1, (side, side))[None], *self.of("model.vision.conv"), stride=2)[0].flatten(1).T
        x = self.linear(f"{adapter}.linear_proj", squares)
        x = gelu(layer_norm(x, x.shape[-1:], *self.of(f"{adapter}.norm1"), eps=CONNECTOR_EPS))
        x = silu(self.linear(f"{adapter}.gate_proj", x)) * self.linear(f"{adapter}.dense_h_to_4h", x)
        x = self.linear(f"{adapter}.dense_4h_to_h", x)
        return torch.cat([self.tensors["model.vision.boi"][0], x, self.tensors["model.vision.eoi"][0]])

    def embed(self, ids, connected):
        """Input of the first block, `[t, d]`; what a picture became goes behind the first token."""
        x = embedding(torch.tensor(ids), self.tensors["model.embed_tokens.weight"])
        if connected is None:
            return x
        return torch.cat([x[:1], connected, x[1 + len(connected):]])

    def logits(self, x, picture):
        """Logits `[t, vocab]` of embeddings `[t, d]`, of which the `picture` behind the first are those of a picture."""
        config = self.config
        d, heads, kv_heads, dh = config["hidden_size"], config["num_attention_heads"], config["num_multi_query_heads"], head_dim(config)
        t, eps = len(x), config["rms_norm_eps"]
        is_seen = torch.zeros(t, dtype=torch.bool)
        is_seen[1:picture] = True
        # bos 0, boi 1, all that was seen 2, eoi 3, text from 4 on.
        positions = torch.cat([torch.arange(2), torch.full((picture - 2,), 2), torch.arange(3, t - picture + 3)]) if picture else torch.arange(t)

        def routed(x, name):
            y = self.linear(name.format("language"), x)
            y[is_seen] = self.linear(name.format("vision"), x[is_seen])
            return y

        for n in range(config["num_hidden_layers"]):
            layer = f"model.layers.{n}"
            frequencies = self.tensors.get(f"{layer}.self_attn.rotary_emb.inv_freq")
            if frequencies is None:
                frequencies = 1.0 / ROPE_BASE ** (torch.arange(0, dh, 2) / dh)
            angles = torch.outer(positions.float(), frequencies)
            cos, sin = angles.cos(), angles.sin()

            def turn(heads_of_x):
                first, second = heads_of_x.chunk(2, dim=-1)
                return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)

            normed = rms_norm(x, (d,), *self.of(f"{layer}.input_layernorm"), eps=eps)
            qkv = routed(normed, layer + ".self_attn.{}_expert_query_key_value").split([d, kv_heads * dh, kv_heads * dh], dim=-1)
            q, k, v = (part.unflatten(-1, (-1, dh)).transpose(0, 1) for part in qkv)
            k, v = (part.repeat_interleave(heads // kv_heads, dim=0) for part in (turn(k), v))
            attended = scaled_dot_product_attention(turn(q), k, v, is_causal=True).transpose(0, 1).flatten(1)
            x = x + routed(attended, layer + ".self_attn.{}_expert_dense")
            normed = rms_norm(x, (d,), *self.of(f"{layer}.post_attention_layernorm"), eps=eps)
            inside = silu(routed(normed, layer + ".mlp.{}_mlp.gate_proj")) * routed(normed, layer + ".mlp.{}_mlp.up_proj")
            x = x + routed(inside, layer + ".mlp.{}_mlp.down_proj")
        return self.linear("lm_head", rms_norm(x, (d,), *self.of("model.norm"), eps=eps))

    def greedy(self, ids, connected, count):
        """The `count` tokens that follow `ids`, or fewer if one of them ends the answer."""
        ids, new = list(ids), []
        for _ in range(count):
            picture = 0 if connected is None else len(connected)
            token = int(self.logits(self.embed(ids, connected), picture)[-1].argmax())
            if token in self.config["eos_token_id"]:
                break
            ids.append(token)
            new.append(token)
        return new
