"""Running text: stories, news, instructions, recipes. Sentences come with the questions they answer."""

from .. import fields as f
from .. import words as w

PERSONS = ["the old teacher", "the young sailor", "a farmer", "the baker", "my sister", "the captain", "his uncle", "the doctor", "a stranger", "the gardener", "the queen", "a small boy", "the postman", "her grandmother", "the painter", "the shopkeeper", "two brothers", "the librarian"]
SPOTS = ["in the kitchen", "under the bridge", "at the station", "behind the church", "in the old garden", "near the river", "on the roof", "at the market", "in the attic", "by the window", "in a small village", "on the beach", "in the library", "at the harbour", "in the forest"]
WHEN = ["last summer", "on Monday", "one cold morning", "after midnight", "in 1923", "at noon", "every evening", "two days later", "that afternoon", "before sunrise", "in the spring", "during the war", "early in May", "the next day"]
WHY = ["because the road was flooded", "because it was raining", "because he had lost the key", "because nobody believed her", "because the train was late", "because she was afraid of the dark", "because they needed money", "because the shop was closed", "because the dog would not stop barking", "because it was too heavy"]
# past tense, base form, objects
ACTS = [
    ("found", "find", ["a silver coin", "an old map", "a letter", "a broken clock", "a hidden door", "a blue bottle", "three keys"]), ("bought", "buy", ["a red bicycle", "two loaves of bread", "a piano", "a white horse", "a second hand coat"]), ("painted", "paint", ["the fence green", "a portrait of the king", "the old boat"]),
    ("lost", "lose", ["a glove", "the wedding ring", "all the money", "the train ticket"]), ("built", "build", ["a small house", "a wooden bridge", "a kite", "a stone wall"]), ("wrote", "write", ["a long letter", "a book about birds", "a song", "a short poem"]), ("cooked", "cook", ["a pot of soup", "fish for everyone", "rice and beans"]),
    ("carried", "carry", ["a heavy basket", "a lantern", "the sleeping child", "a bag of apples"]), ("repaired", "repair", ["the radio", "the broken window", "an old engine"]), ("sold", "sell", ["the farm", "a box of oranges", "his father's watch"]), ("heard", "hear", ["a strange noise", "the bells", "somebody singing", "a loud knock"]),
    ("saw", "see", ["a fox", "a light on the hill", "a ship with black sails", "the first snow"]), ("brought", "bring", ["fresh flowers", "bad news", "a basket of eggs"]), ("hid", "hide", ["the letter", "a golden cup", "the diary"]), ("remembered", "remember", ["the old song", "her promise", "the smell of the sea"]), ("waited for", "wait for", ["the last bus", "an answer", "the doctor"]),
]  # fmt: skip


