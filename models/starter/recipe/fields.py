"""Random values as they are printed: dates, amounts, phone numbers, codes, names, places."""

import functools
import string

from . import words as w

CURRENCIES = ["£", "$", "€", "£", "$", "€", "", "USD ", "EUR "]


@functools.lru_cache
def _pools():
    """Names, companies and places of many countries, drawn once with a fixed seed."""
    from faker import Faker

    pools = {"first": [], "last": [], "company": [], "city": [], "street": [], "job": []}
    for locale, share in (("en_GB", 3), ("en_US", 3), ("de_DE", 1), ("fr_FR", 1), ("es_ES", 1), ("it_IT", 1), ("nl_NL", 1), ("pl_PL", 1), ("sv_SE", 1), ("en_IN", 1)):
        fake = Faker(locale)
        fake.seed_instance(20240)
        for _ in range(60 * share):
            pools["first"].append(fake.first_name())
            pools["last"].append(fake.last_name())
            pools["city"].append(fake.city())
            pools["street"].append(fake.street_name())
        for _ in range(40 * share):
            pools["company"].append(fake.company())
        if locale.startswith("en_"):
            pools["job"] += [fake.job() for _ in range(60)]
    return pools


def digits(r, n):
    return "".join(r.choice(string.digits) for _ in range(n))


def first(r):
    return r.choice(_pools()["first"])


def last(r):
    return r.choice(_pools()["last"]) if r.random() < 0.85 else pseudo(r).capitalize()


def name(r):
    k = r.random()
    if k < 0.75:
        return f"{first(r)} {last(r)}"
    if k < 0.85:
        return f"{first(r)[0]}. {last(r)}"
    return f"{first(r)} {r.choice(string.ascii_uppercase)}. {last(r)}"


def title_name(r):
    return r.choice(["Mr ", "Mrs ", "Ms ", "Dr ", "Dr. ", "Prof. "]) + (last(r) if r.random() < 0.6 else name(r))


def city(r):
    return r.choice(_pools()["city"])


def company(r):
    return r.choice(_pools()["company"]) if r.random() < 0.6 else brand(r) + " " + r.choice(w.COMPANY_ENDINGS)


def job(r):
    return r.choice(_pools()["job"]).split(",")[0] if r.random() < 0.5 else r.choice(w.JOBS)


def pseudo(r):
    """A made-up word, as brands and medicines have."""
    onset = ["b", "br", "c", "ch", "d", "f", "fl", "g", "gr", "h", "k", "l", "m", "n", "p", "pr", "r", "s", "st", "t", "tr", "v", "w", "z"]
    nucleus = ["a", "e", "i", "o", "u", "ai", "ee", "oo", "ou", "y"]
    return "".join(r.choice(onset) + r.choice(nucleus) + r.choice(["", "", "n", "r", "l", "s", "m", "x", "ck"]) for _ in range(r.randint(1, 3)))


def brand(r):
    return r.choice(
        [
            lambda: last(r) + "'s",
            lambda: pseudo(r).capitalize(),
            lambda: r.choice(w.NOUNS).capitalize(),
            lambda: last(r) + " & " + last(r),
            lambda: "The " + r.choice(w.ADJECTIVES).capitalize() + " " + r.choice(w.NOUNS).capitalize(),
            lambda: r.choice(w.ADJECTIVES).capitalize() + " " + r.choice(w.NOUNS).capitalize(),
            lambda: pseudo(r).capitalize() + " " + pseudo(r).capitalize(),
            lambda: r.choice(w.NOUNS).capitalize() + r.choice(w.NOUNS),
        ]
    )()


def shop(r):
    return brand(r) + (" " + r.choice(w.SHOP_TYPES) if r.random() < 0.8 else "")


def money(r, low=1, high=60, currency=None):
    c = r.choice(CURRENCIES) if currency is None else currency
    cents = r.choice(["00", "50", "99", "95", "25", "75", digits(r, 2), digits(r, 2)])
    k = r.random()
    amount = f"{r.randint(low, high)}.{cents}"
    if k < 0.1:
        amount = amount.replace(".", ",")
    if k > 0.93:
        return amount + " " + (c.strip() or "€")
    return c + amount


