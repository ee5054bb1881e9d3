"""Letters, bills, envelopes, cards and handwritten notes."""

from .. import fields as f
from .. import words as w


def _head(d, sender):
    r = d.r
    d.row(sender, size=r.choice([1, 1.3, 1.8]))
    d.ask("sender", sender, keep=True)
    if r.random() < 0.5:
        street = d.value(f.street(r))
        d.row(street)
        d.row(d.value(f.postcode(r) + " " + f.city(r)))
        d.ask_as("address", ["What is the sender's address?", "What is the address?", "Where are they?", "Which street is it?"], street)
    if r.random() < 0.3:
        p = d.value(f.phone(r))
        d.row(r.choice(["Tel. ", "Phone ", ""]) + p)
        d.ask("phone", p)


def _who(r):
    return r.choice([lambda: f.company(r), lambda: f.brand(r) + r.choice([" Bank", " Energy", " Water", " Insurance", " Council", " Hospital", " Telecom", " Clinic", " University", " School", " Housing", " Library"]), lambda: "City of " + f.city(r), lambda: f.name(r), lambda: "Dr " + f.name(r)])()


# Sentences with slots; the questions that the sentence answers, by slot or ("*") as a whole.
MATTERS = [
    ("Your bill of {money} is due on {date}.", {"money": "total", "date": "due", "*": "subject"}),
    ("Please pay {money} by {date}.", {"money": "total", "date": "due", "*": "action"}),
    ("The amount of {money} will be taken from your account on {date}.", {"money": "total", "date": "due", "*": "subject"}),
    ("We have not received your payment of {money}.", {"money": "total", "*": "subject"}),
    ("Your appointment is on {date} at {time} in {place}.", {"date": "date", "time": "time", "place": "place", "*": "subject"}),
    ("We have booked you in with {name} on {date} at {time}.", {"name": "doctor", "date": "date", "time": "time", "*": "subject"}),
    ("We are writing to tell you that {event} on {date}.", {"date": "date", "event": "subject"}),
    ("Please note that {event} from {date} to {date2}.", {"event": "subject"}),
    ("Your parcel could not be delivered. You can collect it at {place} from {date}.", {"place": "place", "date": "date", "*": "subject"}),
    ("Thank you for your order. It will arrive on {date}.", {"date": "date", "*": "subject"}),
    ("Your contract number is {number}.", {"number": "reference"}),
    ("Your new card is enclosed. Your PIN will follow in a separate letter.", {"*": "subject"}),
    ("I am pleased to offer you the position of {job} at a salary of {money}.", {"job": "job", "money": "salary", "*": "subject"}),
    ("We regret that we cannot offer you a place this year.", {"*": "subject"}),
    ("You are invited to {party} on {date} at {time}.", {"party": "event", "date": "date", "time": "time"}),
    ("Please bring {thing} with you.", {"thing": "bring"}),
    ("If you have any questions, please call {phone}.", {"phone": "phone"}),
    ("You can reach us at {email} or {phone}.", {"email": "email", "phone": "phone"}),
    ("Please quote the reference {number} in all letters.", {"number": "reference"}),
    ("Please reply by {date}.", {"date": "due"}),
    ("Your rent will rise from {money} to {money2} a month.", {"money2": "new rent", "money": "old rent"}),
    ("The meter reading on {date} was {count} units.", {"count": "reading", "date": "date"}),
    ("Your test results are normal and no further treatment is needed.", {"*": "subject"}),
    ("Please fill in the form and send it back to {place}.", {"place": "send to", "*": "action"}),
]
EVENTS = "the water will be turned off,the lift will be repaired,the office will be closed,your subscription has ended,the meeting has been moved,street works will begin,the bins will be collected,your password was changed,the school trip takes place,our prices will change,the heating will be checked,parking will be suspended".split(",")
OWN = {
    "bring": ["What should I bring?", "What do I have to bring along?", "What do they want me to bring?"], "new rent": ["What is the new rent?", "How much will the rent be?", "What will I pay from now on?"], "old rent": ["What was the rent before?", "What is the old rent?"],
    "reading": ["What was the meter reading?", "How many units were used?"], "send to": ["Where do I send it?", "Where should the form go?"],
}  # fmt: skip


