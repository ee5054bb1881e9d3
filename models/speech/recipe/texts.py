"""What is said in the recordings: patterns with slots, apart for calibration and test."""
import itertools
import random
import re

# Slot fillers; a pattern's name in braces is filled from the list of its set.
SLOTS = {
    "calibration": {
        "paper": ["receipt", "letter", "menu", "ticket", "envelope", "newspaper", "bill", "leaflet"],
        "thing": ["total", "date", "address", "name", "price", "phone number", "title", "signature"],
        "food": ["coffee", "soup", "bread", "cheese", "apple juice", "chicken", "chocolate cake", "rice"],
        "medicine": ["tablets", "drops", "cream", "syrup", "capsules"],
        "number": ["two", "three", "five", "seven", "nine", "twelve", "fifteen", "thirty", "forty two", "sixty"],
        "colour": ["red", "blue", "green", "white", "yellow"],
        "place": ["kitchen", "garden", "office", "station", "library", "hospital", "market"],
        "person": ["my brother", "the doctor", "a neighbour", "our teacher", "her daughter", "the driver"],
        "town": ["London", "Paris", "Chicago", "Dublin", "Berlin"],
        "day": ["Monday", "Wednesday", "Friday", "Sunday"],
        "weather": ["rain", "snow", "wind", "sunshine"],
        "ordinal": ["first", "third", "last"],
    },
    "test": {
        "paper": ["package", "contract", "brochure", "statement", "postcard", "poster", "prescription", "timetable"],
        "thing": ["amount", "reference number", "street", "deadline", "website", "company", "weight", "opening time"],
        "food": ["salad", "milk", "sandwich", "orange juice", "fish", "yoghurt", "pasta", "ice cream"],
        "medicine": ["pills", "spray", "ointment", "vitamins", "painkillers"],
        "number": ["four", "six", "eight", "ten", "eleven", "fourteen", "twenty", "thirty five", "fifty", "ninety"],
        "colour": ["black", "purple", "orange", "brown", "pink"],
        "place": ["bathroom", "park", "bakery", "airport", "museum", "church", "village"],
        "person": ["my sister", "the nurse", "a stranger", "our uncle", "his grandfather", "the waiter"],
        "town": ["Madrid", "Boston", "Glasgow", "Vienna", "Sydney"],
        "day": ["Tuesday", "Thursday", "Saturday"],
        "weather": ["thunder", "fog", "frost", "clouds"],
        "ordinal": ["second", "fourth", "next"],
    },
}
PATTERNS = {
    "calibration": [
        "What is the {thing} on this {paper}?",
        "Read me the {paper} from the beginning.",
        "How much does the {food} cost?",
        "When should I take the {medicine}?",
        "How many {medicine} are left in the box?",
        "Please read the {ordinal} line again.",
        "Is there a {thing} on the {paper}?",
        "Who sent me this {paper}?",
        "Go back to the {ordinal} page.",
        "Does the {food} contain any nuts?",
        "Tell me the {thing}, please.",
        "Is the {paper} {colour} or {colour}?",
        "Where does the bus to {town} stop?",
        "The {place} is closed on {day}.",
        "I met {person} in the {place} this morning.",
        "There will be {weather} in {town} on {day}.",
        "She bought {number} bottles of water and some {food}.",
        "My appointment is at {number} o'clock on {day}.",
        "We walked from the {place} to the {place} without a map.",
        "He put the {colour} cup beside the {food}.",
        "Could you tell me whether the light is still on?",
        "Speak a little slower, I cannot follow you.",
        "Stop reading now.",
        "Spell that word for me.",
        "Turn the picture around and try once more.",
        "Nobody answered when {person} knocked at the door.",
        "The train leaves platform {number} in {number} minutes.",
        "Keep the {food} in a cool and dry place.",
    ],
    "test": [
        "Can you find the {thing} for me?",
        "What does it say at the bottom of the {paper}?",
        "How long can I keep the {food} after opening?",
        "Are these {medicine} safe for children?",
        "How often do I have to use the {medicine}?",
        "Skip the {ordinal} paragraph.",
        "Which {thing} is printed on the {paper}?",
        "Did {person} write this {paper}?",
        "Begin with the {ordinal} sentence.",
        "Is there any sugar in the {food}?",
        "Repeat the {thing} slowly.",
        "What colour is the {paper}, {colour} or {colour}?",
        "Which road goes to the {place}?",
        "On {day} {person} is travelling to {town}.",
        "I left my {colour} umbrella at the {place}.",
        "After the {weather} we stayed inside and played cards.",
        "They ordered {number} glasses of wine and a {food}.",
        "Wake me up at half past {number}, please.",
        "The {place} in {town} is older than the bridge.",
        "{person} lost a {colour} glove near the {place}.",
        "Am I holding the camera straight?",
        "Talk faster, please.",
        "That is enough, thank you.",
        "What else is written here?",
        "Move on to the next part.",
        "Everybody laughed when {person} dropped the {food}.",
        "Room {number} is on the {ordinal} floor.",
        "Add {number} spoons of flour and stir gently.",
    ],
}


def sentences(which):
    """All different sentences of a set, in a fixed order."""
    found = []
    for pattern in PATTERNS[which]:
        names = re.findall(r"{(\w+)}", pattern)
        for choice in itertools.product(*(SLOTS[which][name] for name in names)):
            if len(set(choice)) < len(choice):
                continue
            words = iter(choice)
            text = re.sub(r"{\w+}", lambda _: next(words), pattern)
            found.append(text[0].upper() + text[1:])
    return found


def choose(which, count, seed):
    """`count` sentences of a set; every pattern comes before any comes again."""
    rng = random.Random(f"{which} {seed}")
    by_pattern = []
    for pattern in PATTERNS[which]:
        start = re.compile(re.sub(r"\\{\w+\\}", "(.+)", re.escape(pattern)), re.IGNORECASE)
        group = [text for text in sentences(which) if start.fullmatch(text)]
        rng.shuffle(group)
        by_pattern.append(group)
    rounds = itertools.chain.from_iterable(itertools.zip_longest(*by_pattern))
    chosen = [text for text in rounds if text][:count]
    rng.shuffle(chosen)
    return chosen
