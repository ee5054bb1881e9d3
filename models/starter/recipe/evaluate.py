"""How well a model answers: on synthetic documents it never saw, and on photos that a recogniser has read.

    python -m recipe.evaluate --model work/hf --synthetic 60
    python -m recipe.evaluate --model work/hf --labels dev/labels.jsonl --readings readings.jsonl
    python -m recipe.evaluate … --copy-bias 2 --extractors        # options of the decoding

Readings are one JSON object a line: {"file", "lines": [...]} in the form of PROMPT.md, or {"file", "text"} (plain lines).
Figures are per cent: contains / exact / ANLS, as `tools/score.py` of the data set defines them.
"""

import argparse
import collections
import importlib.util
import json
import os
import pathlib
import re
import time

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch  # noqa: E402

from . import extract, generate, model  # noqa: E402
from .prompt import Prompt  # noqa: E402


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", type=pathlib.Path, required=True, help="folder with model.safetensors and tokenizer.json")
    p.add_argument("--weights", type=pathlib.Path, help="another checkpoint with the folder's tokenizer")
    p.add_argument("--synthetic", type=int, default=0, help="documents of each of the two synthetic sets")
    p.add_argument("--labels", type=pathlib.Path, help="labels.jsonl of a photo set")
    p.add_argument("--readings", type=pathlib.Path, help="what a recogniser read in these photos")
    p.add_argument("--scorer", type=pathlib.Path, help="score.py, for its answer_scores()")
    p.add_argument("--copy-bias", type=float, default=0.0, help="added to the logits of tokens that occur in the document")
    p.add_argument("--extractors", action="store_true", help="exact extractors answer first where they are certain")
    p.add_argument("--round-to-nearest", type=int, default=0, metavar="GROUP", help="4-bit weights, for comparison")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--out", type=pathlib.Path, help="write every question and answer as JSON lines")
    return p.parse_args()


class Answerer:
    def __init__(self, args):
        self.args = args
        self.prompt = Prompt(args.model / "tokenizer.json")
        self.model = model.load(args.weights or args.model / "model.safetensors")
        if args.round_to_nearest:
            round_weights(self.model, args.round_to_nearest)
        self.always = {t for s in ("Yes", "No", "Yes.", "No.", "Yes, it says", "No, it is", ", ", ". ", " by ", " and ", generate.refusal("x")) for t in self.prompt.encode(s)}

    def answers(self, lines, questions):
        prefix = self.prompt.prefix(lines)
        asked = [self.prompt.question(q) for q in questions]
        adjust = self.towards_copies(lines) if self.args.copy_bias else None
        out = [self.prompt.decode(ids) for ids in model.answer(self.model, prefix, asked, adjust=adjust)]
        if self.args.extractors:
            out = [extract.answer(lines, q) or a for q, a in zip(questions, out)]
        return out

    def towards_copies(self, lines):
        """Tokens that some word of the document may begin with or consist of get a bonus."""
        known = set(self.always) | {model.END}
        for line in lines:
            known.update(self.prompt.encode(line))
            for word in line.split():
                known.update(self.prompt.encode(word))
                known.update(self.prompt.encode(" " + word))
        bonus = torch.zeros(model.CONFIG["vocab_size"])
        bonus[list(known)] = self.args.copy_bias
        return lambda scores, _: scores + bonus


def round_weights(net, group):
    """Round to nearest, 4 bit, asymmetric: the simplest quantization, to compare with."""
    for name, p in net.named_parameters():
        if "proj" in name:
            w = p.data.float().view(p.shape[0], -1, group)
            low, high = w.amin(-1, True).clamp(max=0), w.amax(-1, True).clamp(min=0)
            scale = ((high - low) / 15).clamp(min=1e-8)
            zero = (-low / scale).round()
            p.data = (((w / scale + zero).round().clamp(0, 15) - zero) * scale).view(p.shape).to(p.dtype)


