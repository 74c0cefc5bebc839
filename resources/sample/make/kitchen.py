# SPDX-License-Identifier: GPL-3.0-or-later
"""Kitchen: a table of recipes and preserves and the texts drawn from it."""

from .scribe import capital, listing, with_article

SERVINGS = (2, 4, 6, 8)

# name: (serves, [(amount, unit, item)], steps, minutes, oven degrees or 0, serve with)
_RECIPES = {
    "apple pie": (4, [(200, "g", "flour"), (100, "g", "butter"), (600, "g", "apples"), (80, "g", "sugar")],
                  ["rub the butter into the flour", "add a little cold water and make a dough",
                   "peel and slice the apples",
                   "line a dish with half of the dough", "fill it with the apples and the sugar",
                   "cover it with the rest of the dough",
                   "bake it until the crust is golden"], 40, 190, "cream"),
    "pear tart": (4, [(180, "g", "flour"), (90, "g", "butter"), (4, "", "pears"), (60, "g", "sugar")],
                  ["make a dough with the flour and the butter", "line a tin with the dough",
                   "halve the pears and take out the cores",
                   "lay the pears in the tin", "scatter the sugar over them",
                   "bake the tart until the edges are brown"], 35, 190, "yoghurt"),
    "plum crumble": (4, [(600, "g", "plums"), (150, "g", "flour"), (80, "g", "butter"), (80, "g", "sugar")],
                     ["halve the plums and take out the stones", "put the plums in a dish",
                      "rub the butter into the flour",
                      "stir in the sugar", "scatter the crumbs over the plums",
                      "bake it until the juice bubbles at the edge"], 35, 180, "custard"),
    "vegetable soup": (4, [(2, "", "carrots"), (2, "", "leeks"), (300, "g", "potatoes"), (1000, "ml", "water")],
                       ["wash and chop the vegetables", "soften the leeks in a little butter",
                        "add the carrots and the potatoes",
                        "pour in the water", "simmer the soup until everything is soft",
                        "season it with salt and pepper"], 30, 0, "brown bread"),
    "pumpkin soup": (4, [(800, "g", "pumpkin"), (1, "", "onions"), (700, "ml", "water"), (100, "ml", "cream")],
                     ["cut the pumpkin into pieces", "chop the onion and soften it in butter",
                      "add the pumpkin and the water",
                      "simmer it until the pumpkin is soft", "press it through a sieve", "stir in the cream"], 30, 0,
                     "toasted seeds"),
    "pea soup": (4, [(400, "g", "peas"), (1, "", "onions"), (800, "ml", "water"), (20, "g", "butter")],
                 ["chop the onion and soften it in the butter", "add the peas and the water", "simmer the soup gently",
                  "press it through a sieve", "season it with salt and mint"], 20, 0, "white bread"),
    "fish stew": (4, [(600, "g", "white fish"), (400, "g", "potatoes"), (2, "", "onions"), (800, "ml", "water")],
                  ["chop the onions and soften them in oil", "add the potatoes and the water",
                   "simmer until the potatoes are nearly soft",
                   "cut the fish into pieces", "lay the fish on top and cover the pot",
                   "cook it gently for the last ten minutes"], 35, 0, "crusty bread"),
    "fish pie": (4, [(500, "g", "white fish"), (600, "g", "potatoes"), (300, "ml", "milk"), (40, "g", "butter")],
                 ["boil and mash the potatoes", "poach the fish in the milk", "flake the fish into a dish",
                  "pour a little of the milk over it",
                  "cover it with the mashed potatoes", "dot it with butter and bake it"], 30, 200, "green peas"),
    "pancakes": (4, [(200, "g", "flour"), (400, "ml", "milk"), (2, "", "eggs"), (20, "g", "butter")],
                 ["beat the eggs into the flour", "stir in the milk little by little", "let the batter rest",
                  "heat a little butter in a pan",
                  "pour in a thin layer of batter", "turn the pancake when the edge is brown"], 20, 0,
                 "lemon and sugar"),
    "scones": (4, [(240, "g", "flour"), (60, "g", "butter"), (140, "ml", "milk"), (40, "g", "sugar")],
               ["rub the butter into the flour", "stir in the sugar", "pour in the milk and mix quickly",
                "pat the dough flat and cut out rounds",
                "brush the tops with milk", "bake them until they are well risen"], 12, 220, "jam and cream"),
    "brown bread": (4, [(500, "g", "brown flour"), (350, "ml", "warm water"), (10, "g", "yeast"), (8, "g", "salt")],
                    ["stir the yeast into the warm water", "mix the flour and the salt",
                     "pour in the water and knead the dough",
                     "let it rise for an hour under a cloth", "shape a loaf and let it rise again",
                     "bake it until it sounds hollow underneath"], 40, 220, "butter"),
    "oat biscuits": (4, [(120, "g", "oats"), (80, "g", "flour"), (80, "g", "butter"), (60, "g", "honey")],
                     ["melt the butter with the honey", "stir in the oats and the flour", "set small heaps on a tray",
                      "press them flat with a fork",
                      "bake them until they are light brown", "let them cool before you move them"], 15, 180, "tea"),
    "honey cake": (4, [(200, "g", "flour"), (150, "g", "honey"), (100, "g", "butter"), (2, "", "eggs")],
                   ["melt the butter with the honey", "let it cool a little", "beat in the eggs", "fold in the flour",
                    "pour the batter into a tin", "bake the cake until a needle comes out clean"], 45, 170, "tea"),
    "hazelnut cake": (4, [(150, "g", "hazelnuts"), (3, "", "eggs"), (120, "g", "sugar"), (60, "g", "flour")],
                      ["grind the hazelnuts", "beat the eggs with the sugar until they are pale",
                       "fold in the nuts and the flour",
                       "pour the batter into a tin", "bake the cake until it springs back"], 40, 170, "whipped cream"),
    "potato gratin": (4, [(800, "g", "potatoes"), (300, "ml", "milk"), (100, "ml", "cream"), (80, "g", "cheese")],
                      ["slice the potatoes thinly", "rub a dish with garlic", "lay the slices in the dish",
                       "pour the milk and the cream over them",
                       "scatter the cheese on top", "bake it until the top is golden"], 60, 180, "a green salad"),
    "leek tart": (4, [(200, "g", "flour"), (100, "g", "butter"), (3, "", "leeks"), (3, "", "eggs")],
                  ["make a dough with the flour and the butter", "line a tin with the dough",
                   "slice the leeks and soften them",
                   "beat the eggs with a little cream", "fill the tin with the leeks and the eggs",
                   "bake the tart until it is set"], 40, 190, "a green salad"),
    "bean salad": (4, [(500, "g", "runner beans"), (1, "", "onions"), (40, "ml", "oil"), (20, "ml", "vinegar")],
                   ["boil the beans until they are tender", "let them drain", "slice the onion thinly",
                    "mix the oil and the vinegar",
                    "turn the warm beans in the dressing"], 15, 0, "cold fish"),
    "baked apples": (4, [(4, "", "apples"), (40, "g", "raisins"), (30, "g", "honey"), (20, "g", "butter")],
                     ["take out the cores of the apples", "set the apples in a dish",
                      "fill them with raisins and honey", "put a little butter on each",
                      "bake them until the skins split"], 30, 180, "custard"),
    "rice pudding": (4, [(100, "g", "rice"), (800, "ml", "milk"), (50, "g", "sugar"), (15, "g", "butter")],
                     ["put the rice and the sugar in a dish", "pour in the warm milk", "dot it with butter",
                      "bake it slowly and stir it twice",
                      "leave it until the top is brown"], 90, 150, "stewed plums"),
    "omelette": (2, [(4, "", "eggs"), (20, "g", "butter"), (30, "ml", "milk"), (30, "g", "cheese")],
                 ["beat the eggs with the milk", "melt the butter in a pan", "pour in the eggs",
                  "draw the edges to the middle as they set",
                  "scatter the cheese over it and fold it"], 8, 0, "a slice of bread"),
    "summer pudding": (4, [(400, "g", "redcurrants"), (300, "g", "raspberries"), (8, "", "slices of bread"),
                           (100, "g", "sugar")],
                       ["cook the fruit with the sugar for five minutes", "line a bowl with the bread",
                        "fill it with the fruit",
                        "cover it with more bread", "put a plate and a weight on top",
                        "leave it in the cool overnight"], 20, 0, "cream"),
}

