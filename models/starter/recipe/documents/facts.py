"""Short printed statements — on packages, doors, machines, notices — each with the questions that it answers.

A statement is a template; `{slot}` values are random. Questions name the slot they ask for, or "*" for the whole statement.
"""

from .. import fields as f
from .. import words as w
from ..questions import FIELDS


def _n(low, high):
    return lambda r: str(r.randint(low, high))


SLOTS = {
    "n": _n(2, 12), "big": _n(20, 900), "year": _n(1820, 2026), "pct": lambda r: f"{r.randint(1, 19) * 5}%", "money": lambda r: f.money(r, 1, 80), "time": f.clock, "time2": f.clock, "date": lambda r: r.choice([f.date(r), f.short_date(r)]), "phone": f.phone, "name": f.name,
    "city": f.city, "street": f.street, "shop": f.shop, "web": lambda r: f.website(r, f.pseudo(r)), "mail": lambda r: f.email(r, f.name(r), f.pseudo(r)), "day": lambda r: r.choice(w.DAYS), "noun": lambda r: r.choice(w.NOUNS), "food": lambda r: r.choice(w.FOODS).lower(),
    "product": lambda r: r.choice(w.PRODUCTS), "flavour": lambda r: r.choice(w.FLAVOURS).lower(), "country": lambda r: r.choice(w.COUNTRIES), "colour": lambda r: r.choice(w.COLOURS).lower(), "place": lambda r: r.choice(w.PLACES), "symptom": lambda r: r.choice(w.SYMPTOMS), "dec": lambda r: f"{r.randint(1, 9)}.{r.randint(0, 9)}",
    "letter": lambda r: r.choice("ABCDEFGH"), "code": lambda r: f.code(r, r.randint(4, 7)), "job": f.job, "month": lambda r: r.choice(w.MONTHS), "ingredient": lambda r: r.choice(w.INGREDIENTS), "material": lambda r: r.choice(["steel", "cotton", "oak", "recycled plastic", "glass", "leather", "wool", "bamboo", "aluminium"]),
}  # fmt: skip

