"""How people ask. A field has a noun phrase (for the general phrasings) and phrasings of its own.

One phrasing in six is never used in training (`held=True` draws only from those): the evaluation asks with them.
"""

import zlib

# field: (noun, own phrasings). The noun is put into GENERAL with "the" in front.
FIELDS = {
    "phone": ("phone number", "What number do I call?|How can I call them?|What is the telephone number?|Which number should I ring?|What's the contact number?|Who do I phone, what number?|Is there a number to call?|Give me their number"),
    "mobile": ("mobile number", "What is the cell number?|What's the mobile?"),
    "fax": ("fax number", "Where can I send a fax?"),
    "email": ("email address", "Where can I send an email?|What's their e-mail?|How can I write to them?|Which email is given?|What is the email?"),
    "website": ("website", "What is the web address?|Which website is shown?|Where can I find them online?|What's the URL?|Is there a web page?"),
    "address": ("address", "Where is it located?|What street is it on?|Where do I have to go?|Where are they?|Where is this place?"),
    "city": ("city", "Which town is it in?|What city is it?|Which city does it say?"),
    "postcode": ("postcode", "What is the zip code?|Which postal code is it?"),
    "price": ("price", "How much does it cost?|How much is it?|What does this cost?|How much do they want for it?|What do I pay for this?|How expensive is it?"),
    "total": ("total", "How much do I have to pay?|How much was it altogether?|Total please|What does it come to?|What's the total amount?|How much did I spend?|What is the sum?|How much is the bill?|What is the amount due?|How much was it in total?"),
    "subtotal": ("subtotal", "What was it before tax?|How much is the subtotal?"),
    "tax": ("tax", "How much is the tax?|What is the VAT?|How much VAT is on it?|How much tax did I pay?"),
    "tip": ("tip", "How much tip was given?|What is the service charge?"),
    "change": ("change", "How much change did I get?|What was the change?|How much did I get back?"),
    "cash": ("amount paid", "How much did I give them?|How much cash was handed over?|What amount was paid?"),
    "payment": ("payment method", "How was it paid?|How did I pay?|Was it card or cash?|What did I pay with?"),
    "card_number": ("last digits of the card", "Which card was used?|What are the last digits of my card?"),
    "date": ("date", "What date is on it?|Which date does it show?|When is it from?|What day is it?|When was this?|What's the date on this?"),
    "time": ("time", "What time does it start?|At what time is it?|When does it begin?|What time does it say?|What time is shown?"),
    "expiry": ("expiry date", "When does it expire?|Best before when?|Until when is it good?|What is the use by date?|Is there an expiration date?|How long does it keep?|Is it still good? What date does it say?|When does this go off?|What's the best before date?|When is it out of date?|By when should I use it?"),
    "made": ("production date", "When was it made?|When was it packed?|What is the manufacturing date?|What's the date of manufacture?"),
    "lot": ("batch number", "What is the lot number?|Which batch is it from?|What's the LOT?"),
    "shop": ("name of the shop", "Which shop is this?|Where is this from?|What's the name of the place?|Which business is it?|Which store is it?|Where did I buy this?|What company is this?|What shop is it from?"),
    "person": ("person's name", "Whose name is on it?|Who is this?|What is the name on it?|What name does it say?|Whose is it?|Who does it belong to?"),
    "patient": ("patient's name", "Who is the patient?|Who is this medicine for?|Whose prescription is it?"),
    "doctor": ("doctor's name", "Who is the doctor?|Which doctor prescribed it?|Who prescribed this?"),
    "title": ("title", "What's it called?|Read me the title|What is the heading?|What is written at the top?|What does the big text say?|What's the headline?|What is the biggest text?"),
    "book": ("title of the book", "What book is this?|Which book is it?|What is this book called?|What's the name of the book?|Which book am I holding?"),
    "author": ("author", "Who wrote it?|Who is it by?|Which author wrote this?|Who is the writer?|Whose book is it?|Who wrote this book?"),
    "publisher": ("publisher", "Who published it?|Which publisher is it?|What's the publishing house?"),
    "subtitle": ("subtitle", "What does it say under the title?|What is below the title?"),
    "quote": ("quote", "What do the critics say?|What is the praise on the cover?"),
    "edition": ("edition", "Which edition is it?"),
    "isbn": ("ISBN", "Read me the ISBN number|Which ISBN is it?"),
    "volume": ("volume", "Which volume is it?|What number in the series is it?"),
    "hours": ("opening hours", "When is it open?|What are the hours?|Tell me the opening times|When can I go there?|When are they open?"),
    "dose": ("dose", "How much should I take?|How many should I take per day?|How do I take this?|How often do I take it?|What are the directions?|How am I supposed to take these?|What do the instructions say about taking it?|When do I take it?"),
    "max_dose": ("maximum dose", "How many at most per day?|What is the most I can take?|How many can I take in 24 hours?|What is the maximum per day?"),
    "strength": ("strength", "What strength is it?|How many milligrams are these?|How strong is it?|How many mg?|What's the strength of the tablets?"),
    "drug": ("name of the medicine", "Which medicine is this?|What medicine is it?|What's this medication called?|What drug is this?|What are these pills?|What am I taking here?|Which tablets are these?"),
    "ingredient": ("active ingredient", "What is in this medicine?|What's the active substance?"),
    "count": ("number of tablets", "How many are in the pack?|How many tablets are in the box?|How many are there in the packet?|What is the pack size?"),
    "purpose": ("purpose", "What is it for?|What does it help against?|What is this used for?|What does it treat?"),
    "warning": ("warning", "Is there a warning?|Any warnings?|What should I be careful about?|What do I have to watch out for?|What does it warn about?"),
    "storage": ("storage instructions", "How should it be stored?|Where should I keep it?|How do I store this?|Does it have to go in the fridge?"),
    "maker": ("manufacturer", "Who makes it?|Which company makes this?|Who is it made by?|Who produced it?"),
    "weight": ("weight", "How much is in it?|What's the net weight?|What size is the pack?|How many grams is it?|How heavy is it?|What quantity is in the package?"),
    "volume_of": ("volume", "How many millilitres are in it?|How much liquid is in it?"),
    "calories": ("calories", "How many calories does it have?|What is the energy?|Calories?|How many kcal are there?|How much energy is in it?"),
    "serving": ("serving size", "How big is a serving?|What is one serving?"),
    "allergens": ("allergens", "What allergens does it contain?|Are there any allergens?|What does it contain?|What might I be allergic to in it?"),
    "ingredients": ("ingredients", "What is in it?|What is it made of?|What are the ingredients?|Read the ingredients"),
    "product": ("product", "What is this?|What do I have here?|Which product is it?|What is this product?|What am I holding?|What is in this package?|What kind of thing is this?|What is in the box?|What's in this?|What type of product is it?"),
    "flavour": ("flavour", "What flavour is it?|Which flavor is this?|What does it taste of?|What kind is it?|Which variety is this?"),
    "brand": ("brand", "What brand is it?|Which brand is this?|Who is the brand?|What's the brand name?|Which company is it from?"),
    "origin": ("country of origin", "Where was it made?|Where does it come from?|Which country is it from?|Where is it made?"),
    "instructions": ("instructions", "What do I have to do?|How do I prepare it?|How do I use it?|What are the directions?|How does it work?|What are the instructions for it?"),
    "cooking": ("cooking time", "How long does it cook?|How long do I heat it?|How many minutes does it need?"),
    "temp": ("temperature", "How warm is it?|What temperature is set?|How many degrees?|What temperature does it show?"),
    "invoice": ("invoice number", "Which invoice number is it?|What number does the invoice have?"),
    "reference": ("reference number", "What is the reference?|Which reference do I quote?|What's our reference?"),
    "account": ("account number", "Which account number is shown?|What account is it?"),
    "customer": ("customer number", "What is my customer number?|Which customer ID is it?"),
    "iban": ("IBAN", "Where do I transfer the money to?|Which IBAN is given?"),
    "order": ("order number", "Which order is this?|What's my order number?"),
    "tracking": ("tracking number", "How can I track it?|What's the parcel number?"),
    "due": ("due date", "When is it due?|By when do I have to pay?|When is the payment deadline?|What's the deadline?|How long do I have?"),
    "period": ("period", "Which period is it for?|What time span does it cover?"),
    "place": ("venue", "Where does it take place?|Where is the event?|Where is it?|What is the location?|Where is it held?"),
    "event": ("event", "What event is it?|What is this poster for?|What's on?|What is being advertised?"),
    "performer": ("performer", "Who is playing?|Who is on stage?|Who is performing?|Who is the artist?"),
    "organiser": ("organiser", "Who organises it?|Who is behind it?"),
    "entry": ("entry fee", "How much is a ticket?|What does entry cost?|How much do I pay to get in?|Is it free?"),
    "doors": ("door time", "When do the doors open?"),
    "job": ("job title", "What does this person do?|What's their role?|What do they work as?|What is their profession?"),
    "company": ("company", "Which company do they work for?|What company is on the card?|What's the firm called?"),
    "department": ("department", "Which department is it?|What department do they work in?"),
    "sender": ("sender", "Who is the letter from?|Who sent this?|Who wrote this letter?|Who is writing to me?|Where does this letter come from?|Who is this from?"),
    "recipient": ("recipient", "Who is it addressed to?|Who is the letter for?|Whose mail is it?|Who is it for?|Who is it to?"),
    "subject": ("subject", "What is it about?|What is this letter about?|What do they want?|Why are they writing?|What's the topic?|What does the letter say?"),
    "signed": ("signature", "Who signed it?|Who is it signed by?|What name is at the bottom?"),
    "room": ("room number", "Which room is it?|Which room do I go to?|What room am I at?|What number is on the door?"),
    "floor": ("floor", "Which floor is it on?|What floor am I on?|Which level is it?"),
    "gate": ("gate", "Which gate do I go to?|What gate is it?"),
    "platform": ("platform", "Which platform does it leave from?|What platform is it?|Which track?"),
    "departs": ("departure time", "When does it leave?|What time does it depart?|When does my train go?"),
    "arrives": ("arrival time", "When does it arrive?|What time do I get there?"),
    "from": ("place of departure", "Where does it leave from?|Where does the trip start?"),
    "dest": ("destination", "Where is it going to?|Where does it go?|Where am I travelling to?"),
    "line": ("line number", "Which bus is it?|What line is it?|Which number is the bus?"),
    "train": ("train number", "Which train is it?|What's the number of the train?"),
    "flight": ("flight number", "Which flight is it?|What's my flight?"),
    "coach": ("coach", "Which coach is it?|What carriage am I in?"),
    "seat": ("seat", "What is my seat?|Which seat is it?|Where do I sit?"),
    "wifi": ("Wi-Fi password", "What's the password?|How do I get on the Wi-Fi?"),
    "network": ("network name", "What's the Wi-Fi called?|Which network is it?"),
    "mode": ("mode", "Which mode is it in?|What mode is on?|What is it set to?"),
    "program": ("programme", "Which programme is selected?|What programme is it on?|Which cycle is it?"),
    "remaining": ("remaining time", "How long is left?|How much longer does it take?|When will it be done?"),
    "speed": ("speed", "What is the spin speed?|What speed is it set to?|How fast is it?"),
    "battery": ("battery level", "How much battery is left?|Is the battery full?|How many percent is the battery?"),
    "error": ("error message", "What is the error?|What's wrong with it?|What does the error say?|What is the problem?"),
    "error_code": ("error code", "Which error code is it?|What code is displayed?"),
    "action": ("next step", "What should I do?|What does it want me to do?|What do I need to do now?|What am I asked to do?"),
    "buttons": ("buttons", "Which buttons are there?|What can I choose?|What options do I have?|What can I press?"),
    "message": ("message", "What does the message say?|What did they write?|Read me the message"),
    "say": ("text", "What does it say?|What does the sign say?|What's written here?|Read the sign|What does this say?|What is written on it?|Read it to me|What is on the sign?|Can you read this?|What's on this sign?"),
    "meaning": ("rule", "What is not allowed?|What is forbidden here?|What am I not supposed to do?"),
    "cashier": ("cashier", "Who served me?|What is the name of the cashier?|Who was the server?"),
    "table": ("table number", "Which table was it?|What table did we sit at?"),
    "items": ("list", "What is on the list?|What do I need to buy?|Read me the list|What are the things on it?"),
    "code": ("code", "What's the code?|Which code is printed?|Read the code to me"),
    "serial": ("serial number", "What's the serial?|Which serial number does it have?"),
    "model": ("model", "Which model is it?|What model number is it?|What's the model called?"),
    "power": ("voltage", "How many volts?|What power supply does it need?|How many watts?"),
    "material": ("material", "What is it made of?|What fabric is it?"),
    "size": ("size", "What size is it?|Which size is this?|How big is it?"),
    "care": ("washing instructions", "How do I wash it?|At what temperature can I wash it?"),
    "colour": ("colour", "What colour is it?|Which color does it say?"),
    "discount": ("discount", "How much is off?|How big is the reduction?|How much can I save?"),
    "special": ("special of the day", "What's today's special?|What is the dish of the day?"),
    "salary": ("pay", "How much does the job pay?|What is the salary?"),
    "chapter": ("chapter", "Which chapter is it?|What chapter is this?"),
    "page": ("page number", "Which page is it?|What page am I on?"),
    "topic": ("topic", "What is this about?|What is this text about?|What is the subject of the page?"),
    "password": ("password", "What's the password?|Which password is on it?"),
    "pin": ("PIN", "What's my PIN?|Which PIN is it?"),
    "birth": ("date of birth", "When was the person born?|What's the birth date?"),
    "validity": ("validity", "How long is it valid?|Until when is it valid?"),
}

