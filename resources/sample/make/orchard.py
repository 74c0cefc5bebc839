# SPDX-License-Identifier: GPL-3.0-or-later
"""Orchard and kitchen garden: a table of crops and the texts drawn from it.

Dates and distances are those of a temperate northern garden.
"""

from .scribe import capital, listing, with_article
from .words import MONTHS, season_of

# name: plant, plural, blossom, harvest months, prune month, why then, form, distance (m), pest,
# remedy, keeping, use
_FRUIT = {
    "apple": ("apple tree", "apples", "May", ("September", "October"), "January",
              "the tree is dormant and its shape is easy to see", "an espalier", 4, "codling moth",
              "hang a pheromone trap in May", "in a cool, dark shed until March",
              "pies, sauce and juice"),
    "pear": ("pear tree", "pears", "April", ("September",), "January",
             "the tree is dormant and the buds are easy to see", "an espalier", 4, "pear midge",
             "pick off the swollen fruitlets and burn them", "in a cool room until December",
             "tarts, chutney and bottling"),
    "plum": ("plum tree", "plums", "April", ("August",), "June",
             "silver leaf disease enters through winter cuts", "a fan", 4, "plum moth",
             "gather and destroy the fallen fruit", "for only a week in a cool larder",
             "jam, tarts and chutney"),
    "damson": ("damson tree", "damsons", "April", ("September",), "July",
               "silver leaf disease enters through winter cuts", "a free-standing bush", 4,
               "aphids", "wash the leaves with soapy water", "for about a week in a cool larder",
               "jam, jelly and cheese"),
    "cherry": ("cherry tree", "cherries", "April", ("July",), "July",
               "the wounds heal fast in warm, dry weather", "a fan", 5, "blackbirds",
               "cover the tree with a net in June", "for three or four days in the cool",
               "pies and bottling"),
    "peach": ("peach tree", "peaches", "March", ("August",), "June",
              "new shoots must be chosen for next year's fruit", "a fan", 4, "peach leaf curl",
              "keep rain off the buds with a cover from December to May",
              "for only a few days in the cool", "bottling and jam"),
    "apricot": ("apricot tree", "apricots", "March", ("July",), "August",
                "the crop is off and the wounds heal before autumn", "a fan", 4, "late frost",
                "hang a fleece over the blossom at night", "for only a few days in the cool",
                "jam and drying"),
    "quince": ("quince tree", "quinces", "May", ("October",), "February",
               "the tree is still dormant", "a free-standing tree", 4, "leaf blight",
               "rake up the fallen leaves and burn them", "in a cool shed until December",
               "jelly and paste"),
    "medlar": ("medlar tree", "medlars", "May", ("November",), "February",
               "the tree is still dormant", "a free-standing tree", 5, "winter moth",
               "tie a grease band round the trunk in October",
               "in a cool shed for a few weeks until they soften", "jelly"),
    "fig": ("fig tree", "figs", "", ("August", "September"), "March",
            "the worst of the frost is past", "a fan", 3, "wasps",
            "put small bags of net over the ripe fruit", "for only two or three days in the cool",
            "drying and jam"),
    "hazel": ("hazel bush", "hazelnuts", "February", ("September",), "March",
              "the catkins have shed their pollen by then", "an open bush", 4, "squirrels",
              "gather the nuts as soon as they turn brown", "in a dry loft until spring",
              "cakes and bread"),
    "gooseberry": ("gooseberry bush", "gooseberries", "April", ("June", "July"), "February",
                   "the bush is bare and the thorns are easy to see", "an open bush", 1.5,
                   "sawfly", "pick off the caterpillars in May", "for a week in the cool",
                   "fool, jam and pies"),
    "blackcurrant": ("blackcurrant bush", "blackcurrants", "April", ("July",), "November",
                     "the leaves have fallen and old wood is easy to tell from new",
                     "a many-stemmed bush", 1.5, "gall mite",
                     "pick off the round, swollen buds in winter", "for a few days in the cool",
                     "jam, jelly and cordial"),
    "redcurrant": ("redcurrant bush", "redcurrants", "April", ("July",), "February",
                   "the bush is bare", "a cordon", 1.5, "bullfinches",
                   "cover the bush with a net in winter", "for a few days in the cool",
                   "jelly and summer pudding"),
    "raspberry": ("raspberry cane", "raspberries", "June", ("July",), "August",
                  "the canes that have fruited will not fruit again", "a row on wires", 0.5,
                  "raspberry beetle", "dig the soil round the canes in winter",
                  "for only a day or two in the cool", "jam, vinegar and puddings"),
    "strawberry": ("strawberry plant", "strawberries", "May", ("June", "July"), "August",
                   "the old leaves carry disease after the crop", "a row on straw", 0.4, "slugs",
                   "lay dry straw under the fruit", "for only a day or two in the cool",
                   "jam and puddings"),
    "grape": ("grape vine", "grapes", "June", ("September", "October"), "December",
              "the sap is down and the cuts will not bleed", "a cordon on wires", 1.5, "mildew",
              "thin the leaves so that air moves round the bunches",
              "for two weeks on the cut stem", "juice and wine"),
}

