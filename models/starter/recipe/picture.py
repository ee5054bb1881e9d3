"""Lines of the prompt -> a photo-like picture, and what `sightread` reads in it. For calibration with real reading errors."""

import json
import pathlib
import random
import subprocess
import tempfile

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .layout import boxes_of, lines_of

FONTS = ["dejavu/DejaVuSans.ttf", "dejavu/DejaVuSerif.ttf", "dejavu/DejaVuSans-Bold.ttf", "liberation/LiberationSans-Regular.ttf",
         "liberation/LiberationSerif-Regular.ttf", "liberation/LiberationMono-Regular.ttf"]  # fmt: skip
FOLDER = pathlib.Path("/usr/share/fonts/truetype")


def draw(lines, seed):
    """A picture of the lines: `# ` lines big, cells of ` | ` lines apart, then tilted, blurred and unevenly lit."""
    r = random.Random(seed)
    font = str(r.choice([p for name in FONTS if (p := FOLDER / name).is_file()]))
    size = r.randint(18, 34)
    rows, width, y = [], 0, size
    for line in lines:
        big = line.startswith("# ")
        face = ImageFont.truetype(font, int(size * 1.9) if big else size)
        x = size
        for cell in line.removeprefix("# ").split(" | "):
            rows.append((x, y, cell, face))
            x += int(face.getlength(cell)) + 3 * size
        width = max(width, x)
        y += int(face.size * r.uniform(1.35, 1.7))
    ink, paper = r.randint(0, 70), r.randint(185, 255)
    page = Image.new("RGB", (width, y + size), (paper, paper, r.randint(170, paper)))
    pen = ImageDraw.Draw(page)
    for x, y, text, face in rows:
        pen.text((x, y), text, (ink, ink, ink), face)
    page = page.rotate(r.gauss(0, 2), Image.Resampling.BICUBIC, expand=True, fillcolor=(paper // 2,) * 3)
    page = page.filter(ImageFilter.GaussianBlur(r.uniform(0, size / 14)))
    noise = Image.effect_noise(page.size, r.uniform(5, 30)).convert("RGB")
    return Image.blend(page, noise, r.uniform(0.02, 0.15))


def read(documents, reader, first_seed=0):
    """The lines that the program `reader` (sightread) reads in a picture of each of `documents` (lists of lines)."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for n, lines in enumerate(documents):
            path = pathlib.Path(folder, f"{n:05}.jpg")
            draw(lines, first_seed + n).save(path, quality=random.Random(first_seed + n).randint(40, 90))
            paths.append(str(path))
        out = subprocess.run([reader, "read", "--json", "--backend", "cpu", *paths], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = {}
    for record in map(json.loads, out.splitlines()):
        seen = record["reading"]["lines"]
        corners = [[(p["x"], p["y"]) for p in line["quad"]] for line in seen]
        found[pathlib.Path(record["file"]).stem] = lines_of(boxes_of(corners, [line["text"] for line in seen]))
    return [found[pathlib.Path(path).stem] for path in paths]