# name: (fruit, kg of fruit, sugar g per kg, other, minutes, how to tell, keeps)
_PRESERVES = {
    "plum jam": ("plums", 750, "a little water", 25, "a drop wrinkles on a cold plate", "for a year"),
    "strawberry jam": ("strawberries", 800, "the juice of a lemon", 20, "a drop wrinkles on a cold plate",
                       "for a year"),
    "raspberry jam": ("raspberries", 900, "nothing else", 10, "a drop wrinkles on a cold plate", "for a year"),
    "blackcurrant jam": ("blackcurrants", 1000, "half a litre of water", 25, "a drop wrinkles on a cold plate",
                         "for a year"),
    "gooseberry jam": ("gooseberries", 1000, "a little water", 25, "a drop wrinkles on a cold plate", "for a year"),
    "apricot jam": ("apricots", 750, "the juice of a lemon", 25, "a drop wrinkles on a cold plate", "for a year"),
    "quince jelly": ("quinces", 800, "two litres of water", 40, "a drop stands up on a cold plate", "for two years"),
    "redcurrant jelly": ("redcurrants", 900, "a little water", 15, "a drop stands up on a cold plate", "for two years"),
    "apple jelly": ("apples", 800, "a litre of water", 30, "a drop stands up on a cold plate", "for two years"),
    "apple chutney": ("apples", 400, "half a litre of vinegar", 60, "a spoon leaves a clear path in the pan",
                      "for two years"),
    "pear chutney": ("pears", 400, "half a litre of vinegar", 60, "a spoon leaves a clear path in the pan",
                     "for two years"),
    "damson cheese": ("damsons", 800, "a little water", 60, "a spoon leaves a clear path in the pan", "for two years"),
}
RECIPE_NAMES, PRESERVE_NAMES = list(_RECIPES), list(_PRESERVES)
_PLURAL = {"pancakes", "scones", "oat biscuits", "baked apples"}