def story(d):
    r = d.r
    d.present |= {"title", "say", "author", "person", "place", "time", "date", "event", "message", "chapter", "page", "topic", "subject", "recipient", "sender", "book", "address", "name", "city", "signed", "action", "performer", "product"}
    if r.random() < 0.3:
        c = d.value(r.choice([f"Chapter {r.randint(1, 40)}", f"CHAPTER {r.choice(['ONE', 'TWO', 'THREE', 'FIVE', 'TEN', 'XII'])}", str(r.randint(1, 30))]))
        d.row(c, size=1.5)
        d.ask("chapter", c)
    if r.random() < 0.25:
        t = d.value(f.title(r))
        d.row(t, size=1.5)
        d.ask("title", t)
    people = [f.first(r) for _ in range(2)] + r.sample(PERSONS, 2)
    text = []
    acts = r.sample(ACTS, r.randint(2, 5))
    whos = r.sample(people, min(len(people), len(acts))) + [r.choice(people) for _ in range(max(0, len(acts) - len(people)))]
    for (past, base, objects), who in zip(acts, whos):
        plain = {"who": who, "what": r.choice(objects), "where": r.choice(SPOTS), "when": r.choice(WHEN), "why": r.choice(WHY)}
        use = {"where": r.random() < 0.6, "when": r.random() < 0.5, "why": r.random() < 0.35}
        v = {k: d.value(x) for k, x in plain.items() if use.get(k, True)}
        front = use["when"] and r.random() < 0.6
        sentence = (v["when"] + " " if front else "") + v["who"] + " " + past + " " + v["what"]
        for k in ("where", "when", "why"):
            if use[k] and not (k == "when" and front):
                sentence += " " + v[k]
        text.append(_capital(sentence) + ".")
        asks = {
            "who": [f"Who {past} {plain['what']}?", f"Who was it that {past} {plain['what']}?", f"Which person {past} {plain['what']}?"], "what": [f"What did {who} {base}?", f"What was it that {who} {past}?"], "where": [f"Where did {who} {base} {plain['what']}?", f"Where was {who}?"],
            "when": [f"When did {who} {base} {plain['what']}?", f"When was that with {plain['what']}?"], "why": [f"Why did {who} {base} {plain['what']}?", f"Why did that happen with {plain['what']}?"],
        }  # fmt: skip
        for k in r.sample(list(v), min(len(v), 3)):
            d.ask_as("read " + k, asks[k], v[k])
        if r.random() < 0.3:
            text.append(r.choice(["Nobody said a word.", "It was very quiet.", "Then the wind came up.", "She did not look back.", "It had been a long day.", "The children laughed.", "There was nothing else to do.", "\"We must go now,\" said the other.", "Nothing was the same after that."]))
    d.wrap(" ".join(text), r.randint(30, 60))
    if r.random() < 0.25:
        p = d.value(str(r.randint(2, 480)))
        d.row(p)
        d.ask("page", p)


def _capital(text):
    """Capital first letter behind the marks."""
    for i, char in enumerate(text):
        if char.isalpha() and not "\ue000" <= char <= "\uefff":
            return text[:i] + char.upper() + text[i + 1 :]
    return text


def news(d):
    r = d.r
    d.present |= {"title", "say", "author", "person", "place", "time", "date", "event", "topic", "subject", "page", "message", "total", "price", "address", "city", "sender", "company", "name", "action", "signed", "warning"}
    city, n, who, day = d.value(f.city(r)), d.value(str(r.randint(2, 900))), d.value(f.name(r)), d.value(r.choice(w.DAYS))
    what = r.choice([
        ("New {thing} opens in {city}", ["The {thing} in {city} opened on {day}.", "It cost {money} and took {n} years to build.", "{who}, the mayor, cut the ribbon."], {"money": ["How much did it cost?", "What did it cost?"], "thing": ["What was opened?", "What is new?"], "who": ["Who cut the ribbon?", "Who is the mayor?"], "n": ["How many years did it take?", "How long did they build?"], "day": ["When did it open?", "On which day was the opening?"], "city": ["Where is it?", "Which city is it about?"]}),
        ("Fire in {city}", ["A fire broke out in a {thing} in {city} on {day}.", "{n} people had to leave their homes.", "Nobody was hurt, said {who} of the fire brigade."], {"n": ["How many people had to leave?", "How many people were affected?"], "thing": ["Where did the fire break out?", "What was on fire?"], "who": ["Who said that nobody was hurt?", "Who spoke for the fire brigade?"], "day": ["When was the fire?", "On what day did it burn?"], "city": ["In which city was the fire?", "Where was it?"]}),
        ("{who} wins prize", ["{who} from {city} has won the {thing} prize.", "The jury chose from {n} entries.", "The prize of {money} will be handed over on {day}."], {"who": ["Who won the prize?", "Who is the winner?"], "city": ["Where is the winner from?", "Which city is the winner from?"], "n": ["How many entries were there?"], "money": ["How much is the prize?", "What does the winner get?"], "day": ["When is the prize handed over?"]}),
        ("Bus strike on {day}", ["No buses will run in {city} on {day}.", "{n} drivers are on strike for higher pay.", "Union leader {who} asked for {money} more a month."], {"day": ["When is the strike?", "On which day do no buses run?"], "n": ["How many drivers are on strike?"], "who": ["Who is the union leader?", "Who speaks for the drivers?"], "money": ["How much more do they want?", "What do the drivers ask for?"], "city": ["Where is the strike?", "In which city do no buses run?"]}),
    ])  # fmt: skip
    headline, sentences, asks = what
    slots = {"city": city, "n": n, "who": who, "day": day, "money": d.value(f.money(r, 5, 900)), "thing": d.value(r.choice(["library", "hospital", "swimming pool", "theatre", "school", "bakery", "museum", "warehouse", "railway station", "science"]))}
    if r.random() < 0.85:
        plain = {k: v[1:-1] for k, v in slots.items()}
        head = d.value(headline.format(**plain))
        d.wrap(head, 28, size=2)
        d.ask_as("title", ["What is the headline?", "What is the article about?", "What happened?", "What is this about?", "What's the news?"], head, keep=True)
    if r.random() < 0.35:
        a = d.value(f.name(r))
        d.row(r.choice(["By ", "by ", "From "]) + a)
        d.ask_as("author", ["Who wrote the article?", "Who is the reporter?"], a)
    d.wrap(" ".join(s.format(**slots) for s in sentences), r.randint(28, 54))
    body = " ".join(sentences)
    for k in r.sample(list(asks), min(4, len(asks))):
        if "{" + k + "}" in body:
            d.ask_as("read", asks[k], slots[k])


