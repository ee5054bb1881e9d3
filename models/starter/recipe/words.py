"""Vocabulary for the generator, from general knowledge of what is printed on things."""

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
STREETS = "High Station Church Park Mill Main Bridge King Queen Market Oak Elm Maple Cedar River Lake Hill Garden School Victoria Albert Castle Abbey Forest Meadow Orchard Spring Sunset Harbour Lincoln Washington Franklin Chestnut Walnut".split()
COMPANY_ENDINGS = "Ltd,Inc.,GmbH,Solutions,Group,Partners,Studio,& Co,& Sons,LLC,Services,Consulting,Systems,International,plc,AG,Media,Foundation,Trust".split(",")

NOUNS = """anchor apple arrow autumn bakery bear bell bird blossom boat bottle bridge brother brush butterfly button candle canyon castle cat chair
cherry circle clock cloud coast compass copper corner cotton cradle crown dawn daughter desert diamond door dragon dream drum eagle earth echo ember
engine evening falcon farm feather fern field fire fish flame flower forest fountain fox garden gate ghost giant glass glove grain grape harbour
harvest hat hawk heart hill home honey horizon horse house hunter ice island ivory jewel journey key king kitchen kite ladder lake lamp lantern
leaf lemon letter light lily lion machine maple market meadow memory mill mirror moon morning mountain mouse needle nest night north oak ocean olive
orchard orange owl palace paper path pearl pebble pepper piano pigeon pilot pine planet plum pocket poppy queen rabbit rain raven ribbon river road
robin rocket root rope rose sailor salt sand school sea season secret shadow shell shepherd ship silence silver sister sky smoke snow soldier song
sparrow spice spring stable star station stone storm story stranger stream street summer sun swallow swan table teacher thief thunder tiger tower
town train traveller treasure tree tulip turtle valley village violin voice wagon wall water wave weaver whale wheat whisper wind window winter
wolf wood world writer yard""".split()
ADJECTIVES = """ancient blue bold brave bright broken calm clean clever cold common crimson dark deep distant dry early empty endless fair fast fine first
forgotten fresh friendly gentle giant golden good grand great green happy hidden high hollow honest hot humble hungry hungry invisible kind last late
lazy light little lonely long lost loud lucky magic merry modern new noble northern odd old open other patient perfect plain proud pure quick quiet
rare red royal salty second secret sharp short silent silver simple slow small smart soft southern special strange strong sudden sweet tall tender
tiny true unknown velvet warm wild wise wonderful wooden young""".split()
VERBS = "build find keep make love train cook paint plant repair raise sell teach understand write draw clean choose save".split()
VERBS_ING = "living cooking working walking dancing sailing learning sleeping dreaming travelling painting growing running writing singing fishing hiking baking knitting".split()
TOPICS = "Chemistry,Gardening,Python,Statistics,Cooking,Physics,Algebra,Photography,Economics,Biology,World History,Philosophy,Astronomy,Machine Learning,Yoga,Meditation,Bread Baking,Knitting,Chess,Sailing,Birdwatching,Psychology,Organic Chemistry,Linear Algebra,Web Design,Project Management,Public Speaking,Jazz Piano,Watercolour,Human Anatomy,Nutrition,Marketing,Accounting,Electronics,Architecture,Roman History,Mythology,Beekeeping,Spanish,French,German Grammar,Music Theory,Film,Fashion,Woodwork,Investing,Geology,Genetics,Climate,Operating Systems".split(",")
SHOP_TYPES = "Supermarket,Market,Bakery,Pharmacy,Cafe,Books,Hardware,Stores,Grocers,Deli,Bistro,Restaurant,Kitchen,Bar & Grill,Pizzeria,Tea Room,Coffee House,Florist,Opticians,Barbers,Clinic,Dental Practice,Library,Museum,Garage,Bank,Post Office,Gym,Hotel,Cleaners,Butchers,Fashion,Shoes,Electronics,Toys,Inn,Diner,Express,Foods,Drugstore,Stationers,Noodle Bar,Steakhouse,Burgers,Bikes,Garden Centre,Cinema".split(",")
JOBS = "Manager,Sales Director,Solicitor,Architect,Electrician,Plumber,Software Engineer,Physiotherapist,Dentist,Estate Agent,Accountant,Consultant,Professor of Physics,Head Chef,Photographer,Interior Designer,Project Manager,Veterinary Surgeon,Marketing Officer,Piano Teacher,Social Worker,Hearing Specialist,Managing Director,General Practitioner,Tax Adviser,Carpenter,Graphic Designer,Orthopaedic Surgeon,Insurance Broker,Driving Instructor,Attorney at Law,Customer Service,Optometrist,Financial Advisor".split(",")