def amount(count, unit, item):
    if unit:
        if unit in ("g", "ml") and count >= 1000 and count % 100 == 0:
            return f"{count / 1000:g} {'kg' if unit == 'g' else 'litres' if count != 1000 else 'litre'} of {item}"
        return f"{count:g} {unit} of {item}"
    if count == 1 and item.endswith("s"):
        item = item[:-1]
    return f"{count:g} {item}" if count != 0.5 else f"half {with_article(item.rstrip('s'))}"


def recipe(s, name=None, servings=None):
    name = name or s.pick(RECIPE_NAMES)
    base, items, steps, minutes, oven, beside = _RECIPES[name]
    servings = servings or s.pick(SERVINGS)
    scaled = [(count * servings / base, unit, item) for count, unit, item in items]
    scaled = [(max(1, round(c)) if not u else round(c), u, i) for c, u, i in scaled]
    return s.knowing(
        recipe=name, servings=servings, steps=steps, minutes=minutes, oven=oven, beside=beside, rows=scaled,
        items=[i for _, _, i in items], the_recipe=name if name in _PLURAL else "the " + name,
        a_recipe=name if name in _PLURAL or name.endswith(("soup", "bread", "gratin", "crumble", "stew"))
        else with_article(name),
        are="are" if name in _PLURAL else "is", it="them" if name in _PLURAL else "it",
        take="take" if name in _PLURAL else "takes",
        need="need" if name in _PLURAL else "needs")


_HEAT = {0: "It is cooked on the stove"}


def recipe_text(s, name=None, servings=None, numbered=None):
    r = recipe(s, name, servings)
    f = r.facts
    numbered = s.chance(0.6) if numbered is None else numbered
    lines = [r("[{recipe}|{recipe} for {servings}|Recipe: {recipe}]"), "", r(f"For {{servings}} people you need:")]
    lines += ["- " + amount(*row) for row in f["rows"]]
    lines.append("")
    steps = [r(x) + "." for x in f["steps"]]
    if numbered:
        lines += [f"{i}. {step}" for i, step in enumerate(steps, 1)]
    else:
        words = ["First", "Then", "Next", "After that", "Now", "Then", "At last"]
        lines.append(" ".join(f"{words[min(i, 5)]} {f['steps'][i]}." for i in range(len(steps) - 1))
                     + f" Finally, {f['steps'][-1]}.")
    heat = f"Bake at {f['oven']} degrees for {f['minutes']} minutes." if f["oven"] else f"It takes about {f['minutes']} minutes."
    lines += ["", heat + " " + r("Serve {it} with {beside}.")]
    return "\n".join(lines)