# name: (mass noun?, sow months, harvest months, depth cm, spacing cm, pest, remedy, neighbour, tip)
_VEG = {
    "carrots": (False, ("April", "May", "June"), ("July", "August", "September", "October"), 1, 5,
                "carrot fly", "cover the row with fine net", "onions", "sow thinly so that little thinning is needed"),
    "onions": (False, ("March", "April"), ("August", "September"), 1, 10, "onion fly",
               "firm the soil well and leave no thinnings about", "carrots", "stop watering when the tops bend over"),
    "leeks": (False, ("March", "April"), ("October", "November", "December"), 1, 15, "leek moth",
              "cover the row with fine net", "celery", "drop each young plant into a deep hole and fill it with water"),
    "broad beans": (False, ("February", "March", "November"), ("June", "July"), 5, 20, "blackfly",
                    "pinch out the tips when the first pods form", "potatoes",
                    "tie the stems to a string in windy places"),
    "peas": (False, ("March", "April", "May"), ("June", "July"), 5, 5, "pea moth",
             "cover the flowers with fine net", "turnips", "give them twigs to climb"),
    "runner beans": (False, ("May", "June"), ("July", "August", "September"), 5, 20, "slugs",
                     "set a ring of grit round each plant", "sweetcorn", "pick often so that new pods keep coming"),
    "potatoes": (False, ("March", "April"), ("June", "July", "August"), 12, 35, "blight",
                 "cut off and burn the tops at the first brown spots", "broad beans",
                 "earth up the stems as they grow"),
    "beetroot": (True, ("April", "May", "June"), ("July", "August", "September"), 2, 10, "leaf miner",
                 "pick off the marked leaves", "onions", "pull the roots while they are no bigger than a ball"),
    "lettuces": (False, ("March", "April", "May", "June", "July"), ("May", "June", "July", "August", "September"),
                 1, 25, "slugs", "go out with a lamp in the evening and gather them", "radishes",
                 "sow a short row every two weeks"),
    "radishes": (False, ("March", "April", "May", "June", "July", "August"),
                 ("April", "May", "June", "July", "August", "September"),
                 1, 3, "flea beetle", "keep the soil moist", "lettuces", "eat them young, before they turn woody"),
    "spinach": (True, ("March", "April", "May"), ("May", "June", "July"), 2, 10, "mildew",
                "leave more room between the plants", "strawberries", "water well in dry weather or it will bolt"),
    "cabbages": (False, ("March", "April"), ("August", "September", "October"), 2, 40, "cabbage white butterflies",
                 "cover the plants with a net", "beetroot", "tread the soil firm before planting"),
    "kale": (True, ("April", "May"), ("November", "December", "January"), 2, 45, "pigeons",
             "cover the plants with a net in winter", "beetroot", "pick it after the first frost, when it is sweeter"),
    "parsnips": (False, ("March", "April"), ("November", "December", "January"), 2, 15, "canker",
                 "sow later and keep the soil from drying out", "peas",
                 "leave them in the ground until frost has sweetened them"),
    "garlic": (True, ("October", "November"), ("June", "July"), 3, 15, "rust",
               "plant it in a new place every year", "strawberries",
               "break the bulb into cloves and set them point upwards"),
    "pumpkins": (False, ("April", "May"), ("September", "October"), 3, 120, "slugs",
                 "set a ring of grit round each plant", "sweetcorn", "plant each one on a heap of old compost"),
    "courgettes": (False, ("April", "May"), ("July", "August", "September"), 3, 90, "mildew",
                   "water the soil and not the leaves", "runner beans", "cut them while they are as long as a hand"),
    "tomatoes": (False, ("February", "March"), ("July", "August", "September"), 1, 45, "blight",
                 "keep the leaves dry and the air moving", "basil", "pinch out the side shoots every week"),
    "turnips": (False, ("March", "April", "July"), ("June", "July", "October"), 2, 15, "flea beetle",
                "keep the soil moist", "peas", "pull them while they are small and sweet"),
    "celery": (True, ("March",), ("August", "September", "October"), 1, 25, "celery fly",
               "pick off the marked leaves", "leeks", "never let the soil dry out"),
    "sweetcorn": (True, ("May",), ("August", "September"), 3, 40, "mice",
                  "start the seed in pots indoors", "pumpkins",
                  "plant it in a block so that the wind can carry the pollen"),
}

FRUIT_NAMES, VEG_NAMES = list(_FRUIT), list(_VEG)


def span(months):
    """('April', 'May', 'June') -> 'April to June'; a gap gives a plain list."""
    numbers = [MONTHS.index(m) for m in months]
    steps = {(b - a) % 12 for a, b in zip(numbers, numbers[1:])}
    if len(months) > 2 and steps == {1}:
        return f"{months[0]} to {months[-1]}"
    return listing(months)


def metres(distance):
    if distance < 1:
        return f"{int(distance * 100)} centimetres"
    return f"{distance:g} metres" if distance != 1 else "1 metre"


def fruit(s, name=None):
    name = name or s.pick(FRUIT_NAMES)
    (plant, plural, blossom, harvest, prune, why, form, distance, pest, remedy, keep, use) = _FRUIT[name]
    return s.knowing(
        fruit=name, plant=plant, plants=plant + ("es" if plant.endswith("sh") else "s"), fruits=plural,
        blossom=blossom, harvest=span(harvest), harvest_first=harvest[0], prune=prune, why=why,
        form=form, metres=metres(distance), pest=pest, remedy=remedy, keep=keep, use=use,
        season=season_of(harvest[0]), prune_season=season_of(prune))


