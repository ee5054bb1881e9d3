"""Book covers, spines, back covers, title pages, magazines, records and films."""

from .. import fields as f
from .. import words as w


def _lines(d, text, size):
    """A title on one or more lines."""
    words = text.split()
    parts = []
    while words:
        k = min(len(words), d.r.choice([1, 2, 2, 3, 4, 9]))
        parts.append(d.value(" ".join(words[:k])))
        d.row(parts[-1], size=size)
        words = words[k:]
    return " ".join(parts)


PRAISE = ["THE INTERNATIONAL BESTSELLER", "A novel", "Winner of the Book Prize", "The New York Times Bestseller", "Over 2 million copies sold", "Now a major film", "Stories", "Poems", "A memoir", "Fully revised and updated", "With exercises and solutions", "A true story", "The complete guide", "Illustrated"]
QUOTES = ["Unputdownable", "A masterpiece of suspense", "Warm and funny and wise", "I could not stop reading", "Brilliant", "The best thriller of the year", "Deeply moving", "A joy from start to finish", "Essential reading", "Clear and practical", "Beautifully written"]
PAPERS = ["The Times", "Guardian", "Daily Mail", "Observer", "Kirkus Reviews", "Publishers Weekly", "Die Zeit", "The Herald", "Sunday Post"]


def cover(d):
    r = d.r
    d.present |= {"title", "person", "sender", "drug", "name", "product", "say", "brand", "company", "performer", "signed", "doctor", "event", "topic", "shop", "maker"}
    two_authors = r.random() < 0.12
    authors = [f.name(r) for _ in range(2 if two_authors else 1)]
    shout = r.choice([str.upper, str])
    marked = {}

    def title():
        marked["title"] = _lines(d, f.cased(r, f.title(r)), r.choice([1.6, 2.2, 2.8]))

    def author():
        names = [d.value(shout(a)) for a in authors]
        prefix = r.choice(["", "", "by ", "By ", "A novel by "])
        if two_authors and r.random() < 0.5:
            d.row(prefix + names[0] + r.choice([" and ", " & ", ", "]) + names[1], size=1.3)
        else:
            for n in names:
                if len(n.split()) == 2 and r.random() < 0.3:  # first and last name on their own lines
                    first, last = n[:-1].split()
                    a, b = d.value(first[1:]), d.value(last)
                    d.row(a, size=1.5)
                    d.row(b, size=r.choice([1.5, 2]))
                    names[names.index(n)] = a + " " + b
                else:
                    d.row(prefix + n, size=r.choice([1, 1.3, 1.6, 2]))
        marked["author"] = " and ".join(names)

    order = [title, author]
    if r.random() < 0.45:
        order.reverse()
    order[0]()
    if r.random() < 0.35:
        s = r.choice([lambda: f"A {r.choice(w.ADJECTIVES)} guide to {r.choice(w.TOPICS)}", lambda: f"How {r.choice(w.NOUNS)}s changed the {r.choice(w.NOUNS)}", lambda: f"{r.randint(10, 300)} {r.choice(['recipes', 'ideas', 'exercises', 'projects', 'lessons'])} for {r.choice(w.ADJECTIVES)} {r.choice(w.NOUNS)}s", lambda: f"From {r.choice(w.TOPICS)} to {r.choice(w.TOPICS)}", lambda: f"The {r.choice(w.ADJECTIVES)} {r.choice(w.NOUNS)} series"])()
        d.ask("subtitle", _lines(d, s, 1))
    order[1]()
    d.ask("book", marked["title"], keep=True)
    d.ask("author", marked["author"], keep=True)
    if r.random() < 0.5:
        d.ask("title", marked["title"])
    if r.random() < 0.4:
        d.ask_as("say", ["What is this?", "What is on the cover?", "What does it say?", "Which book do I have here?"], marked["title"] + " by " + marked["author"])
    extras = []
    if r.random() < 0.35:
        extras.append(("claim", d.value(r.choice(PRAISE)), ""))
    if r.random() < 0.2:
        extras.append(("quote", d.value(r.choice(QUOTES)), r.choice(["'", '"', "“"])))
    if r.random() < 0.35:
        extras.append(("publisher", d.value(r.choice([f.brand(r) + r.choice([" Press", " Books", " Publishing", " House"]), f.last(r), "University of " + f.city(r) + " Press"])), ""))
    if r.random() < 0.2:
        extras.append(("edition", d.value(r.choice(["Second Edition", "3rd edition", "Fifth Edition", "Revised edition", "Special Edition", "Tenth Anniversary Edition"])), ""))
    if r.random() < 0.15:
        extras.append(("volume", d.value(r.choice(["Volume ", "Book ", "Vol. ", "Part "]) + r.choice(["1", "2", "3", "One", "Two", "III", "IV", "7"])), ""))
    if r.random() < 0.12:
        extras.append(("foreword", d.value(f.name(r)), "Foreword by "))
    for kind, text, prefix in extras:
        if kind == "quote":
            paper = d.value(r.choice(PAPERS))
            d.wrap(prefix + text + prefix + r.choice([" ", " - ", " – "]) + paper, 30)
            d.ask("quote", text)
            d.ask_as("quote", ["Who says that about the book?", "Which paper is quoted?", "Who praised it?"], paper)
        else:
            d.row(prefix + text)
            if kind == "claim":
                d.ask_as("claim", ["What else does it say?", "What does the small print on the cover say?", "Does it say anything else?"], text)
            elif kind == "foreword":
                d.ask_as("foreword", ["Who wrote the foreword?", "Who is the foreword by?"], text)
            else:
                d.ask(kind, text)
    if r.random() < 0.15:
        d.row(r.choice(["", "", "US "]) + (p := d.value(f.money(r, 3, 40))))
        d.ask("price", p)
    if r.random() < 0.2:
        other = f.name(r)
        yes = r.random() < 0.5
        d.yes_no([f"Is this by {authors[0] if yes else other}?", f"Did {authors[0] if yes else other} write it?"], yes, "it is by " + marked["author"])