FOODS = """Milk,Bread,Butter,Eggs,Cheddar,Orange Juice,Apple Pie,Bananas,Tomatoes,Potatoes,Chicken Breast,Minced Beef,Salmon Fillet,Rice,Pasta,Olive Oil,
Green Tea,Coffee Beans,Sugar,Flour,Yoghurt,Cereal,Honey,Jam,Peanut Butter,Chocolate,Biscuits,Crisps,Onions,Carrots,Lettuce,Cucumber,Mushrooms,Garlic,
Lemons,Grapes,Frozen Peas,Fish Fingers,Ice Cream,Washing Powder,Toilet Paper,Dish Soap,Shampoo,Toothpaste,Batteries,Light Bulb,Cat Food,Dog Biscuits,
Mineral Water,Cola,Red Wine,Lager,Baked Beans,Tuna,Mayonnaise,Ketchup,Mustard,Salt,Black Pepper,Bagels,Croissant,Muffin,Sandwich,Ham,Bacon,Sausages,
Cream,Oat Milk,Tofu,Hummus,Avocado,Spinach,Broccoli,Peppers,Strawberries,Blueberries,Raisins,Almonds,Walnuts,Crackers,Tortilla Wraps,Noodles,Soup,
Kitchen Roll,Bin Bags,Sponges,Candles,Nappies,Plasters,Hand Soap,Deodorant,Razor Blades,Magazine,Newspaper,Birthday Card,Carrier Bag,Envelopes,Pens,
Screws M4,Paint Brush,Wood Glue,Sandpaper,Extension Lead,Socks,T-Shirt,Gloves,Scarf,Umbrella,Phone Case,USB Cable,Flat White,Latte,Espresso,Tea,Scone""".replace("\n", "").split(",")
DISHES = """Tomato Soup,Onion Soup,Caesar Salad,Greek Salad,Garlic Bread,Bruschetta,Margherita,Pepperoni Pizza,Four Cheese Pizza,Spaghetti Bolognese,Lasagne,
Mushroom Risotto,Fish and Chips,Grilled Salmon,Roast Chicken,Sirloin Steak,Beef Burger,Veggie Burger,Chicken Curry,Lamb Curry,Pad Thai,Fried Rice,
Spring Rolls,Sushi Plate,Cheesecake,Chocolate Cake,Apple Crumble,Ice Cream,Fruit Salad,Espresso,Cappuccino,Latte,Hot Chocolate,Pot of Tea,Orange Juice,
Lemonade,House Wine,Draft Beer,Club Sandwich,Ham Toastie,Jacket Potato,Pancakes,Omelette,Full Breakfast,Porridge,Croissant,Falafel Wrap,Beef Tacos,
Nachos,Sweet Potato Fries,Pumpkin Soup,Seafood Linguine,Duck Confit,Ratatouille,Moussaka,Paella,Gnocchi,Tiramisu,Panna Cotta,Crème Brûlée,Schnitzel,
Goulash,Ramen,Miso Soup,Edamame,Gyoza,Bibimbap,Chicken Wings,Onion Rings,Coleslaw,Mac and Cheese,Pulled Pork,BLT,Eggs Benedict,Avocado Toast,Smoothie,
Iced Tea,Mojito,Gin and Tonic,Prosecco,Mineral Water,Butter Naan,Samosa,Dal Makhani,Palak Paneer,Quesadilla,Burrito Bowl,Shakshuka,Cheese Board""".replace("\n", "").split(",")
SIDES = "rice,salad,fries,fresh herbs,garlic sauce,bread,mashed potatoes,seasonal vegetables,yoghurt dip,parmesan,roast potatoes,coleslaw,lime and chilli,basil pesto,toasted almonds,cream,vanilla sauce,pickles,goat's cheese,cherry tomatoes,rocket,caramelised onions".split(",")
COURSES = "Starters,Soups,Salads,Mains,Main Courses,Pasta,Pizza,From the Grill,Sides,Desserts,Drinks,Hot Drinks,Cold Drinks,Wines,Beers,Cocktails,Breakfast,Lunch,Kids Menu,Sandwiches,Vegetarian,Specials,Appetizers,Burgers,Seafood".split(",")