# statement, then slot=question|question; …
FACTS = """
Maximum stay {n} hours; n=How long can I stay?|How many hours can I park?|For how long may I park here?
No return within {n} hours; n=When can I come back?|How many hours before I may return?
Parking {money} per hour; money=How much is parking?|What does an hour of parking cost?|How much do I pay per hour?
Speed limit {big}; big=How fast can I go?|What is the speed limit?
Height limit {dec} m; dec=How high can a vehicle be?|What is the height limit?
No vehicles over {dec} t; dec=What is the weight limit?|How heavy can a vehicle be?
Max. {n} persons or {big} kg; n=How many people can use it?|How many persons are allowed?|What's the maximum number of people?; big=How many kilos can it carry?|What is the maximum weight?
Children under {n} free; n=Until what age is it free?|Who gets in free?|How old may a child be to get in free?
{n} year warranty; n=How long is the warranty?|How many years of guarantee?|What warranty does it have?
Free delivery on orders over {money}; money=From what amount is delivery free?|When is delivery free?|How much do I have to spend for free delivery?
Save {pct} on {food}; pct=How much can I save?|How much is the discount?|How many per cent off?; food=What is on offer?|What is reduced?|What is cheaper?
{pct} off everything until {date}; pct=How much is off?|What is the discount?|How many per cent?; date=Until when is the sale?|How long does the offer last?|When does the sale end?
Buy {n} get 1 free; n=How many do I have to buy?|How many to get one free?; *=What is the offer?|What's the deal?
{n} for {money}; *=What is the offer?|What's the deal?; money=How much do they cost together?|What do I pay for all of them?
Next collection {time}; time=When is the next collection?|When is the post collected?
Last admission {time}; time=When is the last admission?|What is the latest I can get in?
Closed for lunch {time} to {time2}; *=When are they at lunch?|When is it closed for lunch?
Gates close at {time}; time=When do the gates close?|Until when are the gates open?
Established {year}; year=When was it founded?|Since when does it exist?|How old is the business?|What year were they established?
Since {year}; year=Since when?|What year is on it?|How long have they been around?
Built in {year}; year=When was it built?|How old is the building?
Exit {n}; n=Which exit is it?|What exit number?|What is the number of the exit?
{city} {big} km; big=How far is it?|What is the distance?|How many kilometres?; city=Which town is on it?|Where does it lead to?
Alcohol {dec}% vol; dec=How much alcohol is in it?|How strong is the drink?|What's the alcohol content?
SPF {big}; big=What sun protection factor is it?|What SPF is it?
{big} wipes; big=How many wipes are in it?|How many pieces?|How many are in the pack?
{big} tea bags; big=How many tea bags are there?|How many are in the box?
{n} rolls; n=How many rolls are in the pack?|How many rolls?
{big} washes; big=How many washes is it good for?|For how many washes?|How many loads?
Ages {n} and up; n=What age is it for?|From what age is it?|How old do you have to be?
Ready in {n} minutes; n=How long does it take?|How many minutes until it's ready?|How fast is it ready?
Serves {n}; n=How many people does it serve?|For how many people is it?
Contains {pct} {ingredient}; pct=How much {ingredient} does it contain?|What percentage of {ingredient}?|How many per cent {ingredient}?; ingredient=What does it contain?|What's in it?
Made with real {food}; food=What is it made with?|What's it made of?|What is in it?
Made from {material}; material=What is it made of?|What material is it?|What is it made from?
With {ingredient} and {flavour}; *=What is in it?|What does it come with?|What's added to it?
Free from {ingredient}; ingredient=What is it free from?|What is not in it?
Dishwasher safe; *=Can it go in the dishwasher?|How can I clean it?
Not suitable for microwave; *=Can I put it in the microwave?|What is it not suitable for?
Keep at {n} °C; n=At what temperature do I keep it?|How cold should it be?
Use within {n} days of opening; n=How long does it keep once open?|How many days after opening can I use it?|How soon do I have to use it up?
Heat for {n} minutes at {big} W; n=How many minutes do I heat it?|How long in the microwave?; big=How many watts?|At what power?
Preheat the oven to {big}°; big=How hot should the oven be?|What oven temperature?|To what temperature do I preheat?
Add {big} ml water; big=How much water do I add?|How much water does it need?|How many millilitres of water?
For {symptom} and {symptom}; *=What is it for?|What does it help with?|What is it good for?
Take {n} hours after food; n=How many hours after eating?|When should I take it?
One tablet contains {big} mg; big=How much is in one tablet?|How many milligrams does a tablet have?
Distributed by {shop}; shop=Who distributes it?|Which company sells it?|Who is the distributor?
Imported by {shop}, {city}; shop=Who imported it?|Who is the importer?; city=Where is the importer?|Which city is the importer in?
Product of {country}; country=Where is it from?|Which country does it come from?|Where was it produced?
Designed in {country}; country=Where was it designed?
Colour: {colour}; colour=What colour is it?|Which color is this?
For use on {material} only; material=What can I use it on?|What is it for?
Press {letter} to continue; letter=Which key do I press?|What do I press?|How do I go on?
Press the {colour} button; colour=Which button do I press?|What colour is the button?
Dial {n} for {place}; n=What do I dial?|Which number is it?; place=What do I reach with this number?
Bay {letter}{n}; *=Which bay is it?|What bay am I in?
Row {n} Seat {big}; n=Which row?|What row am I in?; big=Which seat?|What's my seat number?
Please take a number; *=What am I asked to do?|What should I do?
Please ring the bell for {place}; place=What is the bell for?; *=What should I do?|What does it ask me to do?
Deliveries to {place} only; place=Where do deliveries go?|Where should I take the delivery?
No {noun}s allowed; *=What is not allowed?|What is forbidden?|What is the rule?
Beware of the {noun}; noun=What should I beware of?|What does it warn of?|What is the danger?
Lost {noun}, reward {money}; noun=What was lost?|What are they looking for?; money=How much is the reward?|What do I get for finding it?
Reward {money}; money=How much is the reward?
For sale: {noun}, {money}; noun=What is for sale?|What are they selling?; money=How much do they want?|What is the price?
To rent: {n} rooms, {money} a month; n=How many rooms are there?|How big is the flat?; money=How much is the rent?|What does it cost a month?
Ask for {name}; name=Who should I ask for?|Whom do I ask for?|What name does it give?
Contact {name}, {phone}; name=Who is the contact?|Who do I contact?|Who should I call?; phone=What is their number?|What number do I call?|What is the phone number?
Write to {mail}; mail=Where do I write to?|What is the email address?|Which address do I write to?
Visit {web} for more; web=Where can I find more?|What website is it?|Where do I get more information?
In case of emergency call {phone}; phone=What number do I call in an emergency?|What is the emergency number?
Office hours {day} {time} to {time2}; day=On which day is the office open?|Which day?; *=When are the office hours?|When is the office open?
Rubbish is collected on {day}; day=When is rubbish collected?|Which day do the bins go out?|On which day is the collection?
Opens {date}; date=When does it open?|When is the opening?
Closed until {date}; date=When does it open again?|Until when is it closed?|How long is it closed?
Works from {date} to {date}; *=How long do the works take?|When are the works?
Moved to {street}; street=Where did they move to?|Where are they now?|What is the new address?
Entrance on {street}; street=Where is the entrance?|How do I get in?
Staff wanted: {job}; job=What job is offered?|Who are they looking for?|Which position is open?
{name}, {job}; name=Who is it?|What is the name?; job=What is their job?|What do they do?|What is the person's position?
Dedicated to {name}; name=Who is it dedicated to?|To whom is it dedicated?
In memory of {name}; name=Who is remembered here?|Who is it in memory of?|Whose memorial is it?
{name} lived here in {year}; name=Who lived here?|Who was it that lived here?; year=When did they live here?|What year is it about?
Born in {city} in {year}; city=Where was the person born?|What is the birth place?; year=When was the person born?|What's the year of birth?
Founded by {name}; name=Who founded it?|Who started it?
Photo: {name}; name=Who took the photo?|Who is the photographer?
Translated by {name}; name=Who translated it?|Who is the translator?
Music by {name}; name=Who wrote the music?|Who made the music?
Access code {code}; code=What is the access code?|Which code do I need?|How do I get in?
Promo code {code}; code=What is the promo code?|Which code do I enter?
Voucher worth {money}; money=How much is the voucher worth?|What's the value of the voucher?
Valid until {date}; date=How long is it valid?|Until when can I use it?|When does it run out?
Not valid before {date}; date=From when is it valid?|When can I use it from?
Balance {money}; money=How much is left?|What is the balance?|How much money is on it?
Step {n} of {big}; n=Which step am I at?|What step is it?
Page {n} of {big}; n=Which page is it?|What page am I on?; big=How many pages are there?|How long is the document?
Level {n} complete; n=Which level is complete?|What level am I at?
{pct} complete; pct=How far is it?|How much is done?|What's the progress?
{n} new messages; n=How many messages do I have?|How many new messages are there?
Delayed by {n} minutes; n=How late is it?|How many minutes late?|What is the delay?
Change at {city}; city=Where do I change?|Where do I have to change trains?
Via {city}; city=Which way does it go?|What does it go via?
Flavour: {flavour}; flavour=What flavour is it?|What does it taste like?|Which taste is it?
{flavour} {product}; *=What is this?|What product is it?|What do I have here?; flavour=Which flavour is it?|What kind is it?
Winner of the {year} award; year=In which year did it win?|When was the award?; *=What did it win?|What award is it?
Room temperature {n}-{big} °C; *=At what temperature should it be?|What temperature is right?
Allow {n} days for delivery; n=How long is delivery?|How many days does delivery take?
Minimum order {money}; money=What is the minimum order?|How much do I have to order at least?
Deposit {money}; money=How much is the deposit?|What deposit do they want?
Table for {n} at {time}; n=How many people is the table for?; time=What time is the table?|When is the reservation?
Dr {name}; *=What's the doctor's name?|Which doctor is it?|Who is the doctor?
"""


