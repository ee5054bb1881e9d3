#!/usr/bin/env python3
"""Writes the reference outputs that tests/tests/cogvlm_parity.rs compares with, under tests/fixtures/cogvlm.

Random tiny models, one folder each: config.json, generation_config.json, model.safetensors (weights in bfloat16, as they were published),
a tokenizer, and expected.safetensors, computed by cogvlm_reference.py in float32. pictures.json: sha256 of generated pictures (see `picture`)
as Pillow squeezes them to the square of the published model and of the tiny ones.

    pip install torch safetensors pillow tokenizers numpy
    python3 tests/parity/make_cogvlm_fixtures.py
"""
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from cogvlm_reference import CogVlm, picture_positions, pixel_values, prompt_ids, shapes

OUT = Path(__file__).resolve().parents[1] / "fixtures" / "cogvlm"
QUESTION = "What is the total?"
BEGIN, END, PAD, TURN = "<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|eot_id|>"
NEW_TOKENS = 12
# Logits of so many positions at the end of a prompt are kept.
KEPT = 8
PUBLISHED = {
    "architectures": ["CogVLMForCausalLM"], "max_position_embeddings": 8192, "rms_norm_eps": 1e-05, "template_version": "chat",
    "initializer_range": 0.02, "hidden_act": "silu", "use_cache": True,
}
VISION = {"dropout_prob": 0.0, "hidden_act": "gelu", "in_channels": 3, "layer_norm_eps": 1e-06}
# The first stores its frequencies; the second has as many key/value heads as the published model (and, like its config.json, does not
# say so), larger patches, another prompt, and computes its frequencies.
TINY = {
    "chat": dict(hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4, num_multi_query_heads=2,
                 vision=dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_heads=3, patch_size=7, image_size=56),
                 with_frequencies=True),
    "vqa": dict(hidden_size=32, intermediate_size=40, num_hidden_layers=1, num_attention_heads=16, num_multi_query_heads=8,
                template_version="vqa", vision=dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_heads=2, patch_size=14,
                                                    image_size=56), with_frequencies=False),
}
NOT_SAID = {"vqa": ["num_multi_query_heads"]}
PICTURES = {"wide": (90, 41), "small": (20, 30), "square": (56, 56)}
SIZES = [(640, 480), (333, 777), (1100, 300), (5, 90), (56, 200)]


def picture(width, height):
    """Slopes, edges and fine texture, in integers that any language computes the same way."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return Image.fromarray(((x * 3 + y * 5 + c * 60 + (x // 7 + y // 5) % 2 * 90 + x * y % 31) % 256).astype(np.uint8))


def picture_fixtures():
    cases = []
    for side in (1344, 56):
        for width, height in SIZES:
            square = picture(width, height).resize((side, side), Image.Resampling.BICUBIC)
            cases.append(dict(side=side, width=width, height=height, sha256=hashlib.sha256(square.tobytes()).hexdigest()))
    (OUT / "pictures.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n", encoding="utf-8")


def tiny_tokenizer():
    """Bytes and a few merges, LLaMA 3's special tokens before them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    text = ["Question: What is the total? Answer: The total is 12.", "Question: What is the date? Short answer: today"] * 4
    trainer = trainers.BpeTrainer(vocab_size=284, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(text, trainer)
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in (BEGIN, END, PAD, TURN)])
    return tokenizer


def random_tensors(config, with_frequencies):
    tensors = {}
    for name, shape in shapes(config, with_frequencies).items():
        if name.endswith("inv_freq"):
            values = 1.0 / 500000 ** (torch.arange(0, 2 * shape[0], 2) / (2 * shape[0]))
        elif "norm" in name and name.endswith("weight"):
            values = 1 + 0.2 * torch.randn(shape)
        else:
            values = 0.3 * torch.randn(shape)
        tensors[name] = values.to(torch.bfloat16)
    return tensors


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def expectations(model, tokenizer):
    """By picture: `pixel_values` [3, h, w], the tower's output `vision`, the connector's `connected`, `ids`, `logits` of the last
    positions and greedy tokens `new`. `text` is a prompt without a picture."""
    config, tensors = model.config, {}
    for name in [*PICTURES, "text"]:
        connected = None
        if name in PICTURES:
            pixels = pixel_values(picture(*PICTURES[name]), config["vision_config"]["image_size"])
            seen = model.look(pixels)
            connected = model.connect(seen)
            assert len(connected) == picture_positions(config)
            tensors |= {f"{name}.vision": seen, f"{name}.connected": connected}
            if name == "wide" and config["template_version"] == "chat":
                tensors[f"{name}.pixel_values"] = pixels
        ids = prompt_ids(config, tokenizer, QUESTION, connected is not None)
        logits = model.logits(model.embed(ids, connected), 0 if connected is None else len(connected))
        new = model.greedy(ids, connected, NEW_TOKENS)
        tensors |= {f"{name}.ids": torch.tensor(ids), f"{name}.logits": logits[-KEPT:], f"{name}.new": torch.tensor(new)}
        print(name, len(ids), "tokens, new:", new, repr(tokenizer.decode(new)))
    return {name: value.contiguous().clone() for name, value in tensors.items()}


def tiny_fixture(seed, name, case):
    torch.manual_seed(seed)
    case, folder, tokenizer = dict(case), OUT / name, tiny_tokenizer()
    folder.mkdir(parents=True, exist_ok=True)
    vision, with_frequencies = {**VISION, **case.pop("vision")}, case.pop("with_frequencies")
    vision["num_positions"] = (vision["image_size"] // vision["patch_size"]) ** 2 + 1
    special = dict(bos_token_id=tokenizer.token_to_id(BEGIN), pad_token_id=tokenizer.token_to_id(PAD),
                   eos_token_id=[tokenizer.token_to_id(END), tokenizer.token_to_id(TURN)])
    config = {**PUBLISHED, **case, **special, "vocab_size": -(-tokenizer.get_vocab_size() // 8) * 8, "vision_config": vision}
    tensors = random_tensors(config, with_frequencies)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    write_json(folder / "config.json", {key: value for key, value in config.items() if key not in NOT_SAID.get(name, [])})
    write_json(folder / "generation_config.json", {"_from_model_config": True, **special})
    write_json(folder / "tokenizer_config.json", dict(tokenizer_class="PreTrainedTokenizerFast", bos_token=BEGIN, eos_token=END))
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    model = CogVlm(config, {key: value.float() for key, value in tensors.items()})
    with torch.no_grad():
        save_file(expectations(model, tokenizer), folder / "expected.safetensors")
    print(name, sum(file.stat().st_size for file in folder.iterdir()), "bytes")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    picture_fixtures()
    for seed, (name, case) in enumerate(TINY.items()):
        tiny_fixture(seed, name, case)
