"""A flat page that remembers, line by line, what was written on it: the ground truth comes from the drawing itself."""
import functools
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

INK = (38, 36, 40)
FONT_ROOT = Path("/usr/share/fonts")


@functools.cache
def font(name, size):
    """A font by its file stem, for example `LiberationSans-Bold`."""
    found = sorted(p for p in FONT_ROOT.rglob(f"{name}.*") if p.suffix in (".ttf", ".otf"))
    if not found:
        raise SystemExit(f"font {name} is missing: apt-get install fonts-dejavu fonts-liberation fonts-urw-base35")
    return ImageFont.truetype(str(found[0]), size)


class Sheet:
    """A page under construction. `face` is the font that `line` and `row` use unless told otherwise."""

    def __init__(self, background, face="LiberationSans-Regular", ink=INK):
        self.image = background.copy()
        self.draw = ImageDraw.Draw(self.image)
        self.face, self.ink = face, ink
        self.lines = []

    @classmethod
    def plain(cls, size, colour, **kwargs):
        """A page of one colour."""
        return cls(Image.new("RGB", size, colour), **kwargs)

    def line(self, xy, text, size, face=None, ink=None, anchor="la"):
        """Writes one line and records it. `anchor` as in PIL: la = left/top, ma = middle/top, ra = right/top."""
        self.row(xy[1], [(xy[0], text, anchor)], size, face, ink)

    def row(self, y, cells, size, face=None, ink=None):
        """Writes several pieces `(x, text, anchor)` at one height; they are one line of the transcript."""
        for x, text, anchor in cells:
            self.draw.text((x, y), text, font=font(face or self.face, size), fill=ink or self.ink, anchor=anchor)
        self.lines.append(" ".join(text for _, text, _ in cells))

    def block(self, xy, lines, size, leading=1.4, **kwargs):
        """Writes lines below each other; returns the y below the last."""
        x, y = xy
        for text in lines:
            self.line((x, y), text, size, **kwargs)
            y += round(size * leading)
        return y

    def rule(self, y, left, right, ink=None, width=2):
        """A horizontal line."""
        self.draw.line([(left, y), (right, y)], fill=ink or self.ink, width=width)
