"""What stands on each sample picture, how it was photographed, and questions about it.

Every function takes a seeded generator and gives (photo, lines of text in reading order, questions with accepted answers).
Names, shops, addresses and products are invented.
"""
from PIL import Image, ImageDraw

from camera import cloth, expose, paper, place, wood
from sheet import Sheet


def receipt_sheet(rng):
    """The receipt alone, without the table."""
    page = Sheet(paper(rng, (620, 1330), (244, 243, 238)), face="DejaVuSansMono", ink=(62, 60, 66))
    page.line((310, 40), "GREENFIELD MARKET", 42, face="DejaVuSansMono-Bold", anchor="ma")
    page.block((310, 104), ["48 Harbour Road, Wexbridge", "Tel. 01632 960 471"], 26, anchor="ma")
    page.row(198, [(40, "17/04/2026", "la"), (580, "16:42", "ra")], 28)
    page.rule(246, 40, 580)
    items = [("Wholemeal bread", "1.85"), ("Semi-skimmed milk 2 l", "1.60"), ("Free range eggs x6", "2.10"), ("Tomatoes 0.512 kg", "1.43"),
             ("Cheddar 350 g", "3.95"), ("Bananas 0.884 kg", "0.97"), ("Olive oil 500 ml", "6.49"), ("Dish soap", "1.25")]
    y = 272
    for name, price in items:
        page.row(y, [(40, name, "la"), (580, price, "ra")], 28)
        y += 56
    page.rule(y + 8, 40, 580)
    for name, amount in [("SUBTOTAL", "19.64"), ("VAT 5 %", "0.98")]:
        page.row(y + 30, [(40, name, "la"), (580, amount, "ra")], 28)
        y += 56
    page.row(y + 40, [(40, "TOTAL", "la"), (580, "£20.62", "ra")], 46, face="DejaVuSansMono-Bold")
    page.row(y + 120, [(40, "CASH", "la"), (580, "£25.00", "ra")], 28)
    page.row(y + 172, [(40, "CHANGE", "la"), (580, "£4.38", "ra")], 28)
    page.rule(y + 232, 40, 580)
    page.line((310, y + 256), "You were served by Nadia", 26, anchor="ma")
    page.line((310, y + 302), "Thank you for your visit!", 26, anchor="ma")
    return page


def receipt(rng):
    page = receipt_sheet(rng)
    table = wood(rng, (1080, 1440), (124, 88, 58))
    photo = place(table, page.image, [(226, 46), (842, 70), (866, 1396), (204, 1378)])
    return expose(rng, photo, light=(1.06, 0.74), angle=50), page.lines, [
        ("How much is the total?", ["£20.62", "20.62"]),
        ("What does the olive oil cost?", ["6.49", "£6.49"]),
        ("Which day was this bought?", ["17/04/2026", "17 April 2026"]),
        ("How much change was given?", ["£4.38", "4.38"]),
    ]


def label(rng):
    page = Sheet.plain((940, 900), (250, 246, 232), face="NimbusSans-Regular")
    page.draw.rectangle((0, 0, 940, 330), fill=(128, 28, 52))
    page.line((470, 48), "Orchard & Vale", 50, face="P052-Italic", ink=(250, 236, 214), anchor="ma")
    page.line((470, 118), "DAMSON JAM", 112, face="P052-Bold", ink=(255, 250, 240), anchor="ma")
    page.line((470, 256), "60 g fruit per 100 g", 38, ink=(250, 236, 214), anchor="ma")
    y = page.block((56, 372), ["Ingredients: damsons, cane sugar, lemon juice,", "gelling agent (pectin)."], 36)
    y = page.block((56, y + 18), ["Refrigerate after opening and use within 6 weeks."], 36, face="NimbusSans-Bold")
    y = page.block((56, y + 18), ["Energy per 100 g: 1034 kJ / 243 kcal", "Sugars per 100 g: 58 g"], 36)
    page.row(y + 26, [(56, "Best before end: 11/2027", "la"), (884, "340 g", "ra")], 44, face="NimbusSans-Bold")
    page.line((56, y + 96), "May contain traces of nuts.", 32)
    table = cloth(rng, (1440, 1200), (96, 112, 104))
    photo = place(table, page.image, [(236, 128), (1222, 92), (1244, 1092), (212, 1066)])
    return expose(rng, photo, light=(0.78, 1.05), angle=15), page.lines, [
        ("What kind of jam is it?", ["damson", "damson jam"]),
        ("How long does it keep once opened?", ["6 weeks", "within 6 weeks"]),
        ("What is the best before date?", ["11/2027", "November 2027"]),
        ("How much does the jar hold?", ["340 g"]),
    ]


