"""python3 -m unittest discover -s models/speech/recipe"""
import re
import unittest

from texts import PATTERNS, choose, sentences


class Sentences(unittest.TestCase):
    def test_the_sets_share_nothing(self):
        self.assertFalse(set(PATTERNS["calibration"]) & set(PATTERNS["test"]))
        self.assertFalse(set(sentences("calibration")) & set(sentences("test")))

    def test_there_are_enough_and_they_are_plain_words(self):
        for which in PATTERNS:
            chosen = choose(which, 300, 0)
            self.assertEqual(len(set(chosen)), 300)
            for text in chosen:
                self.assertRegex(text, r"^[A-Za-z' ]+(, [A-Za-z' ]+)*[.?]$")
                self.assertLessEqual(len(re.findall(r"[\w']+", text)), 16)

    def test_a_seed_decides(self):
        self.assertEqual(choose("test", 50, 1), choose("test", 50, 1))
        self.assertNotEqual(choose("test", 50, 1), choose("test", 50, 2))


if __name__ == "__main__":
    unittest.main()
