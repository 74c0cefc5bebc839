# SPDX-License-Identifier: GPL-3.0-or-later
"""Word lists shared by all domains. Every use of such a key draws afresh."""

WOMEN = """Nell Mary Agnes Ruth Clara Edith Hazel Ivy Joan Kate Lydia Martha Nora Olive Rose
Sarah Tilda Una Wren Alice Bess Dora Elsie Flora Grace Hester Ida Mabel Peg Winnie""".split()
MEN = """Tom Will Arthur Ben Caleb Daniel Edwin Frank George Henry Isaac Jack Luke Martin Ned
Oliver Peter Ralph Simon Walter Adam Bram Colin Davy Finn Giles Hugh Jonas Matthew Silas""".split()
SURNAMES = """Ashdown Barrow Calder Drew Ellery Fenwick Garland Hallam Ingram Jessop Kersey Lovell
Marsh Norris Orchard Penrose Quill Rowe Seaton Thorne Underhill Vickery Warren Yelland Brook
Carter Dunn Foster Hollis Lacey""".split()
SHIPS = ["Kittiwake", "Morning Star", "Good Intent", "Rosemary", "Grey Heron", "Fair Wind",
         "Sea Lark", "Providence", "Blue Gull", "Constance", "Swift", "Harvest Moon",
         "Silver Wake", "Merry Ann", "Northern Light", "Patience", "Curlew", "Bright Water",
         "Samphire", "White Rose"]
VILLAGES = ["Alder Green", "Birch Hollow", "Combe Martin Lane", "Dunley", "Elmstead", "Farrow Hill",
            "Greenway", "Hartwell", "Inchbrook", "Kestrel Down", "Long Meadow", "Millbrook",
            "Nether Stoke", "Oakley", "Pear Tree Lane", "Quarry Bank", "Rushford", "Stonebridge",
            "Thornbury Cross", "Upper Vale", "Withy End"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
           "eleven", "twelve"]


def season_of(month):
    index = MONTHS.index(month)
    return ["winter", "spring", "summer", "autumn"][(index + 1) % 12 // 3]


WORD_LISTS = {
    "woman": WOMEN, "man": MEN, "surname": SURNAMES, "village": VILLAGES, "month": MONTHS,
    "day": DAYS, "ship": SHIPS,
    "colour": ["red", "blue", "green", "yellow", "white", "brown", "grey", "black"],
    "relation": ["aunt", "uncle", "grandmother", "grandfather", "sister", "brother", "cousin",
                 "neighbour", "old friend"],
    "nice": ["good", "fine", "pleasant", "kind", "lovely", "splendid"],
    "small": ["small", "little", "tiny"],
    "big": ["big", "large", "great", "broad"],
    "old": ["old", "ancient", "worn", "weathered"],
    "quietly": ["quietly", "slowly", "gently", "softly", "calmly", "patiently", "carefully"],
    "quickly": ["quickly", "at once", "in a hurry", "without delay", "briskly"],
    "happy": ["happy", "glad", "pleased", "content", "cheerful", "delighted"],
    "sad": ["sad", "sorry", "downcast", "unhappy", "troubled", "disappointed"],
    "weather_fine": ["a clear sky", "a soft breeze", "warm sun", "bright sunshine",
                     "a mild and dry day", "a still, golden morning"],
    "weather_bad": ["heavy rain", "a cold wind", "thick fog", "a hard frost", "driving sleet",
                    "dark clouds from the west"],
    "it_was_weather": ["the sun was warm", "the wind had dropped", "a light rain was falling",
                       "the mist was rising", "the sky was clear", "the clouds hung low",
                       "a cold wind blew from the north", "the air smelled of rain",
                       "the frost lay white on the grass", "the evening was mild"],
    "time_of_day": ["early in the morning", "at noon", "late in the afternoon", "in the evening",
                    "just before dawn", "after supper", "soon after breakfast"],
    "one_day": ["one morning", "one evening", "one afternoon", "one {day}", "one day in {month}",
                "one cold morning", "one bright afternoon"],
    "animal": ["fox", "hedgehog", "robin", "blackbird", "goat", "donkey", "cat", "dog", "hare",
               "owl", "duck", "goose", "mouse", "squirrel", "otter", "seal", "heron", "badger"],
    "bird": ["robin", "blackbird", "wren", "thrush", "swallow", "owl", "finch", "starling"],
    "tool": ["spade", "fork", "rake", "hoe", "saw", "pair of secateurs", "ladder", "wheelbarrow",
             "basket", "watering can"],
    "vessel_kitchen": ["pan", "pot", "bowl", "jug", "jar", "dish", "kettle"],
    "drink": ["a cup of tea", "a mug of cocoa", "a glass of apple juice", "a cup of warm milk",
              "a glass of elderflower cordial"],
    "food": ["a slice of apple cake", "a bowl of soup", "bread and cheese", "a warm scone",
             "a piece of plum tart", "a dish of stewed pears", "a plate of pancakes"],
    "said": ["said", "said", "said", "answered", "replied", "called", "whispered", "laughed"],
    "think": ["thought", "believed", "knew", "was sure", "hoped"],
    "soon": ["soon", "before long", "after a while", "in a little while", "by and by"],
    "then": ["then", "after that", "next", "a moment later", "presently"],
    "proverb": ["A little work each day does more than a great effort once a year.",
                "What is done with patience is done well.",
                "The tide waits for nobody.",
                "A sharp tool makes light work.",
                "Who plants a tree plants for those who come after.",
                "A good neighbour is worth more than a full barn.",
                "Measure twice and cut once.",
                "Still water hides the deepest channel.",
                "One kind word warms the whole kitchen.",
                "He who waits for perfect weather never sails."],
}