def letter(rng):
    page = Sheet(paper(rng, (1060, 1440), (248, 246, 240)), face="LiberationSerif-Regular")
    page.block((80, 70), ["Millbrook Eye Clinic", "3 Station Terrace", "Ashford Green AG4 7PL"], 34)
    page.line((80, 240), "9 June 2026", 34)
    page.block((80, 330), ["Mrs Eleanor Whitcombe", "27 Larch Close", "Ashford Green AG2 5TN"], 34)
    page.line((80, 510), "Your appointment with Dr Okafor", 40, face="LiberationSerif-Bold")
    y = page.block((80, 590), ["Dear Mrs Whitcombe,"], 34)
    y = page.block((80, y + 20), ["we have booked your next eye examination for Tuesday,",
                                  "23 June 2026, at 10.15 am in room 12 on the first floor.",
                                  "Please bring your current glasses and a list of the",
                                  "medicines you take. The visit takes about 45 minutes."], 36)
    y = page.block((80, y + 26), ["Drops will be used to widen your pupils. You should not",
                                  "drive for four hours afterwards."], 36)
    y = page.block((80, y + 26), ["If you cannot come, please call us on 01632 960 188 by",
                                  "Friday, 19 June."], 36)
    y = page.block((80, y + 26), ["Yours sincerely,", "Martin Hale", "Reception"], 36)
    table = wood(rng, (1200, 1600), (88, 66, 50))
    photo = place(table, page.image, [(72, 66), (1118, 44), (1146, 1552), (54, 1530)])
    return expose(rng, photo, light=(1.04, 0.8), angle=-40), page.lines, [
        ("When is the appointment?", ["Tuesday, 23 June 2026", "23 June 2026", "23 June 2026, at 10.15 am"]),
        ("Which number should be called to cancel?", ["01632 960 188"]),
        ("Who is the doctor?", ["Dr Okafor", "Okafor"]),
        ("What should be brought along?", ["current glasses and a list of the medicines you take", "glasses and a list of the medicines you take"]),
    ]


def medicine(rng):
    front = Sheet.plain((1180, 640), (250, 251, 252), face="NimbusSans-Regular", ink=(28, 40, 70))
    front.draw.rectangle((0, 0, 26, 640), fill=(0, 122, 150))
    front.draw.polygon([(820, 640), (1180, 400), (1180, 640)], fill=(0, 122, 150))
    front.line((70, 44), "Calmorin", 118, face="NimbusSans-Bold")
    front.line((70, 186), "Paracetamol 500 mg", 62, face="NimbusSans-Bold", ink=(0, 104, 132))
    front.line((70, 268), "16 film-coated tablets", 44)
    front.line((70, 344), "For the relief of pain and fever. For oral use.", 38)
    front.block((70, 408), ["Adults: 1 or 2 tablets every 4 to 6 hours.", "Do not take more than 8 tablets in 24 hours."], 38)
    front.line((70, 548), "Keep out of the sight and reach of children.", 34)
    flap = Sheet.plain((1180, 150), (240, 243, 246), face="DejaVuSansMono", ink=(52, 54, 60))
    flap.row(52, [(80, "LOT K4471B", "la"), (600, "EXP 09/2027", "la")], 48)
    table = wood(rng, (1440, 1080), (168, 142, 112))
    photo = place(table, front.image, [(128, 304), (1322, 268), (1300, 944), (152, 968)], shadow=0.6)
    photo = place(photo, flap.image, [(196, 158), (1262, 130), (1322, 268), (128, 304)], shadow=0)
    return expose(rng, photo, light=(1.02, 0.76), angle=70), flap.lines + front.lines, [
        ("What medicine is this?", ["Calmorin", "Paracetamol", "Paracetamol 500 mg", "Calmorin Paracetamol 500 mg"]),
        ("What is the strength?", ["500 mg"]),
        ("When does it expire?", ["09/2027", "EXP 09/2027", "September 2027"]),
        ("How many tablets may be taken in a day?", ["8", "8 tablets in 24 hours", "Do not take more than 8 tablets in 24 hours"]),
    ]


