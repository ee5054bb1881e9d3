"""Food and household packages: fronts, backs, nutrition panels, expiry stamps."""

from .. import fields as f
from .. import words as w
from . import facts


def _over_lines(d, text, size):
    """A name on one or more lines, marked for an answer."""
    words = text.split()
    parts = []
    while words:
        k = min(len(words), d.r.choice([1, 2, 3, 9]))
        parts.append(d.value(" ".join(words[:k])))
        d.row(parts[-1], size=size)
        words = words[k:]
    return " ".join(parts)


def front(d):
    r = d.r
    d.present |= {"title", "shop", "strength", "drug", "say", "maker", "company", "publisher", "ingredients", "ingredient", "count", "book"}
    plain = r.choice(w.PRODUCTS) if r.random() < 0.85 else r.choice(w.NOUNS) + " " + r.choice(["sauce", "powder", "drink", "snack", "mix", "cream", "bites", "bars"])
    kinds = []
    if r.random() < 0.92:
        kinds.append("brand")
    kinds += ["product"]
    if r.random() < 0.5:
        kinds.append("flavour")
    if r.random() < 0.25:
        r.shuffle(kinds)
    marked = {}
    for kind in kinds:
        text, size = {"brand": (f.brand(r), r.choice([1.5, 2.4, 3])), "product": (plain, r.choice([1.5, 2, 2.5])), "flavour": (r.choice(w.FLAVOURS), r.choice([1, 1.3]))}[kind]
        marked[kind] = _over_lines(d, f.cased(r, text), size)
    product = marked["product"]
    d.ask("product", product, keep=True)
    if "brand" in marked:
        d.ask("brand", marked["brand"])
    if "flavour" in marked:
        d.ask("flavour", marked["flavour"], keep=True)
    claims = [d.value(c) for c in r.sample(w.CLAIMS, r.choice([0, 1, 1, 2, 3]))]
    for c in claims:
        d.row(c)
    if claims:
        d.ask_as("claim", ["What else does it say?", "What does it say about the product?", "What does it promise?", "Is there anything special about it?", "What else is on the label?", "What does the small print on the front say?"], ", ".join(claims[:2]))
    if r.random() < 0.65:
        d.row(r.choice(["", "Net wt. ", "", "Contents: ", "e "]) + (x := d.value(f.weight(r))))
        d.ask("weight", x)
    if r.random() < 0.25:
        d.row(x := d.value(f"{r.randint(20, 600)} {r.choice(['kcal', 'Cal', 'calories', 'kcal per serving', 'calories per pack'])}"))
        d.ask("calories", x)
    if r.random() < 0.2:
        d.row(r.choice(["Made in ", "Product of ", "Origin: "]) + (x := d.value(r.choice(w.COUNTRIES))))
        d.ask("origin", x)
    if r.random() < 0.35:
        stamp(d, only=r.random() < 0.6)
    if r.random() < 0.3:
        facts.add(d, 1)
    if len(plain.split()) > 1 and r.random() < 0.6:
        head = plain.split()[-1]
        d.ask_as("product", [f"What kind of {head} is this?", f"What {head} is it?", f"Which {head} do I have?", f"What type of {head} is it?", f"What sort of {head} is this?"], product, keep=True)
    if "brand" in marked and r.random() < 0.4:
        d.ask_as("brand", [f"What brand of {plain} is this?", f"Who makes this {plain}?", f"Which company makes the {plain}?", f"What's the brand of the {plain}?"], marked["brand"])
    if "flavour" in marked and r.random() < 0.3:
        d.ask_as("flavour", [f"What flavour is the {plain}?", f"Which {plain} is it?", f"What kind of {plain} is this?"], marked["flavour"])
    other = r.choice([p for p in w.PRODUCTS if p != plain])
    if r.random() < 0.4:
        pair = [product, other]
        r.shuffle(pair)
        d.ask_as("either", [f"Is this the {pair[0]} or the {pair[1]}?", f"Is it {pair[0]} or {pair[1]}?", f"Do I have the {pair[0]} or the {pair[1]} here?"], product)
    if r.random() < 0.4:
        yes = r.random() < 0.5
        shown = product.lower() if yes else other
        d.yes_no([f"Is this {shown}?", f"Is it the {shown}?", f"Is this the {shown}?", f"Do I have {shown} here?"], yes, "it says " + product)