def _parse():
    facts = []
    for line in FACTS.strip().splitlines():
        statement, *questions = line.split("; ")
        facts.append((statement, [(slot, asks.split("|")) for slot, asks in (q.split("=", 1) for q in questions)]))
    return facts


ALL = _parse()


def add(d, count):
    """Puts some statements into a document and asks about them."""
    r = d.r
    for statement, questions in r.sample(ALL, count):
        values, text, rest = {}, "", statement
        while "{" in rest:
            before, _, rest = rest.partition("{")
            slot, _, rest = rest.partition("}")
            value = d.value(SLOTS[slot](r))
            text += before + value
            values.setdefault(slot, value)
        whole = d.value(text + rest)
        case = r.choice([str, str, str, str.upper])
        words = case(whole)
        if r.random() < 0.3:
            d.wrap(words, r.randint(8, 24), size=r.choice([1, 1, 1.5]))
        else:
            d.row(words, size=r.choice([1, 1, 1, 1.5, 2]))
        for slot, asks in r.sample(questions, min(len(questions), 2)):
            answer = whole if slot == "*" else values[slot]
            d.ask_as("fact", [a.format(**values) for a in asks], answer, keep=count == 1)


def notice(d):
    """A few unrelated statements, as on a notice board or a busy label."""
    r = d.r
    if r.random() < 0.4:
        d.row(h := d.value(f.cased(r, r.choice([f.shop(r), f.title(r), r.choice(w.PRODUCTS), r.choice(w.SIGNS), f.company(r), f.brand(r)]))), size=r.choice([1.5, 2]))
        d.ask_as("title", ["What does it say at the top?", "What is the heading?", "What is the biggest text?", "What is the title?"], h)
    add(d, r.choices([1, 2, 3, 4, 5], [25, 30, 25, 12, 8])[0])
    d.present |= set(FIELDS) - {"isbn", "iban", "seat", "gate", "lot", "allergens", "calories", "tax", "change", "cashier", "invoice", "serial", "flight", "wifi"}


KINDS = {"facts": (notice, 15)}
