"""Seed -> one picture's lines with questions and answers.

    python -m recipe.generate --seed 7 --count 3        # show some
"""

import argparse
import dataclasses
import random

from . import questions
from .document import Doc, Question, read_values, resolve, strip_marks
from .documents import DOCUMENTS
from .noise import Noise
from .render import lines_of, visible

MAX_QUESTIONS = 9
ABSENT_SHARE = 0.40  # of the documents get one question whose answer is not there: about 6 % of the questions
FIELD_NAMES = sorted(set(questions.FIELDS) - {"say", "title", "product", "topic", "subject", "message", "action", "items", "meaning", "colour"})


@dataclasses.dataclass
class Sample:
    kind: str
    seed: int
    lines: list
    questions: list  # Question with the final answer text; for a refusal kind == "absent"


def sample(seed, held=False, kind=None):
    """One document. `held` asks in phrasings that training never uses. Same seed, same document."""
    r = random.Random(seed)
    names = list(DOCUMENTS)
    kind = kind or r.choices(names, [DOCUMENTS[n][1] for n in names])[0]
    doc = Doc(kind, r, held)
    DOCUMENTS[kind][0](doc)
    _ask_absent(doc)
    marked = lines_of(Noise(r).rows(doc.rows), r)
    values = read_values(marked)
    lines = [" ".join(visible(line).split()) for line in marked]
    asked = []
    for q in doc.questions:
        answer = resolve(q.answer, values)
        if answer and answer.strip():
            asked.append(Question(q.kind, questions.spoken(r, strip_marks(q.text)), answer.strip(), q.keep))
    kept = [q for q in asked if q.keep]
    others = [q for q in asked if not q.keep]
    r.shuffle(others)
    asked = (kept + others)[:MAX_QUESTIONS]
    r.shuffle(asked)
    return Sample(kind, seed, lines, asked)


def _ask_absent(doc):
    r = doc.r
    if r.random() < ABSENT_SHARE:
        field = r.choice(FIELD_NAMES)
        if field not in doc.present | {q.kind for q in doc.questions}:
            doc.questions.append(Question("absent", questions.phrase(r, field, doc.held), refusal(questions.noun(field)), True))


def refusal(thing):
    """The only way to say that something is not there: easy to recognise, and short."""
    return f"I can't see the {thing} here."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("--kind", choices=sorted(DOCUMENTS))
    parser.add_argument("--held", action="store_true", help="phrasings that training never uses")
    args = parser.parse_args()
    for seed in range(args.seed, args.seed + args.count):
        s = sample(seed, args.held, args.kind)
        print(f"--- {s.kind} (seed {seed})", *s.lines, "", *(f"[{q.kind}] {q.text} -> {q.answer}" for q in s.questions), sep="\n")


if __name__ == "__main__":
    main()
