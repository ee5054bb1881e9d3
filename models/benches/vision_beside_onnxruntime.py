#!/usr/bin/env python3
"""Our vision networks beside onnxruntime on the same shapes, one after the other on the same machine.

    pip install numpy onnxruntime
    python vision_beside_onnxruntime.py --wheel rapidocr-3.10.0-py3-none-any.whl [--threads 1] [-- BENCH ARGUMENTS]

Prints milliseconds of CPU time and wall time, best of five rounds, and the ratio ours / onnxruntime (below 1 is faster).
"""

import argparse
import os
import subprocess
import time
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "detector": "rapidocr/models/PP-OCRv6_det_small.onnx",
    "recognizer": "rapidocr/models/PP-OCRv6_rec_small.onnx",
    "line_classifier": "rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}


def onnxruntime_milliseconds(session, shape):
    """(wall, CPU), best of five rounds of about half a second."""
    feed = {session.get_inputs()[0].name: np.random.default_rng(1).standard_normal(shape, dtype=np.float32)}
    session.run(None, feed)
    start = time.perf_counter()
    session.run(None, feed)
    repeats = max(1, min(200, round(0.5 / (time.perf_counter() - start))))
    rounds = []
    for _ in range(5):
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(repeats):
            session.run(None, feed)
        rounds.append((time.perf_counter() - wall, time.process_time() - cpu))
    return [min(column) * 1e3 / repeats for column in zip(*rounds)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bench", help="the built bench program, to skip cargo")
    parser.add_argument("arguments", nargs="*", help="for the bench, e.g. --weights FOLDER")
    args = parser.parse_args()

    command = [args.bench] if args.bench else ["cargo", "bench", "--bench", "vision", "--"]
    environment = os.environ | {"RAYON_NUM_THREADS": str(args.threads)}
    ours = subprocess.run(
        command + args.arguments, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout

    sessions = {}
    print(f"{args.threads} threads; milliseconds")
    print(f"{'network':16}{'shape':12}{'our CPU':>10}{'ort CPU':>10}{'ratio':>7}{'our wall':>10}{'ort wall':>10}{'ratio':>7}")
    for line in ours.splitlines():
        network, shape, wall, cpu = line.split()
        if network not in sessions:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = args.threads
            with zipfile.ZipFile(args.wheel) as archive:
                sessions[network] = onnxruntime.InferenceSession(archive.read(FILES[network]), options)
        b, h, w = map(int, shape.split("x"))
        ort_wall, ort_cpu = onnxruntime_milliseconds(sessions[network], (b, 3, h, w))
        wall, cpu = float(wall), float(cpu)
        ratios = cpu / ort_cpu, wall / ort_wall
        print(f"{network:16}{shape:12}{cpu:10.1f}{ort_cpu:10.1f}{ratios[0]:7.2f}{wall:10.1f}{ort_wall:10.1f}{ratios[1]:7.2f}")


if __name__ == "__main__":
    main()
