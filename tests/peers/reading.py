#!/usr/bin/env python3
"""`sightread predict` beside RapidOCR (onnxruntime): time, CPU seconds and memory on a folder of pictures; accuracy picture by picture.

    python3 tests/peers/reading.py FOLDER [--score SCORE.py] [--keep DIR]
    python3 tests/peers/reading.py FOLDER --compare OURS.jsonl THEIRS.jsonl --score SCORE.py

Both read the pictures only, no questions. A scorer reads `SCORE.py LABELS PREDICTIONS --json OUT` and writes a list `images` of
{"file", "f1", "cer"}; labels are FOLDER/labels.jsonl, or FOLDER/expected.jsonl. CPU seconds and peak memory are those of
the whole process; time for starting and loading the models is what is left of wall time after the pictures.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import add_options, mib, need_binary, peer_python, run, threads

PACKAGES = ["rapidocr==3.10.0", "onnxruntime==1.32.0"]
# A picture may lose so much word F1 to the peer before it is marked.
MARGIN = 0.05


def labels_of(folder):
    """The labels of a folder, or the end of the script."""
    for name in ("labels.jsonl", "expected.jsonl"):
        if (folder / name).exists():
            return folder / name
    sys.exit(f"{folder} holds neither labels.jsonl nor expected.jsonl")


def scores(score, labels, predictions):
    """{file: scores} and the totals, by the scorer."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "scores.json"
        subprocess.run([sys.executable, score, labels, predictions, "--json", out, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        result = json.loads(out.read_text(encoding="utf-8"))
    return {image["file"]: image for image in result["images"]}, result["total"]


def compare(score, labels, ours, theirs):
    """Prints both sides' word F1 and CER for every picture, the worst for us first."""
    (mine, my_total), (peer, peer_total) = scores(score, labels, ours), scores(score, labels, theirs)
    print(f"\n{'picture':28}{'F1 ours':>9}{'F1 peer':>9}{'':>9}{'CER ours':>10}{'CER peer':>10}")
    for name in sorted(mine, key=lambda n: mine[n]["f1"] - peer[n]["f1"]):
        a, b = mine[name], peer[name]
        gain = a["f1"] - b["f1"]
        mark = "  WORSE" if gain < -MARGIN else ""
        print(f"{name:28}{a['f1']:9.3f}{b['f1']:9.3f}{gain:+9.3f}{a['cer']:10.3f}{b['cer']:10.3f}{mark}")
    print(f"{'all':28}{my_total['f1']:9.3f}{peer_total['f1']:9.3f}{my_total['f1'] - peer_total['f1']:+9.3f}{my_total['cer_micro']:10.3f}{peer_total['cer_micro']:10.3f}")


def measure(name, command, environment, keep):
    """Runs one side `command`, keeps its predictions; returns (Run, seconds per picture)."""
    result = run(command, **environment)
    path = keep / f"{name}.jsonl"
    path.write_text(result.output, encoding="utf-8")
    # A picture that could not be read has no time.
    seconds = [row["seconds"] for row in map(json.loads, result.output.splitlines()) if row.get("seconds") is not None]
    if not seconds:
        sys.exit(f"{name} read no picture of the folder")
    return result, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="pictures")
    parser.add_argument("--score", type=Path, help="scorer for the comparison picture by picture")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("OURS", "THEIRS"), help="compare two prediction files, run nothing")
    parser.add_argument("--keep", type=Path, help="keep both prediction files here")
    parser.add_argument("--only", choices=["sightread", "rapidocr"], help="one side alone")
    add_options(parser, "sightread")
    args = parser.parse_args()
    if args.compare:
        if not args.score:
            parser.error("--compare needs --score")
        compare(args.score, labels_of(args.folder), *args.compare)
        return
    environment = threads(args.threads)
    with tempfile.TemporaryDirectory() as scratch:
        keep = args.keep or Path(scratch)
        keep.mkdir(parents=True, exist_ok=True)
        rows = {}
        if args.only != "rapidocr":
            command = [need_binary(args.binary), "predict", args.folder, "--no-answers", "--backend", "cpu"]
            rows["sightread"] = measure("sightread", command, environment, keep)
        if args.only != "sightread":
            worker = Path(__file__).with_name("rapidocr_predict.py")
            rows["rapidocr"] = measure("rapidocr", [peer_python(args.venv, PACKAGES), worker, args.folder, args.threads], environment, keep)
        print(f"{'':12}{'pictures':>9}{'median':>10}{'worst':>10}{'CPU each':>10}{'start':>10}{'peak memory':>14}")
        figures = {}
        for name, (result, seconds) in rows.items():
            figure = (statistics.median(seconds), max(seconds), result.cpu / len(seconds), result.wall - sum(seconds), result.peak)
            figures[name] = figure
            print(f"{name:12}{len(seconds):9}" + "".join(f"{value:8.2f} s" for value in figure[:4]) + f"{mib(figure[4]):>14}")
        if len(figures) == 2:
            ratios = [a / b for a, b in zip(*figures.values())]
            print(f"{'ratio':21}" + "".join(f"{ratio:10.2f}" for ratio in ratios[:4]) + f"{ratios[4]:14.2f}")
            if args.score:
                compare(args.score, labels_of(args.folder), keep / "sightread.jsonl", keep / "rapidocr.jsonl")


if __name__ == "__main__":
    main()