def sign(rng):
    page = Sheet.plain((1240, 620), (24, 74, 134), face="DejaVuSans-Bold", ink=(250, 250, 250))
    page.draw.rounded_rectangle((18, 18, 1222, 602), radius=34, outline=(250, 250, 250), width=10)
    page.line((620, 66), "PLATFORM 4", 150, anchor="ma")
    page.line((620, 276), "Trains to Wexbridge", 84, anchor="ma")
    page.line((620, 400), "Mind the gap", 84, face="DejaVuSans", anchor="ma")
    page.line((620, 518), "No smoking", 44, face="DejaVuSans", anchor="ma")
    wall = paper(rng, (1600, 1120), (168, 158, 146), grain=3, mottle=9)
    photo = place(wall, page.image, [(190, 268), (1436, 196), (1420, 852), (214, 838)], shadow=0.5)
    return expose(rng, photo, light=(0.74, 1.04), angle=-25, tint=(0.97, 0.99, 1.0)), page.lines, [
        ("Which platform is it?", ["4", "platform 4"]),
        ("Where do the trains go?", ["Wexbridge", "to Wexbridge"]),
    ]


def menu(rng):
    page = Sheet(paper(rng, (980, 1360), (243, 232, 208)), face="P052-Roman", ink=(60, 38, 26))
    page.line((490, 56), "The Copper Kettle", 78, face="P052-BoldItalic", anchor="ma")
    page.line((490, 160), "Lunch, 12 to 3 pm", 36, anchor="ma")
    y = 240
    for heading, dishes in [
        ("Starters", [("Leek and potato soup", "£5.20"), ("Smoked mackerel pâté", "£6.80")]),
        ("Mains", [("Mushroom risotto (v)", "£12.50"), ("Roast chicken, jus, greens", "£14.90"), ("Beer-battered haddock", "£15.40")]),
        ("Desserts", [("Sticky toffee pudding", "£6.50"), ("Lemon tart", "£5.90"), ("Crème brûlée", "£6.20")]),
    ]:
        page.line((80, y), heading, 54, face="P052-Bold", ink=(136, 44, 26))
        y += 84
        for name, price in dishes:
            page.row(y, [(80, name, "la"), (900, price, "ra")], 42)
            y += 70
        y += 26
    page.rule(y + 4, 80, 900)
    page.block((490, y + 30), ["(v) vegetarian. Please tell us about allergies.", "A service charge of 10 % is added for tables of six."], 32, anchor="ma")
    table = cloth(rng, (1160, 1560), (140, 60, 56))
    photo = place(table, page.image, [(104, 70), (1064, 104), (1048, 1496), (82, 1468)])
    return expose(rng, photo, light=(1.05, 0.7), angle=120, tint=(1.02, 0.97, 0.88)), page.lines, [
        ("What does the mushroom risotto cost?", ["£12.50", "12.50"]),
        ("Which dessert is the cheapest?", ["Lemon tart"]),
        ("When is lunch served?", ["12 to 3 pm"]),
    ]


def notice(rng):
    """A page for `rotated` and `upside_down`, drawn upright."""
    page = Sheet(paper(rng, (1000, 1300), (246, 246, 244)), face="LiberationSans-Regular")
    page.line((500, 70), "Water supply", 88, face="LiberationSans-Bold", anchor="ma")
    page.line((500, 180), "will be interrupted", 60, face="LiberationSans-Bold", anchor="ma")
    y = page.block((80, 310), ["To all residents of Linden Court:", "on Thursday, 14 May 2026, the water will be", "turned off from 8.30 am until about 1 pm", "while a valve in the cellar is replaced."], 42)
    y = page.block((80, y + 40), ["Please store enough water beforehand and", "keep all taps closed during this time. The", "lift and the heating are not affected."], 42)
    y = page.block((80, y + 40), ["Questions? Call the caretaker, Mr Brandt,", "on 01632 960 325."], 42)
    page.line((80, y + 60), "Property Management Keller & Sons", 36, face="LiberationSans-Italic")
    return page, [
        ("When will the water be turned off?", ["Thursday, 14 May 2026", "14 May 2026", "on Thursday, 14 May 2026"]),
        ("Who is the caretaker?", ["Mr Brandt", "Brandt"]),
    ]


def rotated(rng):
    """The page lies on its side: the photo has to be turned by 90 degrees clockwise to be read."""
    page, questions = notice(rng)
    table = wood(rng, (1200, 1500), (110, 92, 74))
    photo = place(table, page.image, [(98, 108), (1090, 82), (1112, 1404), (116, 1420)])
    photo = expose(rng, photo, light=(1.03, 0.8), angle=200)
    return photo.transpose(Image.Transpose.ROTATE_90), page.lines, questions