def shelf(d):
    """Spines side by side."""
    r = d.r
    books = []
    for _ in range(r.randint(2, 5)):
        title, author = d.value(f.cased(r, f.title(r))), d.value(r.choice([f.name(r), f.last(r).upper()]))
        pair = [author, title] if r.random() < 0.5 else [title, author]
        if r.random() < 0.5:
            d.row(*pair)
        else:
            for p in pair:
                d.row(p)
        books.append((title, author))
    title, author = r.choice(books)
    d.ask_as("lookup", [f"Who wrote {title}?", f"Who is the author of {title}?", f"{title}, who is it by?"], author)
    title, author = r.choice(books)
    d.ask_as("lookup", [f"Which book is by {author}?", f"What did {author} write?", f"What is the title of the book by {author}?"], title)
    d.ask_as("items", ["Which books are there?", "What books do I have here?", "What titles can you see?", "Read me the titles."], ", ".join(t for t, _ in books))
    d.ask_as("first", ["What is the first book?", "What's the book on the left?", "Which book comes first?"], books[0][0])
    d.present |= {"title", "author", "person", "book", "say", "items", "signed", "company", "performer"}


def imprint(d):
    """The page with the publisher, year and ISBN; or the back cover's foot."""
    r = d.r
    title, author = d.value(f.title(r)), d.value(f.name(r))
    d.row(title, size=r.choice([1, 1.5]))
    d.row(r.choice(["by ", "", "Text: "]) + author)
    publisher, year = d.value(f.brand(r) + r.choice([" Press", " Books", " Publishing Ltd", " Verlag"])), d.value(str(r.randint(1950, 2025)))
    place, isbn = d.value(f.city(r)), d.value(f"{r.choice(['978-', '979-', '978 ', ''])}{r.randint(0, 9)}-{r.randint(1000, 99999)}-{r.randint(100, 999)}-{r.randint(0, 9)}")
    for line in r.sample([f"First published in {year} by {publisher}", f"{place}", f"ISBN {isbn}", f"Printed in {r.choice(w.COUNTRIES)}", "All rights reserved", f"Copyright © {author}", f"Cover design by {f.name(r)}"], r.randint(4, 7)):
        d.wrap(line, r.randint(24, 50))
    d.ask("book", title)
    d.ask("author", author)
    d.ask("publisher", publisher)
    d.ask("isbn", isbn)
    d.ask_as("year", ["When was it published?", "What year is it from?", "In which year did it come out?", "How old is this book?"], year)
    d.ask("city", place)
    d.present |= {"title", "date", "made", "person", "origin", "edition", "brand", "company", "address", "place", "product"}