DRUGS = """Paracetamol,Ibuprofen,Aspirin,Amoxicillin,Cetirizine,Loratadine,Omeprazole,Metformin,Atorvastatin,Lisinopril,Amlodipine,Levothyroxine,
Sertraline,Codeine,Naproxen,Doxycycline,Ramipril,Simvastatin,Warfarin,Prednisolone,Diazepam,Losartan,Bisoprolol,Furosemide,Gabapentin,Vitamin D3,
Folic Acid,Iron,Pantoprazole,Citalopram,Tramadol,Montelukast,Candesartan,Allopurinol,Clopidogrel,Azithromycin,Fluoxetine,Mirtazapine,Salbutamol,
Hydrocortisone,Diclofenac,Loperamide,Melatonin,Magnesium,Vitamin B12,Zinc,Spironolactone,Apixaban,Insulin Glargine,Latanoprost""".replace("\n", "").split(",")
SYMPTOMS = "headache,back pain,fever,sore throat,dry cough,hay fever,heartburn,indigestion,joint pain,toothache,colds and flu,blocked nose,itchy eyes,muscle pain,migraine,diarrhoea,constipation,insect bites,dry skin,minor burns,travel sickness,allergies,high blood pressure,period pain,insomnia".split(",")
MED_WARNINGS = "May cause drowsiness,Do not drive after taking this medicine,Avoid alcohol,Take on an empty stomach,Take with or after food,Do not take with other painkillers,For external use only,Do not use if you are pregnant,Not for children under 12,Shake the bottle,Swallow whole with water,Do not crush or chew,Avoid direct sunlight,Contains paracetamol,Finish the course,Do not stop taking this medicine without advice,May stain clothing,Keep away from eyes,Consult your doctor if symptoms persist,Read the package leaflet before use".split(",")
MED_STORAGE = "Store below 25°C,Keep in the fridge,Store in a dry place below 30°C,Keep refrigerated 2-8°C,Do not freeze,Protect from light,Store in the original package,Keep the bottle tightly closed,Store at room temperature,Discard 28 days after opening".split(",")

