"""The Llama architecture of SmolLM2 in plain torch: packed training forward, greedy answers on a cached prefix.

Shapes: n tokens of all packed documents, t tokens of one, d = 576 width, h = 9 query heads, g = 3 key/value heads,
c = 64 head channels.
"""

import torch
import torch.nn.functional as F
from torch import nn

from .base_model import CONFIG

D, HEADS, KV_HEADS, LAYERS = (CONFIG[k] for k in ("hidden_size", "num_attention_heads", "num_key_value_heads", "num_hidden_layers"))
C = CONFIG["head_dim"]
END = CONFIG["eos_token_id"]


class RmsNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(D))

    def forward(self, x):
        return F.rms_norm(x, (D,), self.weight, CONFIG["rms_norm_eps"])


def rotate(x, cos, sin):
    """Rotary embedding, halves convention. x [n, heads, c], cos and sin [n, 1, c/2]."""
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def attend(q, k, v, mask):
    """q [t, h, c], k and v [s, g, c], mask [t, s] additive -> [t, d]. Query heads share key heads in groups of h/g."""
    t, s = q.shape[0], k.shape[0]
    q = q.view(t, KV_HEADS, HEADS // KV_HEADS, C).permute(1, 2, 0, 3)
    k, v = k.permute(1, 2, 0)[:, None], v.transpose(0, 1)[:, None]
    weights = torch.matmul(q * C**-0.5, k) + mask
    out = torch.matmul(torch.softmax(weights, -1), v.expand(KV_HEADS, HEADS // KV_HEADS, s, C))
    return out.permute(2, 0, 1, 3).reshape(t, HEADS * C)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj = nn.Linear(D, HEADS * C, bias=False)
        self.k_proj = nn.Linear(D, KV_HEADS * C, bias=False)
        self.v_proj = nn.Linear(D, KV_HEADS * C, bias=False)
        self.o_proj = nn.Linear(HEADS * C, D, bias=False)

    def forward(self, x, cos, sin, lengths, masks):
        """x [n, d]; lengths and masks are those of the documents in x."""
        q = rotate(self.q_proj(x).view(-1, HEADS, C), cos, sin)
        k = rotate(self.k_proj(x).view(-1, KV_HEADS, C), cos, sin)
        v = self.v_proj(x).view(-1, KV_HEADS, C)
        parts = [attend(*qkv, mask) for *qkv, mask in zip(q.split(lengths), k.split(lengths), v.split(lengths), masks)]
        return self.o_proj(torch.cat(parts)), (k, v)


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        ffn = CONFIG["intermediate_size"]
        self.gate_proj = nn.Linear(D, ffn, bias=False)
        self.up_proj = nn.Linear(D, ffn, bias=False)
        self.down_proj = nn.Linear(ffn, D, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn, self.mlp = Attention(), Mlp()
        self.input_layernorm, self.post_attention_layernorm = RmsNorm(), RmsNorm()

    def forward(self, x, *where):
        attended, new = self.self_attn(self.input_layernorm(x), *where)
        x = x + attended
        return x + self.mlp(self.post_attention_layernorm(x)), new


class SmolLM(nn.Module):
    """Tied embedding and head; parameter names are those of Hugging Face's LlamaForCausalLM."""

    def __init__(self):
        super().__init__()
        self.model = nn.Module()
        self.model.embed_tokens = nn.Embedding(CONFIG["vocab_size"], D)
        self.model.layers = nn.ModuleList([Layer() for _ in range(LAYERS)])
        self.model.norm = RmsNorm()
        angle = torch.outer(torch.arange(8192.0), CONFIG["rope_theta"] ** (-torch.arange(0, C, 2) / C))
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, ids, positions, lengths, masks):
        """ids and positions [n] of documents one after the other -> (hidden [n, d] after the last norm, (k, v) of every layer)."""
        x = self.model.embed_tokens(ids)
        cos, sin = (b[positions][:, None].to(x.dtype) for b in (self.cos, self.sin))
        cache = []
        for layer in self.model.layers:
            x, kv = layer(x, cos, sin, lengths, masks)
            cache.append(kv)
        return self.model.norm(x), cache

    def logits(self, hidden):
        return F.linear(hidden, self.model.embed_tokens.weight)


def load(path, dtype=torch.bfloat16):
    from safetensors.torch import load_file

    with torch.device("meta"):
        model = SmolLM()
    state = {k: v.to(dtype) for k, v in load_file(path).items() if k != "lm_head.weight"}
    model.load_state_dict(state, assign=True)
    angle = torch.outer(torch.arange(8192.0), CONFIG["rope_theta"] ** (-torch.arange(0, C, 2) / C))
    model.cos, model.sin = angle.cos(), angle.sin()
    return model


def branch_mask(branch, dtype):
    """branch [t]: 0 for the document, i for its i-th question. A token sees the document and its own branch before it."""
    t = branch.shape[0]
    seen = (branch[None, :] == 0) | (branch[None, :] == branch[:, None])
    seen &= torch.ones(t, t, dtype=torch.bool).tril()
    return torch.zeros(t, t, dtype=dtype).masked_fill(~seen, float("-inf"))


@torch.no_grad()
def answer(model, prefix, questions, max_new=48, adjust=None):
    """Greedy answers (lists of token ids). prefix: ids of the document, run once; questions: ids of question and tail.

    `adjust(logits [b, vocab]) -> logits` may bias the choice, for instance towards copying from the document.
    """
    dtype = model.model.embed_tokens.weight.dtype
    p = len(prefix)
    _, cache = model(torch.tensor(prefix), torch.arange(p), [p], [branch_mask(torch.zeros(p), dtype)])
    branches = [list(q) for q in questions]  # every question and what was answered so far
    fresh, own = branches, [None] * len(branches)
    out = [[] for _ in branches]
    live = list(range(len(branches)))
    for _ in range(max_new):
        # One packed step: the new tokens of every live question, each attending to the prefix and its own branch.
        ids = [t for i in live for t in fresh[i]]
        spans, masks, positions, start = [], [], [], 0
        for i in live:
            t, before = len(fresh[i]), len(branches[i]) - len(fresh[i])
            spans.append((start, start + t))
            positions += range(p + before, p + before + t)
            mask = torch.zeros(t, p + before + t, dtype=dtype)
            mask[:, p + before :] = branch_mask(torch.zeros(t), dtype)
            masks.append(mask)
            start += t
        hidden, own = _step(model, ids, positions, spans, masks, cache, own, live)
        scores = model.logits(hidden[[end - 1 for _, end in spans]]).float()
        chosen = (scores if adjust is None else adjust(scores, [out[i] for i in live])).argmax(-1).tolist()
        fresh = [None] * len(branches)
        still = []
        for i, token in zip(live, chosen):
            if token in (END, 0):
                continue
            out[i].append(token)
            branches[i].append(token)
            fresh[i] = [token]
            still.append(i)
        live = still
        if not live:
            break
    return out


def _step(model, ids, positions, spans, masks, prefix_cache, own, live):
    """A forward of several branches: like SmolLM.forward, but every span has its own keys and values after the prefix."""
    x = model.model.embed_tokens(torch.tensor(ids))
    pos = torch.tensor(positions)
    cos, sin = (b[pos][:, None].to(x.dtype) for b in (model.cos, model.sin))
    grown = [[] if own[i] is None else own[i] for i in range(len(own))]
    for depth, layer in enumerate(model.model.layers):
        attention, h = layer.self_attn, layer.input_layernorm(x)
        q = rotate(attention.q_proj(h).view(-1, HEADS, C), cos, sin)
        k = rotate(attention.k_proj(h).view(-1, KV_HEADS, C), cos, sin)
        v = attention.v_proj(h).view(-1, KV_HEADS, C)
        parts = []
        for i, (start, end), mask in zip(live, spans, masks):
            keys, values = k[start:end], v[start:end]
            if len(grown[i]) > depth:
                keys, values = torch.cat((grown[i][depth][0], keys)), torch.cat((grown[i][depth][1], values))
                grown[i][depth] = (keys, values)
            else:
                grown[i].append((keys, values))
            pk, pv = prefix_cache[depth]
            parts.append(attend(q[start:end], torch.cat((pk, keys)), torch.cat((pv, values)), mask))
        x = x + attention.o_proj(torch.cat(parts))
        x = x + layer.mlp(layer.post_attention_layernorm(x))
    return model.model.norm(x), grown
