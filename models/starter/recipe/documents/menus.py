"""Menus, price lists, specials boards, timetables and other tables."""

from .. import fields as f
from .. import words as w


def menu(d):
    r = d.r
    sign = r.choice(["£", "$", "€", "", "$", "£"])
    d.present |= {"title", "shop", "price", "product", "items", "total", "say", "table", "ingredients", "special", "entry", "brand", "place", "company"}
    if r.random() < 0.6:
        name = d.value(f.cased(r, f.brand(r) + r.choice([" Cafe", " Bistro", " Kitchen", " Restaurant", " Bar", "", " Diner", " Grill"])))
        d.row(name, size=2)
        d.ask_as("shop", ["What is the restaurant called?", "Which restaurant is it?", "What's the name of the place?", "Whose menu is it?", "Where am I?"], name)
    if r.random() < 0.5:
        head = d.value(r.choice(["MENU", "Lunch Menu", "Today's Specials", "Drinks", "Set Menu", "Evening Menu", "Menu of the day", "Breakfast Menu", "Specials", "PRICE LIST"]))
        d.row(head, size=1.5)
        if r.random() < 0.3:
            d.ask("title", head)
    cents = r.choice([["00", "50"], ["25", "50", "75", "95"], ["90", "95", "99"], None])
    price = lambda: sign + str(r.randint(2, 38)) + ("" if cents is None else r.choice([".", ".", ","]) + r.choice(cents))  # noqa: E731
    names = r.sample(w.DISHES, r.randint(3, 12))
    sections = []
    if r.random() < 0.45:
        sections = r.sample(w.COURSES, r.randint(1, 3))
    style = r.choice(["columns", "columns", "columns", "one", "dots", "below"])
    case = r.choice([str, str, str.upper, str.capitalize])
    entries, section, described = [], None, {}
    for i, dish in enumerate(names):
        if sections and i % max(1, len(names) // len(sections)) == 0 and i // max(1, len(names) // len(sections)) < len(sections):
            section = d.value(r.choice([str, str.upper])(sections[i // max(1, len(names) // len(sections))]))
            d.row(section, size=r.choice([1.2, 1.6]))
        item, cost = d.value(case(dish)), d.value(price())
        if style == "columns":
            d.row(item, cost)
        elif style == "below":
            d.row(item)
            d.row(cost)
        else:
            d.row(item + {"one": r.choice([" ", " - "]), "dots": r.choice([" ... ", "......", " .. "])}[style] + cost)
        if r.random() < 0.25:
            side = d.value(", ".join(r.sample(w.SIDES, r.choice([1, 2, 3]))))
            d.row(r.choice(["with ", "", "served with "]) + side, size=0.8)
            described[dish] = side
        entries.append((dish, item, cost, section))
    for dish, item, cost, _ in r.sample(entries, min(3, len(entries))):
        low = dish.lower()
        d.ask_as("lookup", [f"How much is the {low}?", f"What does the {low} cost?", f"Price of the {low}?", f"How much for {low}?", f"What do they charge for {low}?", f"How expensive is the {low}?", f"{low}, how much is it?"], cost)
    if described:
        dish = r.choice(list(described))
        d.ask_as("ingredients", [f"What comes with the {dish.lower()}?", f"What is in the {dish.lower()}?", f"What is the {dish.lower()} served with?", f"How is the {dish.lower()} described?"], described[dish])
    costs = [c for _, _, c, _ in entries]
    if r.random() < 0.5 and len(set(c[1:-1] for c in costs)) == len(costs):
        _, item, cost, _ = r.choice(entries)
        d.ask_as("reverse", [f"What costs {cost}?", f"What can I get for {cost}?", f"Which dish is {cost}?"], item)
    if sections:
        name = r.choice([e[3] for e in entries if e[3]])
        group = [e[1] for e in entries if e[3] == name]
        if len(group) <= 6:
            d.ask_as("items", [f"What are the {name.lower()}?", f"What is there under {name.lower()}?", f"Read me the {name.lower()}.", f"Which {name.lower()} do they have?"], ", ".join(group), keep=True)
        d.ask_as("items", ["What sections does the menu have?", "What kinds of dishes are there?"], ", ".join(dict.fromkeys(e[3] for e in entries if e[3])))
    elif len(entries) <= 6:
        d.ask_as("items", ["What is on the menu?", "What can I order?", "Which dishes do they have?", "Read me the dishes.", "What is there to eat?"], ", ".join(e[1] for e in entries))
    if r.random() < 0.2:
        d.ask_as("first", ["What is the first dish?", "What's at the top of the menu?", "What comes first?"], entries[0][1])
    if r.random() < 0.25:
        value = lambda e: float("".join(c for c in e[2] if c.isdigit() or c in ".,").replace(",", "."))  # noqa: E731
        cheap = min(entries, key=value)
        d.ask_as("extreme", ["What is the cheapest thing?", "Which dish is the cheapest?", "What costs the least?"], cheap[1])
    if r.random() < 0.5:
        yes = r.random() < 0.5
        dish, item, cost, _ = r.choice(entries)
        other = r.choice([x for x in w.DISHES if x not in names])
        shown = (dish if yes else other).lower()
        d.yes_no([f"Do they have {shown}?", f"Is {shown} on the menu?", f"Can I get {shown}?", f"Do they serve {shown}?"], yes, "for " + cost if yes else "")
    if r.random() < 0.2:
        d.row(x := d.value(r.choice(["Prices include VAT", "Please tell us about allergies", "All dishes served with bread", "Cash only", "Service not included", "Kitchen closes at 9pm", "Gluten free options available"])))
        d.ask_as("note", ["What does the note say?", "What does it say at the bottom?", "Is there a note?"], x)


def timetable(d):
    """Departures: a table of three or four columns."""
    r = d.r
    head = d.value(r.choice(["Departures", "DEPARTURES", "Arrivals", "Timetable", "Trains", "Buses", "Flights"]))
    d.row(head, size=1.5)
    if r.random() < 0.5:
        d.row(*["Time", "Destination", r.choice(["Platform", "Gate", "Track", "Stand"])][: r.choice([3, 3, 2])])
    entries = []
    for _ in range(r.randint(2, 7)):
        time, place, number = d.value(f.clock(r)), d.value(f.city(r)), d.value(f"{r.choice(['', '', 'A', 'B'])}{r.randint(1, 40)}")
        d.row(time, place, number)
        entries.append((time, place, number))
    for time, place, number in r.sample(entries, min(3, len(entries))):
        k = r.random()
        if k < 0.4:
            d.ask_as("lookup", [f"When does it leave for {place}?", f"What time is {place}?", f"When is the one to {place}?", f"At what time does the {place} one go?"], time)
        elif k < 0.75:
            d.ask_as("lookup", [f"Which platform for {place}?", f"Where does the one to {place} leave from?", f"Which gate or platform is {place}?"], number)
        else:
            d.ask_as("reverse", [f"Where does the {time} go?", f"What leaves at {time}?", f"Which one is at {time}?"], place)
    d.ask_as("first", ["What is the next departure?", "Which one is first?", "Where does the first one go?"], entries[0][1])
    d.present |= {"title", "departs", "arrives", "platform", "gate", "dest", "time", "from", "train", "flight", "line", "place", "city", "hours", "items", "address"}


def table(d):
    """Any table with a heading row: grades, meters, results, prices by size."""
    r = d.r
    topic = r.choice(["results", "grades", "sizes", "rates", "scores", "tariff"])
    rows = {"results": r.sample(["Glucose", "Haemoglobin", "Cholesterol", "Sodium", "Potassium", "Creatinine", "Iron", "Vitamin D", "TSH", "White cells"], r.randint(2, 6)), "grades": r.sample(["Mathematics", "English", "History", "Biology", "Art", "Music", "Geography", "Physics", "French", "Sport"], r.randint(2, 6)),
            "sizes": r.sample(["Small", "Medium", "Large", "Extra large", "Child", "Adult", "Senior", "Family", "Student", "Group"], r.randint(2, 5)), "rates": r.sample(["Letter", "Large letter", "Parcel", "Express", "Up to 1 hour", "1-2 hours", "All day", "Weekend", "Evening", "Night"], r.randint(2, 5)),
            "scores": [f.last(r) for _ in range(r.randint(2, 6))], "tariff": r.sample(["Electricity", "Gas", "Water", "Internet", "Standing charge", "Waste", "Television", "Heating"], r.randint(2, 5))}[topic]  # fmt: skip
    make = {"results": lambda: f"{r.randint(1, 200)}{r.choice(['', '.' + str(r.randint(0, 9))])} {r.choice(['mg/dl', 'mmol/l', 'g/l', 'U/l'])}", "grades": lambda: r.choice(["A", "B", "C", "A-", "B+", "1", "2", "3", "78%", "91%", "64%"]), "sizes": lambda: f.money(r, 1, 40), "rates": lambda: f.money(r, 1, 30), "scores": lambda: str(r.randint(0, 120)), "tariff": lambda: f.money(r, 5, 300)}[topic]
    heading = d.value(f.cased(r, {"results": "Lab results", "grades": "School report", "sizes": "Prices", "rates": "Charges", "scores": "Final scores", "tariff": "Your charges"}[topic]))
    d.row(heading, size=1.4)
    d.ask_as("title", ["What is this?", "What table is it?", "What's the heading?"], heading)
    entries = [(d.value(name), d.value(make())) for name in rows]
    for name, value in entries:
        d.row(name, value) if r.random() < 0.85 else d.row(name + " " + value)
    for name, value in r.sample(entries, min(4, len(entries))):
        d.ask_as("lookup", [f"What is {name}?", f"What does it say for {name}?", f"{name}?", f"How much is {name}?", f"And {name}?", f"Tell me the value for {name}."], value)
    d.present |= {"price", "entry", "total", "title", "items", "number", "temp", "strength", "result", "weight", "person"}


KINDS = {"menu": (menu, 8), "timetable": (timetable, 2), "table": (table, 3)}
