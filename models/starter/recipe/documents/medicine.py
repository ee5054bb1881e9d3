"""Medicine: boxes, pharmacy labels, leaflets. Answers quote the line; nothing about a dose is ever composed."""

from .. import fields as f
from .. import words as w

COUNT_WORDS = ["one", "two", "three", "four"]
TIMES = ["once a day", "twice a day", "three times a day", "four times a day", "every 4 to 6 hours", "every 8 hours", "at bedtime", "in the morning", "twice daily with food", "daily with water", "every morning and evening", "once a week", "when required", "up to three times daily", "30 minutes before meals", "as directed by your doctor"]
STRENGTHS = ["500 mg", "200 mg", "10 mg", "20 mg", "5 mg", "250 mg", "400mg", "75 mg", "1000 IU", "50 mg/5 ml", "2.5 mg", "40mg", "100 mcg", "1%", "0.5 mg", "150MG", "81 mg", "25 mg", "1 g", "12.5mg", "325 mg", "600mg"]


def _drug(r):
    return r.choice(w.DRUGS) if r.random() < 0.65 else f.pseudo(r).capitalize() + r.choice(["in", "ol", "ex", "amide", "zole", "pril", "statin", "mycin", "ine", "al"])


def _dose(r, form):
    unit = {"tablets": "tablet", "capsules": "capsule", "film-coated tablets": "tablet", "caplets": "caplet", "syrup": "5 ml spoonful", "drops": "drop", "cream": "thin layer", "lozenges": "lozenge"}[form]
    if form == "cream":
        return r.choice(["apply a thin layer", "apply sparingly", "rub in gently"]) + " " + r.choice(["twice a day", "to the affected area", "morning and night", "three times daily"])
    n = r.randint(1, 4)
    amount = r.choice([COUNT_WORDS[n - 1], str(n)])
    return r.choice(["take ", "take ", "", "swallow ", "chew " if "tab" in unit else "take "]) + f"{amount} {unit}{'s' if n > 1 else ''} {r.choice(TIMES)}"