def veg(s, name=None):
    name = name or s.pick(VEG_NAMES)
    mass, sow, harvest, depth, spacing, pest, remedy, neighbour, tip = _VEG[name]
    return s.knowing(
        veg=name, sow=span(sow), sow_first=sow[0], harvest=span(harvest), harvest_first=harvest[0],
        depth=depth, spacing=spacing, pest=pest, remedy=remedy, neighbour=neighbour, tip=tip,
        are="is" if mass else "are", do="does" if mass else "do", they="it" if mass else "they",
        them="it" if mass else "them", grow="grows" if mass else "grow", need="needs" if mass else "need",
        season=season_of(harvest[0]), sow_season=season_of(sow[0]))


def sown_in(month):
    return [n for n, row in _VEG.items() if month in row[1]]


def ripe_in(month):
    return [_FRUIT[n][1] for n in FRUIT_NAMES if month in _FRUIT[n][3]]


def pulled_in(month):
    return [n for n, row in _VEG.items() if month in row[2]]


def pruned_in(month):
    return [_FRUIT[n][0] for n in FRUIT_NAMES if _FRUIT[n][4] == month]


JOBS = {
    "January": ["prune the apple and pear trees", "order seed", "sharpen the tools", "spread compost on the beds"],
    "February": ["prune the gooseberry bushes", "sow the first broad beans", "mend the fruit cage",
                 "cut back the quince"],
    "March": ["sow peas and parsnips", "prune the fig tree", "set the early potatoes", "feed the fruit trees"],
    "April": ["sow carrots and beetroot", "guard the blossom from frost", "hoe between the rows", "plant the onions"],
    "May": ["hang the moth traps", "sow runner beans", "set out the pumpkins",
            "pick caterpillars off the gooseberries"],
    "June": ["prune the plum tree", "net the cherries", "lay straw under the strawberries", "thin the apples"],
    "July": ["pick the raspberries and currants", "water the courgettes", "lift the garlic", "prune the cherry tree"],
    "August": ["cut out the old raspberry canes", "pick the plums", "dry the onions", "summer prune the espaliers"],
    "September": ["pick the first apples and pears", "gather the hazelnuts", "cut the pumpkins",
                  "clean the fruit store"],
    "October": ["pick the last apples", "plant the garlic", "tie grease bands round the trunks", "rake up the leaves"],
    "November": ["plant new trees", "prune the blackcurrant bushes", "pick the medlars", "cover the tender plants"],
    "December": ["prune the grape vine", "check the stored apples", "pull the leeks", "mend the wires of the espalier"],
}

# title, opening, tools, steps, closing
_TASKS = [
    ("plant a young fruit tree", "the best time is November, while the soil is still warm",
     ["a spade", "a stake", "a tree tie", "water"],
     ["dig a hole [wide enough for|a little wider than] the roots", "drive in a [strong|firm] stake on the windy side",
      "set the tree at the depth at which it stood before",
      "fill in the soil and [tread it firm|press it down with your foot]",
      "tie the tree to the stake", "water it well[| and cover the soil with mulch]"],
     "water the tree [every week|well] in its first summer"),
    ("train an espalier", "begin with a young tree and a sunny wall",
     ["wires", "garden string", "secateurs", "two canes"],
     ["stretch wires along the wall, [forty|about forty] centimetres apart",
      "plant the tree a hand's breadth from the wall",
      "cut the stem just above the first wire in winter", "choose three strong shoots in summer",
      "tie one shoot upright and the other two to canes on each side", "lower the side shoots to the wire in autumn",
      "repeat this at the next wire every year"],
     "an espalier takes about five years to fill its wall"),
    ("prune an old apple tree", "do it in winter, while the tree is dormant",
     ["a pruning saw", "secateurs", "a ladder"],
     ["cut out the dead and broken branches first", "take out branches that cross and rub",
      "open the middle of the tree to light and air", "shorten the longest branches to a side shoot",
      "make every cut clean and close to the collar", "step back often and look at the shape"],
     "never take away more than a quarter of the tree in one winter"),
    ("summer prune an espalier", "do it in August, when the new shoots have turned woody",
     ["secateurs", "garden string"],
     ["find the new shoots on the side arms", "cut each long shoot back to three leaves",
      "cut the shoots from old spurs back to one leaf", "leave the tip of each arm alone",
      "tie in any arm that has come loose", "gather up the cuttings"],
     "summer pruning lets light reach the fruit and keeps the tree small"),
    ("graft an apple tree", "do it in March, when the sap begins to rise",
     ["a sharp knife", "grafting tape", "a rootstock", "a scion with three or four buds"],
     ["cut the rootstock with one long, sloping cut", "make a matching cut on the scion",
      "cut a small tongue in both", "push the two together so that the green layers meet",
      "bind the join with tape", "seal the tip with wax"],
     "the buds should open in May if the graft has taken"),
    ("take hardwood cuttings", "do it in November, when the leaves have fallen",
     ["secateurs", "a spade", "some sand"],
     ["choose a straight shoot of this year's growth", "cut it to the length of a pencil",
      "make a narrow slit in the ground and put sand in it", "push the cuttings in two thirds deep",
      "firm the soil round them", "leave them for a year"],
     "this works well for currants and gooseberries"),
    ("make compost", "a heap can be begun in any month",
     ["a fork", "a bin or four posts", "water"],
     ["lay twigs at the bottom for air", "add a layer of green stuff such as grass and peelings",
      "add a layer of brown stuff such as leaves and straw", "water the heap if it is dry",
      "turn it with a fork once a month", "cover it against the rain"],
     "the compost is ready when it is dark and smells of earth"),
    ("store apples for the winter", "choose only sound fruit without a bruise",
     ["shallow trays", "paper", "a cool shed"],
     ["pick the apples on a dry day", "lay aside every bruised fruit to be eaten first",
      "wrap each apple in paper", "set the apples in trays so that they do not touch",
      "keep the trays in a cool, dark place", "look them over every week and take out the bad ones"],
     "late kinds will keep until March"),
    ("sow seed in a row", "wait for a dry day when the soil crumbles in the hand",
     ["a rake", "a line", "a hoe", "labels"],
     ["rake the bed until the soil is fine", "stretch a line across the bed",
      "draw a shallow drill along the line with the hoe", "water the drill and let it drain",
      "sow the seed thinly", "cover it with dry soil and put in a label"],
     "thin the young plants when they have two true leaves"),
    ("net a cherry tree", "do it in June, before the fruit turns red",
     ["a fine net", "some canes", "pegs"],
     ["set canes round the tree", "put a jar on top of every cane", "draw the net over the canes",
      "peg the edges to the ground", "check that no bird can creep in", "lift the net on picking days"],
     "take the net off as soon as the crop is in"),
    ("plant garlic", "do it in October or November",
     ["a dibber", "a rake", "one bulb of garlic"],
     ["rake a sunny bed", "break the bulb into cloves", "make holes three centimetres deep",
      "set one clove in each hole with its point upwards", "leave fifteen centimetres between the cloves",
      "cover them and firm the soil"],
     "the garlic is ready in July, when the leaves turn yellow"),
    ("protect blossom from frost", "be ready in April, when clear nights are cold",
     ["a fleece", "canes", "clothes pegs"],
     ["listen to the weather report in the evening", "stand canes in front of the tree",
      "hang the fleece over the canes before dark", "fasten it with pegs",
      "take it off in the morning so that the bees can come", "keep it at hand until the end of May"],
     "one cold night can cost the whole crop"),
]


