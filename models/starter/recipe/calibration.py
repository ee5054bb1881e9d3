"""Calibration prompts for the quantizer: whole conversations from the generator, noise included, as JSON lines.

    python -m recipe.calibration --out calibration.jsonl --count 256

{"text": prompt, "prompt_chars": where the answer begins}. The text holds the chat tokens as text; a tokenizer that knows
them as special tokens gives the ids of PROMPT.md. Seeds are apart from those of training and evaluation.
"""

import argparse
import json
import os
import pathlib

from . import generate
from .prompt import Prompt

FIRST_SEED = 800_000


def prompts(count):
    seed = FIRST_SEED
    while count:
        s = generate.sample(seed)
        seed += 1
        if s.questions:
            q = s.questions[0]
            before = Prompt.text(s.lines, q.text)
            yield {"text": before + q.answer + "<|im_end|>", "prompt_chars": len(before)}
            count -= 1


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("--count", type=int, default=256)
    args = p.parse_args()
    part = args.out.with_suffix(".part")
    part.write_text("".join(json.dumps(x, ensure_ascii=False) + "\n" for x in prompts(args.count)), encoding="utf-8")
    os.replace(part, args.out)


if __name__ == "__main__":
    main()