def media(d):
    """A record, a film, a game, a magazine."""
    r = d.r
    d.present |= {"title", "author", "person", "product", "book", "say", "brand", "name", "event"}
    title = _lines(d, f.cased(r, f.title(r)), r.choice([1.6, 2.5]))
    kind = r.choice(["film", "music", "magazine", "game"])
    if kind == "film":
        a, b = d.value(f.name(r)), d.value(f.name(r))
        d.row(a, b) if r.random() < 0.5 else d.row(a + "  " + b)
        director = d.value(f.name(r))
        d.row(r.choice(["Directed by ", "A film by ", "Director: "]) + director)
        d.ask_as("performer", ["Who stars in it?", "Which actors are in it?", "Who is in it?", "Who plays in this film?"], a + ", " + b)
        d.ask_as("director", ["Who directed it?", "Who is the director?", "Whose film is it?"], director)
        d.row(x := d.value(f"{r.randint(70, 200)} {r.choice(['min', 'mins', 'minutes'])}"))
        d.ask_as("length", ["How long is it?", "How many minutes does it last?", "What's the running time?"], x)
        d.ask_as("title", ["What film is this?", "Which movie is it?", "What is the film called?", "What's the DVD?"], title, keep=True)
    elif kind == "music":
        who = d.value(r.choice([f.name(r), f.brand(r), "The " + r.choice(w.ADJECTIVES).capitalize() + " " + r.choice(w.NOUNS).capitalize() + "s"]))
        d.row(who, size=1.5)
        d.ask("performer", who)
        songs = [d.value(f.title(r)) for _ in range(r.randint(0, 6))]
        for i, s in enumerate(songs):
            d.row(f"{i + 1}{r.choice(['.', '', ')'])} {s}")
        if songs:
            i = r.randrange(len(songs))
            d.ask_as("lookup", [f"What is track {i + 1}?", f"What's song number {i + 1}?", f"Which song is number {i + 1}?"], songs[i])
        d.ask_as("title", ["What album is this?", "What record is it?", "What is the CD called?"], title, keep=True)
    elif kind == "magazine":
        issue = d.value(r.choice([f"{r.choice(w.MONTHS)} {r.randint(1998, 2027)}", f"No. {r.randint(1, 900)}", f"Issue {r.randint(1, 300)}"]))
        d.row(issue)
        d.ask_as("issue", ["Which issue is it?", "What issue is this?", "When is this magazine from?"], issue)
        stories = [d.value(f.title(r)) for _ in range(r.randint(1, 4))]
        for s in stories:
            d.wrap(s, 26)
        d.ask_as("items", ["What articles are on the cover?", "What are the headlines?", "What is in this issue?"], ", ".join(stories))
        if r.random() < 0.5:
            d.row(p := d.value(f.money(r, 2, 14)))
            d.ask("price", p)
        d.ask_as("title", ["What magazine is this?", "Which magazine is it?", "What newspaper is it?", "What's the magazine called?"], title, keep=True)
    else:
        age, players = d.value(f"{r.randint(3, 18)}+"), d.value(f"{r.randint(1, 2)}-{r.randint(3, 8)} players")
        for v in r.sample([age, players], 2):
            d.row(v)
        d.ask_as("label", ["How many players is it for?", "How many people can play?"], players)
        d.ask_as("label", ["What age is it for?", "From what age is it?", "How old do you have to be?"], age)
        d.ask_as("title", ["What game is this?", "Which game is it?", "What's in the box?"], title, keep=True)


KINDS = {"book cover": (cover, 9), "book shelf": (shelf, 2), "imprint": (imprint, 2), "media": (media, 4)}