def task(s):
    title, opening, tools, steps, closing = s.pick(_TASKS)
    return dict(domain="orchard", title=title, opening=opening, tools=tools,
                steps=[s.raw(x) for x in steps], closing=s.raw(closing))


def task_titles():
    return [t[0] for t in _TASKS]


def fact(s):
    """One question about the garden: topic, ways to ask, a full and a brief answer."""
    return s.pick([_fruit_fact, _fruit_fact, _veg_fact, _veg_fact, _month_fact, _check_fact, _general_fact])(s)


def _fruit_fact(s, name=None, kind=None):
    f = fruit(s, name)
    kinds = ["prune", "pick", "space", "pest", "keep", "form", "use"] + (["blossom"] if f.facts["blossom"] else [])
    kind = kind or s.pick(kinds)
    ask, full, brief, follow = {
        "prune": (
            ["When should I prune [my|a|the] {plant}?", "When do I prune {plants}?",
             "What is the [best|right] [time|month] to prune {a plant}?",
             "In which month [are|should] {plants} [pruned|be pruned]?", "Tell me when to prune {a plant}.",
             "Is there a best time for pruning {plants}?"],
            "[Prune {a plant} in {prune}|The [best|right] time to prune {a plant} is {prune}|{^plants} are [best "
            "|]pruned in {prune}], because {why}.[| Use clean, sharp secateurs.| Choose a dry day for the work.| Cut "
            "out dead and crossing wood first.]",
            "In {prune}.", "when to prune"),
        "pick": (
            ["When are {fruits} ripe?", "When do I pick {fruits}?", "When can I [pick|harvest] [my |the |]{fruits}?",
             "In which month[s|] are {fruits} ready?",
             "What is the harvest time of {fruits}?", "When will my {plant} bear ripe fruit?"],
            "{^fruits} are [ripe|ready to pick] in {harvest}.[| Pick them on a dry day.| Handle them gently, for they "
            "bruise.| They keep {keep}.| They are good for {use}.]",
            "In {harvest}.", "when to pick"),
        "space": (
            ["How far apart should I plant {plants}?", "How much room does {a plant} need?",
             "What distance should I leave between {plants}?",
             "What spacing do {plants} need?"],
            "[Leave|Allow] {metres} between {plants}.[| They are usually grown as {form}.| With more air the leaves "
            "stay healthy.| Plant them in November.]",
            "{^metres}.", "the spacing"),
        "pest": (
            ["What troubles {plants}?", "Which pest should I watch for on {plants}?",
             "What is the [main|worst] trouble of {a plant}?",
             "What can go wrong with {a plant}?", "My {plant} looks unwell. What could it be?"],
            "The [main|usual] trouble of {a plant} is {pest}. To deal with it, {remedy}.",
            "{^pest}.", "the main trouble"),
        "remedy": (
            ["What can I do about {pest} on [my|the] {plant}?", "How do I deal with {pest}?",
             "Help, there is {pest} on my {plant}!"],
            "[If {pest} troubles your {plant}|Against {pest} on {a plant}], {remedy}.[| Look at the plant every few "
            "days.| Begin early in the year.]",
            "{^remedy}.", "the remedy"),
        "keep": (
            ["How long do {fruits} keep?", "How [can|do] I store {fruits}?", "Do {fruits} keep well?",
             "Can I store {fruits}?"],
            "{^fruits} keep {keep}.[| Store only sound fruit.| Use the bruised ones first.| You can also turn them "
            "into {use}.]",
            "{^keep}.", "how long they keep"),
        "form": (
            ["How should I train {a plant}?", "What shape suits {a plant}?", "In which form is {a plant} grown?",
             "What is the best form for {a plant}?"],
            "{^a plant} is best grown as {form}.[| Leave {metres} between the plants.| Prune it in {prune}.| A sunny "
            "place suits it well.]",
            "As {form}.", "the form"),
        "use": (
            ["What can I make with {fruits}?", "What are {fruits} good for?",
             "I have too many {fruits}. What shall I do with them?", "How can I use {fruits}?"],
            "{^fruits} are good for {use}.[| Fresh ones keep {keep}.| Use the ripest ones first.| Give some to a "
            "neighbour, too.]",
            "{^use}.", "the use"),
        "blossom": (
            ["When does {a plant} [flower|blossom]?", "When do {plants} [flower|blossom]?",
             "In which month is {a plant} in flower?"],
            "{^a plant} flowers in {blossom}.[| A late frost can spoil the blossom.| Bees visit the flowers on warm "
            "days.| The crop follows in {harvest}.]",
            "In {blossom}.", "when it flowers"),
    }[kind]
    if kind in ("pest", "remedy") and f.facts["pest"] in ("blackbirds", "squirrels", "wasps", "bullfinches", "slugs",
                                                          "aphids"):
        ask = [q.replace("there is {pest}", "there are {pest}") for q in ask]
        if kind == "remedy":
            full = full.replace("If {pest} troubles", "If {pest} trouble").replace("is {pest}", "are {pest}")
        else:
            full = full.replace("trouble of {a plant} is", "trouble of {a plant} comes from")
    return dict(domain="orchard", kind="fruit", name=f.facts["fruit"], attribute=kind, what=follow,
                ask=f.one(*ask), full=f(full), brief=f(brief))