PRODUCTS = """shampoo,conditioner,body lotion,shower gel,hand cream,toothpaste,mouthwash,sun cream,salt,sugar,flour,baking soda,corn flour,icing sugar,black tea,
green tea,coffee,decaf coffee,chicken soup,tomato soup,baked beans,kidney beans,chickpeas,tuna in oil,sardines,whole milk,skimmed milk,oat milk,
orange juice,apple juice,dishwasher tablets,laundry detergent,fabric softener,bleach,glass cleaner,oven cleaner,furniture polish,dog food,cat food,
mayonnaise,ketchup,mustard,olive oil,sunflower oil,vinegar,soy sauce,honey,maple syrup,strawberry jam,marmalade,dark chocolate,milk chocolate,basil,
oregano,paprika,cinnamon,cumin,curry powder,black pepper,hair dye,nail polish remover,insect spray,glue,crunchy granola,corn flakes,rice cakes,
potato chips,popcorn,pretzels,gummy bears,chewing gum,ice cream,frozen pizza,fish sticks,lasagne,ravioli,tomato paste,coconut milk,pancake mix,
cake mix,hot chocolate,protein bar,energy drink,root beer,ginger ale,lemonade,sparkling water,iced tea,red wine,pale ale,cream cheese,cottage cheese,
greek yogurt,butter,margarine,peanut butter,trail mix,beef jerky,noodle soup,vegetable broth,applesauce,sliced peaches,sweet corn,green beans,
hand soap,deodorant,shaving foam,face cream,lip balm,cotton pads,wet wipes,tissues,toilet paper,bin bags,light bulb,batteries,candle,air freshener""".replace("\n", "").split(",")
FLAVOURS = "Original,Vanilla,Chocolate,Strawberry,Lemon,Salt & Vinegar,Sour Cream & Onion,Barbecue,Sea Salt,Honey Roasted,Cherry,Mint,Peppermint,Raspberry,Mango,Peach,Cinnamon,Caramel,Hazelnut,Coconut,Ginger,Lavender,Aloe Vera,Ocean Breeze,Fresh Linen,Green Apple,Blueberry,Banana,Garlic & Herb,Sweet Chilli,Cheddar,Jalapeño,Mild,Medium,Extra Hot,Smoky,Dark Roast,French Vanilla,Espresso,Earl Grey,Chamomile,Lime,Grapefruit,Blackcurrant,Pumpkin Spice".split(",")
CLAIMS = "Extra strong,Organic,Sugar free,New recipe,Sensitive,Family pack,Low fat,Suitable for vegetarians,No added sugar,Gluten free,100% natural,New look,Now 20% more,Recyclable,No artificial colours,Ready in 3 minutes,Since 1924,High in fibre,Vegan,Freshly packed,Value pack,Limited edition,Dermatologically tested,For all skin types,Serving suggestion,Source of protein,Fair trade,Made with real fruit,Easy open,Shake well,Keep frozen,Best served chilled".split(",")
ALLERGENS = "milk,eggs,peanuts,nuts,soya,wheat,gluten,fish,sesame,celery,mustard,sulphites,barley,almonds,hazelnuts,lupin,shellfish,oats,rye".split(",")
INGREDIENTS = "water,sugar,salt,wheat flour,palm oil,sunflower oil,glucose syrup,cocoa butter,skimmed milk powder,yeast,tomato puree,onion powder,garlic,citric acid,natural flavouring,colour (E150),emulsifier (soya lecithin),maize starch,rapeseed oil,spirit vinegar,egg yolk,oats,honey,rice flour,paprika extract,vanilla extract,butter,cream,apple juice,pectin,baking powder,black pepper,aqua,glycerin,parfum,sodium laureth sulfate,citronellol,tocopherol".split(",")
STORAGE = "Store in a cool dry place,Keep refrigerated,Once opened use within 3 days,Refrigerate after opening,Keep frozen at -18°C,Store away from direct sunlight,Keep out of reach of children,Keep upright,Best kept in an airtight container,Keep away from heat".split(",")
DIRECTIONS = "Add boiling water and stir,Microwave on high for 3 minutes,Bake at 200°C for 25 minutes,Apply to wet hair and rinse,Spray and wipe with a dry cloth,Shake well before use,Dissolve one tablet in a glass of water,Simmer for 10 minutes stirring often,Mix with 500 ml of cold milk,Peel off the film and heat for 4 minutes,Massage gently into the skin,Dilute one part with four parts water,Cook from frozen for 18 minutes,Brush twice daily,Push down and turn to open,Leave for 15 minutes then wash off".split(",")
COUNTRIES = "Germany,France,Italy,Spain,China,Japan,the UK,USA,Portugal,Poland,Turkey,India,Vietnam,Brazil,Mexico,Canada,Ireland,the Netherlands,Belgium,Greece,Thailand,Bangladesh,Switzerland,Sweden,Kenya".split(",")
MATERIALS = "100% cotton,65% polyester 35% cotton,100% wool,80% viscose 20% nylon,100% linen,95% cotton 5% elastane,genuine leather,100% silk,50% acrylic 50% wool".split(",")
CARE = "Machine wash at 30°C,Hand wash only,Do not tumble dry,Dry clean only,Wash at 40°C with similar colours,Do not bleach,Iron on low heat,Wash inside out".split(",")
COLOURS = "Red,Blue,Green,Black,White,Grey,Navy,Beige,Brown,Pink,Purple,Orange,Yellow,Turquoise,Burgundy,Silver".split(",")

