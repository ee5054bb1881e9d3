"""Words as they are compared, and word errors: the rule of quantizer/src/eval/words.rs, so that both print the same rates.

Lower case; letters, digits and apostrophes inside words; whole numbers up to 9999 in English words without "and".
"""
import re

ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen""".split()
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()


def words(text):
    """
    >>> words("Read line 24, please – what's IN 1999?")
    ['read', 'line', 'twenty', 'four', 'please', "what's", 'in', 'one', 'thousand', 'nine', 'hundred', 'ninety', 'nine']
    """
    pieces = (piece.strip("'") for piece in re.findall(r"[^\W_']+(?:'[^\W_]+)*", text.lower().replace("’", "'")))
    return [word for piece in pieces for word in spelled(piece)]


def spelled(word):
    number = int(word) if re.fullmatch("[0-9]+", word) else 10_000
    return number_words(number) if number <= 9999 else [word]


def number_words(number):
    if number < 20:
        return [ONES[number]]
    if number < 100:
        return [TENS[number // 10]] + ([ONES[number % 10]] if number % 10 else [])
    unit, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    return number_words(number // unit) + [name] + (number_words(number % unit) if number % unit else [])


def word_errors(said, understood):
    """Insertions, deletions and substitutions.

    >>> word_errors(words("what is the dose"), words("what's the those"))
    3
    """
    row = list(range(len(understood) + 1))
    for i, a in enumerate(said, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(understood, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]