def _veg_fact(s, name=None, kind=None):
    v = veg(s, name)
    kind = kind or s.pick(["sow", "sow", "harvest", "depth", "space", "pest", "neighbour", "tip"])
    ask, full, brief = {
        "sow": (
            ["When [should|do|can] I sow {veg}?", "What is the [best|right] time to sow {veg}?",
             "When {are} {veg} sown?",
             "In which months can I sow {veg}?", "Tell me when to sow {veg}.",
             "I want to grow {veg}. When do I start?"],
            "[Sow {veg} in {sow}|{^veg} {are} sown in {sow}|The time to sow {veg} is {sow}].[| The harvest follows in "
            "{harvest}.| Sow {depth} cm deep.| Leave {spacing} cm between the plants.| My advice: {tip}.]",
            "In {sow}."),
        "harvest": (
            ["When {are} {veg} ready?", "When can I [harvest|pick|gather] [my |]{veg}?", "When do I harvest {veg}?",
             "What is the harvest time of {veg}?"],
            "{^veg} {are} ready in {harvest}.[| {^they} {are} sown in {sow}.| Gather {them} on a dry day.| My advice: "
            "{tip}.]",
            "In {harvest}."),
        "depth": (
            ["How deep should I sow {veg}?", "How deep do I plant {veg}?", "At what depth {are} {veg} sown?"],
            "Sow {veg} {depth} cm deep.[| Leave {spacing} cm between the plants.| Water the row afterwards.]",
            "{depth} cm."),
        "space": (
            ["How far apart should {veg} be?", "How much room {do} {veg} need?", "What spacing should I give {veg}?",
             "How far apart do I plant {veg}?"],
            "Leave {spacing} cm between the plants when you grow {veg}.[| Sow {depth} cm deep.| Crowded plants give a "
            "poor crop.]", "{spacing} cm."),
        "pest": (
            ["What troubles {veg}?", "Which pest attacks {veg}?", "What should I watch for when I grow {veg}?",
             "Something is eating my {veg}. What can I do?",
             "How do I protect {veg}?"],
            "The [main|usual] trouble with {veg} is {pest}. To deal with it, {remedy}.", "{^pest}."),
        "neighbour": (
            ["What grows well beside {veg}?", "What can I plant next to {veg}?",
             "Which plants are good neighbours for {veg}?"],
            "{^neighbour} [grow well beside|are good neighbours for|do well next to] {veg}.[| Give both enough room.| "
            "Keep the bed free of weeds.]", "{^neighbour}."),
        "tip": (
            ["How do I grow good {veg}?", "Do you have any advice for growing {veg}?",
             "Give me a tip for growing {veg}.", "What is the secret of good {veg}?"],
            "To grow good {veg}, {tip}.[| Sow {them} in {sow}.| {^they} {need} a sunny bed and good soil.]", "{^tip}."),
    }[kind]
    if kind == "neighbour" and v.facts["neighbour"] in ("celery", "basil", "sweetcorn", "beetroot"):
        for many, one in (("grow well", "grows well"), ("are good neighbours", "is a good neighbour"),
                          ("do well", "does well")):
            full = full.replace(many, one)
    return dict(domain="orchard", kind="veg", name=v.facts["veg"], attribute=kind, what=kind,
                ask=v.one(*ask), full=v(full), brief=v(brief))


