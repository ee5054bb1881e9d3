#!/usr/bin/env python3
"""Does a folder that `rpiq quantize` wrote mean the same to Python as to us?

    rpiq logits FOLDER --text "…" --out logits.safetensors
    python3 tests/parity/gptq_folder_check.py FOLDER logits.safetensors [--gptqmodel] [--original FOLDER]

`logits.safetensors` holds `ids` (any integer type, [t]) and `logits` (f32 [t, vocabulary]): what our side computed.
They are compared with the folder dequantized by hand and run in NumPy (needs numpy only) and, with --gptqmodel,
with GPTQModel's own loader and torch kernels on the CPU. Without a logits file the two Python readings are compared with each other.
With --original the packed weights are also compared with the full-precision ones. Exit code 1 if a difference is above --tolerance.
"""
import argparse
import os
import sys
from pathlib import Path

import numpy as np

import gptq_folder_numpy as plain

# Used when there is no logits file: any ids do, as long as every Python reading gets the same.
SOME_IDS = np.arange(1000, 33000, 1000)


def gptqmodel_logits(folder, ids):
    """Logits by GPTQModel on the CPU: (its own f16 torch kernels, the weights as it unpacks them run in f32)."""
    os.environ.setdefault("GPTQMODEL_CPU_WORKERS", "2")
    # Compiling every layer takes minutes and changes no number that counts here.
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    import torch
    from gptqmodel import BACKEND, GPTQModel

    model = GPTQModel.load(str(folder), device="cpu", backend=BACKEND.GPTQ_TORCH, dtype=torch.float16).model
    tokens = torch.tensor(ids[None].astype(np.int64))
    with torch.inference_mode():
        half = model(tokens).logits[0].float().numpy()
        for name, layer in list(model.named_modules()):
            if hasattr(layer, "dequantize_weight"):
                # The product of code and scale is to be made in f32 too.
                layer.scales = layer.scales.float()
                weight = layer.dequantize_weight().float().T.contiguous()
                linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
                linear.weight = torch.nn.Parameter(weight, requires_grad=False)
                model.set_submodule(name, linear)
        single = model.float()(tokens).logits[0].numpy()
    return half, single


def compare(name, ours, theirs, tolerance):
    """Prints how far two logits [t, vocabulary] are apart; True if within the tolerance."""
    if ours.shape != theirs.shape:
        print(f"{name}: shapes differ, {ours.shape} and {theirs.shape}")
        return False
    difference = np.abs(ours - theirs)
    same = (ours.argmax(-1) == theirs.argmax(-1)).mean()
    within = bool(difference.max() <= tolerance)
    print(f"{name}: max |difference| {difference.max():.3g}, mean {difference.mean():.3g}, logits up to {np.abs(theirs).max():.1f}, "
          f"same best token {same:.1%}: {'ok' if within else f'above {tolerance}'}")
    return within


def compare_weights(packed, weights, original):
    """Prints the relative error of the packed weights against the full-precision ones."""
    source = plain.tensors(original)
    errors = []
    for name in packed:
        exact = source[f"{name}.weight"].T.astype(np.float32)
        errors.append((np.linalg.norm(weights[name] - exact) / np.linalg.norm(exact), name))
    worst = max(errors)
    print(f"{len(errors)} packed layers, relative weight error: median {np.median([e for e, _ in errors]):.4f}, worst {worst[0]:.4f} ({worst[1]})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("logits", type=Path, nargs="?")
    parser.add_argument("--gptqmodel", action="store_true", help="load the folder with GPTQModel too")
    parser.add_argument("--original", type=Path, help="folder with the full-precision weights")
    parser.add_argument("--tolerance", type=float, default=2e-3, help="largest difference of a logit")
    parser.add_argument("--half-tolerance", type=float, default=0.5, help="the same beside GPTQModel's f16 kernels")
    args = parser.parse_args()
    if not args.logits and not args.gptqmodel:
        parser.error("nothing to compare: give a logits file or --gptqmodel")
    config, packed, weights = plain.load(args.folder)
    if args.original:
        compare_weights(packed, weights, args.original)
    ids = SOME_IDS
    if args.logits:
        dump = plain.read_safetensors(args.logits)
        ids, ours = dump["ids"].reshape(-1), dump["logits"].reshape(-1, dump["logits"].shape[-1])
    by_hand = plain.logits(config, weights, ids)
    good = True
    if args.logits:
        good &= compare("ours and NumPy", ours, by_hand, args.tolerance)
    if args.gptqmodel:
        half, single = gptqmodel_logits(args.folder, ids)
        good &= compare("NumPy and GPTQModel, f32", by_hand, single, args.tolerance)
        if args.logits:
            good &= compare("ours and GPTQModel, f32", ours, single, args.tolerance)
        good &= compare("ours and GPTQModel, its f16 kernels" if args.logits else "NumPy and GPTQModel, its f16 kernels",
                        ours if args.logits else by_hand, half, args.half_tolerance)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
