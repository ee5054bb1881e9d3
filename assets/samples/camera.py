"""Turns a flat drawn page into something a phone held by hand would take: texture, perspective, light, blur, noise.

Everything is seeded by the caller's generator, so a picture comes out the same every time.
Images are PIL RGB; fields of numbers are numpy float arrays [height, width] or [height, width, 3].
"""
import io

import numpy as np
from PIL import Image, ImageFilter


def cloud(rng, size, cells):
    """Smooth noise with mean 0 and values of about -1..1, `cells` bumps along the longer side; [height, width]."""
    width, height = size
    step = max(width, height) / cells
    coarse = rng.standard_normal((int(height / step) + 2, int(width / step) + 2)).astype(np.float32)
    field = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))
    return field / 2.0


def paper(rng, size, colour, grain=1.2, mottle=2.0):
    """A sheet of paper: one colour with fine grain and slow unevenness."""
    width, height = size
    field = mottle * cloud(rng, size, 9) + grain * rng.standard_normal((height, width))
    return to_image(np.array(colour, np.float32) + field[..., None])


def wood(rng, size, colour):
    """A table top: long streaks along the x axis that waver a little."""
    width, height = size
    y = np.arange(height)[:, None] + 14 * cloud(rng, size, 3)
    streaks = np.interp(y, np.arange(height), np.convolve(rng.standard_normal(height + 8), np.ones(9) / 9, "valid"))
    field = 14 * streaks + 5 * cloud(rng, size, 4)
    return to_image(np.array(colour, np.float32) + field[..., None] * np.array([1.0, 0.9, 0.7]))


def cloth(rng, size, colour):
    """Woven cloth with soft folds."""
    width, height = size
    weave = 3 * np.sin(np.arange(width) * 1.1)[None, :] * np.sin(np.arange(height) * 1.1)[:, None]
    field = weave + 16 * cloud(rng, size, 4)
    return to_image(np.array(colour, np.float32) + field[..., None])


def perspective_coefficients(quad, size):
    """The eight numbers PIL wants: they map a pixel of the photo to a pixel of the page.

    `quad` is where the page's corners land in the photo: top left, top right, bottom right, bottom left.
    """
    width, height = size
    page = [(0, 0), (width, 0), (width, height), (0, height)]
    rows, target = [], []
    for (x, y), (u, v) in zip(quad, page):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
        target += [u, v]
    return np.linalg.solve(np.array(rows, float), np.array(target, float))


def place(photo, page, quad, shadow=0.45):
    """Lays `page` on `photo` with its corners at `quad`, and a soft shadow to its lower right."""
    coefficients = perspective_coefficients(quad, page.size)
    warp = dict(size=photo.size, method=Image.Transform.PERSPECTIVE, data=coefficients, resample=Image.Resampling.BICUBIC)
    mask = Image.new("L", page.size, 255).transform(**warp)
    if shadow:
        cast = Image.new("L", photo.size, 0)
        cast.paste(mask, (9, 13))
        cast = cast.filter(ImageFilter.GaussianBlur(13)).point(lambda v: int(v * shadow))
        photo = Image.composite(Image.new("RGB", photo.size, (12, 10, 8)), photo, cast)
    return Image.composite(page.transform(**warp), photo, mask)


def expose(rng, photo, light=(1.05, 0.72), angle=35.0, tint=(1.0, 0.985, 0.95), blur=0.7, noise=2.2):
    """Light that falls off from `light[0]` to `light[1]` along `angle` (degrees), lens blur, vignette, sensor noise."""
    width, height = photo.size
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    turn = np.deg2rad(angle)
    along = (x * np.cos(turn) + y * np.sin(turn)) / (abs(np.cos(turn)) + abs(np.sin(turn)))
    gain = light[0] + (light[1] - light[0]) * (along + 1) / 2 - 0.05 * (x**2 + y**2) + 0.02 * cloud(rng, photo.size, 3)
    pixels = np.asarray(photo.filter(ImageFilter.GaussianBlur(blur)), np.float32)
    pixels = pixels * gain[..., None] * np.array(tint)
    return to_image(pixels + noise * rng.standard_normal((height, width, 1)))


def to_image(pixels):
    """Float pixels of 0..255 [height, width, 3] as an image."""
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8), "RGB")


def jpeg(photo, limit):
    """The photo as JPEG bytes, at the best quality of at most 88 that fits into `limit` bytes."""
    for quality in range(88, 30, -4):
        out = io.BytesIO()
        photo.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= limit:
            return out.getvalue()
    raise ValueError(f"picture does not fit into {limit} bytes")