def _month_fact(s):
    month = s.pick(MONTHS)
    m = s.knowing(month=month)
    kind = s.pick(["jobs", "sow", "ripe", "prune", "pull"])
    found = {"sow": sown_in, "ripe": ripe_in, "prune": pruned_in, "pull": pulled_in}.get(kind)
    items = s.some(found(month), 1, 4) if found else []
    if kind == "jobs" or not items:
        jobs = s.some(JOBS[month], 3)
        ask = m.one("What should I do in the garden in {month}?", "What work is there in the garden in {month}?",
                    "Which garden jobs belong to {month}?", "It is {month}. What needs doing in the orchard?",
                    "What is there to do in the orchard in {month}?")
        full = m(f"In {{month}} it is time to {listing(jobs)}."
                 + "[| Choose a dry day.| Do not hurry.| The rest can wait.]")
        return dict(domain="orchard", kind="month", name=month, attribute="jobs", what="the work", ask=ask, full=full,
                    brief=capital(jobs[0]) + ".", list=[capital(j) + "." for j in jobs])
    names = listing(items)
    ask = {
        "sow": ["What can I sow in {month}?", "Which vegetables are sown in {month}?",
                "Name something I can sow in {month}."],
        "ripe": ["Which fruit is ripe in {month}?", "What fruit can I pick in {month}?",
                 "Which fruits ripen in {month}?"],
        "prune": ["What do I prune in {month}?", "Which plants are pruned in {month}?", "What can I prune in {month}?"],
        "pull": ["Which vegetables are ready in {month}?", "What can I harvest in {month}?",
                 "What does the kitchen garden give in {month}?"],
    }[kind]
    full = {
        "sow": f"In {{month}} you can sow {names}.", "ripe": f"In {{month}} you can pick {names}.",
        "prune": f"In {{month}} you can prune {listing([with_article(i) for i in items], 'or')}.",
        "pull": f"In {{month}} you can harvest {names}.",
    }[kind]
    return dict(domain="orchard", kind="month", name=month, attribute=kind, what=kind, ask=m.one(*ask),
                full=m(full + "[| Choose a dry day for it.| Keep the tools clean.|]"), brief=capital(names) + ".",
                list=[capital(i) + "." for i in items])


def _check_fact(s):
    """Yes-or-no questions, so that both answers occur."""
    month = s.pick(MONTHS)
    if s.chance(0.5):
        v = veg(s).knowing(month=month)
        yes = month in _VEG[v.facts["veg"]][1]
        if not yes and s.chance(0.5):
            v.facts["month"] = month = s.pick(_VEG[v.facts["veg"]][1])
            yes = True
        ask = v.one("Can I sow {veg} in {month}?", "Is {month} a good time to sow {veg}?",
                    "May I sow {veg} in {month}?")
        full = v("Yes, {month} is a good time to sow {veg}.[| Sow {depth} cm deep.| The harvest follows in {harvest}.]"
                 if yes else
                 "No, {month} is not the right time. [{^veg} {are} sown in {sow}|Sow {veg} in {sow}].")
        name, kind = v.facts["veg"], "veg"
    else:
        v = fruit(s).knowing(month=month)
        if s.chance(0.5):
            v.facts["month"] = month = v.facts["prune"]
        yes = month == v.facts["prune"]
        ask = v.one("Can I prune [my|a] {plant} in {month}?", "Is {month} a good time to prune {a plant}?",
                    "Should I prune {plants} in {month}?")
        full = v("Yes, {month} is the right time to prune {a plant}, because {why}." if yes else
                 "No, {month} is not the right time. Prune {a plant} in {prune}, because {why}.")
        name, kind = v.facts["fruit"], "fruit"
    return dict(domain="orchard", kind=kind, name=name, attribute="check", what="the time", ask=ask, full=full,
                brief="Yes." if yes else "No.")