def _fill(d, template):
    r = d.r
    make = {
        "money": lambda: f.money(r, 5, 900), "money2": lambda: f.money(r, 5, 900), "date": lambda: r.choice([f.date(r), f.date(r), f.short_date(r), r.choice(w.DAYS)]), "date2": lambda: f.date(r), "time": lambda: f.clock(r, r.randint(8, 19)), "name": lambda: f.title_name(r),
        "place": lambda: r.choice([f.street(r), "the " + r.choice(w.PLACES).lower(), f.city(r), "our office in " + f.city(r), f"room {r.randint(1, 400)}"]), "number": lambda: f.number(r), "event": lambda: r.choice(EVENTS), "job": lambda: f.job(r),
        "party": lambda: r.choice(["our summer party", "a birthday dinner", "the annual meeting", "a wedding", "the open day", "a concert", "our anniversary"]), "thing": lambda: r.choice(["your passport", "a list of your medicines", "this letter", "warm clothes", "your insurance card", "a packed lunch", "two photographs"]),
        "phone": lambda: f.phone(r), "email": lambda: f.email(r, f.name(r), f.brand(r)), "count": lambda: str(r.randint(100, 90000)),
    }  # fmt: skip
    return {k: d.value(make[k]()) for k in make if "{" + k + "}" in template}


def letter(d):
    r = d.r
    d.present |= {"title", "shop", "company", "person", "author", "name", "price", "say", "message", "topic", "address", "time", "date", "action", "subject", "event", "organiser", "city", "maker", "room", "expiry", "hours", "reference", "invoice", "number", "code", "period", "validity", "postcode", "department", "job", "brand", "place", "publisher", "doctor", "patient", "items", "instructions", "serial", "customer"}
    sender = d.value(_who(r))
    if r.random() < 0.85:
        _head(d, sender)
    whom = f.title_name(r)
    if r.random() < 0.35:
        d.row(n := d.value(whom))
        d.row(f.street(r))
        d.row(f.postcode(r) + " " + f.city(r))
    if r.random() < 0.75:
        date = d.value(f.date(r))
        d.row(r.choice(["", "", "Date: ", f.city(r) + ", "]) + date)
        d.ask_as("date", ["When was it written?", "What is the date of the letter?", "What date is on the letter?", "When is it from?"], date)
    if r.random() < 0.3:
        n = d.value(f.number(r))
        d.pair(r.choice(["Invoice number", "Our ref", "Reference", "Your ref.", "Customer no.", "Policy no."]), n)
        d.ask("reference", n)
    matters = r.sample(MATTERS, r.randint(1, 4))
    if r.random() < 0.4:
        subject = d.value(r.choice(["Your appointment", "Invoice", "Reminder", "Change of address", "Your application", "Annual statement", "Membership renewal", "Notice of works", "Rent increase", "Your order", "Final notice", "Invitation", "Insurance renewal", "Meter reading", "Parking fine"]))
        d.row(r.choice(["", "Re: ", "Subject: ", "RE: "]) + subject, size=r.choice([1, 1.2, 1.5]))
        d.ask("subject", subject)
        has_subject = True
    else:
        has_subject = False
    if r.random() < 0.9:
        n = d.value(whom)
        d.row(r.choice(["Dear ", "Dear ", "Hello ", "Dear "]) + n + r.choice([",", ",", ":", ""]))
        d.ask("recipient", n)
    asked = set()
    text = []
    for template, answers in matters:
        slots = _fill(d, template)
        said = d.value(template.format(**slots).rstrip("."))
        text.append(said + ".")
        for slot, field in answers.items():
            if field in asked or (field == "subject" and has_subject):
                continue
            asked.add(field)
            value = said if slot == "*" else slots[slot]
            d.ask_as(field, OWN[field], value) if field in OWN else d.ask(field, value)
    width = r.randint(26, 58)
    if r.random() < 0.6:
        d.wrap(" ".join(text), width)
    else:
        for t in text:
            d.wrap(t, width)
    if r.random() < 0.75:
        d.row(r.choice(["Yours sincerely,", "Kind regards,", "Best wishes,", "Yours faithfully", "Sincerely,", "With best regards", "Love,"]))
        signed = d.value(f.name(r))
        d.row(signed)
        d.ask("signed", signed)
        if r.random() < 0.4:
            d.row(j := d.value(f.job(r)))
            d.ask_as("job", ["What is the signer's position?", "What is the job of the person who signed?", "What's their role?"], j)