def clock(r, hour=None):
    h = r.randint(0, 23) if hour is None else hour
    m = r.choice([0, 0, 0, 15, 30, 45, r.randint(0, 59)])
    noon = "am" if h < 12 else "pm"
    twelve = (h - 1) % 12 + 1
    return r.choice([f"{h}:{m:02d}", f"{h:02d}:{m:02d}", f"{twelve}:{m:02d} {noon}", f"{twelve}{noon}" if m == 0 else f"{h}.{m:02d}", f"{twelve}:{m:02d} {noon.upper()}"])


def date(r, low=2015, high=2029):
    d, m, y = r.randint(1, 28), r.randint(1, 12), r.randint(low, high)
    month = w.MONTHS[m - 1]
    return r.choice(
        [
            f"{d:02d}/{m:02d}/{y}", f"{d:02d}.{m:02d}.{y}", f"{d} {month} {y}", f"{d} {month[:3].upper()} {y}", f"{y}-{m:02d}-{d:02d}",
            f"{month} {d}, {y}", f"{d:02d}/{m:02d}/{y % 100:02d}", f"{m:02d}/{d:02d}/{y}", f"{d:02d}-{m:02d}-{y}", f"{d:02d} {month[:3]} {y % 100:02d}",
            f"{d}{r.choice(['th', 'st', 'nd', 'rd'])} {month} {y}", f"{d}.{m}.{y % 100:02d}",
        ]
    )  # fmt: skip


def short_date(r):
    """A day without a year, as on posters and signs."""
    d, month = r.randint(1, 28), r.choice(w.MONTHS)
    return r.choice([f"{d} {month}", f"{month} {d}", f"{d} {month[:3]}", f"{r.choice(w.DAYS)} {d} {month}", f"{r.choice(w.DAYS)}, {month} {d}", f"{r.choice(w.DAYS)[:3]} {d} {month[:3]}"])


def expiry(r):
    m, y = r.randint(1, 12), r.randint(2023, 2032)
    month = w.MONTHS[m - 1][:3].upper()
    return r.choice([f"{m:02d}/{y}", f"{month} {y}", f"{m:02d} {y}", f"{m:02d}/{y % 100}", f"{y}-{m:02d}", f"{month}{y}", f"{m:02d}.{y}", f"{y}/{m:02d}", date(r, 2023, 2031), date(r, 2023, 2031), f"{r.randint(1, 28):02d} {month}"])


def phone(r):
    n = functools.partial(digits, r)
    return r.choice(
        [
            f"0{n(3)} {n(3)} {n(4)}", f"+44 {n(4)} {n(6)}", f"({n(3)}) {n(3)}-{n(4)}", f"{n(3)}-{n(3)}-{n(4)}", f"0{n(4)} {n(6)}", f"1-8{r.choice('0678')}0-{n(3)}-{n(4)}",
            f"+49 {n(2)} {n(7)}", f"+1 {n(3)} {n(3)} {n(4)}", f"0{n(2)} {n(4)} {n(4)}", f"{n(3)}.{n(3)}.{n(4)}", f"0{n(1)}{n(1)}-{n(6)}", f"+33 {n(1)} {n(2)} {n(2)} {n(2)} {n(2)}", f"{n(3)} {n(3)}",
        ]
    )  # fmt: skip


def slug(text):
    return "".join(c for c in text.lower() if "a" <= c <= "z") or "info"


def domain(r, text):
    return slug(text)[:14] + r.choice([".com", ".co.uk", ".org", ".net", ".eu", ".de", ".com", ".com", ".health", ".info"])


def website(r, text):
    return r.choice(["www.", "www.", "https://", "", "http://www."]) + domain(r, text) + r.choice(["", "", "", "/" + r.choice(w.NOUNS)])


def email(r, who, text):
    user = r.choice(["info", "contact", "hello", "office", slug(who.split()[0]), slug(who.split()[-1]), slug(who.split()[0])[:1] + "." + slug(who.split()[-1])])
    return user + "@" + domain(r, text)


