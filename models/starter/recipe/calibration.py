"""Calibration prompts for the quantizer: whole conversations from the generator, noise included, as JSON lines.

    python -m recipe.calibration --out calibration.jsonl --count 256 --reader target/release/sightread

With --reader the lines are what that program reads in rendered pictures of the documents; without it, the generator's.
{"text": prompt, "prompt_chars": where the answer begins}. The text holds the chat tokens as text; a tokenizer that knows
them as special tokens gives the ids of PROMPT.md. Seeds are apart from those of training and evaluation.
"""

import argparse
import json
import os
import pathlib

from . import generate, picture
from .prompt import Prompt

FIRST_SEED = 800_000


def prompts(count, reader=None):
    samples, seed = [], FIRST_SEED
    while len(samples) < count:
        s = generate.sample(seed)
        seed += 1
        if s.questions:
            samples.append(s)
    documents = [s.lines for s in samples]
    if reader:
        # What could not be read at all keeps the generator's lines.
        documents = [read or lines for read, lines in zip(picture.read(documents, reader, FIRST_SEED), documents)]
    for s, lines in zip(samples, documents):
        q = s.questions[0]
        before = Prompt.text(lines, q.text)
        yield {"text": before + q.answer + "<|im_end|>", "prompt_chars": len(before)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("--count", type=int, default=256)
    p.add_argument("--reader", help="the program sightread")
    args = p.parse_args()
    part = args.out.with_suffix(".part")
    part.write_text("".join(json.dumps(x, ensure_ascii=False) + "\n" for x in prompts(args.count, args.reader)), encoding="utf-8")
    os.replace(part, args.out)


if __name__ == "__main__":
    main()
