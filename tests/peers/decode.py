#!/usr/bin/env python3
"""Decoding speed of `rpiq generate` beside llama.cpp: same model at 4 bit, same prompt, same number of new tokens, CPU.

    python3 tests/peers/decode.py PACKED_FOLDER MODEL.gguf [MODEL.Q4_0.gguf …] [--q4_0] [--repetitions 5]

PACKED_FOLDER is what `rpiq quantize` wrote of the model in MODEL.gguf. With --q4_0 the first GGUF is also quantized to Q4_0,
llama.cpp's fastest format on a CPU, and measured. All sides take turns, so that a machine that slows down slows all of them;
the figure is the median. Only decoding is timed: neither loading nor reading the prompt.
"""
import argparse
import json
import re
import statistics
import tempfile
from pathlib import Path

from harness import add_options, mib, need_binary, peer_python, run, threads

PACKAGES = ["llama-cpp-python==0.3.36"]
WORKER = Path(__file__).with_name("llama_cpp_decode.py")
# Plain prose that a language model goes on with for a while.
PROMPT = ("The old harbour town had changed little in the hundred years since the railway came. Fishing boats still left before dawn, "
          "the market still opened at seven, and on Sundays the bells of both churches rang across the water. In the spring of that year,")


def ours(args, environment):
    """(tokens a second, tokens) of one run of `rpiq generate`."""
    command = [args.binary, "generate", args.folder, PROMPT, "--max-new-tokens", args.new_tokens, "--backend", args.backend]
    text = run(command + (["--int8-embedding"] if args.int8_embedding else []), **environment).errors
    found = re.search(r"answer: (\d+) tokens in ([\d.]+) s, ([\d.]+) tokens/s", text)
    if not found:
        raise SystemExit(f"rpiq generate said nothing about its speed:\n{text}")
    return float(found[3]), int(found[1])


def theirs(python, gguf, args, environment):
    """(tokens a second, tokens) of one run of llama.cpp."""
    result = json.loads(run([python, WORKER, gguf, args.threads, args.new_tokens, PROMPT], **environment).output)
    return result["tokens"] / result["decode_seconds"], result["tokens"]


def weights(path):
    """Bytes of the weights on disk."""
    return path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.glob("*.safetensors"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="ours: a folder of rpiq quantize, or any model that rpiq generate takes")
    parser.add_argument("gguf", type=Path, nargs="+", help="llama.cpp's")
    parser.add_argument("--q4_0", action="store_true", help="make a Q4_0 file of the first GGUF and measure it too")
    parser.add_argument("--new-tokens", type=int, default=128)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--backend", default="cpu", choices=["cpu", "wgpu"], help="ours; the peer stays on the CPU")
    parser.add_argument("--int8-embedding", action="store_true", help="ours: head in 8 bit, as llama.cpp has it in both formats")
    parser.add_argument("--cmake-args", default="-DGGML_NATIVE=ON", help="for building llama.cpp, if it is to be installed")
    add_options(parser, "rpiq")
    args = parser.parse_args()
    need_binary(args.binary)
    python = peer_python(args.venv, PACKAGES, source=True, CMAKE_ARGS=args.cmake_args)
    environment = threads(args.threads)
    with tempfile.TemporaryDirectory() as scratch:
        if args.q4_0:
            args.gguf.append(Path(scratch) / f"{args.gguf[0].name.split('.')[0]}.Q4_0.gguf")
            run([python, WORKER, "--to-q4_0", args.gguf[0], args.gguf[-1]])
        sides = {f"rpiq generate ({args.backend})": (args.folder, lambda: ours(args, environment))}
        for gguf in args.gguf:
            sides[f"llama.cpp {gguf.name}"] = (gguf, lambda gguf=gguf: theirs(python, gguf, args, environment))
        speeds = {name: [] for name in sides}
        for _ in range(args.repetitions):
            for name, (_, measure) in sides.items():
                speed, tokens = measure()
                if tokens < args.new_tokens // 2:
                    raise SystemExit(f"{name} ended after {tokens} tokens: too few to time")
                speeds[name].append(speed)
        medians = {name: statistics.median(values) for name, values in speeds.items()}
        first = next(iter(medians.values()))
        print(f"{args.new_tokens} new tokens, {args.threads} threads, median of {args.repetitions} (slowest to fastest)")
        for name, median in medians.items():
            size = mib(weights(sides[name][0]))
            print(f"{name:52} {median:8.1f} tokens/s ({min(speeds[name]):.1f} to {max(speeds[name]):.1f}) {size:>9}  ours/this {first / median:.2f}")


if __name__ == "__main__":
    main()
