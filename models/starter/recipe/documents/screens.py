"""Displays, appliances, phone and computer screens."""

from .. import fields as f
from .. import words as w


def display(d):
    """A thermostat, washing machine, oven, scale, blood pressure meter: few words and numbers."""
    r = d.r
    kind = r.choice(["thermostat", "washer", "oven", "scale", "meter", "clock"])
    d.present |= {"title", "number", "product", "say", "mode", "time", "temp", "remaining", "program", "speed", "battery", "weight", "dose"}
    rows = []
    def add(label, value, field=None, asks=None, size=1.0):
        v = d.value(value)
        def draw():
            d.pair(label, v, size=size) if label else d.row(v, size=size)
            d.ask(field, v) if field else d.ask_as("label", asks, v)
        rows.append(draw)
    if kind == "thermostat":
        add(r.choice(["", "", "Room", "Inside"]), f"{r.randint(5, 30)}{r.choice(['', '.5'])}{r.choice([' °C', '°C', '°', '°F', ''])}", "temp", size=3)
        if r.random() < 0.5:
            add(r.choice(["Set to", "Target", "SET"]), f"{r.randint(15, 26)}°", None, ["What is the target temperature?", "What is it set to?", "Which temperature did I set?"])
        add(r.choice(["Mode", ""]), r.choice(["AUTO", "MANUAL", "ECO", "HOLIDAY", "OFF", "HEAT", "COOL"]), "mode")
    elif kind == "washer":
        add(r.choice(["", "Program"]), r.choice(["Cotton", "Eco 40-60", "Quick wash", "Wool", "Delicates", "Synthetics", "Rinse and spin", "Mixed", "Daily 60"]), "program")
        add(r.choice(["", "Temp"]), f"{r.choice([20, 30, 40, 60, 90])}°C", "temp")
        add(r.choice(["", "Spin"]), f"{r.choice([400, 800, 1000, 1200, 1400, 1600])} {r.choice(['rpm', 'U/min', ''])}".strip(), "speed")
        add(r.choice(["", "Time left", "Remaining"]), r.choice([f"{r.randint(0, 3)}:{r.randint(10, 59)}", f"{r.randint(5, 90)} min"]), "remaining", size=2)
    elif kind == "oven":
        add("", f"{r.randint(10, 25)}0 °C", "temp", size=2)
        add(r.choice(["", "Function"]), r.choice(["Grill", "Fan", "Top heat", "Pizza", "Defrost", "Microwave", "Keep warm"]), "mode")
        add(r.choice(["Timer", "", "Ends in"]), f"{r.randint(1, 59)}:{r.randint(0, 59):02d}", "remaining")
    elif kind == "scale":
        add("", f"{r.randint(1, 120)}.{r.randint(0, 9)} {r.choice(['kg', 'lb', 'g'])}", None, ["What does the scale say?", "How much does it weigh?", "What is the weight?", "How heavy is it?"], size=3)
        add(r.choice(["Fat", "BMI", "Tare"]), f"{r.randint(10, 40)}.{r.randint(0, 9)}{r.choice(['%', ''])}", None, ["What is the second value?", "What else is shown?"])
    elif kind == "meter":
        add(r.choice(["SYS", "Systolic", "SYS mmHg"]), str(r.randint(90, 190)), None, ["What is the systolic pressure?", "What is the upper value?", "What is my blood pressure, the first number?"], size=2)
        add(r.choice(["DIA", "Diastolic", "DIA mmHg"]), str(r.randint(50, 110)), None, ["What is the diastolic pressure?", "What is the lower value?"], size=2)
        add(r.choice(["PULSE", "Pulse", "PUL /min", "HR"]), str(r.randint(45, 130)), None, ["What is my pulse?", "What is the heart rate?", "How fast is my heart?"])
    else:
        add("", f.clock(r), "time", size=3)
        add(r.choice(["", "Alarm"]), f.clock(r), None, ["When is the alarm?", "When does the alarm ring?", "What is the alarm set to?"])
        add("", r.choice([f.date(r), f.short_date(r)]), "date")
    if r.random() < 0.3:
        add("", f"{r.randint(1, 100)}%", "battery")
    if r.random() < 0.25:
        d.row(f.brand(r).upper(), size=0.8)
    r.shuffle(rows)
    for draw in rows[: r.randint(1, 4)]:
        draw()


DIALOGS = [
    ("Low battery", "Connect the charger"), ("Update available", "Restart now to install the update"), ("No internet connection", "Check your network cable"), ("Card not accepted", "Please use another card"), ("Paper jam", "Open tray 2 and remove the paper"), ("Payment declined", "Contact your bank"),
    ("Storage almost full", "Delete files you no longer need"), ("Wrong password", "Try again or reset your password"), ("Session expired", "Please sign in again"), ("Toner low", "Order a new cartridge"), ("Door open", "Close the door and press start"), ("Add water", "Fill the tank to the mark"),
    ("Transaction complete", "Please take your card"), ("Save changes?", "Your changes will be lost if you do not save them"), ("Permission needed", "Allow the app to use the camera"), ("Filter full", "Clean the filter"), ("Insert coins", "Exact change only"), ("Call failed", "Check the number and try again"), ("Printer offline", "Turn the printer on"), ("Verification code", "Enter the 6 digit code we sent you"),
]  # fmt: skip


