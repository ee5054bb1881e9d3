"""The kinds of documents: name -> (function that fills a Doc, how often it is drawn)."""

from . import books, events, facts, forms, letters, medicine, menus, packages, receipts, screens, signs, stories

DOCUMENTS = {}
for _module in (books, events, facts, forms, letters, medicine, menus, packages, receipts, screens, signs, stories):
    DOCUMENTS.update(_module.KINDS)