def preserve(s, name=None):
    name = name or s.pick(PRESERVE_NAMES)
    item, sugar, other, minutes, sign, keeps = _PRESERVES[name]
    return s.knowing(preserve=name, item=item, sugar=sugar, other=other, minutes=minutes, sign=sign, keeps=keeps,
                     kind=name.split()[-1])


def preserve_steps(p):
    item = p.facts["item"]
    steps = [f"wash and pick over the {item}", f"put 1 kg of {item} in a wide pan"]
    if p.facts["other"] != "nothing else":
        steps.append("add {other}")
    steps.append("cook them gently until they are soft")
    if p.facts["kind"] == "jelly":
        steps.append("let the juice drip through a cloth overnight")
    steps += ["stir in {sugar} g of sugar", "boil it for about {minutes} minutes", "test it: it is ready when {sign}",
              "fill it into hot, clean jars and close them"]
    return [p.raw(x) for x in steps]


def preserve_text(s, name=None):
    p = preserve(s, name)
    steps = preserve_steps(p)
    lines = [p("[{preserve}|How to make {preserve}|Recipe: {preserve}]"), ""]
    if s.chance(0.5):
        lines += [f"{i}. {capital(x)}." for i, x in enumerate(steps, 1)]
    else:
        lines.append(" ".join(f"{w} {x}." for w, x in zip(["First", "Then", "Then", "Now", "After that", "Next", "Then",
                                                           "Finally", "Finally"], steps)))
    lines += ["",
              p("{^preserve} keeps {keeps} in a cool, dark [place|cupboard|larder].[| Write the name and the date on "
                "every jar.]")]
    return "\n".join(lines)


_TASKS = [
    ("sterilise jars", "clean jars keep jam from going mouldy", ["jars with lids", "hot water", "an oven"],
     ["wash the jars in hot, soapy water", "rinse them well", "set them upside down on a tray",
      "heat them in the oven at 120 degrees for fifteen minutes", "boil the lids for ten minutes",
      "fill the jars while they are hot"],
     "never pour hot jam into a cold jar"),
    ("test jam for a set", "jam that is boiled too long turns hard", ["a cold plate", "a spoon"],
     ["put a plate in the cold before you begin", "take the pan off the heat", "drop a little jam on the cold plate",
      "wait for one minute", "push the jam with your finger", "if it wrinkles, the jam is ready"],
     "if it runs, boil the jam for five more minutes"),
    ("bottle pears", "choose pears that are ripe but firm", ["jars with lids", "a large pot", "sugar"],
     ["peel and halve the pears", "boil a litre of water with 300 g of sugar", "pack the pears into clean jars",
      "pour the hot syrup over them", "close the jars", "heat them in a pot of water for thirty minutes"],
     "bottled pears keep for a year in the dark"),
    ("dry apple rings", "sweet apples are the best for drying", ["a knife", "string", "a warm, airy place"],
     ["peel the apples and take out the cores", "cut them into thin rings",
      "dip the rings in water with a little lemon juice", "thread them on a string",
      "hang the string in a warm, airy place", "wait until the rings feel like soft leather"],
     "keep the rings in a closed tin"),
    ("pickle onions", "small onions are the best for pickling", ["small onions", "salt", "vinegar", "jars"],
     ["peel the onions", "leave them in salt water overnight", "rinse and dry them", "pack them into clean jars",
      "pour spiced vinegar over them", "close the jars and wait for six weeks"],
     "pickled onions keep for a year"),
    ("make stock", "good stock begins with cold water", ["bones or vegetables", "a large pot", "a sieve"],
     ["put the bones or vegetables in a large pot", "cover them with cold water", "bring it slowly to a simmer",
      "take off the foam", "let it simmer for two hours", "pour it through a sieve"],
     "stock keeps for three days in the cold"),
    ("knead bread", "dough needs patience more than strength", ["flour", "water", "yeast", "salt"],
     ["put the dough on a floured table", "push it away with the heel of your hand", "fold it back towards you",
      "turn it a quarter round", "go on for ten minutes", "stop when the dough is smooth and springs back"],
     "cover the dough and let it rise in a warm place"),
    ("salt runner beans", "use young beans without strings", ["runner beans", "salt", "a stone jar"],
     ["wash and slice the beans", "put a layer of salt in the jar", "add a layer of beans",
      "go on in layers and end with salt", "press them down and cover the jar", "fill it up again after three days"],
     "rinse the beans well before you cook them"),
    ("clean a kettle", "hard water leaves a white crust", ["vinegar", "water"],
     ["fill the kettle half with water", "add the same amount of vinegar", "bring it to the boil",
      "let it stand for an hour", "pour it away", "rinse the kettle well"],
     "do this once a month"),
    ("cook rice", "the rule is one cup of rice to two cups of water", ["rice", "water", "a pot with a lid"],
     ["rinse the rice in cold water", "put it in a pot with twice as much water", "add a pinch of salt",
      "bring it to the boil", "cover the pot and turn the heat low", "leave it for fifteen minutes without stirring"],
     "let the rice rest for five minutes before you serve it"),
]