def bill(d):
    r = d.r
    sender = d.value(_who(r))
    _head(d, sender)
    d.row(x := d.value(r.choice(["INVOICE", "Invoice", "BILL", "Statement", "Rechnung", "Reminder", "Tax Invoice"])), size=r.choice([1.2, 2]))
    d.ask_as("title", ["What kind of document is it?", "What is this?", "What letter is it?", "Is it a bill?"], x)
    fields = [("invoice", ["Invoice no.", "Invoice number", "Invoice #", "No."], f.number(r)), ("date", ["Date", "Invoice date", "Issued"], f.date(r)), ("due", ["Due date", "Payment due", "Pay by", "Due"], f.date(r)), ("customer", ["Customer no.", "Customer number", "Client ID"], f.number(r)), ("account", ["Account", "Account number", "Acct no."], f.digits(r, r.randint(6, 10))), ("iban", ["IBAN"], r.choice(["DE", "GB", "FR", "NL"]) + f.digits(r, 2) + " " + " ".join(f.digits(r, 4) for _ in range(4))), ("period", ["Period", "Billing period", "For"], f.date(r) + " - " + f.date(r)), ("recipient", ["Bill to", "Customer", "Invoice to"], f.name(r))]
    for field, labels, value in r.sample(fields, r.randint(3, 6)):
        v = d.value(value)
        d.pair(r.choice(labels), v)
        d.ask(field, v)
    sign = r.choice(["£", "$", "€"])
    total = 0
    for _ in range(r.randint(0, 4)):
        item = d.value(r.choice(["Consultation", "Repair", "Electricity", "Delivery", "Cleaning", "Monthly fee", "Materials", "Installation", "Water usage", "Service call", "Hosting", "Training", "Translation", "Labour 3h"]))
        cents = r.randint(500, 30000)
        v = d.value(f"{sign}{cents / 100:.2f}")
        total += cents
        d.row(item, v)
        d.ask_as("lookup", [f"How much is the {item.lower()}?", f"What does the {item.lower()} cost?", f"What do they charge for {item.lower()}?"], v)
    total = total or r.randint(500, 90000)
    t = d.value(f"{sign}{total / 100:,.2f}")
    d.row(r.choice(["Total", "TOTAL", "Amount due", "Total due", "Balance", "To pay", "Total amount payable"]), t, size=r.choice([1, 1.4]))
    d.ask("total", t, keep=True)
    d.present |= {"reference", "number", "subject", "price", "shop", "company", "person", "expiry", "order", "code", "city", "postcode", "brand", "maker", "time", "items", "signed"}


def envelope(d):
    r = d.r
    d.present |= {"person", "shop", "company", "title", "city", "postcode", "address", "place", "tracking", "number", "name", "say", "dest", "brand", "organiser", "patient", "signed"}
    sender_first = r.random() < 0.6
    def sender():
        s = d.value(_who(r))
        if r.random() < 0.5:
            d.row(r.choice(["From: ", "Sender: ", "FROM "]) + s)
        else:
            d.row(s)
        d.row(a := d.value(f.street(r)))
        d.row(f.postcode(r) + " " + f.city(r))
        d.ask("sender", s, keep=True)
        if r.random() < 0.5:
            d.ask_as("address", ["What is the return address?", "What is the sender's street?", "Where was it sent from?"], a)
    def recipient():
        n, street, town, zipcode = d.value(r.choice([f.name(r), f.title_name(r), f.name(r).upper()])), d.value(f.street(r)), d.value(f.city(r)), d.value(f.postcode(r))
        d.row(r.choice(["", "", "To: ", "TO "]) + n)
        d.row(street)
        d.row(zipcode + " " + town) if r.random() < 0.5 else d.row(town + r.choice([" ", ", "]) + zipcode)
        d.ask("recipient", n, keep=True)
        d.ask_as("address", ["Which street is it going to?", "What is the street?", "What address is it sent to?", "What street does the recipient live in?"], street)
        d.ask_as("city", ["Which city is it going to?", "What town is it addressed to?", "Where is it being sent?"], town)
        d.ask("postcode", zipcode)
    if sender_first and r.random() < 0.8:
        sender()
    recipient()
    if r.random() < 0.35:
        d.row(x := d.value(r.choice(["FIRST CLASS", "AIR MAIL", "PRIORITY", "URGENT", "Private and Confidential", "FRAGILE", "DO NOT BEND", "PAR AVION", "Postage paid", "Registered mail", "THIS SIDE UP", "Signed for"])))
        d.ask_as("say", ["What else does it say on the envelope?", "Is there a note on the parcel?", "How was it sent?", "What is stamped on it?"], x)
    if r.random() < 0.3:
        d.pair(r.choice(["Tracking", "Parcel no.", "Shipment", "TRK#"]), t := d.value(f.code(r, r.randint(9, 13))))
        d.ask("tracking", t)
    if r.random() < 0.2:
        d.row(x := d.value(f"{r.randint(0, 30)}.{r.randint(0, 9)} {r.choice(['kg', 'lb'])}"))
        d.ask("weight", x)