GENERAL = [
    "What is the {n}?", "What's the {n}?", "Tell me the {n}.", "Can you tell me the {n}?", "Read me the {n}.", "Can you read the {n}?",
    "{n}?", "I need the {n}.", "Could you find the {n} for me?", "Please read the {n}.", "Which {n} does it show?", "What {n} is shown?",
    "Is there a {n} on it?", "What does it say for {n}?", "What {n} is on it?", "Do you see the {n}?", "I'm looking for the {n}.",
    "Where's the {n}, what does it say?", "What is the {n} here?", "What does it give as the {n}?", "the {n} please", "What would the {n} be?",
    "Do you know the {n}?", "And the {n}?", "Can you see a {n}?",
]  # fmt: skip


def _is_held(text):
    return zlib.crc32(text.encode()) % 6 == 0


def _split(texts):
    """(used in training, kept for the evaluation); lists that are too short are used for both."""
    held = [t for t in texts if _is_held(t)]
    used = [t for t in texts if not _is_held(t)]
    return used or texts, held or texts


_OWN = {field: _split(own.split("|")) for field, (_, own) in FIELDS.items()}
_GENERAL = _split(GENERAL)
def noun(field):
    return FIELDS[field][0]


def phrase(rng, field, held=False):
    """One phrasing of the question about a field."""
    if rng.random() < 0.35:
        return general(rng, noun(field), held)
    return rng.choice(_OWN[field][held])


def general(rng, thing, held=False):
    """One of the general phrasings about anything that has a name, such as a label in a form."""
    return rng.choice(_GENERAL[held]).format(n=thing)


def pick(rng, phrasings, held=False):
    """One of several phrasings, of those that are used in training or of those that are held back."""
    return rng.choice(_split(phrasings)[held])


def spoken(rng, text):
    """How speech recognition or a hurried person writes a question down."""
    k = rng.random()
    text = text[0].upper() + text[1:] if k < 0.9 else text
    if k < 0.10:
        text = text.lower()
    if rng.random() < 0.15:
        text = text.rstrip("?.")
    if rng.random() < 0.05:
        text = rng.choice(["Please, ", "Hey, ", "Excuse me, ", "OK, ", "Now "]) + text[0].lower() + text[1:]
    elif rng.random() < 0.04 and text.endswith("?"):
        text = text[:-1] + rng.choice([", please?", " here?", " on this?", " on it?"])
    return text