def stamp(d, only=False):
    """The printed-on dates and codes."""
    r = d.r
    e = d.value(f.expiry(r))
    label = r.choice(["Best before", "BB", "Use by", "EXP", "BEST BEFORE END", "Exp. Date", "BBE", "USE BY", "BEST BY", "Best if used by", "Sell by", "EXP:", "E", "Consume before", "Expiry", "MHD", "Use before", "Best before: see lid"[:11]])
    d.pair(label, e) if r.random() < 0.85 else d.row(e)
    d.ask("expiry", e, keep=True)
    if r.random() < 0.35 or not only:
        if r.random() < 0.6:
            d.pair(r.choice(["LOT", "Lot", "L", "Batch", "BATCH NO", "LOT NO."]), lot := d.value(f.code(r, r.randint(4, 9))))
            d.ask("lot", lot)
        if r.random() < 0.35:
            d.pair(r.choice(["MFG", "Packed on", "MFD", "PROD", "Mfg. date", "Made on"]), m := d.value(f.date(r, 2020, 2026)))
            d.ask("made", m)
    if r.random() < 0.25:
        d.row(f.clock(r) + r.choice(["", " " + f.code(r, 3)]))
    d.present |= {"date", "code", "time", "due", "validity", "number", "serial"}


def stamp_only(d):
    r = d.r
    if r.random() < 0.4:
        d.row(f.cased(r, r.choice(w.PRODUCTS)))
    stamp(d)
    if r.random() < 0.3:
        d.row(x := d.value(f.weight(r)))
        d.ask("weight", x)
    d.present |= {"product", "brand", "price", "title"}


def nutrition(d):
    r = d.r
    heading = d.value(r.choice(["Nutrition Facts", "NUTRITION FACTS", "Nutrition", "Nutritional information", "Nutrition Information", "Typical values", "Nutrition declaration"]))
    d.row(heading, size=r.choice([1.2, 2]))
    d.ask_as("title", ["What is this?", "What part of the package is this?", "What's the heading?", "What table is this?"], heading)
    if r.random() < 0.6:
        amount = d.value(r.choice([f"{r.randint(10, 250)}g", f"{r.randint(1, 3)} cup ({r.randint(20, 250)}g)", f"{r.randint(1, 12)} pieces ({r.randint(20, 60)} g)", f"{r.randint(1, 3)} tbsp ({r.randint(10, 40)}ml)", f"{r.randint(100, 500)} ml"]))
        d.row(r.choice(["Serving size ", "Serving Size: ", "Per serving of ", "Portion "]) + amount)
        d.ask("serving", amount)
    if r.random() < 0.4:
        n = d.value(str(r.randint(1, 24)))
        d.row(r.choice(["Servings per container ", "Servings: ", "About "]) + n + r.choice(["", " servings per container"]))
        d.ask_as("label", ["How many servings are in it?", "How many servings per container?", "How many portions does it have?"], n)
    two = r.random() < 0.35
    if two:
        d.row(r.choice(["", "Typical values"]), r.choice(["per 100g", "100 g", "Per 100 ml"]), r.choice(["per serving", "per 30g", "per portion"]))
    energy = r.randint(10, 700)
    entries = []
    for name in ["Energy"] * (r.random() < 0.5) + r.sample(w.NUTRIENTS[1:], r.randint(4, 11)):
        if name in ("Energy",):
            v = r.choice([f"{energy * 4}kJ/{energy}kcal", f"{energy} kcal", f"{energy * 4} kJ"])
        elif name == "Calories":
            v = str(energy)
        else:
            v = r.choice([f"{r.randint(0, 60)}g", f"{r.randint(0, 60)}.{r.randint(0, 9)} g", f"{r.randint(0, 900)}mg", f"{r.randint(0, 30)},{r.randint(0, 9)}g", "0g", "<0.5g"])
        name_marked, v = d.value(name), d.value(v)
        extra = []
        if two:
            extra = [d.value(f"{r.randint(0, 40)}.{r.randint(0, 9)}g")]
        elif r.random() < 0.4:
            extra = [f"{r.randint(0, 60)}%"]
        d.row(name_marked, v, *extra) if r.random() < 0.65 else d.row(" ".join([name_marked, v, *extra]))
        entries.append((name.lower(), v, extra[0] if two else None))
    for name, v, second in r.sample(entries, min(5, len(entries))):
        if name in ("energy", "calories"):
            d.ask("calories", v)
        elif second and r.random() < 0.4:
            d.ask_as("lookup", [f"How much {name} per serving?", f"How much {name} is in one serving?", f"{name} per portion?"], second)
        else:
            tail = r.choice([" per 100 grams", " in 100 g"]) if second else ""
            d.ask_as("lookup", [f"How much {name} does it have{tail}?", f"How much {name} is in it{tail}?", f"What is the {name} content{tail}?", f"{name}{tail}?", f"How many grams of {name}{tail}?", f"Tell me the {name}{tail}."], v)
    if r.random() < 0.25:
        _ingredients(d)
    d.present |= {"product", "calories", "weight", "serving", "table"}