def recipe(d):
    r = d.r
    d.present |= {"title", "items", "product", "ingredients", "instructions", "cooking", "serving", "temp", "say", "time", "weight", "action", "count", "author", "subject", "topic", "book"}
    dish = d.value(r.choice(w.DISHES))
    d.row(dish, size=r.choice([1.3, 2]))
    d.ask_as("title", ["What recipe is it?", "What is this a recipe for?", "What dish is it?", "What can I cook with this?"], dish, keep=True)
    if r.random() < 0.5:
        s = d.value(str(r.randint(2, 12)))
        d.row(r.choice(["Serves ", "For ", "Servings: "]) + s + r.choice(["", " people"]))
        d.ask_as("serving", ["How many people does it serve?", "For how many is it?", "How many servings?"], s)
    entries = []
    for item in r.sample(w.INGREDIENTS[:28], r.randint(3, 7)):
        amount = d.value(r.choice([f"{r.randint(1, 60) * 10} g", f"{r.randint(1, 5)} tbsp", f"{r.randint(1, 4)} cups", f"{r.randint(1, 9)} tsp", f"{r.randint(1, 9) * 100} ml", f"{r.randint(1, 6)}"]))
        d.row(amount + " " + item) if r.random() < 0.7 else d.row(item, amount)
        entries.append((item, amount))
    for item, amount in r.sample(entries, 2):
        d.ask_as("lookup", [f"How much {item} do I need?", f"How much {item}?", f"What amount of {item} goes in?", f"How much {item} is in it?"], amount)
    minutes, heat = d.value(str(r.randint(5, 90))), d.value(f"{r.randint(15, 24) * 10}°C")
    steps = [d.value(x) for x in r.sample(["Mix everything in a large bowl", f"Bake at {heat} for {minutes} minutes", "Stir until smooth", "Leave to cool on a rack", "Bring to the boil", "Chop the onions finely", "Season with salt and pepper", "Let it rest overnight", "Serve with fresh herbs"], r.randint(2, 4))]
    numbered = r.random() < 0.5
    for i, s in enumerate(steps):
        d.wrap((f"{i + 1}. " if numbered else "") + s + ".", r.randint(26, 48))
    if numbered:
        i = r.randrange(len(steps))
        d.ask_as("step", [f"What is step {i + 1}?", f"What do I do in step {i + 1}?", f"Read step {i + 1}."], steps[i])
    d.ask_as("step", ["What do I do first?", "What is the first step?", "How do I start?"], steps[0])
    d.ask_as("step", ["What do I do at the end?", "What is the last step?", "What comes last?"], steps[-1])
    if any(heat in s for s in steps):
        d.ask("temp", heat)
        d.ask("cooking", minutes)


KINDS = {"story": (story, 7), "news": (news, 4), "recipe": (recipe, 3)}