NOTES = [
    ("I have gone to {where}. Back at {time}.", {"where": ["Where did they go?", "Where are they?"], "time": ["When will they be back?", "What time will they be back?"]}),
    ("Please buy {things}.", {"things": ["What should I buy?", "What do I need to buy?", "What do they need?"]}),
    ("Call {name} on {phone}.", {"name": ["Who should I call?", "Whom do I have to ring?"], "phone": ["Which number do I call?", "What is the number?"]}),
    ("Dinner is in the {spot}. Heat it for {n} minutes.", {"spot": ["Where is the dinner?", "Where is the food?"], "n": ["How many minutes do I heat it?", "How long does it need?"]}),
    ("Meet me at {where} at {time}.", {"where": ["Where do we meet?", "Where should I go?"], "time": ["When do we meet?", "At what time?"]}),
    ("The key is {spot2}.", {"spot2": ["Where is the key?", "Where did they leave the key?"]}),
    ("Happy birthday {first}! {wish}.", {"first": ["Whose birthday is it?", "Who is the card for?"], "wish": ["What do they wish?", "What does the wish say?"]}),
    ("Don't forget to {task}.", {"task": ["What should I not forget?", "What do I have to do?", "What is the reminder?"]}),
    ("{name} called about {thing}.", {"name": ["Who called?", "Who phoned?"], "thing": ["What was the call about?", "Why did they call?"]}),
    ("The {spot3} is broken, please {task}.", {"spot3": ["What is broken?", "What does not work?"], "task": ["What am I asked to do?", "What should I do?"]}),
    ("Thank you for {gift}.", {"gift": ["What do they thank me for?", "What is the thank you for?"]}),
    ("{first} has {lesson} on {day} at {time}.", {"lesson": ["What does the person have?", "What is planned?"], "day": ["On which day is it?", "Which day?"], "time": ["At what time is it?", "When does it start?"]}),
]  # fmt: skip


