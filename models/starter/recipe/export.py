"""A checkpoint as a Hugging Face folder: config, weights in bf16, tokenizer with chat template, generation config.

    python -m recipe.export --base work/base --weights work/run/last.safetensors --out work/hf

The folder appears complete or not at all; an older one is replaced.
"""

import argparse
import json
import os
import pathlib
import shutil

# The chat template of the prompt in PROMPT.md: no system turn.
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
GENERATION = {"bos_token_id": 1, "eos_token_id": [2, 0], "pad_token_id": 2, "do_sample": False, "max_new_tokens": 48}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--base", type=pathlib.Path, required=True)
    p.add_argument("--weights", type=pathlib.Path, required=True)
    p.add_argument("--out", type=pathlib.Path, required=True)
    args = p.parse_args()
    part = args.out.with_name(args.out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(args.base / name, part / name)
    tokenizer = json.loads((args.base / "tokenizer_config.json").read_text())
    tokenizer["chat_template"] = CHAT_TEMPLATE
    (part / "tokenizer_config.json").write_text(json.dumps(tokenizer, indent=1))
    (part / "generation_config.json").write_text(json.dumps(GENERATION, indent=1))
    shutil.copy(args.weights, part / "model.safetensors")
    os.chmod(part / "model.safetensors", 0o644)
    for file in part.iterdir():
        with open(file, "rb+") as f:
            os.fsync(f.fileno())
    old = args.out.with_name(args.out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if args.out.exists():
        os.replace(args.out, old)
    os.replace(part, args.out)
    shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    main()
