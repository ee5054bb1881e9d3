"""Which of the recogniser's classes are kept.

`european`: every letter of the languages written in Latin script in Europe, with their diacritics, digits, punctuation,
currency, and the signs that stand on packages, receipts, letters and labels. Full-width forms, other scripts and emoji
are cut, so a digit is always the ASCII digit. Edit the groups below to ship another set.
"""

EUROPEAN = [
    # Latin
    ("A", "Z"),
    ("a", "z"),
    ("À", "Ö"),
    ("Ø", "ö"),
    ("ø", "ÿ"),
    ("Ā", "ž"),  # Latin Extended-A: Central European, Baltic, Turkish, Maltese, Sámi, Welsh, Esperanto
    "ƏəȘșȚțǦǧǨǩǾǿǼǽǍǎẠồ",  # Azerbaijani, Romanian, Skolt Sámi, Danish
    # digits, ASCII punctuation
    (" ", "@"),
    ("[", "`"),
    ("{", "~"),
    # typographic punctuation
    "¡¿«»‹›‘’‚‛“”„‟–—―‖·•‣…‰′″※†‡§¶©®™°ªº№℗℠¦¨¯´¸¬",
    # currency
    "¢£¤¥₣₤₧₨₩₪₫€₭₮₱₲₴₵₸₹₺₼₽₾₿",
    # numbers and mathematics
    "¹²³⁰⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉¼½¾±×÷−∕∙√∞≈≠≤≥≡∅∆∑∏∂∫∝℃℉℮",
    ("①", "⑳"),
    # Greek letters used as units and symbols
    "ΔΣΩΦΨΛΘΠΓαβγδεζηθκλμνξπρσςτφχψω",
    # signs on packages, receipts, forms and screens
    "←↑→↓↔↕↵■□▪▫▲△▶▷▼▽◀◆◇○●◎★☆☎☐☑☒✓✔✕✖✗✘✉✂✝♀♂♠♣♥♦♪♫♻⚠⚡❤➔➜➤",
]


def european():
    kept = set()
    for group in EUROPEAN:
        if isinstance(group, tuple):
            first, last = map(ord, group)
            kept.update(map(chr, range(first, last + 1)))
        else:
            kept.update(group)
    return kept


def keep(name):
    """A function that says whether a character is kept."""
    if name == "all":
        return lambda character: True
    kept = european()
    return lambda character: character in kept
