"""Till receipts, from a coffee to a long shopping trip."""

from .. import fields as f
from .. import words as w


def _amount(cents, comma):
    text = f"{cents / 100:.2f}"
    return text.replace(".", ",") if comma else text


def receipt(d):
    r = d.r
    d.present |= {"title", "brand", "price", "product", "code", "number", "items", "say", "company", "sender", "made", "city", "action"}
    sign, comma = r.choice(f.CURRENCIES[:7]), r.random() < 0.1
    show = lambda cents, with_sign=True: d.value((sign if with_sign else "") + _amount(cents, comma))  # noqa: E731
    shop = d.value(f.cased(r, f.shop(r)))
    d.row(shop, size=r.choice([1, 1.6, 2]))
    if r.random() < 0.5:
        d.ask("shop", shop, keep=True)
    else:
        d.ask_as("shop", ["What store is this receipt from?", "Where is the receipt from?", "Which shop was I in?", "What's the name of the store?", "Where did I shop?", "Whose receipt is this?", "At which business was this?"], shop, keep=True)
    if r.random() < 0.6:
        d.row(street := d.value(f.street(r)))
        if r.random() < 0.5:
            d.row(d.value(f.city(r)) + " " + f.postcode(r))
        d.ask("address", street)
    if r.random() < 0.5:
        d.row(r.choice(["Tel: ", "Tel ", "Phone ", "", "T. "]) + (p := d.value(f.phone(r))))
        d.ask("phone", p)
    if r.random() < 0.25:
        d.row(r.choice(["VAT No. ", "VAT ", "Tax ID ", "Store #"]) + f.digits(r, r.randint(4, 9)))

    def when():
        day, time = d.value(f.date(r)), d.value(f.clock(r))
        k = r.random()
        if k < 0.4:
            d.row(day + " " + time)
        elif k < 0.8:
            d.row(r.choice(["Date: ", "Date ", ""]) + day, r.choice(["", "Time: "]) + time)
        else:
            d.row("Date " + day)
            d.row("Time " + time)
        if r.random() < 0.5:
            d.ask("date", day, keep=True)
        else:
            d.ask_as("date", ["When did I buy this?", "What is the date of the purchase?", "On which date was I there?", "When was I in the shop?", "What's the date on the receipt?", "When was this bought?", "What day did I shop?"], day, keep=True)
        d.ask_as("time", ["What time was it?", "At what time did I buy this?", "When on that day, what time?", "What time is on it?"], time)

    at_top = r.random() < 0.6
    if at_top and r.random() < 0.9:
        when()
    if r.random() < 0.35:
        d.pair(r.choice(["Cashier", "Served by", "Your server", "Server", "Operator"]), n := d.value(f.first(r)))
        d.ask("cashier", n)
    if r.random() < 0.2:
        d.pair(r.choice(["Table", "TABLE", "Tbl"]), t := d.value(str(r.randint(1, 60))))
        d.ask("table", t)
    if r.random() < 0.3:
        d.pair(r.choice(["Receipt no", "Order", "Trans", "Ticket #", "Bill no."]), n := d.value(f.number(r)))
        d.ask_about("receipt number", n)
        d.present |= {"invoice", "reference", "order"}

    count = r.choices([r.randint(1, 3), r.randint(4, 8), r.randint(9, 18)], [40, 45, 15])[0]
    names = r.sample(w.FOODS if r.random() < 0.7 else w.DISHES, count)
    case = r.choice([str.upper, str.upper, str.title, str])
    suffix = r.random() < 0.3
    style = r.choice(["plain", "plain", "leading", "trailing"])
    signed = r.random() < 0.4
    items = []
    for name in names:
        quantity = r.choice([1, 1, 1, 2, 3, 4])
        cents = r.randint(40, 1900) * quantity
        item = d.value(case(name) + (" " + r.choice(["1KG", "500G", "2L", "6PK", "LRG", "SML", "ORG", "x2"]) if suffix and r.random() < 0.5 else ""))
        price = show(cents, signed)
        left = {"plain": item, "leading": f"{quantity} {item}" if quantity > 0 else item, "trailing": item}[style]
        right = price + (r.choice([" A", " B", " *", " T"]) if r.random() < 0.1 else "")
        d.row(left, right) if r.random() < 0.92 else d.row(left + " " + right)
        if style == "trailing" and quantity > 1:
            d.row(f"{quantity} @ {_amount(cents // quantity, comma)}" if r.random() < 0.7 else f"{quantity} x {_amount(cents // quantity, comma)}")
        items.append((item, name.lower(), price, cents))
    for item, name, price, _ in r.sample(items, min(len(items), 3)):
        d.ask_as("lookup", [f"How much was the {name}?", f"What did the {name} cost?", f"Price of {name}?", f"How much did I pay for {name}?", f"How expensive was the {name}?", f"What's the price of the {name}?", f"How much is {name} on it?"], price)
        if r.random() < 0.3:
            d.ask_as("reverse", [f"What cost {price}?", f"Which item was {price}?", f"What did I buy for {price}?"], item)
    if count <= 6:
        d.ask_as("items", ["What did I buy?", "What is on the receipt?", "Which items are on it?", "What things are listed?", "What was bought?", "What did I get there?"], ", ".join(i[0] for i in items))
    if count > 1 and r.random() < 0.4:
        top = max(items, key=lambda i: i[3])
        d.ask_as("extreme", ["What was the most expensive item?", "Which item cost the most?", "What cost the most?", "What was dearest?"], top[0])
    if r.random() < 0.25:
        d.ask_as("first", ["What is the first item?", "What's first on the list?", "Which item comes first?"], items[0][0])
    if r.random() < 0.15 and count <= 6:
        d.ask_as("count", ["How many items are on it?", "How many things did I buy?"], str(count))
    if r.random() < 0.35:
        item = r.choice(items)
        d.yes_no([f"Did I buy {item[1]}?", f"Is there {item[1]} on it?"], True, "for " + item[2])
    elif r.random() < 0.3:
        other = r.choice([x for x in w.FOODS if x not in names]).lower()
        d.yes_no([f"Did I buy {other}?", f"Is there {other} on it?"], False)

    total = sum(i[3] for i in items)
    if r.random() < 0.4:
        d.row(r.choice(["Subtotal", "SUBTOTAL", "Sub-total", "Sub Total", "Net"]), s := show(total))
        d.ask("subtotal", s)
    if r.random() < 0.45:
        tax = round(total * r.choice([0.05, 0.07, 0.0825, 0.1, 0.19, 0.2]))
        d.row(r.choice(["VAT 20%", "Tax", "VAT", "Sales Tax", "TAX 8.25%", "GST", "MwSt 19%"]), t := show(tax))
        d.ask("tax", t)
        total += tax
    if r.random() < 0.12:
        tip = round(total * r.choice([0.1, 0.125, 0.15]))
        d.row(r.choice(["Service", "Tip", "Service charge 12.5%", "Gratuity"]), t := show(tip))
        d.ask("tip", t)
        total += tip
    t = show(total)
    d.row(r.choice(["TOTAL", "Total", "Total due", "AMOUNT DUE", "TOTAL TO PAY", "Balance due", "BALANCE DUE", "Grand Total", "Total (" + (sign.strip() or "EUR") + ")", "SUM", "To pay", "TOTAL:"]), t, size=r.choice([1, 1, 1.5]))
    d.ask("total", t, keep=True)
    if r.random() < 0.65:
        how = r.choice(["CASH", "VISA", "CARD", "Mastercard", "Contactless", "DEBIT", "AMEX", "Cash", "CREDIT CARD", "EFTPOS"])
        way = d.value(how)
        if how.upper() == "CASH":
            paid = (total // 500 + 1) * 500
            d.row(way, given := show(paid))
            d.ask("cash", given)
            if r.random() < 0.85:
                d.row(r.choice(["CHANGE", "Change due", "Change", "CHANGE DUE"]), back := show(paid - total))
                d.ask("change", back)
        else:
            d.row(way, show(total))
            if r.random() < 0.5:
                d.row(r.choice(["**** **** **** ", "XXXXXXXXXXXX", "Card ****", "ending in "]) + (last := d.value(f.digits(r, 4))))
                d.ask("card_number", last)
            if r.random() < 0.3:
                d.pair(r.choice(["Auth code", "Approval", "AID"]), code := d.value(f.digits(r, 6)))
                d.ask_about("authorisation code", code)
        d.ask("payment", way)
    if not at_top:
        when()
    if r.random() < 0.6:
        thanks = d.value(r.choice(["Thank you for your visit!", "THANK YOU", "Please come again", "Have a nice day", "Thank you for shopping with us", "See you soon!", "Keep this receipt for returns", "Exchange within 14 days"]))
        d.row(thanks)
        if r.random() < 0.2:
            d.ask_as("say", ["What does it say at the bottom?", "What is the last line?", "What is the note at the end?"], thanks)
    d.present |= {"payment", "change", "cash"}


KINDS = {"receipt": (receipt, 13)}
