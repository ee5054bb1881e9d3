"""Signs: one to a few words, opening hours, directions, notices."""

import re

from .. import fields as f
from .. import words as w
from ..document import strip_marks
from . import facts

SAY = ["What does the sign say?", "What does it say?", "Read the sign.", "What's written here?", "What is on the sign?", "What does this say?", "Read it to me.", "What sign is this?", "Can you read this sign for me?", "What's this sign?", "What is written on it?", "Tell me what it says."]


def _broken(r, text):
    """A short text as it may stand on a sign: in one line, or a few words a line."""
    words = text.split()
    lines = []
    while words:
        k = min(len(words), r.choice([1, 1, 2, 2, 3, 9]))
        lines.append(" ".join(words[:k]))
        words = words[k:]
    return lines


def _stack(d, text, size):
    """Draws a text on one or several lines and returns it marked, for an answer."""
    marked = [d.value(line) for line in _broken(d.r, text)]
    for line in marked:
        d.row(line, size=size)
    return " ".join(marked)


def short_sign(d):
    r = d.r
    d.present |= {"title", "say", "room", "floor", "gate", "address", "place"}
    style = r.choice([str, str, str.title, str.capitalize])
    text = style(r.choice(w.SIGNS))
    parts = []
    extra = r.choice(w.SIGN_EXTRAS) if r.random() < 0.45 else ""
    if extra and r.random() < 0.3:
        e = _stack(d, extra, 1.0)
        parts = [e, m := _stack(d, text, r.choice([1.5, 2.5]))]
    else:
        parts = [m := _stack(d, text, r.choice([1.0, 1.5, 2.5]))]
        if extra:
            parts.append(e := _stack(d, extra, 1.0))
    if r.random() < 0.35:
        kind = r.choice(["phone", "date", "room", "floor", "price", "website", "time"])
        value = d.value({
            "phone": lambda: f.phone(r), "date": lambda: f.short_date(r), "room": lambda: f"Room {r.randint(1, 499)}", "floor": lambda: f"Level {r.randint(0, 12)}",
            "price": lambda: f.money(r), "website": lambda: f.website(r, f.pseudo(r)), "time": lambda: f"{f.clock(r, 8)} - {f.clock(r, 18)}",
        }[kind]())  # fmt: skip
        prefix = {"phone": ["Call ", "Tel. ", "", "For help call "], "date": ["until ", "from ", "Closed until ", ""], "price": ["", "Fee ", "from "], "time": ["", "between "]}.get(kind, [""])
        d.row(r.choice(prefix) + value)
        d.ask(kind, value)
        parts.append(value)
    d.ask_as("say", SAY, ", ".join(parts), keep=True)
    d.ask_as("say", ["What is the main message?", "What is the biggest text?", "What does the big text say?", "What's the most important thing on it?"], m)
    if r.random() < 0.2:
        facts.add(d, 1)
    other = r.choice([s for s in w.SIGNS if s not in text.upper() and text.upper() not in s])
    pair = [m, other.lower()]
    r.shuffle(pair)
    if r.random() < 0.4:
        d.ask_as("either", [f"Does it say {pair[0]} or {pair[1]}?", f"Is it {pair[0]} or {pair[1]}?"], m)
    if r.random() < 0.5:
        yes = r.random() < 0.5
        shown = text.lower() if yes else other.lower()
        d.yes_no([f"Does it say {shown}?", f"Is this the {shown} sign?", f"Does the sign say {shown}?"], yes, "it says " + m)
    if extra and r.random() < 0.6:
        d.ask_as("say", ["What else does it say?", "What does the small text say?", "Is there anything else on it?", "What is below it?" if parts[0] == m else "What is above it?"], e)