NUTRIENTS = ["Energy", "Calories", "Fat", "Total Fat", "Saturated Fat", "of which saturates", "Trans Fat", "Cholesterol", "Sodium", "Carbohydrate", "Total Carbohydrate", "of which sugars", "Sugars", "Total Sugars", "Added Sugars", "Dietary Fiber", "Fibre", "Protein", "Salt", "Vitamin C", "Vitamin D", "Calcium", "Iron", "Potassium"]

SIGNS = """WET FLOOR,NO SMOKING,PUSH,PULL,EMERGENCY EXIT,KEEP OUT,HIGH VOLTAGE,NO PARKING,OUT OF ORDER,STAFF ONLY,TOILETS,LADIES,GENTLEMEN,RECEPTION,NO ENTRY,STOP,
GIVE WAY,YIELD,ONE WAY,CCTV IN OPERATION,BEWARE OF THE DOG,PLEASE DO NOT DISTURB,MIND THE STEP,MIND THE GAP,ROAD CLOSED,DIVERSION,FIRE EXIT,KEEP CLEAR,NO DOGS ALLOWED,
QUIET PLEASE,EXAM IN PROGRESS,LIFT OUT OF SERVICE,FRESH PAINT,CLOSED,OPEN,SOLD,FOR SALE,TO LET,VACANCIES,ENTRANCE,EXIT,WAY OUT,PRIVATE PROPERTY,NO TRESPASSING,SLOW,
DEAD END,NO THROUGH ROAD,SCHOOL ZONE,CHILDREN CROSSING,BUS STOP,TAXI RANK,CAR PARK,PAY HERE,PAY AT MACHINE,CASH ONLY,CARDS ONLY,ASK AT DESK,RING THE BELL,WAIT HERE,
QUEUE HERE,TICKETS,INFORMATION,LOST PROPERTY,LEFT LUGGAGE,BABY CHANGING,FIRST AID,FIRE EXTINGUISHER,ASSEMBLY POINT,DANGER,CAUTION,WARNING,HARD HATS REQUIRED,
CONSTRUCTION SITE,NO SWIMMING,DEEP WATER,STEEP HILL,LOW BRIDGE,WEAK BRIDGE,FALLING ROCKS,NO CYCLING,NO PHOTOGRAPHY,NO FOOD OR DRINK,WASH YOUR HANDS,PLEASE KNOCK,
PLEASE WIPE YOUR FEET,DO NOT FEED THE BIRDS,KEEP OFF THE GRASS,NO LITTERING,RECYCLING,PAPER ONLY,GLASS,GENERAL WASTE,DRINKING WATER,NOT DRINKING WATER,HOT,COLD,ON,OFF,
LIBRARY,PHARMACY,POST OFFICE,CITY CENTRE,AIRPORT,HOSPITAL,MUSEUM,BEACH,TRAINS,PLATFORM,GATES,BAGGAGE CLAIM,CUSTOMS,NO EXIT,ELEVATOR,STAIRS,RESTROOMS,MEN,WOMEN,
FITTING ROOMS,CASHIER,CHECKOUT,SALE,HALF PRICE,NEW,SPECIAL OFFER,GARAGE SALE,HELP WANTED,NO SOLICITING,NEIGHBOURHOOD WATCH,SPEED CHECKED,TOLL,DETOUR,MERGE,RESERVED,
DISABLED PARKING,LOADING BAY,DELIVERIES ONLY,AUTHORISED PERSONNEL ONLY,VISITORS,WELCOME,PUSH BAR TO OPEN,PULL HANDLE,IN CASE OF FIRE USE STAIRS""".replace("\n", "").split(",")
SIGN_EXTRAS = "Please use the stairs,Please use other door,Thank you,Sorry for the inconvenience,By order of the council,Maximum stay 2 hours,Residents only,8am - 6pm,Mon - Sat,At any time,Except cyclists,Unauthorised vehicles will be towed,Penalty £80,Strictly enforced,24 hours,Slippery floor,This area is monitored,Dogs must be kept on a lead,Guests only,Customers only,Ask for assistance,Maximum 2 persons,Use at your own risk,Trespassers will be prosecuted,For emergency use only,Do not block the door,This door is alarmed,Back in 10 minutes,Please pay before leaving".split(",")
PLACES = "Reception,Cardiology,X-Ray,Radiology,Maternity,Pharmacy,Cafe,Toilets,Lifts,Library,Cinema,Car Park,Accounts,Human Resources,Dentist,Eye Clinic,Children's Ward,Shoes,Menswear,Toys,Electronics,Furniture,Restaurant,Conference Room,Chapel,Physiotherapy,Blood Tests,Gym,Swimming Pool,Ticket Office,Outpatients,Emergency,Ward 7,Lecture Hall,Canteen,Post Room,IT Support,Registry,Town Hall,Old Town,Harbour,Zoo,Castle,Stadium,University,Botanical Garden,Tourist Information,Bus Station,Youth Hostel,Viewpoint".split(",")

