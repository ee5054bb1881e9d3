#!/usr/bin/env python3
"""Writes the reference outputs that tests/tests/idefics3_parity.rs compares with, under tests/fixtures/idefics3.

Random tiny models, one folder each: config.json, model.safetensors (weights in float16), tokenizer, chat template and processor settings,
and expected.safetensors, computed by transformers in f32 (see `reference`). pictures.json: sha256 of the tiles that the Pillow variant of
transformers' processor makes of generated pictures (see `picture`), for the sizes of all published models.

With --full FOLDER, instead, a model of the size of SmolVLM-256M-Instruct with random weights, and its expectations, which are too big for the
repository: `full_size.sh` makes them and runs the test that reads them.

    pip install torch transformers safetensors 'pillow>=13'
    python3 tests/parity/make_idefics3_fixtures.py [--full FOLDER]
"""
import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (Idefics3Config, Idefics3ForConditionalGeneration, Idefics3Processor, LlamaConfig, PreTrainedTokenizerFast,
                          SmolVLMConfig, SmolVLMForConditionalGeneration)
from transformers.models.idefics3.configuration_idefics3 import Idefics3VisionConfig
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.smolvlm.configuration_smolvlm import SmolVLMVisionConfig
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / "fixtures" / "idefics3"
TEMPLATE = ("<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}{% if message['content'][0]['type'] == 'image' %}{{':'}}"
            "{% else %}{{': '}}{% endif %}{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
            "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
            "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}")
GRID_TOKENS = ["<global-img>"] + [f"<row_{r}_col_{c}>" for r in range(1, 7) for c in range(1, 7)]
IMAGE_TOKENS = ["<fake_token_around_image>", "<image>"]
END = "<end_of_utterance>"
QUESTION = "What is the total?"
NEW_TOKENS = 12
# Logits of so many positions at the end of a prompt are kept.
KEPT = 12

VISION = dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3, initializer_range=0.3)
TEXT = dict(hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
            max_position_embeddings=512, rms_norm_eps=1e-5, rope_theta=1000.0, initializer_range=0.3)
# In the second, patches leave a margin of a tile unseen, the head is the embedding, and rows and columns are spelled out as text, as in
# SmolVLM-Instruct (2.2B).
TINY = {
    "smolvlm": dict(kind="smolvlm", vision=dict(image_size=32, patch_size=8), scale_factor=2, tie=False, longest=96, grid_tokens=True),
    "idefics3": dict(kind="idefics3", vision=dict(image_size=30, patch_size=7), scale_factor=4, tie=True, longest=60, grid_tokens=False),
}
# Height and width of a tile, longest edge: SmolVLM-256M and 500M, SmolVLM-Instruct, Idefics3-8B, and the tiny ones.
SIZES = [(512, 2048), (384, 1536), (364, 1456), (32, 96), (30, 60)]
PICTURES = [(640, 480), (333, 777), (1100, 300), (5, 90), (96, 20)]


