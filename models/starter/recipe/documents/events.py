"""Posters, flyers, tickets and boarding passes."""

from .. import fields as f
from .. import words as w
from .signs import _stack

KINDS_OF_EVENT = ["Festival", "Concert", "Fair", "Market", "Exhibition", "Workshop", "Run", "Night", "Quiz", "Party", "Ball", "Lecture", "Sale", "Auction", "Open Day", "Film Night", "Flea Market", "Yoga Class", "Book Club", "Reading", "Marathon", "Parade", "Circus", "Choir Practice", "Dance Class", "Charity Dinner"]


def poster(d):
    r = d.r
    d.present |= {"title", "shop", "place", "time", "date", "hours", "total", "departs", "address", "name", "say", "doors", "product", "person", "subject", "topic", "company", "brand", "author", "price", "city", "seat", "message", "organiser", "book"}
    name = r.choice([lambda: r.choice(w.NOUNS).capitalize() + " " + r.choice(KINDS_OF_EVENT), lambda: r.choice(["Summer", "Winter", "Spring", "Christmas", "Jazz", "Rock", "Book", "Wine", "Charity", "Science", "Village", "Food", "Craft", "Harvest", "Beer", "Street"]) + " " + r.choice(KINDS_OF_EVENT), lambda: f.title(r), lambda: f.city(r) + " " + r.choice(KINDS_OF_EVENT)])()
    event = _stack(d, f.cased(r, name), r.choice([1.8, 2.8]))
    d.ask("event", event, keep=True)
    when, time, where = d.value(r.choice([f.date(r), f.short_date(r), f.short_date(r), f"{r.randint(1, 14)} - {r.randint(15, 30)} {r.choice(w.MONTHS)}"])), d.value(f.clock(r, r.randint(9, 22))), d.value(r.choice([f.brand(r) + r.choice([" Hall", " Theatre", " Arena", " Club", " Park"]), r.choice(["Town Hall", "City Park", "Main Library", "Central Stadium", "Old Mill", "Community Centre", "Village Green", "Market Square", "St Mary's Church", "Grand Hotel", "Riverside Stage"]), f.street(r), f.shop(r)]))
    blocks = [lambda: (d.pair("Date", when) if r.random() < 0.2 else d.row(when, size=r.choice([1, 1.5])), d.ask("date", when, keep=True)), lambda: (d.row(r.choice(["at ", "", "Start ", "from "]) + time), d.ask("time", time)), lambda: (d.row(r.choice(["", "", "at ", "Venue: "]) + where), d.ask("place", where, keep=True))]
    if r.random() < 0.25:
        blocks[:2] = [lambda: (d.row(when + r.choice([" ", ", ", " at "]) + time), d.ask("date", when, keep=True), d.ask("time", time))]
    if r.random() < 0.4:
        who = [d.value(r.choice([f.name(r), "The " + r.choice(w.NOUNS).capitalize() + "s", f.brand(r)])) for _ in range(r.choice([1, 1, 2, 3]))]
        blocks.append(lambda: ([d.row(r.choice(["", "with ", "feat. "]) + x if i == 0 else x) for i, x in enumerate(who)], d.ask("performer", ", ".join(who))))
    if r.random() < 0.6:
        p = d.value(r.choice([f.money(r, 3, 60), f.money(r, 3, 60), "Free entry", "FREE", "Admission free", "free"]))
        free = "free" in p.lower()
        blocks.append(lambda: (d.row(("" if free else r.choice(["Tickets ", "Entry ", "Admission: ", "from ", ""])) + p), d.ask("entry", p, keep=True)))
    if r.random() < 0.4:
        ph = d.value(f.phone(r))
        blocks.append(lambda: (d.row(r.choice(["Info: ", "Book now: ", "Call ", "Tickets: ", ""]) + ph), d.ask("phone", ph)))
    if r.random() < 0.45:
        site = d.value(f.website(r, name))
        blocks.append(lambda: (d.row(r.choice(["", "Tickets at ", "More at "]) + site), d.ask("website", site)))
    if r.random() < 0.3:
        text = d.value(r.choice(["Live music and food", "Fun for the whole family", "Everyone welcome", "Bring your own chair", "All proceeds go to charity", "Free parking", "Refreshments provided", "Booking essential", "Rain or shine", "Over 100 stalls", "Doors close at 8pm", "No dogs please", "Learn from the experts", "Limited places"]))
        blocks.append(lambda: (d.row(text), d.ask_as("claim", ["What else does it say?", "What does it say about the event?", "Is there any other information?"], text)))
    if r.random() < 0.2:
        org = d.value(f.company(r))
        blocks.append(lambda: (d.row(r.choice(["Organised by ", "Presented by ", "Hosted by "]) + org), d.ask("organiser", org)))
    r.shuffle(blocks)
    for b in blocks[: r.randint(2, 6)]:
        b()


def ticket(d):
    r = d.r
    plane = r.random() < 0.35
    d.row(x := d.value(r.choice(["BOARDING PASS", "Boarding pass", f.brand(r) + " Air"] if plane else ["TICKET", "Rail ticket", "Bus ticket", "RETURN", "Single", f.brand(r) + r.choice([" Trains", " Cinema", " Coaches", " Theatre"])])), size=1.5)
    d.ask_as("title", ["What is this?", "What kind of ticket is it?", "What does it say at the top?"], x)
    pool = [("person", ["Name", "Passenger", "NAME OF PASSENGER"], f.name(r).upper()), ("from", ["From", "FROM"], f.city(r)), ("dest", ["To", "TO", "Destination"], f.city(r)), ("date", ["Date", "DATE", "Travel date"], f.date(r)), ("seat", ["Seat", "SEAT"], f"{r.randint(1, 80)}{r.choice(['A', 'B', 'C', 'D', 'F', ''])}"), ("departs", ["Dep", "Departure", "Departs", "DEP"], f.clock(r)), ("arrives", ["Arr", "Arrival", "Arrives"], f.clock(r)), ("price", ["Price", "Fare", "Paid"], f.money(r, 2, 200)), ("order", ["Booking", "Ref", "Order no.", "Booking ref"], f.code(r, 6)), ("validity", ["Valid until", "Valid"], f.date(r))]
    pool += [("flight", ["Flight", "FLIGHT"], f"{r.choice('ABKLUE')}{r.choice('AFLQWZ')} {r.randint(10, 9999)}"), ("gate", ["Gate", "GATE"], f"{r.choice('ABCD')}{r.randint(1, 60)}")] if plane else [("coach", ["Coach", "Car", "Wagen", "Carriage"], str(r.randint(1, 14))), ("platform", ["Platform", "Plat.", "Track"], str(r.randint(1, 24))), ("train", ["Train", "Train no."], f"{r.choice(['IC', 'ICE', 'RE', 'TGV', 'EC'])} {r.randint(1, 999)}")]
    for field, labels, value in r.sample(pool, r.randint(3, 8)):
        v = d.value(value)
        d.pair(r.choice(labels), v)
        d.ask(field, v)
    d.present |= {"reference", "number", "time", "place", "title", "name", "entry", "total", "code", "room", "city", "event", "line", "recipient", "expiry", "brand", "company", "shop", "table"}


KINDS = {"poster": (poster, 6), "ticket": (ticket, 4)}
