"""Rows as found -> the lines of the prompt. The app's reading order writes the same form (PROMPT.md).

A line per row. Cells of one row are joined by " | ". A line whose letters are at least 1.5 times as high as the median
of the picture's lines starts with "# ".
"""

import statistics

from .document import is_mark, strip_marks

BIG = 1.5


def lines_of(rows, rng):
    """Marked lines. Some pictures come without layout, as from a recogniser that reports neither rows nor heights."""
    style = rng.choices(["full", "plain", "cells", "columns"], [70, 14, 10, 6])[0]
    if not rows:
        return []
    median = statistics.median(row.size for row in rows)
    if style == "columns" and any(len(row.cells) > 1 for row in rows):
        return _column_by_column(rows)
    lines = []
    for row in rows:
        cells = [" ".join(c.split()) for c in row.cells if strip_marks(c).strip()]
        if style == "cells":
            lines += cells
            continue
        big = style == "full" and len(rows) > 1 and row.size >= BIG * median
        lines.append(("# " if big else "") + (" | " if style == "full" else " ").join(cells))
    return lines


def _column_by_column(rows):
    """Reading order gone wrong: the left column first, then the right one."""
    lines = []
    block = []

    def flush():
        for column in range(max((len(row.cells) for row in block), default=0)):
            lines.extend(row.cells[column] for row in block if column < len(row.cells))
        block.clear()

    for row in rows:
        if len(row.cells) > 1:
            block.append(row)
        else:
            flush()
            lines.extend(row.cells)
    flush()
    return lines


def visible(line):
    return "".join(c for c in line if not is_mark(c))
