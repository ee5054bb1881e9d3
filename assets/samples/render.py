#!/usr/bin/env python3
"""Renders the sample pictures and writes what stands on them.

    python3 assets/samples/render.py            write *.jpg and expected.jsonl beside this script
    python3 assets/samples/render.py --check    render again and compare with what is there; exit code 1 if it differs

Needs Pillow, numpy and the Debian packages fonts-dejavu, fonts-liberation and fonts-urw-base35. The same versions give the
same bytes; other versions of Pillow may differ by a grey level here and there, which --check allows for.
"""
import argparse
import io
import json
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from camera import jpeg
from pages import PICTURES

HERE = Path(__file__).resolve().parent
MAX_BYTES = 200_000
# Mean absolute difference, in grey levels, that another version of the libraries may make.
TOLERANCE = 1.5


def render(name):
    """(JPEG bytes, expected record) of one picture."""
    photo, lines, questions = PICTURES[name](np.random.default_rng(zlib.crc32(name.encode())))
    record = {"file": f"{name}.jpg", "category": name, "transcript": "\n".join(lines), "qa": [{"q": q, "a": a} for q, a in questions]}
    return jpeg(photo, MAX_BYTES), record


def difference(a, b):
    """Mean absolute difference of two JPEGs in grey levels; infinite when the sizes differ."""
    a, b = (np.asarray(Image.open(io.BytesIO(x)).convert("RGB"), np.float32) for x in (a, b))
    return float(np.abs(a - b).mean()) if a.shape == b.shape else float("inf")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    wrong, records = [], []
    for name in PICTURES:
        data, record = render(name)
        records.append(json.dumps(record, ensure_ascii=False) + "\n")
        path = HERE / record["file"]
        if not check:
            path.write_bytes(data)
            print(f"{path.name}: {len(data) // 1000} kB, {len(record['transcript'].split())} words")
        elif not path.exists() or difference(data, path.read_bytes()) > TOLERANCE:
            wrong.append(path.name)
    expected = HERE / "expected.jsonl"
    if not check:
        expected.write_text("".join(records), encoding="utf-8")
    elif not expected.exists() or expected.read_text(encoding="utf-8") != "".join(records):
        wrong.append(expected.name)
    if wrong:
        print("not what render.py makes:", ", ".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
