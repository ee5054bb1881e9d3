"""Exact extractors: rules that find a total, a phone number, an address on the web, an expiry date — or say nothing.

A rule answers only if the question names its field and exactly one value fits. Everything else is the language model's.
They measure what such a first stage is worth; the app has its own in Rust.
"""

import re

AMOUNT = r"(?:[£$€]\s?)?\d{1,3}(?:[,. ]\d{3})*[.,]\d{2}(?:\s?[£$€]|\s?(?:EUR|USD|GBP))?(?!\d)"
PHONE = r"(?:\+|\(|(?<![\d.,/-]))\d[\d ()./-]{6,17}\d(?![\d.,/-]?\d)"
EMAIL = r"[\w.+-]+@[\w-]+\.[\w.-]*\w"
WEB = r"(?:https?://|www\.)\S+\w|\b[\w-]+\.(?:com|org|net|co\.uk|de|fr|eu|info|gov|edu)\b(?:/\S*)?"
MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
DATE = rf"\d{{1,2}}[./ -]\d{{1,2}}[./ -]\d{{2,4}}|\d{{4}}[./-]\d{{1,2}}(?:[./-]\d{{1,2}})?|\d{{1,2}}[./ -]\d{{4}}|(?:\d{{1,2}}(?:st|nd|rd|th)?[ -]?)?{MONTH}\.?[ ,-]{{0,2}}(?:\d{{1,2}}(?:st|nd|rd|th)?,? )?\d{{2,4}}|\d{{1,2}} ?{MONTH}"


def one(values):
    """The value if all that were found are the same."""
    values = [v.strip() for v in values]
    return values[0] if values and len({re.sub(r"\W", "", v.lower()) for v in values}) == 1 else None


def after_label(lines, label, value):
    """Values in the same line after a label, else at the start of the next line."""
    found = []
    for i, line in enumerate(lines):
        match = re.search(label, line, re.I)
        if not match:
            continue
        rest = re.search(value, line[match.end() :], re.I)
        if rest:
            found.append(rest.group())
        elif i + 1 < len(lines):
            below = re.match(r"\W*(" + value + ")", lines[i + 1], re.I)
            if below:
                found.append(below.group(1))
    return found


def total(lines):
    found = after_label(lines, r"(?<!sub)(?<!sub-)(?<!sub )\b(?:grand |invoice )?total\b(?! savings| items| qty| tax)|amount due|balance due|to pay|total due", AMOUNT)
    return one(found)


def expiry(lines):
    found = after_label(lines, r"\b(?:exp(?:iry|ires|iration)?(?:\.| date)?|best before(?: end)?|best by|use by|use before|sell by|bbe?|bb)\b", DATE)
    return one(found)


def pattern(regex, check=lambda v: True):
    return lambda lines: one([m for line in lines for m in re.findall(regex, line, re.I) if check(m)])


RULES = [
    (r"\b(?:total|altogether|in all)\b|\bhow much (?:do|did|must|should) i (?:have to )?pay\b(?! for)|amount due", total),
    (r"expir|best before|use by|use before|out of date|good until|sell by", expiry),
    (r"e-?mail", pattern(EMAIL)),
    (r"web ?site|web address|web page|\burl\b|online", pattern(WEB)),
    (r"(?:phone|telephone|contact) number|number (?:do|should|can) i (?:call|ring|phone)|\bwhat number .*call|telephone", pattern(PHONE, lambda v: 7 <= sum(c.isdigit() for c in v) <= 15)),
]


def answer(lines, question):
    """An answer copied from the lines, or None."""
    for asked, rule in RULES:
        if re.search(asked, question, re.I):
            return rule(lines)
    return None
