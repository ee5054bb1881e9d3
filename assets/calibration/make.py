#!/usr/bin/env python3
"""Makes english.txt, the text that language models are calibrated on when nobody names another.

    python3 assets/calibration/make.py            write english.txt beside this script
    python3 assets/calibration/make.py --check    make it again and compare with what is there; exit code 1 if it differs

It is prose.txt, paragraph by paragraph, between documents of the starter model's generator (models/starter/recipe): letters,
receipts, labels, leaflets, forms, signs and stories as they would be printed, without a recogniser's mistakes, each with a few
questions and answers. Needs faker (models/starter/recipe/requirements.txt); another version gives other names.
"""
import argparse
import os
import random
import sys
from pathlib import Path

if os.environ.get("PYTHONHASHSEED") != "0":
    # Some of faker's lists are sets, whose order hangs on this.
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent.parent / "models/starter"))

from recipe.document import Doc, read_values, resolve, strip_marks  # noqa: E402
from recipe.documents import DOCUMENTS  # noqa: E402

# Apart from the seeds of training, evaluation and the starter model's own calibration.
FIRST_SEED = 700_000
DOCUMENT_CHARACTERS = 125_000
QUESTIONS = 3


def document(seed):
    """One document as it would be printed, then questions about it."""
    r = random.Random(seed)
    kind = r.choices(list(DOCUMENTS), [weight for _, weight in DOCUMENTS.values()])[0]
    doc = Doc(kind, r)
    DOCUMENTS[kind][0](doc)
    marked = ["  ".join(" ".join(cell.split()) for cell in row.cells) for row in doc.rows]
    values = read_values(marked)
    text = "\n".join(strip_marks(line) for line in marked)
    r.shuffle(doc.questions)
    for question in doc.questions[:QUESTIONS]:
        answer = resolve(question.answer, values)
        if answer and answer.strip():
            text += f"\n\nQuestion: {strip_marks(question.text)}\nAnswer: {answer.strip()}"
    return text


def calibration_text():
    prose = [paragraph.strip() for paragraph in (HERE / "prose.txt").read_text(encoding="utf-8").split("\n\n")]
    documents, size, seed = [], 0, FIRST_SEED
    while size < DOCUMENT_CHARACTERS:
        documents.append(document(seed))
        size += len(documents[-1])
        seed += 1
    pieces = []
    for n, paragraph in enumerate(prose):
        first, last = (len(documents) * k // len(prose) for k in (n, n + 1))
        pieces += [paragraph, *documents[first:last]]
    return "\n\n".join(pieces) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with what is there")
    args = parser.parse_args()
    out, text = HERE / "english.txt", calibration_text()
    if args.check:
        if text != out.read_text(encoding="utf-8"):
            sys.exit(f"{out} is not what this script makes")
        return
    part = out.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(out)


if __name__ == "__main__":
    main()