def street(r):
    s = r.choice(_pools()["street"]) if r.random() < 0.4 else r.choice(w.STREETS) + " " + r.choice(["Street", "Road", "Avenue", "Lane", "Square", "Drive", "St", "Rd", "Ave", "St.", "Way", "Place", "Court"])
    return f"{s} {r.randint(1, 250)}" if s.endswith(("straße", "gasse", "allee", "weg")) else f"{r.randint(1, 9950 if r.random() < 0.2 else 250)} {s}"


def postcode(r):
    return r.choice([digits(r, 5), f"{r.choice('ABCDEGHLMNSW')}{r.choice('ABDLNORST')}{r.randint(1, 29)} {r.randint(1, 9)}{r.choice('ABDEFGH')}{r.choice('JLNPQR')}", f"{digits(r, 4)} {r.choice('ABCDEFGH')}{r.choice('KLMNPR')}", f"{r.choice(['CA', 'NY', 'TX', 'WA', 'MA', 'OH', 'FL', 'CO'])} {digits(r, 5)}"])


def code(r, n=8):
    return "".join(r.choice(string.ascii_uppercase + string.digits * 2) for _ in range(n))


def number(r):
    """A reference as printed on letters and tickets."""
    return r.choice([lambda: code(r, r.randint(5, 9)), lambda: digits(r, r.randint(4, 10)), lambda: f"{code(r, 2)}-{digits(r, r.randint(4, 6))}", lambda: f"{digits(r, 3)} {digits(r, 3)} {digits(r, 3)}", lambda: f"{r.randint(2019, 2027)}/{digits(r, 4)}"])()


def weight(r):
    return r.choice(["250 g", "500g", "1 kg", "330 ml", "750 ml", "1 L", "400 g", "100g", "2 litres", "12 x 50 g", "75cl", "16 oz", "12 FL OZ (355 mL)", "NET WT 10.5 OZ (298g)", f"{r.randint(2, 99) * 10} g", f"{r.randint(2, 99) * 10}g e", f"{r.randint(1, 40)} oz", f"{r.randint(1, 20)} lb", f"{r.randint(50, 950)} ml", f"{r.randint(6, 100)} pieces"])


def cased(r, text):
    """A heading in the case a designer would choose."""
    return r.choice([str.upper, str.upper, str.title, str, str.capitalize])(text)


def title(r):
    """A title for a book, a film, an event."""
    n, a, v = (lambda: r.choice(w.NOUNS).capitalize()), (lambda: r.choice(w.ADJECTIVES).capitalize()), (lambda: r.choice(w.VERBS_ING).capitalize())
    return r.choice(
        [
            lambda: f"The {n()} {r.choice(['of', 'and', 'in', 'under', 'beyond', 'at', 'behind'])} the {n()}",
            lambda: f"{a()} {n()}", lambda: f"The {a()} {n()}", lambda: f"{v()} {r.choice(['with', 'for', 'without', 'to', 'in'])} {n()}s",
            lambda: f"The {n()}", lambda: n(), lambda: f"{first(r)} and the {a()} {n()}", lambda: f"{n()}s and {n()}s", lambda: f"My {a()} {n()}",
            lambda: f"A {r.choice(['Short', 'Brief', 'New', 'Complete', 'Secret'])} {r.choice(['History', 'Guide', 'Introduction', 'Life'])} {r.choice(['of', 'to'])} {r.choice(w.TOPICS)}",
            lambda: f"{r.choice(['Introduction to', 'Learning', 'Advanced', 'Modern', 'Practical', 'Essential', 'Understanding', 'Everyday'])} {r.choice(w.TOPICS)}",
            lambda: f"How to {r.choice(w.VERBS)} {r.choice(w.ADJECTIVES)} {r.choice(w.NOUNS)}s", lambda: f"{r.choice(w.TOPICS)} for {r.choice(['Beginners', 'Everyone', 'Children', 'Dummies', 'Engineers'])}",
            lambda: f"The {last(r)} {r.choice(['Affair', 'Letters', 'Code', 'Diaries', 'Inheritance', 'Sisters'])}", lambda: f"{r.randint(2, 100)} {a()} {n()}s", lambda: f"{city(r)} {r.choice(['Nights', 'Stories', 'Blues', 'Express'])}",
        ]
    )()  # fmt: skip


def sentence_case(text):
    return text[:1].upper() + text[1:]