def task(s):
    title, opening, tools, steps, closing = s.pick(_TASKS)
    return dict(domain="kitchen", title=title, opening=opening, tools=tools, steps=list(steps), closing=closing)


_GENERAL = [
    (["How many millilitres are in a teaspoon?", "How much is a teaspoon?", "What does a teaspoon hold?"],
     "A teaspoon holds 5 ml.", "5 ml."),
    (["How many millilitres are in a tablespoon?", "How much is a tablespoon?", "What does a tablespoon hold?"],
     "A tablespoon holds 15 ml[|, which is three teaspoons].", "15 ml."),
    (["How many teaspoons make a tablespoon?"], "Three teaspoons make one tablespoon.", "Three."),
    (["How many grams are in a kilogram?"], "There are 1000 grams in a kilogram.", "1000."),
    (["How do I know when jam is set?", "How can I tell that my jam is ready?", "When is jam ready?"],
     "Put a drop of jam on a cold plate and wait for one minute. If it wrinkles when you push it, the jam is ready.",
     "A drop wrinkles on a cold plate."),
    (["Why does jam go mouldy?", "My jam has gone mouldy. Why?"],
     "Jam goes mouldy when the jars were not clean or when there was too little sugar.[| Heat the jars before you "
     "fill them.]", "The jars were not clean or there was too little sugar."),
    (["Why does jam need sugar?", "What is the sugar in jam for?"],
     "Sugar helps the jam to set and keeps it from spoiling.", "To set it and to keep it."),
    (["How do I know when bread is done?", "When is a loaf done?"],
     "Tap the loaf underneath. If it sounds hollow, the bread is done.", "It sounds hollow underneath."),
    (["Why did my bread not rise?", "My dough does not rise. Why?"],
     "The yeast may be old, or the water was too hot or the room too cold.[| Give the dough more time in a warm place.]", "Old yeast, hot water or a cold room."),
    (["How do I know when a cake is done?", "When is a cake ready?"],
     "Push a needle into the middle. If it comes out clean, the cake is done.", "A needle comes out clean."),
    (["How long can I keep soup?", "How long does soup keep?"],
     "Soup keeps for three days in the cold.[| Boil it well before you serve it.]", "For three days in the cold."),
    (["What is pectin?", "What does pectin do?"],
     "Pectin is the part of fruit that makes jam set.[| Apples, quinces and currants have plenty of it, while "
     "strawberries have little.]", "The part of fruit that makes jam set."),
    (["What can I use instead of butter?"], "You can use oil or soft margarine, but the taste will be different.",
     "Oil or margarine."),
    (["How do I keep herbs fresh?", "How can I store herbs?"],
     "Stand the stems in a glass of water, or wrap them in a damp cloth and keep them in the cold.",
     "In water or in a damp cloth."),
    (["How do I peel tomatoes?", "What is the easiest way to peel tomatoes?"],
     "Cut a small cross in the skin, put the tomatoes in boiling water for half a minute, and then in cold water. The "
     "skin comes off easily.", "Dip them in boiling water."),
    (["How long should I boil an egg?", "How do I boil an egg?"],
     "Boil an egg for four minutes if you like it soft and for nine minutes if you like it hard.",
     "Four minutes soft, nine minutes hard."),
    (["What is a chutney?", "What is chutney?"],
     "Chutney is a thick preserve of fruit or vegetables cooked with vinegar, sugar and spice.[| It goes well with "
     "cheese and cold meat.]", "A preserve with vinegar, sugar and spice."),
    (["What is the difference between jam and jelly?", "How does jelly differ from jam?"],
     "Jam is made with the whole fruit, while jelly is made with the strained juice alone.",
     "Jelly is made with the juice alone."),
]