def dialog(d):
    r = d.r
    title, text = (d.value(x) for x in r.choice(DIALOGS))
    shouted = r.random() < 0.2
    d.row(title.upper() if shouted else title, size=r.choice([1, 1.6]))
    d.ask("error", title, keep=True)
    if r.random() < 0.45:
        code = d.value(r.choice(["E", "F", "ERR ", "0x", "Error "]) + str(r.randint(1, 9999)))
        d.row(r.choice(["Code ", "", "Error code: "]) + code)
        d.ask("error_code", code)
    d.wrap(text + ".", r.randint(20, 40))
    d.ask("action", text, keep=True)
    names = [d.value(b) for b in r.sample(["OK", "Cancel", "Retry", "Back", "Yes", "No", "Help", "Later", "Settings", "Continue", "Close", "Don't save", "Allow", "Deny", "Sign in", "Next", "Skip"], r.randint(1, 4))]
    d.row(*names) if r.random() < 0.6 else [d.row(n) for n in names]
    d.ask("buttons", ", ".join(names))
    d.ask_as("message", ["What does the message say?", "What is on the screen?", "What does it say?", "Read the screen."], title + ". " + text)
    d.present |= {"title", "mode", "number", "code", "say", "subject", "instructions", "items", "password", "message", "topic", "warning", "battery", "product", "meaning", "pin", "meaning"}


def phone_screen(d):
    r = d.r
    d.row(f.clock(r), f"{r.randint(1, 100)}%") if r.random() < 0.5 else None
    kind = r.choice(["chat", "settings", "mail", "weather", "wifi"])
    d.present |= {"title", "time", "say", "subject", "battery", "date", "person", "number", "items", "message", "sender", "buttons", "signed", "author", "mode", "topic", "product", "network", "name"}
    if kind == "chat":
        who = d.value(f.name(r) if r.random() < 0.5 else f.first(r))
        d.row(who, size=1.3)
        said = [d.value(x) for x in r.sample(["Are you coming tonight?", "I'll be late", "Can you call me back?", "See you at the station", "Happy birthday!", "The package arrived", "Don't forget the tickets", "Where are you?", "I'm in the supermarket", "Dinner at eight?", "Thanks a lot", "I left my keys at work", "The train is delayed", "Let's meet tomorrow"], r.randint(1, 3))]
        for s in said:
            d.wrap(s, r.randint(18, 34))
            if r.random() < 0.4:
                d.row(f.clock(r), size=0.7)
        d.ask_as("sender", ["Who is the message from?", "Who wrote to me?", "Who am I chatting with?", "Who sent it?"], who, keep=True)
        d.ask_as("message", ["What is the last message?", "What did they write last?"], said[-1])
        d.ask_as("message", ["What did they write?", "Read me the messages.", "What does the message say?"], ". ".join(said))
    elif kind == "settings":
        app = d.value(r.choice(["Settings", "Bluetooth", "Battery", "Sound", "Display", "Privacy", "Accessibility", "General"]))
        d.row(app, size=1.6)
        for option in r.sample(["Wi-Fi", "Mobile data", "Airplane mode", "Location", "Dark mode", "Notifications", "Vibration", "Auto update", "Screen reader", "Night light", "Bluetooth", "Brightness", "Volume", "Language", "Font size"], r.randint(2, 6)):
            state = d.value(r.choice(["On", "Off", "On", "Off", "ON", "OFF", "Auto", f"{r.randint(0, 100)}%", "English"]))
            d.row(option, state)
            d.ask_as("lookup", [f"Is {option} on?", f"What is {option} set to?", f"Is {option} on or off?", f"{option}?", f"What about {option}?"], state)
        d.ask("title", app)
    elif kind == "mail":
        who, subject = d.value(f.name(r) if r.random() < 0.6 else f.company(r)), d.value(r.choice(["Your order has shipped", "Meeting on Friday", "Invoice attached", "Lunch?", "Password reset", "Holiday photos", "Your ticket", "Re: offer", "Newsletter", "Appointment confirmed", "Question about the flat"]))
        d.row(r.choice(["From: ", "", "From "]) + who)
        d.row(r.choice(["Subject: ", "", "Re: "]) + subject, size=r.choice([1, 1.4]))
        d.ask("sender", who, keep=True)
        d.ask_as("subject", ["What is the subject?", "What is the mail about?", "What is this email about?"], subject, keep=True)
        if r.random() < 0.6:
            t = d.value(f.date(r))
            d.row(t)
            d.ask("date", t)
    elif kind == "weather":
        city, temp, sky = d.value(f.city(r)), d.value(f"{r.randint(-10, 38)}°{r.choice(['', 'C', 'F'])}"), d.value(r.choice(["Sunny", "Cloudy", "Light rain", "Snow", "Fog", "Thunderstorms", "Partly cloudy", "Windy", "Clear"]))
        for v, size in ((city, 1.4), (temp, 3), (sky, 1)):
            d.row(v, size=size)
        d.row(x := d.value(f"H:{r.randint(10, 39)}° L:{r.randint(-9, 9)}°")) if r.random() < 0.5 else None
        d.ask("city", city)
        d.ask("temp", temp, keep=True)
        d.ask_as("weather", ["What is the weather?", "What's the weather like?", "Is it raining?", "How is the weather?"], sky)
    else:
        d.row(r.choice(["Wi-Fi", "Guest Wi-Fi", "Free WiFi", "WLAN", "Internet access"]), size=1.5)
        n, p = d.value(f.brand(r).replace(" ", "_") + r.choice(["", "-5G", "_Guest"])), d.value(r.choice([f.code(r, r.randint(8, 12)), f.pseudo(r) + f.digits(r, 3)]))
        d.pair(r.choice(["Network", "SSID", "Name", "WiFi"]), n)
        d.pair(r.choice(["Password", "Key", "WPA key", "Pass"]), p)
        d.ask("network", n)
        d.ask("wifi", p, keep=True)
        d.present |= {"password", "code"}


KINDS = {"display": (display, 4), "dialog": (dialog, 3), "phone screen": (phone_screen, 3)}