def picture(width, height):
    """Slopes, edges and fine texture, in integers that any language computes the same way."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return Image.fromarray(((x * 3 + y * 5 + c * 60 + (x // 7 + y // 5) % 2 * 90 + x * y % 31) % 256).astype(np.uint8))


def image_processor(kind, tile, longest):
    processor = {"smolvlm": SmolVLMImageProcessorPil, "idefics3": Idefics3ImageProcessorPil}[kind]
    return processor(size={"longest_edge": longest}, max_image_size={"longest_edge": tile})


def without_enlarging(image, tile, rows, cols):
    """What the app does without `detail`: one resize to rows by cols tiles, or to a single one, then the stock processor."""
    if rows * cols == 1:
        return image, dict(do_resize=False, do_image_splitting=False)
    return image.resize((cols * tile, rows * tile), Image.Resampling.LANCZOS), dict(do_resize=False)


def tile_bytes(pixel_values):
    """The bytes of tiles [n, 3, h, w] that were scaled to -1 to 1, as [n, h, w, 3]."""
    tiles = np.round((np.asarray(pixel_values, dtype=np.float64) * 0.5 + 0.5) * 255).astype(np.uint8)
    assert np.array_equal(((tiles.astype(np.float64) / 255).astype(np.float32) - np.float32(0.5)) / np.float32(0.5), np.asarray(pixel_values))
    return np.ascontiguousarray(tiles.transpose(0, 2, 3, 1)).tobytes()


def picture_fixtures():
    cases = []
    for tile, longest in SIZES:
        processor = image_processor("smolvlm", tile, longest)
        most = longest // tile
        for width, height in PICTURES:
            image = picture(width, height)
            rows, cols = (min(max(side // tile, 1), most) for side in (height, width))
            plain, options = without_enlarging(image, tile, rows, cols)
            for detail, (source, more) in [(True, (image, {})), (False, (plain, options))]:
                out = processor(source, return_row_col_info=True, **more)
                assert (np.asarray(out["pixel_attention_mask"]) == 1).all(), "tiles are always full"
                cases.append(dict(tile=tile, longest_edge=longest, width=width, height=height, detail=detail, rows=out["rows"][0][0],
                                  cols=out["cols"][0][0], tiles=len(out["pixel_values"][0]),
                                  sha256=hashlib.sha256(tile_bytes(out["pixel_values"][0])).hexdigest()))
    (OUT / "pictures.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n", encoding="utf-8")


def tiny_tokenizer(grid_tokens):
    """Bytes and a few merges; special tokens behind them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    text = ["User: What is the total?\n\nAssistant: The total is 12.\n\nWhat is the date?\n\n"] * 4
    trainer = trainers.BpeTrainer(vocab_size=290, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
                                  special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.train_from_iterator(text, trainer)
    return add_picture_tokens(tokenizer, grid_tokens)


def add_picture_tokens(tokenizer, grid_tokens):
    names = (GRID_TOKENS if grid_tokens else []) + IMAGE_TOKENS + [END]
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in names])
    return tokenizer


def save_model(model, processor, folder):
    """Writes the model in float16; returns it as transformers reads it again, in float32. (`half()` also rounds the frequencies of the
    rotary embedding, which are no weights: the model in memory is not the one on disk.)"""
    folder.mkdir(parents=True, exist_ok=True)
    model.generation_config.eos_token_id = processor.tokenizer.convert_tokens_to_ids(END)
    model.half().save_pretrained(folder)
    processor.tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    names = dict(bos_token="<|im_start|>", eos_token=END, pad_token="<|im_end|>")
    write_json(folder / "tokenizer_config.json", dict(tokenizer_class="PreTrainedTokenizerFast", **names))
    write_json(folder / "chat_template.json", dict(chat_template=TEMPLATE))
    write_json(folder / "preprocessor_config.json", processor.image_processor.to_dict())
    return type(model).from_pretrained(folder, dtype=torch.float32).eval()


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def build_processor(kind, tokenizer, tile, longest, image_seq_len):
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token=END, pad_token="<|im_end|>")
    return Idefics3Processor(image_processor(kind, tile, longest), fast, image_seq_len=image_seq_len, chat_template=TEMPLATE)


def reference(model, processor, image, options):
    """What a prompt with `image` and QUESTION becomes: `ids`, `pixel_values` [tiles, 3, h, w], the vision tower's output `vision`
    [tiles, patches, d], the connector's `connected` [tiles, positions, d], `logits` of the last positions, and greedy tokens `new`."""
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}]
    prompt = processor.apply_chat_template(messages, add_generation_prompt=True)
    inputs = processor(text=prompt, images=[image], return_tensors="pt", images_kwargs=options)
    with torch.no_grad():
        seen = model.model.get_image_features(inputs["pixel_values"], inputs["pixel_attention_mask"])
        logits = model(**inputs).logits[0, -KEPT:]
        out = model.generate(**inputs, max_new_tokens=NEW_TOKENS, do_sample=False)[0, inputs["input_ids"].shape[1]:]
    print(inputs["input_ids"].shape[1], "tokens, new:", out.tolist(), processor.tokenizer.decode(out))
    vision = seen.last_hidden_state
    connected = torch.cat(list(seen.pooler_output)).unflatten(0, (len(vision), -1))
    return dict(ids=inputs["input_ids"][0], pixel_values=inputs["pixel_values"][0], vision=vision, connected=connected, logits=logits, new=out)


