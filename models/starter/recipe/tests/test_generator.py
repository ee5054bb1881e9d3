"""python -m unittest discover -s recipe/tests -t .      (from models/starter)"""

import collections
import re
import unittest

from recipe import calibration, document, extract, generate, questions
from recipe.documents import DOCUMENTS

# Answers that are not one copy: refusals, yes/no, counts.
NOT_COPIED = {"absent", "yesno", "count"}


def letters(text):
    return re.sub(r"[^\w€£$%°]+", "", text.replace(" | ", " ").lower())


class Generator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.samples = [generate.sample(seed) for seed in range(3000)]

    def test_same_seed_same_document(self):
        for seed in range(0, 300, 7):
            self.assertEqual(generate.sample(seed), generate.sample(seed))

    def assert_copied(self, sample, question, answer):
        """Every word of the answer stands in a line (a value may go over lines with other text in between)."""
        text = letters(" ".join(sample.lines))
        for word in answer.split():
            with self.subTest(kind=sample.kind, seed=sample.seed, asked=question.kind, answer=answer):
                self.assertIn(letters(word), text)

    def test_every_word_of_an_answer_occurs_in_the_lines(self):
        for s in self.samples:
            for q in s.questions:
                if q.kind not in NOT_COPIED:
                    self.assert_copied(s, q, re.sub(r" (by|and) ", " ", q.answer))

    def test_evidence_after_yes_or_no_occurs_in_the_lines(self):
        for s in self.samples:
            for q in s.questions:
                if q.kind == "yesno":
                    self.assertRegex(q.answer, r"^(Yes|No)[.,]")
                    evidence = re.sub(r"^(Yes|No)[,.] ?(it says |it is by |it is |for )?", "", q.answer)
                    self.assert_copied(s, q, evidence.replace(" and ", " "))

    def test_single_values_stand_in_one_piece(self):
        whole = total = 0
        for s in self.samples:
            text = letters(" ".join(line.removeprefix("# ") for line in s.lines))
            for q in s.questions:
                if q.kind in {"total", "date", "phone", "expiry", "strength", "lookup", "label"}:
                    total += 1
                    whole += letters(q.answer) in text
        self.assertGreater(whole / total, 0.99)

    def test_no_marks_are_left(self):
        for s in self.samples:
            for text in [*s.lines, *(q.text for q in s.questions), *(q.answer for q in s.questions)]:
                self.assertFalse(any(document.is_mark(c) for c in text))
                self.assertNotRegex(text, r"[\n{}]|^\s|\s$|  ")

    def test_refusals_are_few_and_never_about_what_is_there(self):
        asked = collections.Counter(q.kind == "absent" for s in self.samples for q in s.questions)
        self.assertTrue(0.04 < asked[True] / asked.total() < 0.085, asked)
        for s in self.samples:
            answered = {q.kind for q in s.questions if q.kind != "absent"}
            for q in s.questions:
                if q.kind == "absent":
                    self.assertTrue(q.answer.startswith("I can't see"))
                    self.assertFalse(any(q.answer == generate.refusal(questions.noun(k)) for k in answered if k in questions.FIELDS))
                else:
                    self.assertFalse(q.answer.startswith("I can't see"))

    def test_every_kind_of_document_is_drawn_and_asks(self):
        drawn = collections.Counter(s.kind for s in self.samples if s.questions)
        self.assertEqual(set(drawn), set(DOCUMENTS))

    def test_held_phrasings_are_apart(self):
        for field in questions.FIELDS:
            used, held = questions._OWN[field]
            if set(used) != set(held):
                self.assertFalse(set(used) & set(held), field)

    def test_calibration_prompts(self):
        prompts = list(calibration.prompts(5))
        self.assertEqual(len(prompts), 5)
        for p in prompts:
            self.assertTrue(p["text"].startswith("<|im_start|>user\n"))
            self.assertTrue(p["text"][: p["prompt_chars"]].endswith("<|im_start|>assistant\n"))


class Marks(unittest.TestCase):
    def test_a_value_over_two_lines_is_joined(self):
        d = document.Doc("test", None)
        v = d.value("12 May 2024")
        self.assertEqual(document.read_values([v[:4], v[4:]])[v[0]], "12 May 2024")

    def test_only_the_first_place_counts(self):
        d = document.Doc("test", None)
        v = d.value("Ann")
        self.assertEqual(document.read_values([v, "by " + v])[v[0]], "Ann")

    def test_a_lost_value_leaves_no_answer(self):
        d = document.Doc("test", None)
        self.assertIsNone(document.resolve("it is " + d.value("x"), {}))


class Extractors(unittest.TestCase):
    def test_total(self):
        lines = ["SUBTOTAL | £4.00", "TOTAL | £4.80", "CASH | £5.00"]
        self.assertEqual(extract.answer(lines, "What is the total?"), "£4.80")

    def test_two_different_values_are_no_answer(self):
        self.assertIsNone(extract.answer(["Total 4.80", "Total 5.80"], "What is the total?"))

    def test_expiry_below_its_label(self):
        self.assertEqual(extract.answer(["EXP", "03/2026", "LOT 22"], "When does it expire?"), "03/2026")

    def test_other_questions_are_left_alone(self):
        self.assertIsNone(extract.answer(["Total 4.80"], "What is this?"))


if __name__ == "__main__":
    unittest.main()