def note(d):
    """Handwriting: short lines, no layout, often badly read."""
    r = d.r
    make = {
        "where": lambda: r.choice(["the shop", "the library", "the station", "work", "the doctor", "Anna's place", "the park", "the pharmacy", "town", "the cafe", f.city(r)]), "time": lambda: f.clock(r, r.randint(7, 22)), "things": lambda: ", ".join(x.lower() for x in r.sample(w.FOODS, r.randint(1, 4))),
        "name": lambda: r.choice([f.first(r), f.name(r), "Mum", "the plumber", "Dr " + f.last(r), "Grandma"]), "phone": lambda: f.phone(r), "spot": lambda: r.choice(["fridge", "oven", "freezer", "microwave", "blue pot"]), "n": lambda: str(r.randint(2, 45)),
        "spot2": lambda: r.choice(["under the mat", "with the neighbours", "in the mailbox", "on the hook", "behind the flower pot", "at the reception"]), "spot3": lambda: r.choice(["washing machine", "door bell", "lift", "printer", "kitchen tap", "heater", "gate"]), "first": lambda: f.first(r),
        "wish": lambda: r.choice(["All the best for the new year", "Get well soon", "Lots of love", "Have a wonderful day", "Hope to see you soon", "Best wishes from all of us"]), "task": lambda: r.choice(["feed the cat", "water the plants", "take out the bins", "lock the door", "call the landlord", "pay the rent", "pick up the parcel", "use the other one", "turn off the heating", "take your pills", "return the books"]),
        "thing": lambda: r.choice(["the car", "the appointment", "your order", "the flat", "the meeting", "the party", "the invoice"]), "gift": lambda: r.choice(["the flowers", "the lovely evening", "your help", "the book", "coming to visit", "the cake"]), "lesson": lambda: r.choice(["piano", "football", "a dentist appointment", "an exam", "swimming", "choir", "a meeting"]), "day": lambda: r.choice(w.DAYS),
    }  # fmt: skip
    if r.random() < 0.5:
        n = d.value(f.first(r))
        d.row(r.choice(["Dear ", "Hi ", "", "Hello "]) + n + r.choice([",", "!", ""]))
        d.ask("recipient", n)
    width = r.randint(12, 28)
    said = []
    for template, asks in r.sample(NOTES, r.choice([1, 1, 2, 3])):
        slots = {k: d.value(make[k]()) for k in make if "{" + k + "}" in template}
        text = d.value(template.format(**slots).rstrip("."))
        said.append(text)
        d.wrap(text + r.choice([".", ".", "", "!"]), width)
        for k, phrasings in asks.items():
            d.ask_as("note", phrasings, slots[k], keep=True)
    d.ask_as("say", ["What does the note say?", "What is written here?", "Read the note.", "What does it say?", "Can you read the handwriting?"], ". ".join(said))
    if r.random() < 0.5:
        s = d.value(f.first(r))
        d.row(r.choice(["", "Love, ", "Love ", "Yours ", "x "]) + s)
        d.ask_as("signed", ["Who wrote the note?", "Who is it from?", "Who signed it?", "Who left this?"], s)
    d.present |= {"message", "action", "items", "subject", "sender", "signed", "title", "person", "date", "address", "place", "hours", "event", "author", "cooking", "remaining", "instructions", "topic", "say", "time", "phone", "recipient", "name", "mobile", "product"}


def shopping_list(d):
    r = d.r
    title = r.choice([None, "Shopping", "To do", "To buy", "List", "Packing list", "Groceries"])
    if title:
        d.row(t := d.value(title), size=r.choice([1, 1.4]))
        d.ask_as("title", ["What kind of list is it?", "What is the list called?", "What's the heading?"], t)
    items = [d.value(x.lower() if r.random() < 0.6 else x) for x in r.sample(w.FOODS, r.randint(2, 9))]
    bullet = r.choice(["", "", "- ", "• ", "{}. ", "{}) "])
    for i, item in enumerate(items):
        q = r.choice(["", "", "", "2 ", "3x ", "500g "])
        d.row(bullet.format(i + 1) + q + item)
    if len(items) <= 7:
        d.ask("items", ", ".join(items), keep=True)
    d.ask_as("first", ["What is the first thing on the list?", "What comes first?", "What's number one?"], items[0])
    d.ask_as("last", ["What is the last thing on the list?", "What comes last?", "What's at the end of the list?"], items[-1])
    i = r.randrange(len(items) - 1)
    d.ask_as("next", [f"What comes after {items[i]}?", f"What is below {items[i]}?", f"What's next after {items[i]}?"], items[i + 1])
    if r.random() < 0.4:
        yes = r.random() < 0.5
        other = r.choice([x for x in w.FOODS if x.lower() not in " ".join(items).lower()]).lower()
        d.yes_no([f"Is {items[i] if yes else other} on the list?", f"Do I need {items[i] if yes else other}?"], yes)
    if len(items) < 6 and r.random() < 0.3:
        d.ask_as("count", ["How many things are on the list?", "How many items?"], str(len(items)))
    d.present |= {"items", "title", "product", "say", "number", "weight", "count", "action"}


KINDS = {"letter": (letter, 8), "bill": (bill, 4), "envelope": (envelope, 4), "note": (note, 6), "list": (shopping_list, 3)}
