#!/usr/bin/env python3
"""Films what a camera held by hand sees until a receipt lies well before it, as MJPEG: 1280x720, 10 frames a second.

    python3 assets/samples/moving.py OUT.mjpeg    writes the film and prints, one JSON a line, what it shows from when to when

A table without text; the receipt comes in from the right and stays cut off; it is too far away; it is dark; at last it is
steady and complete. Needs what render.py needs. The film is the same every time.
"""
import argparse
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from camera import cloud, place, to_image, wood
from pages import receipt_sheet

SIZE = (1280, 720)
FRAMES_PER_SECOND = 10
# Seconds, and what is to be seen then.
SCENES = [
    (0.0, 3.0, "no text"),
    (3.0, 4.0, "moving"),
    (4.0, 7.0, "cut off on the right"),
    (7.0, 8.0, "moving"),
    (8.0, 11.0, "too far"),
    (11.0, 12.0, "moving"),
    (12.0, 15.0, "dark"),
    (15.0, 21.0, "steady and complete"),
]
# Second, middle of the receipt (x, y) and its height in pixels, light; between these everything changes evenly.
PATH = np.array([
    (0.0, 1560, 360, 700, 1.0),
    (3.0, 1560, 360, 700, 1.0),
    (4.0, 1200, 360, 700, 1.0),
    (7.0, 1200, 360, 700, 1.0),
    (8.0, 640, 330, 250, 1.0),
    (11.0, 640, 330, 250, 1.0),
    (12.0, 640, 360, 705, 0.12),
    (14.8, 640, 360, 705, 0.12),
    (15.2, 640, 360, 705, 1.0),
    (21.0, 640, 360, 705, 1.0),
])
# How far a hand trembles, in pixels, and how many times it turns back in the whole film.
TREMBLE, TURNS = 2.0, 40
# Blur by motion: this share of the way from one frame to the next.
SHUTTER = 0.3


def corners(x, y, width, height):
    """The corners of an upright sheet of that size, in the order that `place` wants."""
    return [(x - width / 2, y - height / 2), (x + width / 2, y - height / 2), (x + width / 2, y + height / 2), (x - width / 2, y + height / 2)]


def smear(photo, way):
    """The photo blurred along a way in pixels."""
    steps = max(1, round(abs(way)))
    if steps < 2:
        return photo
    pixels = np.asarray(photo, np.float32)
    return to_image(sum(np.roll(pixels, round(way * k / (steps - 1)), axis=1) for k in range(steps)) / steps)


def film():
    """The frames, as JPEG bytes."""
    rng = np.random.default_rng(20)
    sheet = receipt_sheet(rng).image
    # The table is wider than the picture, so that a hand can tremble above it.
    table = wood(rng, (SIZE[0] + 40, SIZE[1] + 40), (124, 88, 58))
    count = int(SCENES[-1][1] * FRAMES_PER_SECOND)
    tremble = TREMBLE * cloud(rng, (count, 2), TURNS)
    shade = 1.0 + 0.05 * cloud(rng, SIZE, 3)
    before = PATH[0, 1]
    for frame in range(count):
        x, y, height, light = (np.interp(frame / FRAMES_PER_SECOND, PATH[:, 0], column) for column in PATH.T[1:])
        dx, dy = tremble[:, frame]
        photo = table.crop((round(20 - dx), round(20 - dy), round(20 - dx) + SIZE[0], round(20 - dy) + SIZE[1]))
        width = height * sheet.width / sheet.height
        if x - width / 2 < SIZE[0] + 40:
            small = sheet.resize((round(width), round(height)), Image.Resampling.LANCZOS)
            photo = place(photo, small, corners(x + dx, y + dy, width, height))
        photo = smear(photo, (x - before) * SHUTTER).filter(ImageFilter.GaussianBlur(0.6))
        before = x
        pixels = np.asarray(photo, np.float32) * (light * shade)[..., None] + 2.0 * rng.standard_normal((SIZE[1], SIZE[0], 1))
        out = io.BytesIO()
        to_image(pixels).save(out, "JPEG", quality=85)
        yield out.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="the film")
    with parser.parse_args().out.open("wb") as out:
        for frame in film():
            out.write(frame)
    for start, end, shows in SCENES:
        print(json.dumps({"from": start, "to": end, "shows": shows}))


if __name__ == "__main__":
    main()
