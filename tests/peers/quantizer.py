#!/usr/bin/env python3
"""Our `rpiq quantize` beside GPTQModel: wall time and peak memory for the same model and calibration text.

    python3 tests/peers/quantizer.py MODEL_FOLDER TEXT [--sequences 128] [--seq-len 2048] [--eval TEXT]

The text is cut into sequences of at least --seq-len tokens, written as one JSON line each; both sides cut every line at
--seq-len tokens. `rpiq` gets --held-out lines on top, which it only measures on; it chooses by itself which lines those are,
so all but --held-out of the sequences are the same for both (with --held-out 0, all). Either process is timed as a whole:
start, loading, quantizing, saving. With --eval, `rpiq eval` measures the perplexity of both results by the same code.
"""
import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import add_options, mib, need_binary, peer_python, run, threads

PACKAGES = ["GPTQModel==7.7.0"]

CUT = """
import json, sys
from tokenizers import Tokenizer
tokenizer = Tokenizer.from_file(sys.argv[1])
length, wanted = int(sys.argv[3]), int(sys.argv[4])
kept, size, made = [], 0, 0
for line in open(sys.argv[2], encoding="utf-8"):
    kept.append(line)
    size += len(tokenizer.encode(line, add_special_tokens=False).ids)
    # A few tokens more than needed: joined lines may have slightly fewer than the lines alone.
    if size >= length + 16:
        print(json.dumps({"text": "".join(kept)}))
        kept, size, made = [], 0, made + 1
        if made == wanted:
            break
"""


def write_calibration(python, args, path):
    """Writes the JSON lines and returns how many sequences calibrate."""
    cut = [python, "-c", CUT, args.model / "tokenizer.json", args.text, str(args.seq_len), str(args.sequences + args.held_out)]
    lines = subprocess.run(cut, check=True, capture_output=True, text=True).stdout
    path.write_text(lines, encoding="utf-8")
    sequences = len(lines.splitlines()) - args.held_out
    if sequences < 1:
        sys.exit("the text is too short: give more of it, or smaller --sequences or --seq-len")
    return sequences


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="Hugging Face folder in full precision")
    parser.add_argument("text", type=Path, help="calibration text")
    parser.add_argument("--sequences", type=int, default=128)
    parser.add_argument("--seq-len", type=int, default=2048)
    parser.add_argument("--held-out", type=int, default=8)
    parser.add_argument("--group-size", type=int, default=64)
    parser.add_argument("--method", default="rpiq", choices=["rpiq", "gptq", "rtn"], help="ours")
    parser.add_argument("--eval", type=Path, help="text for the perplexity of both results")
    parser.add_argument("--windows", type=int, help="windows of that text at most")
    parser.add_argument("--keep", type=Path, help="keep both folders here")
    parser.add_argument("--only", choices=["rpiq", "gptqmodel"], help="one side alone, to see whether it runs")
    add_options(parser, "rpiq")
    args = parser.parse_args()
    python = peer_python(args.venv, PACKAGES).absolute()
    environment = threads(args.threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = (args.keep or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        calibration = folder / "calibration.jsonl"
        sequences = write_calibration(python, args, calibration)
        ours, theirs = folder / "rpiq", folder / "gptqmodel"
        for old in (ours, theirs):
            shutil.rmtree(old, ignore_errors=True)
        print(f"{sequences} sequences of {args.seq_len} tokens, group {args.group_size}, {args.threads} threads", flush=True)
        runs = {}
        if args.only != "gptqmodel":
            runs[f"rpiq ({args.method})"] = run(
                [need_binary(args.binary), "quantize", args.model, ours, "--calibration", calibration, "--sequences", sequences, "--held-out",
                 args.held_out, "--seq-len", args.seq_len, "--group-size", args.group_size, "--method", args.method, "--backend", "cpu"], **environment)
        if args.only != "rpiq":
            worker = Path(__file__).resolve().with_name("gptqmodel_quantize.py")
            # It leaves logs in the folder it runs in.
            runs[PACKAGES[0]] = run([python, worker, args.model.resolve(), theirs, calibration, sequences, args.seq_len, args.group_size], folder, **environment)
        print(f"{'':18}{'wall':>10}{'CPU':>10}{'peak memory':>14}")
        for name, r in runs.items():
            print(f"{name:18}{r.wall:>8.1f} s{r.cpu:>8.1f} s{mib(r.peak):>14}")
        if len(runs) == 2:
            a, b = runs.values()
            print(f"{'ratio':18}{a.wall / b.wall:>10.2f}{a.cpu / b.cpu:>10.2f}{a.peak / b.peak:>14.2f}")
            if args.eval:
                limit = ["--windows", args.windows] if args.windows else []
                print(run([args.binary, "eval", args.model, theirs, ours, "--perplexity", args.eval, "--backend", "cpu", *limit], **environment).output)


if __name__ == "__main__":
    main()
