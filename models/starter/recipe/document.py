"""A synthetic picture: rows of text cells, and questions whose answers point at marked values in those cells.

A value is marked with private-use characters around it (`Doc.value`). The same marked string goes into a row and
into an answer. Noise changes the characters in the rows but never the marks, so the answer can be read back as the
recogniser's version of the value: answers are copies of the text as it was read, mistakes included.
"""

import dataclasses

from . import questions

CLOSE = "\ue000"
FIRST_ID, LAST_ID = 0xE100, 0xEFFF


def is_mark(char):
    return "\ue000" <= char <= "\uefff"


def strip_marks(text):
    return "".join(c for c in text if not is_mark(c))


@dataclasses.dataclass
class Row:
    cells: list  # marked strings, left to right
    size: float = 1.0  # letter height relative to body text


@dataclasses.dataclass
class Question:
    kind: str  # what is asked: the field's name, or "yesno", "count", "absent", …
    text: str  # marked values inside are spoken as they were before the noise
    answer: str  # may hold marked values, resolved after the noise
    keep: bool = False  # an important question, kept when a document has too many


class Doc:
    """Collects rows and questions. `r` is the only source of randomness."""

    def __init__(self, kind, rng, held=False):
        self.kind, self.r = kind, rng
        self.held = held  # ask in phrasings that training never uses
        self.rows, self.questions = [], []
        self.present = set()  # fields that must not be asked as absent
        self.next_id = FIRST_ID

    def value(self, text):
        """Marks a value; use the returned string in rows and answers."""
        if self.next_id > LAST_ID:
            raise OverflowError("too many marked values in one document")
        mark = chr(self.next_id)
        self.next_id += 1
        return mark + text + CLOSE

    def row(self, *cells, size=1.0):
        cells = [c for c in cells if strip_marks(c)]
        if cells:
            self.rows.append(Row(list(cells), size))

    def wrap(self, text, width=None, size=1.0):
        """Rows of running text, broken at spaces."""
        width = width or self.r.randint(22, 52)
        line = ""
        for word in text.split():
            if line and len(strip_marks(line)) + len(strip_marks(word)) >= width:
                self.row(line, size=size)
                line = ""
            line += (" " if line else "") + word
        self.row(line, size=size)

    def pair(self, label, value, size=1.0):
        """A label and its value: in one cell, as two columns, or one below the other."""
        k = self.r.random()
        if k < 0.55:
            self.row(label + self.r.choice([": ", " ", ": ", ":", " - ", ". "]) + value, size=size)
        elif k < 0.85:
            self.row(label, value, size=size)
        else:
            self.row(label, size=size)
            self.row(value, size=size)

    def ask(self, field, answer, keep=False):
        """A question about a field of questions.py, phrased at random."""
        self.present.add(field)
        self.questions.append(Question(field, questions.phrase(self.r, field, self.held), answer, keep))

    def ask_about(self, thing, answer):
        """A general question about something with a name, such as a label."""
        self.questions.append(Question("label", questions.general(self.r, thing, self.held), answer))

    def ask_as(self, kind, phrasings, answer, keep=False):
        """A question in one of the given phrasings."""
        text = phrasings if isinstance(phrasings, str) else questions.pick(self.r, phrasings, self.held)
        self.questions.append(Question(kind, text, answer, keep))

    def yes_no(self, phrasings, yes, evidence=""):
        """Yes or no, followed by what the text says."""
        self.ask_as("yesno", phrasings, ("Yes" if yes else "No") + (", " + evidence if evidence else "") + ".")


def read_values(lines):
    """Rendered, still marked lines -> {id: text as read}, where it stands first. Over several lines: joined by spaces."""
    found, closed, open_ids = {}, set(), []
    for line in lines:
        for char in line:
            if char == CLOSE:
                if open_ids:
                    closed.add(open_ids.pop())
            elif is_mark(char):
                open_ids.append(char)
                found.setdefault(char, [])
            else:
                for i in open_ids:
                    if i not in closed:
                        found[i].append(char)
        for i in open_ids:
            if i not in closed:
                found[i].append(" ")
    return {i: " ".join("".join(chars).replace(" | ", " ").split()) for i, chars in found.items()}


def resolve(answer, values):
    """An answer with marked values -> the answer with the values as read, or None if one of them cannot be read."""
    out, skip = [], 0
    for char in answer:
        if char == CLOSE:
            skip = max(0, skip - 1)
        elif is_mark(char):
            if skip == 0:
                if not values.get(char):
                    return None
                out.append(values[char])
            skip += 1
        elif skip == 0:
            out.append(char)
    return "".join(out)