def box(d):
    r = d.r
    d.present |= {"title", "product", "weight", "name", "code", "date", "number", "hours", "say", "flavour", "ingredients", "volume_of", "person", "time", "company", "validity"}
    generic, strength = _drug(r), r.choice(STRENGTHS)
    form = r.choice(["tablets", "capsules", "film-coated tablets", "caplets", "syrup", "drops", "cream", "lozenges"])
    shout = r.choice([str.upper, str, str])
    drug, s = d.value(shout(generic)), d.value(strength)
    branded = r.random() < 0.4
    if branded:
        b = d.value(f.cased(r, f.pseudo(r)))
        d.row(b, size=2.2)
        d.ask("brand", b)
    if r.random() < 0.6:
        d.row(drug + " " + s + (" " + form if r.random() < 0.3 else ""), size=r.choice([1.2, 1.8]))
    else:
        d.row(drug, size=2)
        d.row(s, size=1.3)
    d.ask("drug", b if branded and r.random() < 0.5 else drug, keep=True)
    d.ask("strength", s, keep=True)
    if branded:
        d.ask("ingredient", drug)
    if r.random() < 0.8:
        n = d.value(f"{r.choice([10, 12, 14, 16, 20, 24, 28, 30, 32, 50, 56, 60, 84, 90, 100, 120])} {form}" if form not in ("syrup", "drops", "cream") else f"{r.choice([10, 15, 30, 50, 100, 150, 200])} {'g' if form == 'cream' else 'ml'}")
        d.row(n)
        d.ask("count" if form not in ("syrup", "drops", "cream") else "weight", n)
    extras = []
    if r.random() < 0.5:
        def purpose():
            p = d.value(" and ".join(r.sample(w.SYMPTOMS, r.choice([1, 1, 2]))))
            d.wrap(r.choice(["For relief of ", "For the treatment of ", "For ", "Relieves ", "Fast relief from ", "Effective against "]) + p + ".", 36)
            d.ask("purpose", p, keep=True)
        extras.append(purpose)
    if r.random() < 0.65:
        def dose():
            text = _dose(r, form)
            who = r.choice(["", "Adults: ", "Adults and children over 12: ", "Dosage: ", "Directions: ", "DIRECTIONS: "])
            v = d.value(text if who else f.sentence_case(text))
            d.wrap(who + v + r.choice([".", ""]), r.randint(24, 44))
            d.ask("dose", v, keep=True)
            if r.random() < 0.4:
                low = d.value(_dose(r, form))
                ages = r.choice(["Children 6-12: ", "Children under 12: ", "Elderly: ", "Children 2 to 6 years: "])
                d.wrap(ages + low + ".", r.randint(24, 44))
                d.ask_as("dose", [f"What is the dose for {ages.strip(': ').lower()}?", f"How much for {ages.strip(': ').lower()}?", f"What about {ages.strip(': ').lower()}?"], low)
        extras.append(dose)
    if r.random() < 0.4:
        def most():
            m = r.choice([2, 3, 4, 6, 8])
            v = d.value(r.choice([f"Do not take more than {m} {form} in 24 hours", f"Max. {m} {form} per day", f"Do not exceed {m} {form} in any 24 hours", f"No more than {m} doses in 24 hours", "Do not exceed the stated dose"]))
            d.wrap(v + ".", 40)
            d.ask("max_dose", v)
        extras.append(most)
    if r.random() < 0.45:
        def warning():
            v = d.value(r.choice(w.MED_WARNINGS))
            d.wrap(r.choice(["Warning: ", "", "", "Caution: ", "WARNING "]) + v + ".", 38)
            d.ask("warning", v)
        extras.append(warning)
    if r.random() < 0.4:
        def storage():
            v = d.value(r.choice(w.MED_STORAGE))
            d.row(v + ".")
            d.ask("storage", v)
        extras.append(storage)
    if r.random() < 0.55:
        def dates():
            v = d.value(f.expiry(r))
            d.pair(r.choice(["EXP", "Exp.", "Expiry date", "Use before", "EXP.", "Exp date", "EXP:", "Expires"]), v)
            d.ask("expiry", v, keep=True)
            if r.random() < 0.6:
                d.pair(r.choice(["LOT", "Batch", "Lot no.", "BN", "B.No."]), lot := d.value(f.code(r, r.randint(4, 8))))
                d.ask("lot", lot)
        extras.append(dates)
    if r.random() < 0.3:
        def maker():
            v = d.value(f.company(r))
            d.row(r.choice(["", "Manufacturer: ", "Made by ", "MA holder: "]) + v)
            d.ask("maker", v)
        extras.append(maker)
    if r.random() < 0.4:
        extras.append(lambda: d.row(r.choice(["Keep out of the reach of children.", "KEEP OUT OF THE SIGHT AND REACH OF CHILDREN", "Read the leaflet carefully before use", "For oral use", "Oral use", "Rx only", "Pharmacy medicine", "Sugar free"])))
    r.shuffle(extras)
    for extra in extras[: r.randint(1, 5)]:
        extra()
    other = r.choice([x for x in w.DRUGS if x != generic]).lower()
    if r.random() < 0.35:
        yes = r.random() < 0.5
        shown = generic.lower() if yes else other
        d.yes_no([f"Is this {shown}?", f"Is it the {shown}?", f"Are these the {shown} tablets?"], yes, "it says " + drug)
    elif r.random() < 0.4:
        pair = [generic.lower(), other]
        r.shuffle(pair)
        d.ask_as("either", [f"Is this the {pair[0]} or the {pair[1]}?", f"{pair[0]} or {pair[1]}?"], drug)


