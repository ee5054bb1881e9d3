"""Text boxes -> the lines of PROMPT.md: page angle taken out, boxes grouped into rows, big rows marked.

    python -m recipe.layout PHOTO_FOLDER --out readings.jsonl      # reads with the PyPI package rapidocr

The app does this in Rust from its own recogniser; this is the plain form of it, for the evaluation.
"""

import argparse
import dataclasses
import json
import math
import pathlib
import statistics

from .render import BIG

IMAGES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


@dataclasses.dataclass
class Box:
    text: str
    left: float
    right: float
    middle: float
    height: float


def boxes_of(quads, texts):
    """Quads (four corners, clockwise from the text's upper left) turned upright by the page's median angle."""
    angles = [math.atan2(q[1][1] - q[0][1], q[1][0] - q[0][0]) for q in quads]
    angle = statistics.median(angles) if angles else 0.0
    if abs(angle) > math.radians(30):
        angle = 0.0
    cos, sin = math.cos(-angle), math.sin(-angle)
    out = []
    for quad, text in zip(quads, texts):
        points = [(x * cos - y * sin, x * sin + y * cos) for x, y in quad]
        height = (math.dist(points[0], points[3]) + math.dist(points[1], points[2])) / 2
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        out.append(Box(" ".join(text.split()), min(xs), max(xs), sum(ys) / 4, max(height, 1.0)))
    return [b for b in out if b.text]


def rows_of(boxes):
    """Boxes whose middles are closer than half of the smaller height, and that stand beside each other, are a row."""
    rows = []
    for box in sorted(boxes, key=lambda b: b.middle):
        for row in reversed(rows):
            beside = all(box.left >= b.right - 0.3 * b.height or box.right <= b.left + 0.3 * b.height for b in row)
            near = abs(statistics.mean(b.middle for b in row) - box.middle) < 0.5 * min(box.height, *(b.height for b in row))
            if beside and near:
                row.append(box)
                break
        else:
            rows.append([box])
    rows.sort(key=lambda row: statistics.mean(b.middle for b in row))
    return [sorted(row, key=lambda b: b.left) for row in rows]


def lines_of(boxes):
    rows = rows_of(boxes)
    if not rows:
        return []
    heights = [max(b.height for b in row) for row in rows]
    median = statistics.median(heights)
    lines = []
    for row, height in zip(rows, heights):
        line = row[0].text
        for before, box in zip(row, row[1:]):
            line += (" | " if box.left - before.right > min(box.height, before.height) else " ") + box.text
        lines.append(("# " if len(rows) > 1 and height >= BIG * median else "") + line)
    return lines


def main():
    from rapidocr import RapidOCR

    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--out", type=pathlib.Path, required=True)
    args = p.parse_args()
    engine = RapidOCR(params={"Global.log_level": "error"})
    with open(args.out, "w") as out:
        for path in sorted(x for x in args.folder.iterdir() if x.suffix.lower() in IMAGES):
            found = engine(str(path))
            quads = [] if found.boxes is None else found.boxes.tolist()
            lines = lines_of(boxes_of(quads, list(found.txts or [])))
            out.write(json.dumps({"file": path.name, "lines": lines}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