def place_name(d):
    """A shop front, a street name, a door plate: a name and little else."""
    r = d.r
    kind = r.choice(["shop", "street", "door", "number", "bus"])
    d.present |= {"title", "say", "shop", "place", "address"}
    if kind == "shop":
        name = _stack(d, f.cased(r, f.shop(r)), r.choice([1.5, 3]))
        d.ask("shop", name, keep=True)
        if r.random() < 0.6:
            d.row(tag := d.value(r.choice(["Fine food since 1954", "Est. 1987", "Family run", "Fish & chips", "Keys cut here", "Shoe repairs", "Hair & beauty", "Coffee to go", "Fruit and vegetables", "Hot food all day", "Cards and gifts", "Newspapers", "Free Wi-Fi", "Now open"])))
            d.ask_as("say", ["What do they offer?", "What else is on the sign?", "What does it say under the name?"], tag)
        if r.random() < 0.3:
            d.row(p := d.value(f.phone(r)))
            d.ask("phone", p)
    elif kind == "street":
        d.row(s := d.value(f.cased(r, r.choice(w.STREETS) + r.choice([" Street", " Road", " Lane", " Avenue", " St", " Square"]))), size=2)
        d.ask_as("address", ["What street is this?", "Which street am I on?", "What is the street called?", "What road is it?", "Where am I?"], s, keep=True)
        if r.random() < 0.4:
            d.row(p := d.value(f.postcode(r)))
            d.ask("postcode", p)
    elif kind == "door":
        d.row(n := d.value(f"{r.choice(['Room ', 'Office ', '', 'R ', 'No. '])}{r.randint(1, 699)}{r.choice(['', '', 'A', 'B'])}"), size=2)
        d.ask("room", n, keep=True)
        who = d.value(r.choice([f.title_name(r), f.name(r), r.choice(w.PLACES), f.job(r)]))
        d.row(who)
        d.ask_as("label", ["Whose room is it?", "Who is in this room?", "What is this room?", "What does the door say?", "What is in here?"], who)
        d.present |= {"person", "doctor", "patient", "author", "signed", "sender", "recipient", "floor", "seat", "table", "page", "count"}
    elif kind == "number":
        d.row(n := d.value(str(r.randint(1, 399))), size=3)
        d.ask_as("number", ["What number is it?", "Which house number is this?", "What's the number?", "What number does it say?"], n, keep=True)
        if r.random() < 0.6:
            d.row(s := d.value(f.last(r) if r.random() < 0.5 else f.street(r)))
            d.ask_as("label", ["What else is on it?", "What does it say besides the number?", "What is written next to the number?"], s)
        d.present |= {"room", "price", "page", "count", "floor", "line", "table", "volume"}
    else:
        d.row(n := d.value(f"{r.choice(['', '', 'M', 'N', 'U', 'S', 'X'])}{r.randint(1, 199)}"), dest := d.value(f.city(r) + r.choice(["", " Central", " Station", " via " + r.choice(w.PLACES)])), size=2)
        d.ask("line", n, keep=True)
        d.ask("dest", dest, keep=True)


