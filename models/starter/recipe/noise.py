"""What a text recogniser makes of a page: wrong characters, glued words, broken lines, bits of background.

All functions work on marked text (document.py) and leave the marks in place.
"""

from .document import Row, is_mark, strip_marks

# What the recogniser reads -> for what stands there. Upper and lower case, digits, and pairs that look like one.
LOOKALIKES = {
    "0": "OoD", "O": "0QD", "o": "0ec", "1": "lI7i", "l": "1Ii", "I": "l1|", "i": "l1j", "5": "S6", "S": "58", "s": "S5",
    "8": "B3", "B": "8R", "6": "5b8", "b": "6h", "9": "g4", "g": "9q", "q": "g9", "2": "Z7", "Z": "2", "z": "2s", "7": "1T",
    "4": "A9", "A": "4R", "3": "8", "e": "co", "c": "eo", "n": "rm", "m": "nr", "r": "nt", "u": "vn", "v": "uy", "h": "bn",
    "t": "fl", "f": "t", "E": "FB", "F": "EP", "P": "FR", "R": "PB", "C": "GO", "G": "C6", "D": "O0", "T": "7I", "V": "YU",
    "U": "VO", "Y": "VT", "W": "VM", "M": "NH", "N": "MH", "H": "NM", "K": "XR", "X": "K", "a": "oe", "y": "vg", "w": "vu",
    ".": ",:", ",": ".", ":": ".;", "-": "~.", "'": "`", "€": "E", "£": "E", "$": "S", "°": "o", "&": "8", "/": "l1", "%": "96",
    "é": "e", "ü": "u", "ö": "o", "ä": "a", "ñ": "n", "ç": "c",
}  # fmt: skip
FRAGMENTS = ["·", "-", "|", "ll", "O", "o", "E", "1", "7", "TM", "®", "•", "II", "=", "~", ".", "A", "V", "oo", "ii", "C", "口", "1/", "co", "S.", ">>"]


class Noise:
    """How badly one picture is read. Most pictures are read well, some are hard."""

    def __init__(self, rng):
        r = self.r = rng
        level = r.choices(["clean", "good", "fair", "hard"], [22, 43, 25, 10])[0]
        self.character, self.glue, self.tear = {
            "clean": (0.0, 0.0, 0.0),
            "good": (0.004, 0.02, 0.02),
            "fair": (0.015, 0.07, 0.06),
            "hard": (0.05, 0.15, 0.12),
        }[level]
        if level != "clean" and r.random() < 0.12:
            self.glue = 0.6  # some fonts lose nearly every space
        self.lost = 0.0 if level == "clean" else r.choice([0.0, 0.0, 0.0, 0.03, 0.08])  # whole lines not found
        self.cut = level != "clean" and r.random() < 0.08  # the camera cuts one side off
        self.background = 0.0 if level == "clean" else r.choice([0.0, 0.0, 0.05, 0.15])
        self.case = level != "clean" and r.random() < 0.1

    def text(self, text):
        """Character errors in one cell."""
        r, out = self.r, []
        for char in text:
            if is_mark(char):
                out.append(char)
            elif char == " ":
                out.append("" if r.random() < self.glue else " ")
            elif r.random() < self.character:
                k = r.random()
                if k < 0.7:
                    out.append(r.choice(LOOKALIKES.get(char, char)))
                elif k < 0.86:
                    out.append("")
                elif k < 0.93:
                    out.append(char * 2)
                else:
                    out.append(char + r.choice(["'", ".", " ", "-", ","]))
            else:
                if char in ".,:" and self.glue and r.random() < 0.02:
                    char = ""
                out.append(char.swapcase() if self.case and char.isalpha() and r.random() < 0.03 else char)
        return "".join(out)

    def rows(self, rows):
        """Rows as drawn -> rows as found: lost, torn, cut, joined by pieces of the background."""
        r, found = self.r, []
        for row in rows:
            if r.random() < self.lost:
                continue
            cells = [self.text(c) for c in row.cells]
            if self.cut:
                cells[0] = _drop_first(cells[0], r.randint(1, 3))
            row = Row(cells, row.size * r.uniform(0.93, 1.07))
            if len(cells) == 1 and r.random() < self.tear:
                found += self._torn(row)
            else:
                found.append(row)
            if r.random() < self.background:
                found.append(Row([self._fragment()], r.uniform(0.5, 1.6)))
        if r.random() < self.tear * 2 and len(found) > 2:  # a line read too early or too late
            i = r.randrange(len(found) - 1)
            found[i], found[i + 1] = found[i + 1], found[i]
        return [row for row in found if any(strip_marks(c).strip() for c in row.cells)]

    def _torn(self, row):
        """One line found as two boxes: side by side, or as two lines."""
        words = row.cells[0].split(" ")
        if len(words) < 2:
            return [row]
        k = self.r.randint(1, len(words) - 1)
        left, right = " ".join(words[:k]), " ".join(words[k:])
        return [Row([left, right], row.size)] if self.r.random() < 0.5 else [Row([left], row.size), Row([right], row.size)]

    def _fragment(self):
        r = self.r
        if r.random() < 0.6:
            return r.choice(FRAGMENTS)
        return "".join(r.choice("abcdefghiklmnoprstuvwABCDEFGHIKLMNOPRSTUVW0123456789 .") for _ in range(r.randint(2, 9))).strip()


def _drop_first(text, count):
    """Drops the first visible characters, keeps the marks."""
    out = []
    for char in text:
        if not is_mark(char) and count > 0:
            count -= 1
        else:
            out.append(char)
    return "".join(out)
