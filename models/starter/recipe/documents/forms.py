"""Anything made of labels and values: forms, plates, tickets, tags, cards. The labels come from words.LABELS."""

from .. import fields as f
from .. import words as w


def value_for(r, group):
    """A plausible value for a label of a group."""
    return {
        "name": lambda: f.name(r),
        "date": lambda: f.date(r),
        "time": lambda: f.clock(r),
        "number": lambda: f.number(r),
        "money": lambda: f.money(r, 1, 900),
        "count": lambda: str(r.randint(1, 60)) + r.choice(["", "", "", "A", "B"]),
        "measure": lambda: f"{r.randint(1, 400)}{r.choice(['', '.' + str(r.randint(0, 9))])} {r.choice(['kg', 'cm', 'm', '°C', 'V', 'A', 'W', 'Hz', 'bar', 'km/h', '%', 'mg', 'l', 'kWh', 'mm', 'mmHg'])}",
        "place": lambda: r.choice([f.city(r), f.street(r), f.street(r) + ", " + f.city(r), r.choice(w.PLACES), r.choice(w.COUNTRIES)]),
        "phone": lambda: f.phone(r),
        "choice": lambda: r.choice(w.CHOICES),
    }[group]()


ASK_FOR = {"name": ["Who is the {n}?", "What does it say for {n}?"], "date": ["When is the {n}?", "What date is the {n}?"], "time": ["When is the {n}?", "What time is the {n}?"], "money": ["How much is the {n}?"], "place": ["Where is the {n}?", "What does it say for {n}?"], "count": ["Which {n} is it?", "What number is the {n}?"], "measure": ["How much is the {n}?", "What is the {n} value?"]}


def form(d):
    r = d.r
    heading = d.value(f.cased(r, r.choice(["Registration Form", "Membership Card", "Visitor Pass", "Delivery Note", "Rental Agreement", "Application Form", "Boarding Pass", "Booking Confirmation", "Inspection Report", "Certificate", "Data Plate", "Admission Ticket", "Insurance Card", "Library Card", "Work Order", "Test Report", "Lab Results", "Parking Permit", "Travel Pass", "Student Card", "Packing Slip", "Statement", "Order Summary", "Vaccination Record", "Meter Card", "Warranty Card", "Loyalty Card", "Customs Declaration", "Time Sheet", "Appointment Card", f.company(r), f.company(r), f.shop(r)])))
    if r.random() < 0.85:
        d.row(heading, size=r.choice([1, 1.6, 2.2]))
        d.ask_as("title", ["What is this?", "What kind of document is it?", "What is it called?", "What's the heading?", "What is this paper?", "What does it say at the top?", "What form is this?", "What have I got here?"], heading)
    groups = [g for g in w.LABELS for _ in w.LABELS[g]]
    style = r.choice(["colon", "mixed", "columns", "above"])
    seen = set()
    entries, labels = [], {}
    for _ in range(r.choices([r.randint(2, 4), r.randint(5, 9), r.randint(10, 14)], [35, 50, 15])[0]):
        group = r.choice(groups)
        label = r.choice(w.LABELS[group])
        if label in seen:
            continue
        seen.add(label)
        shown = d.value(label.upper() if r.random() < 0.3 else label)
        empty = r.random() < 0.05
        value = d.value(value_for(r, group))
        if empty:
            d.row(shown + r.choice([":", ": ______", " ........"]))
            continue
        if style == "colon":
            d.row(shown + r.choice([": ", ":", " "]) + value)
        elif style == "columns":
            d.row(shown, value)
        elif style == "above":
            d.row(shown, size=0.8)
            d.row(value)
        else:
            d.pair(shown, value)
        label = label.lower().rstrip(".")
        labels[label] = shown
        entries.append((group, label, value))
    for group, label, value in r.sample(entries, min(len(entries), 5)):
        if group in ASK_FOR and r.random() < 0.45:
            d.ask_as("label", r.choice(ASK_FOR[group]).format(n=label), value)
        else:
            d.ask_about(label, value)
    told = [e for e in entries if e[0] in ("date", "money", "number", "time")]
    if told and r.random() < 0.3:
        _, label, value = r.choice(told)
        d.ask_as("reverse", [f"What is {value}?", f"What does {value} stand for?", f"What is the {value} on it?"], labels[label])
    if entries and r.random() < 0.3:
        group, label, value = r.choice(entries)
        other = value_for(r, group)
        yes = r.random() < 0.5
        d.yes_no([f"Is the {label} {value if yes else other}?"], yes, "it is " + value)
    d.present |= {"title", "product", "number", "date", "time", "person", "phone", "reference", "price", "total", "address", "city", "room", "code", "weight", "company", "brand", "shop", "patient", "customer", "signed", "recipient", "sender", "expiry", "validity", "seat", "gate", "platform", "floor", "birth", "dest", "from", "mode", "model", "power", "serial", "size", "temp"}


def card(d):
    """A business card."""
    r = d.r
    name, firm, job = d.value(f.cased(r, f.name(r)) if r.random() < 0.3 else f.name(r)), d.value(f.company(r)), d.value(f.job(r))
    plain = name[1:-1]
    top = [(name, r.choice([1.5, 2]), "person"), (job, 1, "job")]
    blocks = top + [(firm, r.choice([1, 1.8]), "company")] if r.random() < 0.5 else [(firm, r.choice([1, 1.8]), "company")] + top
    for text, size, field in blocks:
        d.row(text, size=size)
        d.ask(field, text)
    rest = []
    if r.random() < 0.85:
        rest.append(("phone", r.choice(["Tel ", "Phone: ", "T ", "", "Tel.: ", "P: ", "☎ "]), f.phone(r)))
    if r.random() < 0.5:
        rest.append(("mobile", r.choice(["Mobile ", "M ", "Cell: ", "Mob. "]), f.phone(r)))
    if r.random() < 0.15:
        rest.append(("fax", "Fax ", f.phone(r)))
    if r.random() < 0.8:
        rest.append(("email", r.choice(["", "", "E-mail: ", "Email ", "E "]), f.email(r, plain, firm)))
    if r.random() < 0.6:
        rest.append(("website", r.choice(["", "", "Web: "]), f.website(r, firm)))
    if r.random() < 0.6:
        rest.append(("address", "", f.street(r) + ", " + f.city(r)))
    r.shuffle(rest)
    for field, label, value in rest:
        value = d.value(value)
        d.row(label + value) if r.random() < 0.85 else d.row(label.strip(), value)
        d.ask(field, value)
    d.ask_as("person", ["Who is this person?", "Whose card is it?", "Who gave me this card?", "Whose business card is this?"], name + ", " + job)
    d.present |= {"shop", "sender", "brand", "title", "author", "name", "organiser", "city", "publisher", "maker", "product", "event", "doctor", "patient", "signed"}


KINDS = {"form": (form, 10), "business card": (card, 4)}
