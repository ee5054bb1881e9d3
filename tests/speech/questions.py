"""Spoken questions about the sample pictures: picture, question, words of which one must be heard in the answer, flite voice."""

QUESTIONS = [
    ("receipt.jpg", "What is the total?", ["20.62", "twenty pounds sixty two"], "slt"),
    ("receipt.jpg", "What is the phone number?", ["01632960471"], "awb"),
    ("medicine.jpg", "When does it expire?", ["09/2027", "9 slash 2027", "september 2027"], "slt"),
    ("medicine.jpg", "How strong are the tablets?", ["500"], "rms"),
    ("medicine.jpg", "How many tablets may be taken in a day?", ["8 tablets", "eight tablets"], "slt"),
    ("label.jpg", "What is the best before date?", ["11/2027", "11 slash 2027", "november 2027"], "slt"),
    ("sign.jpg", "Read it.", ["mind the gap"], "rms"),
    ("sign.jpg", "Which platform is it?", ["platform 4", "platform four", "4", "four"], "slt"),
    ("letter.jpg", "What number should I call?", ["01632960188"], "slt"),
    ("menu.jpg", "Next line.", ["copper kettle", "lunch"], "slt"),
    ("no_text.jpg", "What does it say?", ["no text"], "slt"),
    ("letter.jpg", "How many lines are there?", ["lines"], "rms"),
]