def pharmacy_label(d):
    r = d.r
    form = r.choice(["tablets", "capsules", "syrup", "cream", "drops"])
    drug, s, dose = d.value(r.choice([str.upper, str])(_drug(r))), d.value(r.choice(STRENGTHS)), d.value(r.choice([str.upper, f.sentence_case])(_dose(r, form)))
    patient, doctor = d.value(r.choice([f.name(r), f.name(r).upper(), f.title_name(r)])), d.value(r.choice(["Dr ", "Dr. ", "DR "]) + f.last(r))
    shop, date = d.value(f.brand(r) + r.choice([" Pharmacy", " Chemist", " Drugs", " Apotheke"])), d.value(f.date(r))
    rows = []
    rows.append(lambda: (d.row(shop, size=r.choice([1, 1.5])), d.ask("shop", shop)))
    if r.random() < 0.5:
        p = d.value(f.phone(r))
        rows.append(lambda: (d.row(r.choice(["Tel ", "", "Phone: "]) + p), d.ask("phone", p)))
    rows.append(lambda: (d.row(r.choice(["", "Patient: ", "Name: ", "For: "]) + patient), d.ask("patient", patient, keep=True)))
    rows.append(lambda: (d.row(f"{drug} {s}" + r.choice(["", " " + form, " " + form.upper()])), d.ask("drug", drug, keep=True), d.ask("strength", s)))
    rows.append(lambda: (d.wrap(dose, r.randint(22, 40)), d.ask("dose", dose, keep=True)))
    if r.random() < 0.6:
        rows.append(lambda: (d.row(doctor), d.ask("doctor", doctor)))
    if r.random() < 0.7:
        rows.append(lambda: (d.row(r.choice(["", "Date: ", "Filled "]) + date), d.ask("date", date)))
    if r.random() < 0.5:
        q = d.value(str(r.choice([7, 14, 21, 28, 30, 60, 90, 100])))
        rows.append(lambda: (d.row(r.choice(["Qty: ", "QTY ", "Quantity "]) + q), d.ask("count", q)))
    if r.random() < 0.4:
        n = d.value(f.number(r))
        rows.append(lambda: (d.row(r.choice(["Rx ", "Rx# ", "No. "]) + n), d.ask_about("prescription number", n)))
    if r.random() < 0.4:
        k = d.value(r.choice(["0", "1", "2", "3", "No refills"]))
        rows.append(lambda: (d.row(r.choice(["Refills: ", "REFILLS "]) + k), d.ask_as("label", ["How many refills are left?", "Can I get a refill?", "How many refills?"], k)))
    if r.random() < 0.5:
        v = d.value(r.choice(w.MED_WARNINGS))
        rows.append(lambda: (d.wrap(v, 36), d.ask("warning", v)))
    if r.random() < 0.4:
        r.shuffle(rows)
    for row in rows:
        row()
    d.present |= {"title", "product", "person", "number", "reference", "code", "weight", "expiry", "name", "recipient", "sender", "signed", "company", "brand", "address", "order"}


SECTIONS = {
    "What is in this leaflet": [],
    "What {x} is and what it is used for": ["{x} contains the active substance {y}.", "It is used to treat {z}.", "{x} belongs to a group of medicines called {g}."],
    "Before you take {x}": ["Do not take {x} if you are allergic to {y}.", "Tell your doctor if you have {z}.", "Ask your pharmacist if you are taking {o}.", "Do not take {x} if you are under {n} years old."],
    "How to take {x}": ["The usual dose is {d}.", "Swallow the {f} whole with a glass of water.", "If you forget a dose, take it as soon as you remember.", "If you take too much, contact a hospital at once.", "Do not take it for longer than {n} days."],
    "Possible side effects": ["Common side effects are {s}.", "Rarely {s} can occur.", "Stop taking it and see a doctor if you get {s}.", "You can report side effects on {t}."],
    "How to store {x}": ["{st}.", "Do not use after the expiry date on the box.", "Keep out of the reach of children."],
}
SIDE_EFFECTS = "nausea,dizziness,a rash,stomach pain,a dry mouth,tiredness,headache,swelling of the face,trouble sleeping,loss of appetite,blurred vision,vomiting".split(",")
GROUPS = "painkillers,antibiotics,antihistamines,beta blockers,statins,anti-inflammatory medicines,diuretics,proton pump inhibitors,ACE inhibitors".split(",")