# Labels of forms, plates, tickets and screens: label -> which value follows (a function in documents/forms.py).
LABELS = {
    "name": "Name,Full name,Surname,First name,Last name,Family name,Contact,Contact person,Holder,Card holder,Member,Guest,Visitor,Passenger,Student,Teacher,Employee,Supervisor,Tenant,Owner,Client,Account holder,Emergency contact,Driver,Technician,Inspector,Issued by,Approved by,Prepared by,Received by,Seller,Buyer,Agent,Signature".split(","),
    "date": "Date,Date of birth,Date of issue,Issue date,Valid from,Valid until,Expires,Start date,End date,Check-in,Check-out,Arrival,Departure,Delivery date,Next visit,Last inspection,Order date,Ship date,Next service,Admission,Discharged,Date received,Purchase date,Return by,Renewal date,Sample taken".split(","),
    "time": "Time,Start,End,Begins,Boarding,Boarding time,Collection time,Pickup,Wake-up time,Appointment,Admission time,Last entry,Closing time,Doors".split(","),
    "number": "Reference,Ref. no.,File number,Case number,Order no.,Policy number,Membership no.,Licence no.,Passport no.,Booking reference,Confirmation code,Serial no.,S/N,Part no.,Article no.,Item no.,Ticket no.,Receipt no.,Permit no.,Employee ID,Student ID,Patient ID,Meter number,Contract no.,PNR,Tax ID,Registration no.,SKU,P/N,FCC ID,Vehicle no.,Plate number,Parcel no.,Asset tag".split(","),
    "money": "Amount,Amount due,Fee,Deposit,Rent,Balance,Previous balance,Payment,Price,Unit price,Shipping,Discount,Premium,Salary,Fine,Membership fee,Minimum payment,Credit,Cost,Subtotal,Tax,Net amount,Refund".split(","),
    "count": "Quantity,Qty,Pages,Persons,Adults,Children,Nights,Copies,Floor,Room,Unit,Apartment,Desk,Locker,Zone,Row,Seat,Bay,Gate,Platform,Coach,Box,Level,Station,Age,Class,Group,Number of guests".split(","),
    "measure": "Height,Weight,Length,Width,Volume,Capacity,Temperature,Pressure,Voltage,Current,Power,Frequency,Speed,Max. load,Humidity,Dose,Distance,Consumption,Meter reading,Pulse,Blood pressure,Net weight".split(","),
    "place": "Address,Street,City,Town,Country,Place of birth,Nationality,Location,Branch,Department,Destination,From,To,Office,Building,Venue,Depot,Delivery address,Ward,School".split(","),
    "phone": "Phone,Tel.,Mobile,Telephone,Fax,Helpline,Hotline,Support,Emergency,Customer service".split(","),
    "choice": "Status,Type,Colour,Size,Mode,Gender,Payment method,Category,Priority,Result,Condition,Allergies,Diet,Blood type,Marital status,Delivery,Language,Fuel,Membership,Position,Subject,Meal,Fare,Material".split(","),
}
CHOICES = "Open,Closed,Pending,Paid,Active,Standard,Express,Premium,Economy,Urgent,Normal,High,Low,Approved,Negative,Positive,Passed,None,Penicillin,Vegetarian,Single,Married,English,Diesel,Petrol,Gold,Small,Medium,Large,Full time,Part time,Cash,Bank transfer,Online,A+,O-,Return,One way,Adult,Annual,Monthly,New,Used,Steel,Plastic,In progress,Completed,Not required".split(",")
