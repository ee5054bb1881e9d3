"""Spoken questions about the sample pictures: picture, question, words of which one must be heard in the answer, flite voice.

Typed, all of them are answered rightly (`sightread ask`), and the answers are such as Whisper base understands of espeak-ng, whatever it
is quantized to: names of one word it does not. What is tested here is sound.
"""

QUESTIONS = [
    ("receipt.jpg", "What is the total?", ["20.62", "20 pounds and 62", "20 pound and 62"], "slt"),
    ("receipt.jpg", "What is the phone number?", ["01632960471"], "awb"),
    ("receipt.jpg", "Which shop is it from?", ["greenfield market"], "slt"),
    ("receipt.jpg", "How much change was given?", ["4.38", "4 pounds and 38", "four pounds and 38", "4 pound and 38"], "slt"),
    ("medicine.jpg", "When does it expire?", ["september 2027"], "slt"),
    ("medicine.jpg", "How strong are the tablets?", ["500"], "rms"),
    ("medicine.jpg", "How many tablets may be taken in a day?", ["8 tablets", "eight tablets"], "slt"),
    ("menu.jpg", "How much is the roast chicken?", ["14.90", "14 pounds and 90", "14 pound and 90"], "slt"),
    ("label.jpg", "How should it be stored?", ["after opening"], "slt"),
    ("label.jpg", "What are the ingredients?", ["cane sugar", "lemon juice"], "awb"),
    ("sign.jpg", "Read it.", ["mind the gap"], "rms"),
    ("sign.jpg", "Which platform is it?", ["platform 4", "platform four", "4", "four"], "slt"),
    ("letter.jpg", "What should I bring?", ["glasses"], "slt"),
    ("letter.jpg", "Which room is it?", ["12", "twelve"], "slt"),
    ("letter.jpg", "How many lines are there?", ["lines"], "rms"),
    ("menu.jpg", "Next line.", ["copper kettle", "lunch"], "slt"),
    ("menu.jpg", "When is lunch?", ["12 to 3", "twelve to three", "12-3"], "slt"),
    ("menu.jpg", "Which soup is there?", ["potato"], "slt"),
    ("upside_down.jpg", "How often does the bus come on Sunday?", ["every 30"], "slt"),
    ("no_text.jpg", "What does it say?", ["no text"], "slt"),
]