def leaflet(d):
    """A part of a package leaflet: running text with headings."""
    r = d.r
    name, active = f.pseudo(r).capitalize(), _drug(r).lower()
    form = r.choice(["tablets", "capsules"])
    fill = {
        "x": lambda: name, "y": lambda: active, "z": lambda: " or ".join(r.sample(w.SYMPTOMS, 2)), "g": lambda: r.choice(GROUPS), "o": lambda: r.choice(w.DRUGS).lower(), "n": lambda: str(r.choice([2, 3, 5, 6, 7, 10, 12, 14, 16, 18])),
        "d": lambda: _dose(r, form), "f": lambda: form, "s": lambda: ", ".join(r.sample(SIDE_EFFECTS, 2)) + " and " + r.choice(SIDE_EFFECTS), "t": lambda: f.phone(r), "st": lambda: r.choice(w.MED_STORAGE),
    }  # fmt: skip
    asks = {
        "y": ["What is the active substance?", "What does it contain?", "What's in it?"], "g": ["What group of medicines is it?", "What kind of medicine is it?"], "d": ["What is the usual dose?", "How much do I take?", "How do I take it?"],
        "s": ["What are the side effects?", "Which side effects can it have?", "What side effects are mentioned?"], "t": ["Where can I report side effects?", "What number do I call for side effects?"], "st": ["How do I store it?", "Where should I keep it?"],
    }  # fmt: skip
    whole = {
        "It is used to treat {z}.": ["What is it used for?", "What does it treat?", "What is it for?", "Why would I take this?"], "If you forget a dose, take it as soon as you remember.": ["What if I forget a dose?", "I missed a dose, what should I do?"],
        "If you take too much, contact a hospital at once.": ["What if I take too much?", "What happens if I take too many?"], "Swallow the {f} whole with a glass of water.": ["How do I swallow them?", "Can I chew them?", "Should I take it with water?"],
        "Do not take {x} if you are allergic to {y}.": ["When must I not take it?", "Who should not take it?"], "Tell your doctor if you have {z}.": ["What should I tell my doctor?", "When should I talk to my doctor?"],
        "Ask your pharmacist if you are taking {o}.": ["Which other medicine is a problem?", "What should I ask the pharmacist about?"], "Do not take it for longer than {n} days.": ["For how long can I take it?", "How many days can I take it?"],
        "Stop taking it and see a doctor if you get {s}.": ["When should I stop taking it?", "When should I see a doctor?"],
    }  # fmt: skip
    d.present |= {"drug", "title", "product", "ingredient", "purpose", "warning", "dose", "max_dose", "storage", "brand", "action", "instructions", "topic", "subject", "say", "expiry", "allergens", "ingredients", "name", "person"}
    heads = r.sample([h for h in SECTIONS if SECTIONS[h]], r.randint(1, 3))
    for i, head in enumerate(heads):
        d.row(r.choice(["", f"{i + 1}. "]) + head.format(x=name), size=r.choice([1, 1.3, 1.6]))
        sentences = r.sample(SECTIONS[head], min(len(SECTIONS[head]), r.randint(1, 4)))
        text = []
        for sentence in sentences:
            slots = {k: d.value(fill[k]()) for k in fill if "{" + k + "}" in sentence}
            said = d.value(sentence.format(**slots).rstrip("."))
            text.append(said + ".")
            for k, v in slots.items():
                if k in asks:
                    d.ask_as("leaflet", asks[k], v)
            if sentence in whole:
                d.ask_as("leaflet", whole[sentence], said)
        d.wrap(" ".join(text), r.randint(26, 56))
    marked = _mark_first(d, name)
    if marked:
        d.ask_as("drug", ["Which medicine is this leaflet about?", "What medicine is it?", "What is the name of the medicine?"], marked)


def _mark_first(d, name):
    """Marks the first place where the name stands; None if it stands nowhere."""
    for row in d.rows:
        for i, cell in enumerate(row.cells):
            if name in cell:
                marked = d.value(name)
                row.cells[i] = cell.replace(name, marked, 1)
                return marked
    return None


KINDS = {"medicine box": (box, 9), "pharmacy label": (pharmacy_label, 4), "leaflet": (leaflet, 4)}