def fact(s):
    return s.pick([_recipe_fact, _recipe_fact, _recipe_fact, _preserve_fact, _preserve_fact, _general_fact])(s)


def _general_fact(s):
    ask, full, brief = s.pick(_GENERAL)
    return dict(domain="kitchen", kind="general", name="", attribute="", what="", ask=s.one(*ask), full=s(full),
                brief=brief)


def _recipe_fact(s, name=None, kind=None):
    r = recipe(s, name)
    f = r.facts
    kind = kind or s.pick(["items", "time", "heat", "beside", "quantity", "first"])
    if kind == "heat" and not f["oven"]:
        kind = "time"
    count, unit, item = s.pick(f["rows"])
    few = amount(count, unit, item)
    how_much = f"how many {item}" if not unit else f"how many grams of {item}" if item.endswith("s") else f"how much {item}"
    r = r.knowing(item=item, few=few, how_much=how_much, do="do" if f["are"] == "are" else "does", first=f["steps"][0], last=f["steps"][-1],
                  all=listing(f["items"]))
    ask, full, brief = {
        "items": (["What do I need for {recipe}?", "What goes into {recipe}?",
                   "Which ingredients do I need for {recipe}?", "What is {recipe} made of?"],
                  "For {recipe} you need {all}.[| Serve {it} with {beside}.| It is not difficult to make.| Begin in "
                  "good time.]", "{^all}."),
        "time": (["How long {do} {the_recipe} take?",
                  "How much time do I need for {recipe}?",
                  "How long must I cook {the_recipe}?"],
                 "{^the_recipe} {take} about {minutes} minutes.[| Do not hurry.| Stay near the kitchen.| Serve {it} "
                 "with {beside}.]", "About {minutes} minutes."),
        "heat": (["At what temperature do I bake {the_recipe}?", "How hot should the oven be for {recipe}?",
                  "What oven heat {do} {the_recipe} need?"],
                 "Bake {the_recipe} at {oven} degrees for about {minutes} minutes.[| Heat the oven first.]",
                 "{oven} degrees."),
        "beside": (["What goes well with {recipe}?", "What do I serve with {recipe}?",
                    "What should I serve with {the_recipe}?"],
                   "Serve {the_recipe} with {beside}.[| It makes a fine meal.| Everyone will be pleased.]",
                   "{^beside}."),
        "quantity": (["{how_much} do I need for {recipe} for {servings} people?",
                      "I am making {recipe} for {servings}. {^how_much} do I need?",
                      "{how_much} must I buy for {recipe} for {servings} people?"],
                     "For {servings} people you need {few}.", "{^few}."),
        "first": (["How do I begin with {recipe}?", "What is the first step when I make {recipe}?",
                   "What do I do first for {recipe}?"],
                  "First {first}.[| In the end, {last}.]", "{^first}."),
    }[kind]
    return dict(domain="kitchen", kind="recipe", name=f["recipe"], attribute=kind, what=kind, ask=r.one(*ask),
                full=r(full), brief=r(brief),
                **({"list": [capital(amount(*row)) + "." for row in f["rows"]]} if kind == "items" else {}))


