#!/usr/bin/env python3
"""A vision-language model of SmolVLM-256M's size, random weights, 4 bit: a tile, a prompt, a token; beside llama.cpp's mtmd.

    python3 tests/peers/vlm.py WORK [--torch-python PYTHON] [--llama-cpp FOLDER] [--wgpu]

WORK gets the model (tests/parity/make_idefics3_fixtures.py --full), our 4-bit folder of it (rpiq quantize --method rtn: the time does not
depend on how weights were chosen) and llama.cpp's files: the language model in Q4_0, the vision tower in Q8_0, the smallest that its
converter writes. What is there already is used as it is. PYTHON needs torch, transformers, safetensors, Pillow and sentencepiece; FOLDER is
llama.cpp's source, of which only convert_hf_to_gguf.py is used (vendor/llama.cpp of the sources of llama-cpp-python). Without FOLDER only
ours is measured, unless WORK has the GGUF files.

Ours is `cargo bench --workspace --bench vlm`; with --wgpu also through wgpu, on a software adapter such as lavapipe if there is no other.
"""
import argparse
import json
import os
import re
import sys
from pathlib import Path

from harness import REPOSITORY, add_options, need_binary, peer_python, run, threads

PACKAGES = ["llama-cpp-python==0.3.36"]
WORKER = Path(__file__).with_name("llama_cpp_vlm.py")
QUANTIZE = Path(__file__).with_name("llama_cpp_decode.py")
LINE = re.compile(r"^(.+?) +([\d.]+) ms", re.MULTILINE)
MEASURES = {"looking at a tile": "a tile, s", "prompt of 80 tokens": "prompt of 80, tokens/s", "prompt of 878 tokens": "prompt of 878, tokens/s",
            "answer, one token": "answer, tokens/s"}


def make_ours(args):
    """The model and our 4-bit folder of it."""
    full, packed = args.work / "full", args.work / "packed"
    if not (full / "expected.safetensors").exists():
        run([args.torch_python, REPOSITORY / "tests" / "parity" / "make_idefics3_fixtures.py", "--full", full])
    if not packed.exists():
        run([need_binary(args.binary), "quantize", full, packed, "--method", "rtn", "--backend", "cpu"])
    return full, packed


def make_theirs(args, full, python):
    """The GGUF files of language model and vision tower, or nothing if there is no converter."""
    model, tower = args.work / "model.Q4_0.gguf", args.work / "mmproj.Q8_0.gguf"
    if model.exists() and tower.exists():
        return model, tower
    if not args.llama_cpp:
        return None
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, [str(args.llama_cpp / "gguf-py"), os.environ.get("PYTHONPATH")]))}
    convert = [args.torch_python, args.llama_cpp / "convert_hf_to_gguf.py", full]
    wide = args.work / "model.F16.gguf"
    run([*convert, "--outfile", wide, "--outtype", "f16"], **environment)
    run([*convert, "--mmproj", "--outfile", tower, "--outtype", "q8_0"], **environment)
    run([python, QUANTIZE, "--to-q4_0", wide, model])
    wide.unlink()
    return model, tower


def ours(args, packed, environment, *more):
    """What the benchmark says, by name, in seconds."""
    command = ["cargo", "bench", "--workspace", "--bench", "vlm", "--", packed.resolve(), "--tokens", args.new_tokens, "--int8-embedding", *more]
    output = run(command, folder=REPOSITORY, **environment).output
    print(output, file=sys.stderr)
    return {name: float(milliseconds) / 1e3 for name, milliseconds in LINE.findall(output)}


def in_units(seconds):
    """Figures of MEASURES in their units."""
    counts = {"looking at a tile": None, "prompt of 80 tokens": 80, "prompt of 878 tokens": 878, "answer, one token": 1}
    return {MEASURES[name]: seconds[name] if count is None else count / seconds[name] for name, count in counts.items()}


def theirs(args, files, python, environment):
    found = json.loads(run([python, WORKER, *files, args.threads, args.new_tokens, args.rounds], **environment).output.splitlines()[-1])
    print(json.dumps(found), file=sys.stderr)
    prompts = found["prompt_seconds"]
    return in_units({"looking at a tile": found["tile_seconds"], "prompt of 80 tokens": prompts["80"], "prompt of 878 tokens": prompts["878"],
                     "answer, one token": found["token_seconds"]})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="folder for the models")
    parser.add_argument("--torch-python", default=sys.executable)
    parser.add_argument("--llama-cpp", type=Path, help="llama.cpp's source")
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--wgpu", action="store_true", help="measure ours through wgpu too")
    parser.add_argument("--wgpu-rounds", type=int, default=1, help="rounds of that: a software adapter takes minutes for each")
    parser.add_argument("--cmake-args", default="-DGGML_NATIVE=ON", help="for building llama.cpp, if it is to be installed")
    add_options(parser, "rpiq")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    full, packed = make_ours(args)
    environment = threads(args.threads)
    sides = {"sightread, CPU": in_units(ours(args, packed, environment, "--rounds", args.rounds))}
    if args.wgpu:
        sides["sightread, wgpu"] = in_units(ours(args, packed, environment, "--rounds", args.wgpu_rounds, "--wgpu"))
    if args.llama_cpp or (args.work / "model.Q4_0.gguf").exists():
        python = peer_python(args.venv, PACKAGES, source=True, CMAKE_ARGS=args.cmake_args)
        files = make_theirs(args, full, python)
        if files:
            sides["llama.cpp mtmd, CPU"] = theirs(args, files, python, environment)
    print(f"{args.threads} threads, best of {args.rounds}")
    print(f"| |{''.join(f' {measure} |' for measure in MEASURES.values())}")
    print("|---" * (len(MEASURES) + 1) + "|")
    for name, figures in sides.items():
        print(f"| {name} |{''.join(f' {figures[measure]:.2f} |' for measure in MEASURES.values())}")


if __name__ == "__main__":
    main()