_GENERAL = [
    (["What is an espalier?", "What does the word espalier mean?", "Can you explain what an espalier is?",
      "Tell me what an espalier is.", "Explain espalier to me."],
     "An espalier is a [fruit tree|tree] trained flat against a wall or along wires, with its branches in level "
     "tiers.[| It takes little room and the fruit ripens well in the warmth of the wall.| Apples and pears are the "
     "trees most often grown in this way.]",
     "A tree trained flat against a wall or on wires."),
    (["Which trees make a good espalier?", "What trees can I train as an espalier?",
      "Which fruit is best for an espalier?"],
     "Apples and pears make the best espaliers, because they bear fruit on short spurs year after year.[| Plums and "
     "cherries are better grown as a fan.]", "Apples and pears."),
    (["What is a fan?", "What is a fan-trained tree?"],
     "A fan is a tree whose branches are spread out flat from a short trunk, like the ribs of a fan.[| It suits "
     "plums, cherries and peaches.]", "A flat tree with spreading branches."),
    (["What is a cordon?", "What does cordon mean in the garden?"],
     "A cordon is a plant kept to one single stem with short side shoots.[| It takes little room, so many kinds can "
     "stand in one row.]", "A plant kept to a single stem."),
    (["What is a rootstock?", "Why does the rootstock matter?", "What does a rootstock do?"],
     "A rootstock is the root and lower stem on which a fruit tree is grafted. It decides how large the tree will grow.", "The root on which a tree is grafted."),
    (["What is a scion?", "What does scion mean?"],
     "A scion is a shoot cut from a good tree and grafted on a rootstock. It decides what kind of fruit the tree will "
     "bear.", "A shoot that is grafted on a rootstock."),
    (["What is mulch?", "Why should I mulch?", "What is mulch good for?"],
     "Mulch is a layer of compost, straw or leaves spread over the soil. It keeps in the moisture and keeps down the "
     "weeds.", "A layer spread over the soil."),
    (["Why do we prune fruit trees?", "Why is pruning useful?", "Why should I prune my trees?"],
     "Pruning lets in light and air, keeps the tree healthy and makes room for new wood that will bear fruit.",
     "To let in light and air."),
    (["When should I water the garden?", "What is the best time of day for watering?"],
     "Water in the early morning or in the evening, when the sun is low.[| Less water is lost then.| One good soaking "
     "is better than many small ones.]", "In the early morning or in the evening."),
    (["How do I sharpen secateurs?", "How do I keep my tools sharp?"],
     "Clean the blade, draw a fine stone along the sloping side in one direction, and wipe it with a little oil.",
     "With a fine stone and a little oil."),
    (["How do I know when an apple is ripe?", "How can I tell that an apple is ripe?"],
     "Lift the apple in your palm and turn it gently. If it comes away with its stalk, it is ripe.[| Brown pips are "
     "another good sign.]", "It comes away when you lift and turn it."),
    (["What do bees do in the orchard?", "Why are bees important?", "Why do I need bees in my orchard?"],
     "Bees carry pollen from flower to flower. Without them most fruit trees would bear little or no fruit.",
     "They carry pollen from flower to flower."),
    (["What is the difference between an espalier and a fan?", "Espalier or fan: what is the difference?"],
     "An espalier has level branches in tiers, while the branches of a fan spread out from a short trunk.[| Apples "
     "and pears suit the first, plums and cherries the second.]", "Level tiers against spreading ribs."),
]


def _general_fact(s):
    ask, full, brief = s.pick(_GENERAL)
    return dict(domain="orchard", kind="general", name="", attribute="", what="", ask=s.one(*ask), full=s(full),
                brief=brief)


# Further questions about the same plant in a later turn.
_LATER = {
    "prune": ["And when do I prune {it}?", "When should I prune {it}?", "When is the pruning done?"],
    "pick": ["And when are {fruits} ripe?", "When can I pick the fruit?", "And when is the harvest?"],
    "pest": ["What troubles {it}?", "Which pest should I watch for?", "And what can go wrong?"],
    "keep": ["How long does the fruit keep?", "And how do I store the fruit?"],
    "space": ["How much room does {it} need?", "And how far apart do I plant them?"],
    "form": ["How should I train {it}?", "And what form suits {it}?"],
    "use": ["What can I make with the fruit?", "And what is the fruit good for?"],
}
_LATER_VEG = {
    "sow": ["And when do I sow {them}?", "When should I sow {them}?"],
    "harvest": ["And when {are} {they} ready?", "When can I harvest {them}?", "And when is the harvest?"],
    "depth": ["How deep should I sow {them}?", "And how deep?"],
    "space": ["How far apart?", "And what spacing {do} {they} need?", "How much room {do} {they} need?"],
    "pest": ["What troubles {them}?", "And which pest should I watch for?"],
    "neighbour": ["What grows well beside {them}?", "And what can I plant next to {them}?"],
    "tip": ["Do you have any other advice?", "Any tip for me?"],
}


def follow_up(s, earlier):
    """A question that only makes sense after the earlier one, or None."""
    if earlier["kind"] == "fruit":
        kind = s.pick([k for k in _LATER if k != earlier["attribute"]])
        answer = _fruit_fact(s, earlier["name"], kind)
        scribe = fruit(s, earlier["name"]).knowing(it="it")
        return {**answer, "ask": scribe.one(*_LATER[kind])}
    if earlier["kind"] == "veg":
        kind = s.pick([k for k in _LATER_VEG if k != earlier["attribute"]])
        answer = _veg_fact(s, earlier["name"], kind)
        return {**answer, "ask": veg(s, earlier["name"]).one(*_LATER_VEG[kind])}
    return None


_SOIL = "[The soil [should be|must be|is best when] [deep and well drained|rich but not wet|loose and free of stones]|[Heavy clay|Light sand] is made better with plenty of compost|Before planting, dig in [a barrow of|some] old compost]"
_CARE = "[In a dry {season} it needs water every week|Feed it in March with a handful of wood ash|A mulch of straw keeps the roots cool|Keep the grass away from the trunk|Weeds should be pulled before they seed|A stake will hold it in the wind for the first two years]"
_PRAISE = "[Few plants give so much for so little work|It is a faithful plant and asks for little|Every garden should have one|Children love to help with the picking|Many old gardens still have one by the wall]"