def _preserve_fact(s, name=None, kind=None):
    p = preserve(s, name)
    kind = kind or s.pick(["sugar", "time", "sign", "keeps", "how"])
    ask, full, brief = {
        "sugar": (["How much sugar do I need for {preserve}?", "How much sugar goes into {preserve}?",
                   "What is the amount of sugar for {preserve}?"],
                  "For {preserve} take {sugar} g of sugar to 1 kg of {item}.[| Stir until the sugar has melted.| Warm "
                  "sugar melts faster.]", "{sugar} g to 1 kg of {item}."),
        "time": (["How long do I boil {preserve}?", "How long must {preserve} cook?", "How long does {preserve} take?"],
                 "Boil {preserve} for about {minutes} minutes.[| It is ready when {sign}.| Stir it so that it does "
                 "not burn.]", "About {minutes} minutes."),
        "sign": (["How do I know when {preserve} is ready?", "When is {preserve} done?",
                  "How can I tell that {preserve} is ready?"],
                 "{^preserve} is ready when {sign}.[| This takes about {minutes} minutes.]", "When {sign}."),
        "keeps": (["How long does {preserve} keep?", "How long can I store {preserve}?", "Does {preserve} keep well?"],
                  "{^preserve} keeps {keeps} in a cool, dark place.[| Clean jars are important.| Write the date on "
                  "every jar.]", "{^keeps}."),
        "how": (["How do I make {preserve}?", "Tell me how to make {preserve}.",
                 "Can you explain how {preserve} is made?", "What is the way to make {preserve}?"],
                "{how}",
                "Cook the {item} until soft, add {sugar} g of sugar to each kilogram and boil it for {minutes} minutes."),
    }[kind]
    steps = preserve_steps(p)
    short = (p("Cook 1 kg of {item}" + ("" if p.facts["other"] == "nothing else" else " with {other}")
               + " until soft. ") +
             ("Let the juice drip through a cloth overnight. " if p.facts["kind"] == "jelly" else "") +
             p("[Stir in|Add] {sugar} g of sugar and boil it for about {minutes} minutes. It is ready when {sign}. "
               "Fill it into hot, clean jars."))
    p = p.knowing(how=short)
    return dict(domain="kitchen", kind="preserve", name=p.facts["preserve"], attribute=kind, what=kind, ask=p.one(*ask),
                full=p(full), brief=p(brief),
                **({"list": [capital(x) + "." for x in steps]} if kind == "how" else {}))


def follow_up(s, earlier):
    if earlier["kind"] == "recipe":
        later = {"items": ["What do I need for it?", "And what goes into it?"],
                 "time": ["How long does it take?", "And how long does that take?"],
                 "beside": ["What goes well with it?", "And what do I serve with it?"],
                 "first": ["How do I begin?", "What do I do first?"]}
        asker, make = later, _recipe_fact
    elif earlier["kind"] == "preserve":
        later = {"sugar": ["How much sugar do I need?", "And how much sugar?"],
                 "time": ["How long do I boil it?", "And how long does it cook?"],
                 "sign": ["How do I know when it is ready?", "And when is it done?"],
                 "keeps": ["How long does it keep?", "And how long can I store it?"]}
        asker, make = later, _preserve_fact
    else:
        return None
    kind = s.pick([k for k in asker if k != earlier["attribute"]])
    return {**make(s, earlier["name"], kind), "ask": s.pick(asker[kind])}


def recipe_article(s):
    r = recipe(s, servings=4)
    who = s.raw(s.pick(["[my|our] {relation}", "the baker", "the cook at the inn", "{woman}", "old {man}"]))
    r = r.knowing(who=who, all=listing(r.facts["items"]))
    f = r.facts
    text = r.paragraph(
        "[{^who} makes the best {recipe} [in the village|that I know|for miles around]|Nobody makes {recipe} like "
        "{who}|In our house {recipe} [{are} made on {day}s|{are} eaten on {day}s]].",
        "[The secret is simple|There is no secret|Only a few things are needed]: {all}.",
        f"[First|To begin], {f['steps'][0]}.", f"[Then|Next|After that], {f['steps'][1]}.",
        f"[Then|Now] {f['steps'][2]}, and {f['steps'][3]}.",
        f"[At the end|Last of all|Finally], {f['steps'][-1]}.")
    text += "\n\n" + r.paragraph(
        "After about {minutes} minutes the [smell fills the whole house|whole kitchen smells of it|children come "
        "running].",
        "[We eat|Everyone eats|The guests eat] {it} with {beside}.",
        "[What is left tastes even better the next day.|Nothing is ever left over.|Nothing is better on a cold day.|A "
        "second helping is always welcome.|]")
    return r("[{^recipe}|The best {recipe}|{^recipe} at home]") + "\n\n" + text


def larder_note(s):
    month = s.raw("{month}")
    lines = [s.pick([f"Larder list, {month}", f"In the larder, {month}", "On the shelves"])]
    for name in s.some(PRESERVE_NAMES, 3, 5):
        lines.append(f"- {name}: {s.rng.randint(2, 14)} jars")
    lines.append(s(f"[To buy|Still needed|Shopping]: {listing(s.some(['flour', 'sugar', 'butter', 'salt', 'vinegar', 'lemons', 'oats', 'yeast', 'honey', 'eggs', 'milk', 'rice'], 3, 5))}."))
    lines.append(s("[The oldest jars are to be used first.|The lids must be checked on {day}.|Keep two jars for the "
                   "{relation}.|The shelf by the door is full.]"))
    return "\n".join(lines)