def upside_down(rng):
    """A timetable held the wrong way up, and a few degrees off."""
    page = Sheet(paper(rng, (1100, 1040), (247, 247, 240)), face="LiberationSans-Regular")
    page.line((80, 60), "Bus 62 to Quarry Hill", 70, face="LiberationSans-Bold")
    page.line((80, 156), "Stop: Town Hall", 46)
    page.rule(240, 80, 1020)
    y = 270
    for days, first, last, every in [("Monday to Friday", "5.40", "23.10", "every 12 min"), ("Saturday", "6.20", "23.40", "every 15 min"), ("Sunday", "8.05", "22.30", "every 30 min")]:
        page.line((80, y), days, 46, face="LiberationSans-Bold")
        page.line((80, y + 64), f"First {first}, last {last}, {every}", 44)
        y += 164
    page.rule(y + 4, 80, 1020)
    page.line((80, y + 40), "On public holidays as on Sunday.", 40)
    page.line((80, y + 104), "Tickets: 2.70 single, 6.40 day", 40)
    table = cloth(rng, (1400, 1300), (70, 82, 112))
    photo = place(table, page.image, [(150, 120), (1270, 170), (1232, 1206), (112, 1170)])
    photo = expose(rng, photo, light=(0.8, 1.05), angle=30)
    return photo.transpose(Image.Transpose.ROTATE_180), page.lines, [
        ("Where does bus 62 go?", ["Quarry Hill", "to Quarry Hill"]),
        ("When does the last bus leave on Saturday?", ["23.40"]),
        ("What does a day ticket cost?", ["6.40", "6.40 day"]),
    ]


def two_columns(rng):
    page = Sheet(paper(rng, (1120, 1440), (243, 241, 233)), face="NimbusRoman-Regular")
    page.line((60, 56), "The Wexbridge Herald", 74, face="NimbusRoman-Bold")
    page.line((60, 150), "Saturday, 6 June 2026", 34)
    page.rule(210, 60, 1060)
    left = ["Harbour bridge opens", "a week early", "",
            "The new footbridge across", "the harbour will open on", "Monday, a week ahead of", "plan. Workers finished",
            "the railings on Thursday", "night. The bridge is 84", "metres long and has a", "ramp on both sides, so",
            "that wheelchairs and", "prams can cross without", "a single step. It cost", "2.3 million pounds, a", "little less than had been", "set aside for it."]
    right = ["Choir looks for voices", "",
             "The town choir is looking", "for new singers, above all", "tenors. Nobody needs to", "read music. Rehearsals are", "on Wednesdays at 7 pm in",
             "the parish hall.", "", "Library hours", "", "From July the library on", "Mill Street stays open", "until 8 pm on Tuesdays", "and Thursdays. Returns", "are possible at any time", "through the box outside."]
    headings = {"Harbour bridge opens", "a week early", "Choir looks for voices", "Library hours"}
    for x, column in ((60, left), (590, right)):
        y = 248
        for text in column:
            if text in headings:
                page.line((x, y), text, 46, face="NimbusRoman-Bold")
            elif text:
                page.line((x, y), text, 42)
            y += 62 if text else 30
    page.draw.line([(550, 248), (550, 1330)], fill=(150, 146, 140), width=2)
    table = wood(rng, (1280, 1600), (150, 120, 88))
    photo = place(table, page.image, [(84, 62), (1196, 84), (1186, 1530), (66, 1516)])
    return expose(rng, photo, light=(1.04, 0.82), angle=-60), page.lines, [
        ("How long is the new bridge?", ["84 metres", "84 metres long"]),
        ("When does the choir rehearse?", ["Wednesdays at 7 pm", "on Wednesdays at 7 pm"]),
        ("Until when is the library open on Tuesdays?", ["8 pm", "until 8 pm"]),
    ]


def no_text(rng):
    """A bowl of oranges on a cloth: nothing to read."""
    photo = cloth(rng, (1400, 1050), (176, 186, 190))
    draw = ImageDraw.Draw(photo)
    draw.ellipse((290, 520, 1110, 930), fill=(92, 112, 132))
    draw.ellipse((320, 500, 1080, 840), fill=(206, 214, 218))
    for x, y, r in [(470, 430, 128), (880, 440, 122), (680, 380, 134), (580, 560, 126), (800, 580, 130)]:
        for k in range(r, 0, -2):
            glow = 1 - k / r
            draw.ellipse((x - k - 20 * glow, y - k - 30 * glow, x + k - 20 * glow, y + k - 30 * glow), fill=(int(206 + 44 * glow), int(112 + 52 * glow), int(24 + 40 * glow)))
        draw.ellipse((x - 8, y - r * 0.72, x + 6, y - r * 0.72 + 9), fill=(96, 84, 40))
    return expose(rng, photo, light=(1.05, 0.75), angle=25, blur=2.0), [], [("What does it say?", ["no text", "I see no text"])]


PICTURES = {
    "receipt": receipt, "label": label, "letter": letter, "medicine": medicine, "sign": sign, "menu": menu,
    "rotated": rotated, "upside_down": upside_down, "two_columns": two_columns, "no_text": no_text,
}