def expectations(model, processor, cases):
    tensors = {}
    for name, (image, options, left_out) in cases.items():
        found = reference(model, processor, image, options)
        tensors |= {f"{name}.{key}": value.contiguous().clone() for key, value in found.items() if key not in left_out}
    return tensors


def tiny_fixtures():
    for seed, (name, case) in enumerate(TINY.items()):
        torch.manual_seed(seed)
        tokenizer = tiny_tokenizer(case["grid_tokens"])
        vocab_size = -(-tokenizer.get_vocab_size() // 8) * 8
        vision, text = {**VISION, **case["vision"]}, LlamaConfig(**TEXT, vocab_size=vocab_size, pad_token_id=2, bos_token_id=1)
        common = dict(text_config=text, scale_factor=case["scale_factor"], image_token_id=tokenizer.token_to_id("<image>"),
                      tie_word_embeddings=case["tie"])
        if case["kind"] == "smolvlm":
            model = SmolVLMForConditionalGeneration(SmolVLMConfig(vision_config=SmolVLMVisionConfig(**vision), **common))
        else:
            model = Idefics3ForConditionalGeneration(Idefics3Config(vision_config=Idefics3VisionConfig(**vision), **common))
        for parameter_name, parameter in model.named_parameters():
            if parameter_name.endswith("bias") or "norm" in parameter_name:
                torch.nn.init.normal_(parameter, mean=float("norm" in parameter_name and parameter_name.endswith("weight")), std=0.2)
        tile = vision["image_size"]
        image_seq_len = (tile // vision["patch_size"]) ** 2 // case["scale_factor"] ** 2
        processor = build_processor(case["kind"], tokenizer, tile, case["longest"], image_seq_len)
        model = save_model(model, processor, OUT / name)
        thin = picture(96, 20)
        one, options = without_enlarging(picture(70, 50), tile, 1, 1)
        cases = {"detail": (thin, {}, []), "one": (one, options, []), "tall": (picture(333, 777), {}, ["pixel_values", "vision", "connected"])}
        save_file(expectations(model, processor, cases), OUT / name / "expected.safetensors")
        print(name, sum(f.stat().st_size for f in (OUT / name).iterdir()), "bytes")


def full_model(folder):
    """The configuration of SmolVLM-256M-Instruct as its config.json has it; SmolLM2's tokenizer with the tokens for pictures."""
    torch.manual_seed(0)
    tokenizer = add_picture_tokens(Tokenizer.from_file(str(ROOT / "models" / "starter" / "language" / "tokenizer.json")), True)
    reserved = [AddedToken(f"<|reserved_special_token_{n}|>", normalized=False, special=True) for n in range(88)]
    end = tokenizer.token_to_id(END)
    assert end == 49191
    tokenizer.add_special_tokens(reserved)
    text = LlamaConfig(hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, head_dim=64,
                       vocab_size=49280, max_position_embeddings=8192, rms_norm_eps=1e-5, rope_theta=100000.0, initializer_range=0.04,
                       pad_token_id=2, architectures=["VLlama3ForCausalLM"])
    vision = Idefics3VisionConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, image_size=512,
                                  patch_size=16, initializer_range=0.04)
    model = Idefics3ForConditionalGeneration(Idefics3Config(text_config=text, vision_config=vision, scale_factor=4, image_token_id=49190,
                                                            tie_word_embeddings=False))
    processor = build_processor("idefics3", tokenizer, 512, 2048, 64)
    model = save_model(model, processor, folder)
    one, options = without_enlarging(picture(640, 480), 512, 1, 1)
    cases = {"one": (one, options, ["pixel_values"]), "detail": (picture(640, 480), {}, ["pixel_values", "vision", "connected"])}
    save_file(expectations(model, processor, cases), folder / "expected.safetensors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    if args.full:
        full_model(args.full)
    else:
        picture_fixtures()
        tiny_fixtures()
