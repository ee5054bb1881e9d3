#!/usr/bin/env python3
"""What the reader's networks lose if their weights are kept in fewer bits.

    python bits.py PHOTOS --work W --scorer score.py [--binary sightread]

For 32 bit (as shipped), 16, 8 and 4: writes W/BITS, a copy of the model folder with detector and recogniser rounded, has the
photos read with it, and prints size and scores. Rounded as `rpiq` stores weights of that many bits: 16 to half floats, 8 to a
symmetric scale for each output, 4 to nearest on an asymmetric grid for each 64 inputs, with scales in half floats. The files
hold the rounded weights as 32-bit floats, so the time does not change; the size is that of codes and scales.
"""
import argparse
import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np

NETWORKS = ["detector.safetensors", "recognizer.safetensors"]
MODELS = Path(__file__).resolve().parents[2]
BINARY = MODELS.parents[1] / "target" / "release" / "sightread"
GROUP = 64


def rounded(weight, bits):
    """`weight` [out, in], rounded, and the bytes that its codes and scales take."""
    if bits == 16:
        return weight.astype(np.float16).astype(np.float32), 2 * weight.size
    if bits == 8:
        scale = np.maximum(np.abs(weight).max(axis=1, keepdims=True) / 127, 1e-12)
        return np.round(weight / scale) * scale, weight.size + 4 * len(weight)
    parts, size = [], 0
    for first in range(0, weight.shape[1], GROUP):
        part = weight[:, first:first + GROUP]
        low, high = np.minimum(part.min(axis=1, keepdims=True), 0), np.maximum(part.max(axis=1, keepdims=True), 0)
        scale = np.maximum((high - low) / 15, 6.2e-5).astype(np.float16).astype(np.float32)
        zero = np.clip(np.round(-low / scale), 0, 15)
        parts.append(scale * (np.clip(np.round(part / scale + zero), 0, 15) - zero))
        size += part.size / 2 + 2.5 * len(part)
    return np.concatenate(parts, axis=1), size


def rewrite(source, target, bits):
    """Rounds the weights of a file with more than one input; returns the bytes of all its tensors."""
    data = source.read_bytes()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    header, body, size = json.loads(data[8:end]), bytearray(data[end:]), 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "F32", name
        first, last = entry["data_offsets"]
        if bits == 32 or len(entry["shape"]) < 2:
            size += last - first
            continue
        values = np.frombuffer(bytes(body[first:last]), np.float32)
        values, bytes_ = rounded(values.reshape(entry["shape"][0], -1), bits)
        body[first:last] = values.astype("<f4").tobytes()
        size += bytes_
    target.write_bytes(data[:end] + body)
    return size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="folder of pictures with labels.jsonl")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--scorer", type=Path, required=True, help="score.py of the photos")
    parser.add_argument("--binary", type=Path, default=BINARY)
    args = parser.parse_args()
    print("| bits | MiB | CER | word F1 |\n|---|---|---|---|")
    for bits in (32, 16, 8, 4):
        folder = args.work / str(bits)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(MODELS, folder, ignore=shutil.ignore_patterns("recipe", "manifest.json"))
        size = sum(rewrite(MODELS / "vision" / name, folder / "vision" / name, bits) for name in NETWORKS)
        predictions = args.work / f"{bits}.jsonl"
        with predictions.open("wb") as file:
            subprocess.run([args.binary, "predict", "--no-answers", "--backend", "cpu", "--model-dir", folder, args.photos], stdout=file, check=True)
        scores = args.work / f"{bits}.json"
        score = [sys.executable, args.scorer, args.photos / "labels.jsonl", predictions, "--json", scores, "--quiet"]
        subprocess.run(score, check=True, stdout=subprocess.DEVNULL)
        total = json.loads(scores.read_text())["total"]
        print(f"| {bits} | {size / 2**20:.1f} | {total['cer_micro']:.3f} | {total['f1']:.3f} |", flush=True)


if __name__ == "__main__":
    main()