def load_scorer(path):
    spec = importlib.util.spec_from_file_location("score", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.answer_scores


def simple_scores(accepted, given):
    """contains, exact, ANLS for the synthetic sets: lower case, letters and digits only."""
    squeeze = lambda s: re.sub(r"[^a-z0-9]+", " ", s.lower()).strip()  # noqa: E731
    best = (0.0, 0.0, 0.0)
    for gold in accepted:
        a, b = squeeze(gold), squeeze(given)
        distance = levenshtein(a, b) / max(len(a), len(b), 1)
        best = max(best, (float(f" {a} " in f" {b} "), float(a == b), 1 - distance if distance < 0.5 else 0.0))
    return best


def levenshtein(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        new = [i]
        for j, y in enumerate(b, 1):
            new.append(min(row[j] + 1, new[-1] + 1, row[j - 1] + (x != y)))
        row = new
    return row[-1]


def table(title, rows):
    """rows: (group, (contains, exact, anls), answer). Prints one line per group."""
    groups = collections.defaultdict(list)
    for group, scores, answer in rows:
        for g in ("ALL", group):
            groups[g].append((*scores, float(answer.startswith("I can't see"))))
    print(f"{title}\n{'':22}  n  contains  exact  ANLS  refused")
    for g in sorted(groups, key=lambda g: (g == "ALL", g)):
        mean = [100 * sum(c) / len(c) for c in zip(*groups[g])]
        print(f"{g:22}{len(groups[g]):4}{mean[0]:10.1f}{mean[1]:7.1f}{mean[2]:6.1f}{mean[3]:9.1f}")
    print(flush=True)


def synthetic(answerer, count, held, log):
    rows = []
    for seed in range(500_000 if held else 0, 500_000 + count if held else count):  # training starts at a million
        s = generate.sample(seed, held)
        if not s.questions:
            continue
        for q, a in zip(s.questions, answerer.answers(s.lines, [q.text for q in s.questions])):
            scores = simple_scores([q.answer], a)
            rows.append(("refusal" if q.kind == "absent" else s.kind, scores, a))
            log.append({"set": "synthetic", "kind": s.kind, "asked": q.kind, "q": q.text, "a": a, "gold": [q.answer], "contains": scores[0]})
    table("synthetic, phrasings " + ("never trained" if held else "as trained"), rows)


def photos(answerer, args, log):
    score = load_scorer(args.scorer) if args.scorer else None
    readings = {}
    for line in args.readings.read_text().splitlines():
        reading = json.loads(line)
        readings[reading["file"]] = reading.get("lines") or [x for x in reading["text"].splitlines() if x.strip()]
    rows, seconds = [], 0.0
    for line in args.labels.read_text().splitlines():
        label = json.loads(line)
        lines, questions = readings.get(label["file"], []), [q["q"] for q in label["qa"]]
        begin = time.time()
        answers = answerer.answers(lines, questions) if lines and questions else ["I see no text."] * len(questions)
        seconds += time.time() - begin
        for q, a in zip(label["qa"], answers):
            scores = score(q["a"], a) if score else simple_scores(q["a"], a)
            scores = tuple(float(x) for x in (scores.values() if isinstance(scores, dict) else scores))[:3]
            rows.append((label["category"], scores, a))
            log.append({"set": "photos", "file": label["file"], "kind": label["category"], "q": q["q"], "a": a, "gold": q["a"], "contains": scores[0]})
    table(f"photos ({seconds:.0f} s)", rows)


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    answerer, log = Answerer(args), []
    if args.labels:
        photos(answerer, args, log)
    if args.synthetic:
        synthetic(answerer, args.synthetic, False, log)
        synthetic(answerer, args.synthetic, True, log)
    if args.out:
        args.out.write_text("".join(json.dumps(x, ensure_ascii=False) + "\n" for x in log))


if __name__ == "__main__":
    main()