def opening_hours(d):
    r = d.r
    name = _stack(d, f.cased(r, f.shop(r)), r.choice([1.5, 2.2])) if r.random() < 0.8 else None
    if name:
        d.ask("shop", name)
    d.present |= {"shop", "title", "say", "time", "date"}
    if r.random() < 0.7:
        d.row(r.choice(["OPENING HOURS", "Opening times", "Hours", "OPEN", "Business hours", "We are open", "Hours of operation"]), size=1.4)
    sep = r.choice([" - ", "-", " to ", " – "])
    span = lambda low, high: d.value(f.clock(r, r.randint(6, 11))) + sep + d.value(f.clock(r, r.randint(low, high)))  # noqa: E731
    rows = []  # (label, marked value, days)
    style = r.random()
    if style < 0.5:
        rows.append((r.choice(["Mon - Fri", "Monday to Friday", "Mon-Fri", "Monday - Friday", "Weekdays"]), span(15, 22), range(5)))
        rows.append((r.choice(["Saturday", "Sat", "Sat."]), span(12, 17), [5]))
        rows.append((r.choice(["Sunday", "Sun", "Sundays"]), r.choice(["closed", "Closed", "CLOSED", span(13, 16)]), [6]))
    elif style < 0.8:
        closed = set(r.sample(range(7), r.randint(0, 2)))
        short = r.random() < 0.5
        rows = [(day[:3] if short else day, "Closed" if i in closed else span(15, 21), [i]) for i, day in enumerate(w.DAYS)]
    else:
        rows.append((r.choice(["Daily", "Every day", "Open daily", "Open 7 days a week", "7 days"]), span(16, 23), range(7)))
    rows = [(d.value(label), d.value(value), days) for label, value, days in rows]
    columns = r.random() < 0.5
    for label, value, _ in rows:
        d.row(label, value) if columns else d.row(label + r.choice([" ", ": "]) + value)
    d.ask("hours", ", ".join(label + " " + value for label, value, _ in rows[:4]))
    for _ in range(3):
        label, value, days = r.choice(rows)
        day = w.DAYS[r.choice(list(days))]
        plain = value[1:-1]  # still with the marks of its two times
        closed = strip_marks(plain).lower() == "closed"
        k = r.random()
        if k < 0.3:
            d.yes_no([f"Is it open on {day}?", f"Are they open {day}s?", f"Can I go there on {day}?", f"Is {day} a day they are open?"], not closed, value)
        elif k < 0.7 or closed:
            d.ask_as("lookup", [f"What are the hours on {day}?", f"When is it open on {day}?", f"Opening times {day}?", f"When can I go on {day}?", f"What about {day}?"], value)
        elif k < 0.85:
            d.ask_as("lookup", [f"When does it open on {day}?", f"From when is it open {day}?", f"How early do they open on {day}?"], re.split(r" - |-| to | – ", plain)[0])
        else:
            d.ask_as("lookup", [f"When does it close on {day}?", f"Until when is it open on {day}?", f"How late are they open {day}?"], re.split(r" - |-| to | – ", plain)[-1])
    if r.random() < 0.4:
        d.row(r.choice(["Tel. ", "", "Call "]) + (p := d.value(f.phone(r))))
        d.ask("phone", p)


def directions(d):
    r = d.r
    names = r.sample(w.PLACES, r.randint(2, 6))
    how = r.choice(["floor", "room", "arrow", "distance"])
    if r.random() < 0.5:
        d.row(d.value(r.choice(["DIRECTORY", "Welcome", "Information", f.shop(r), "You are here"])), size=1.7)
    entries = []
    for i, name in enumerate(names):
        where = {"floor": lambda: r.choice([f"Floor {i + 1}", f"Level {i + 1}", f"{i + 1}", f"{i + 1}F"]), "room": lambda: r.choice(["Room ", ""]) + str(r.randint(100, 499)), "arrow": lambda: r.choice(["←", "→", "↑", "left", "right"]), "distance": lambda: f"{r.randint(1, 40)}{r.choice([' km', ' mi', '00 m'])}"}[how]()
        name, where = d.value(name), d.value(where)
        d.row(*((name, where) if r.random() < 0.7 else (where, name)))
        entries.append((name, where))
    for name, where in r.sample(entries, min(3, len(entries))):
        asks = {
            "floor": [f"Which floor is {name}?", f"Where is {name}?", f"What level do I need for {name}?", f"Which floor do I take for {name}?"],
            "room": [f"Which room is {name}?", f"Where is {name}?", f"Where do I find {name}?", f"What is the room number of {name}?"],
            "arrow": [f"Which way to {name}?", f"Where do I go for {name}?", f"In which direction is {name}?"],
            "distance": [f"How far is it to {name}?", f"What's the distance to {name}?", f"How far is {name}?"],
        }[how]
        d.ask_as("lookup", asks, where)
        if how in ("floor", "room"):
            d.ask_as("reverse", [f"What is on {where}?", f"What is at {where}?", f"Which place is {where}?"], name)
    d.ask_as("say", ["What places are on the sign?", "What does it list?", "Which places can I go to?"], ", ".join(n for n, _ in entries[:5]))
    d.present |= {"room", "floor", "address", "place", "shop", "title", "say", "gate", "dest", "items"}


KINDS = {"short sign": (short_sign, 11), "place name": (place_name, 5), "opening hours": (opening_hours, 4), "directions": (directions, 3)}