def _ingredients(d):
    r = d.r
    items = r.sample(w.INGREDIENTS, r.randint(3, 12))
    marked = [d.value(i) for i in items]
    whole = d.value(", ".join(marked))
    d.wrap(r.choice(["Ingredients: ", "INGREDIENTS: ", "Ingredients ", "INGREDIENTS "]) + whole + r.choice([".", ""]))
    if len(items) <= 7:
        d.ask("ingredients", whole)
    d.ask_as("first", ["What is the first ingredient?", "What is the main ingredient?", "Which ingredient comes first?", "What is mostly in it?"], marked[0])
    if r.random() < 0.6:
        yes = r.random() < 0.5
        shown = r.choice(items if yes else [i for i in w.INGREDIENTS if i not in items])
        d.yes_no([f"Does it contain {shown}?", f"Is there {shown} in it?", f"Is {shown} an ingredient?"], yes)


def back(d):
    r = d.r
    if r.random() < 0.5:
        d.row(p := d.value(f.cased(r, r.choice(w.PRODUCTS))), size=r.choice([1, 1.5]))
        d.ask("product", p)
    parts = [lambda: _ingredients(d)] if r.random() < 0.7 else []
    if r.random() < 0.55:
        def allergens():
            chosen = r.sample(w.ALLERGENS, r.randint(1, 3))
            a = d.value(", ".join(chosen))
            d.wrap(r.choice(["Contains: ", "Allergens: ", "Contains ", "CONTAINS: ", "May contain traces of ", "Allergy advice: contains "]) + a + ".")
            d.ask("allergens", a, keep=True)
            yes = r.random() < 0.6
            shown = r.choice(chosen if yes else [x for x in w.ALLERGENS if x not in chosen and x not in ("nuts", "wheat", "gluten")])
            d.yes_no([f"Does it contain {shown}?", f"Is there {shown} in it?", f"I'm allergic to {shown}, can I eat this?"][:2], yes, "it says " + a if yes else "")
        parts.append(allergens)
    for field, texts, labels in (
        ("storage", w.STORAGE, ["", "", "Storage: "]),
        ("instructions", w.DIRECTIONS, ["", "Directions: ", "How to use: ", "Instructions: ", "Preparation: "]),
    ):
        if r.random() < 0.5:
            def line(field=field, texts=texts, labels=labels):
                t = d.value(r.choice(texts))
                d.wrap(r.choice(labels) + t + ".")
                d.ask(field, t, keep=True)
            parts.append(line)
    if r.random() < 0.4:
        def maker():
            m = d.value(f.company(r))
            d.wrap(r.choice(["Made by ", "Manufactured by ", "Produced by ", "Distributed by ", "Packed for "]) + m + ", " + f.city(r))
            d.ask("maker", m)
        parts.append(maker)
    if r.random() < 0.3:
        def origin():
            d.row(r.choice(["Made in ", "Product of "]) + (o := d.value(r.choice(w.COUNTRIES))))
            d.ask("origin", o)
        parts.append(origin)
    if r.random() < 0.35:
        parts.append(lambda: stamp(d, True))
    if r.random() < 0.3:
        def contact():
            p = d.value(r.choice([f.phone(r), f.website(r, f.pseudo(r))]))
            field = "website" if "." in p and any(c.isalpha() for c in p[1:-1]) and "w" in p else "phone"
            d.row(r.choice(["Questions? ", "Consumer line: ", "Customer care ", ""]) + p)
            d.ask(field, p)
        parts.append(contact)
    r.shuffle(parts)
    for part in parts[:5]:
        part()
    if not parts:
        front(d)
    d.present |= {"product", "brand", "title", "company", "ingredient", "dose", "warning", "care", "material", "phone", "website", "made", "weight", "flavour"}


def tag(d):
    """A garment label or price tag."""
    r = d.r
    parts = [("brand", f.cased(r, f.brand(r)), 1.8), ("size", r.choice(["S", "M", "L", "XL", "XXL", "38", "42", "EUR 40", "UK 12", "32/34", "9-10 years"]), 1.2), ("material", r.choice(w.MATERIALS), 1), ("care", r.choice(w.CARE), 1), ("origin", r.choice(w.COUNTRIES), 1), ("price", f.money(r, 3, 150), 1.5), ("colour", r.choice(w.COLOURS), 1), ("discount", f"{r.randint(1, 8)}0%", 1.5)]
    for field, text, size in r.sample(parts, r.randint(2, 6)):
        v = d.value(text)
        label = {"size": ["Size ", "SIZE ", "", "Size: "], "origin": ["Made in ", "MADE IN "], "colour": ["Colour: ", "Color ", ""], "discount": ["", "Save "], "price": ["", "", "Now "]}.get(field, [""])
        d.row(r.choice(label) + v + (" OFF" if field == "discount" and r.random() < 0.5 else ""), size=size)
        d.ask(field, v)
    d.present |= {"product", "title", "maker", "shop", "company", "weight", "total", "discount", "price"}


KINDS = {"package front": (front, 12), "package back": (back, 6), "expiry stamp": (stamp_only, 4), "nutrition": (nutrition, 5), "tag": (tag, 2)}