def fruit_article(s, name=None):
    f = fruit(s, name)
    title = f.one("The {plant}", "Growing {fruits}", "{^fruits} in the garden", "How to grow {fruits}",
                  "A word about {fruits}")
    first = [f("The {plant} is [an old friend in the garden|one of the [best|most useful] plants in [the|an] "
               "orchard|a plant that rewards patience]."),
             f("[It is best grown as {form}|Most gardeners grow it as {form}|{^form} suits it well], with {metres} "
               "between one plant and the next."),
             f.maybe(0.7, _SOIL + "."), f.maybe(0.4, _PRAISE + ".")]
    second = [f("Prune it in {prune}, because {why}.")]
    if f.facts["blossom"]:
        second.insert(s.pick([0, 1]),
                      f("[The flowers open in {blossom}|It flowers in {blossom}][|, and on warm days the bees are "
                        "busy in it]."))
    second.append(f.maybe(0.6, _CARE + "."))
    third = [f("[The fruit is ripe in {harvest}|{^fruits} are ripe in {harvest}]."),
             f("[They keep {keep}|Sound fruit keeps {keep}], and they are good for {use}.")]
    fourth = [f("[The main trouble is {pest}|Watch for {pest}|Sooner or later every gardener meets {pest}].")]
    fourth.append(f("[To deal with it|When that happens|As a remedy], {remedy}."))
    blocks = [first, second, third, fourth]
    if s.chance(0.3):
        blocks[2], blocks[3] = blocks[3], blocks[2]
    if s.chance(0.4):
        blocks = [blocks[0] + blocks[1], blocks[2] + blocks[3]]
    body = "\n\n".join(" ".join(filter(None, b)) for b in blocks)
    return f"{title}\n\n{body}"


def veg_article(s, name=None):
    v = veg(s, name)
    title = v.one("{^veg}", "Growing {veg}", "{^veg} in the kitchen garden", "Notes on {veg}")
    parts = [v.paragraph("{^veg} {are} sown in {sow}, {depth} cm deep, with {spacing} cm between the plants.",
                         "[Choose a sunny bed|" + _SOIL + "].",
                         "[{^they} {grow} well beside {neighbour}|A good neighbour for {them} is a row of {neighbour}]."),
             v.paragraph("[A good rule is this|The old gardeners say|My advice is simple]: {tip}.",
                         "[The main trouble is {pest}|Watch for {pest}]; [to deal with it|as a remedy], {remedy}.",
                         "[Weed the row every week|Keep the row free of weeds|Water in the evening|Hoe between the "
                         "rows on dry days]."),
             v.paragraph("[The harvest comes in {harvest}|{^they} {are} ready in {harvest}].",
                         "[Take what you need for the day|Gather {them} while the dew is still on the leaves|Share "
                         "what you cannot eat|Put the best aside for the kitchen].")]
    return title + "\n\n" + ("\n\n".join(parts) if s.chance(0.6) else " ".join(parts))


def month_article(s):
    month = s.pick(MONTHS)
    m = s.knowing(month=month, season=season_of(month))
    jobs = s.some(JOBS[month], 3, 4)
    lines = [m("[The orchard in {month}|{month} in the garden|Work for {month}|A {season} month: {month}]")]
    text = [m("{month} is [a busy|a quiet|a good|an important] month in the garden."),
            m({"winter": "[The days are short and the trees are bare|Frost lies on the grass in the morning].",
               "spring": "[The days grow longer and the buds swell|Everything begins to grow at once].",
               "summer": "[The days are long and warm|The bees are busy from dawn to dusk].",
               "autumn": "[The leaves turn and the baskets fill|The mornings are cool and misty]."}[m.facts["season"]]),
            m(f"[This is the time to|Now is the time to|A gardener should now] {listing(jobs)}.")]
    for names, verb in ((sown_in(month), "sow"), (pulled_in(month), "harvest"), (ripe_in(month), "pick")):
        if names and s.chance(0.7):
            text.append(m(f"[You can|One can|It is also time to] {verb} {listing(s.some(names, 1, 3))}."))
    text.append(m("[{proverb}|Whoever works a little each day will not fall behind.|When the work is done, there is "
                  "time for {drink}.]"))
    return lines[0] + "\n\n" + " ".join(text)


def diary(s):
    month = s.pick(MONTHS)
    d = s.knowing(month=month, helper="{woman}" if s.chance(0.5) else "{man}")
    d.facts["helper"] = d.raw("{helper}")
    lines = [f"Garden diary, {month}"]
    day = s.rng.randint(1, 6)
    pool = s.some(JOBS[month], 3, 4)
    for job in pool:
        past = job
        lines.append(d(f"{day} {month}. "
                       + "[{^it_was_weather}|Dry and still|Rain until noon|Cold but bright|A warm day]. " +
                       f"[Today's work: {past}|I began to {past}|{{helper}} helped me to {past}]. " +
                       "[It took all morning.|We finished before dark.|The robin watched me.|Then {drink}.|Tired but "
                       "{happy}.|]").strip())
        day += s.rng.randint(1, 7)
    return "\n".join(lines)
