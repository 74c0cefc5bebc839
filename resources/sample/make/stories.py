# SPDX-License-Identifier: GPL-3.0-or-later
"""Short stories. Each plot is a row of beats; each beat has many wordings.

The cast is fixed before the first beat, so names, animals and things stay the
same throughout.
"""

from .words import MEN, SURNAMES, VILLAGES, WOMEN, WORD_LISTS

THINGS = ["key", "ring", "knife", "whistle", "letter", "hat", "lantern", "coin", "button", "watch", "spoon", "book"]
_HIDING = ["under the old apple tree", "in the bread oven", "at the bottom of a basket of pears",
           "behind the flour bin", "in a coil of rope",
           "in the pocket of an old coat", "under the boat on the beach", "in a bird's nest", "between two jars of jam",
           "in the watering can"]


def person(s, prefix="", name=None):
    woman = (name in WOMEN or name not in MEN and name.endswith("a")) if name else s.chance(0.5)
    name = name or s.pick(WOMEN if woman else MEN)
    words = ("she", "her", "her", "girl", "woman") if woman else ("he", "him", "his", "boy", "man")
    keys = ("he", "him", "his", "child", "grown")
    return {prefix + "name": name, **{prefix + k: w for k, w in zip(keys, words)}}


def cast(s, name=None, **fixed):
    hero = person(s, name=name)
    friend = person(s, "f_")
    while friend["f_name"] == hero["name"]:
        friend = person(s, "f_")
    elder = person(s, "e_")
    while elder["e_name"] in (hero["name"], friend["f_name"]):
        elder = person(s, "e_")
    facts = {**hero, **friend, **elder, "place": s.pick(VILLAGES), "animal": s.pick(WORD_LISTS["animal"]),
             "thing": s.pick(THINGS),
             "fruits": s.pick(["apples", "pears", "plums", "cherries", "gooseberries", "quinces", "figs"]),
             "cake": s.pick(["apple pie", "pear tart", "honey cake", "plum crumble", "hazelnut cake"]),
             "hidden": s.pick(_HIDING), "sname": s.pick(SURNAMES), "boatname": s.raw("{ship}"),
             "crop": s.pick(["pumpkin", "cabbage", "marrow", "leek", "turnip", "sunflower"])}
    facts.update({k: v for k, v in fixed.items() if v})
    return s.knowing(**facts)


_OPEN = ["[There was once|In {place} there lived|Long ago, in {place}, there lived] a [young |]{child} called {name}.",
         "{name} lived in a [small|stone|white|narrow] house [by the harbour|behind the orchard|at the edge of "
         "{place}|next to the bakery].",
         "[One day|{^one_day}], {name} [woke early|came down to the kitchen|went out into the garden|sat on the "
         "harbour wall]. {^it_was_weather}.",
         "Everyone in {place} knew {name}[, the {child} with the [red|blue|green] [coat|scarf|boots]|, because {he} "
         "was always {busy}]."]
_BUSY = ["singing", "asking questions", "running", "up a tree", "carrying something", "whistling", "hungry"]
_CLOSE = ["[From that day on|After that|Ever since], {name} [never forgot|always remembered|often spoke of] [that "
          "day|what had happened].",
          "[That evening|Later|At the end of the day] they sat [by the fire|on the steps|at the table] with {drink}, "
          "and {name} was {happy}.",
          "And {name} slept well that night.", '"{proverb}" said {e_name}, and {name} nodded.',
          "[The sun went down|The lamps were lit|The stars came out], and {place} was quiet again.",
          "And that was the end of it."]

_PLOTS = {
    "lost": ["But {name} could not find {his} {thing}. [It was not on the shelf|It was not in {his} pocket|It was "
             "gone].",
             "{^he} looked [under the bed|behind the door|in every drawer|under the table], and [then|after that] [in "
             "the shed|in the garden|on the stairs|in the yard]. [There was nothing|The {thing} was not there].",
             '"Have you seen my {thing}?" {he} asked {f_name}. "No," {said} {f_name}, "but I will help you [to look '
             'for it|look]."',
             "[Together|Side by side|Hand in hand] they [went|walked|searched] [through the orchard|along the "
             "quay|from room to room|down the lane]. [A {bird} watched them from the wall.|The {animal} followed "
             "them.|They asked the baker and the pilot.|]",
             '"[Think|Try to remember]," said {e_name}. "Where did you [have it last|see it last]?" {name} thought '
             '[for a long time|hard|about it].',
             "{^then} {he} remembered, and ran. There it was, {hidden}! {name} held up the {thing} and "
             "[laughed|shouted for joy|danced].",
             '"[You must have left it there|It was there all the time]," said {f_name}. {name} thanked {f_him} [with '
             '{food}|with all {his} heart|and smiled].'],
    "storm": ["{^he} had a small boat called the {boatname}, and {he} [loved|was proud of] it more than anything.",
              "[The morning was calm|The sea was smooth], so {name} [set the sail|took the oars] and went out [to "
              "fish|to lift the pots|to look for mackerel].",
              "But {soon} [the wind rose|the sky grew dark|a fog came in], and [the waves grew higher|{he} could no "
              "longer see the shore|the boat began to roll].",
              "{name} was afraid, but {he} [held the tiller with both hands|took in a reef|kept the bow to the waves] "
              "and [waited|did not give up|sang to keep up {his} courage].",
              "{^then} {he} [saw a light|heard a bell]. It was {e_name}, who stood [on the end of the quay|in the "
              "door of the lighthouse] with [a lantern|the great bell].",
              '"This way!" called {e_name}. {name} turned the boat towards the [light|sound] and [soon|at last] {he} '
              'felt the [sand|calm water of the harbour] under the keel.',
              '"[Always look at the glass before you sail|Never trust a calm morning]," said {e_name}, and gave {him} '
              '{drink}.'],
    "seed": ["{^one_day} {name} ate [an apple|a pear] and found [one brown pip|a single pip] in {his} hand. \"[I will "
             "plant it|This shall be my tree],\" {he} said.",
             "{^he} [filled a pot with earth|dug a small hole by the wall], laid the pip in it and [gave it "
             "water|covered it with care].",
             "[Every day|Each morning] {he} looked, but [nothing happened|there was only earth]. \"It is dead,\" said "
             "{f_name}. \"Wait,\" said {e_name}.",
             "The winter came, with [snow|frost|long nights]. {name} almost forgot the [pip|pot].",
             "Then, [in April|in spring|on the first warm day], there was a [green shoot|tiny leaf|speck of green]. "
             "{name} [called everyone|could hardly believe it|ran to tell {f_name}].",
             "Year after year the little tree grew. {name} [tied it to a stake|trained its branches along the "
             "wall|kept the goats away from it], and {e_name} showed {him} how to prune it.",
             "In the seventh year it [blossomed|stood white with blossom], and in autumn it bore [three|five|a whole "
             "basket of] fruits. {name} gave the first one to {e_name}."],
    "baking": ["It was the birthday of {e_name}, and {name} wanted to make {a cake}. {^he} had never [done it "
               "alone|baked before].",
               "{^he} [took down the bowl|lit the oven|put on an apron] and [read the recipe twice|weighed the "
               "flour|rubbed in the butter].",
               "But {he} [was thinking of other things|was in a hurry|did not look at the label], and instead of "
               "sugar {he} took salt.",
               "[When the {cake} came out of the oven|After an hour], it looked [wonderful|golden and fine]. {f_name} "
               "tasted a crumb and [made a face|ran for water|turned quite pale].",
               '"[What have I done|It is all spoiled]!" cried {name}, and [sat down on the floor|almost wept]. "[We '
               'still have time|Then we begin again]," said {f_name}.',
               "So they made a second one together. {f_name} [peeled|stirred|held the bowl] and {name} [tasted "
               "everything first|read every label aloud|counted the spoons].",
               'This time it was [right|good|sweet]. "It is the best {cake} [I have ever had|in {place}]," said '
               '{e_name}, and [nobody spoke of the salt|{name} winked at {f_name}].'],
    "rescue": ["{^one_day} {he} heard a [faint|strange|sad] sound [behind the hedge|under the quay|near the well]. It "
               "was {a animal}, [caught in a net|stuck between two stones|with a hurt foot].",
               'The {animal} [trembled|looked at {him} with dark eyes|tried to get away]. "Do not be afraid," said '
               '{name} {quietly}.',
               "{^he} [took {his} knife and cut the cords|moved the stone with a pole|wrapped it in {his} coat], and "
               "[carried it home|set it free with great care].",
               '{e_name} [brought warm milk|made a bed of straw|looked at the foot]. "[It needs rest|Give it time]," '
               '{e_he} said.',
               "For [three days|a week] the {animal} stayed [by the stove|in the shed|in a basket]. {name} [fed "
               "it|sat with it] every [morning|evening].",
               "When it was [well|strong] again, {name} opened the door. The {animal} [went a few steps|stopped], "
               "looked back once, and was gone.",
               "But [sometimes|now and then], [in the evening|at dawn], {name} saw {a animal} [at the edge of the "
               "wood|by the wall], and {he} was sure that it was the same one."],
    "wall": ["Between the gardens of {name} and {f_name} stood a wall, and over the wall hung [a branch|the long arm] "
             "of an old tree full of {fruits}.",
             '"The {fruits} are mine," said {name}, "for the tree stands in my garden." "They are mine," said '
             '{f_name}, "for they fall on my side."',
             "[They quarrelled for a week|They no longer greeted each other|Each of them shut the gate]. Meanwhile "
             "the {fruits} [fell and rotted|were eaten by the birds].",
             "{^then} came {e_name}, who was old and [wise|knew them both]. \"[How many {fruits} have you eaten this "
             "year|Who has had any good of it]?\" {e_he} asked.",
             '"None," said {name}. "None," said {f_name}. They [looked at the ground|were ashamed|grew red].',
             '"Then [pick together and share|set one ladder on each side]," said {e_name}, "and [let nobody '
             'count|bring me a basket for my trouble]."',
             "So they [picked the {fruits} together|took the ladder and two baskets]. [There was enough for both|They "
             "filled nine baskets], and they made [jam|tarts|chutney] of the rest."],
    "market": ["{^he} had nothing but {a thing}, and it was market day in {place}.",
               "[By the bridge|At the gate|Near the well] {he} met [a fisherman|a baker|a carter]. \"I need {a "
               "thing},\" said the man. \"I will give you [a basket of {fruits}|a sack of flour|two fat herring] for "
               "it.\"",
               "{name} agreed. [A little further on|Soon after], {he} met a woman who [was hungry|had guests that "
               "evening]. She gave {him} [a hen|a warm coat|a coil of good rope] for what {he} carried.",
               "[At the harbour|On the quay], a captain called out: \"That is [just what I need|the very thing]! Take "
               "[this young tree|this old boat|this goat] for it.\"",
               "So {name} came home in the evening. \"What have you brought?\" asked {e_name}. {name} told {e_him} "
               "the whole story.",
               "{e_name} laughed [until the cups shook|for a long time]. \"[You set out with {a thing}|You began with "
               "so little],\" {e_he} said, \"and [look at you now|you have traded well].\""],
    "thief": ["Every morning some of the [strawberries|{fruits}] were gone. \"There is a thief in the garden,\" said "
              "{name}.",
              "{^he} [set a trap|tied bells to the net|laid flour on the path], but in the morning [the bells had not "
              "rung|there was only a small, strange mark|the trap was empty].",
              "So {name} and {f_name} [hid behind the rain barrel|sat in the shed with a lantern|climbed into the old "
              "tree] and waited. [The moon rose.|The night was cold.|The church clock struck eleven.]",
              "[At midnight|Just as they grew sleepy|Long after dark] something moved. It was {a animal}, [fat and "
              "cheerful|with three little ones behind it|as bold as you please].",
              '"[Shall I chase it away|What shall we do]?" whispered {f_name}. {name} [thought of the little '
              'ones|looked at it for a while|shook {his} head]. "No. [There is enough for all of us|Let it eat]."',
              "From then on {name} [left a small dish by the wall|gave the {animal} a corner of its own|put out the "
              "bruised fruit every night], and [the rest was safe|the thief became a friend]."],
    "learn": ["{name} wanted to learn how to [prune a tree|tie knots|bake bread|mend nets], and so {he} went to "
              "{e_name}.",
              '"[It is not difficult|Anyone can learn it]," said {e_name}, "but [it takes patience|you must watch '
              'closely]." {^he} [nodded|promised to be patient|rolled up {his} sleeves].',
              "The first day everything went wrong. [{name} was too quick|{^his} hands would not obey|{^he} forgot "
              "the most important thing], and {f_name} [laughed|shook {f_his} head].",
              'The second day was [no better|a little better]. "[Slowly|Look first]," said {e_name}. "[Think with '
              'your hands|The work will tell you what to do]."',
              "[On the tenth day|After a month|At last] {name} did it [without a mistake|all alone|with {his} eyes "
              "shut]. {e_name} said nothing, but {e_he} [smiled|poured {drink} for {him}].",
              "[Years later|When {name} was old], a {child} came to {his} door and [asked|said]: \"Will you teach "
              "me?\" And {name} said: \"It is not difficult, but it takes patience.\""],
    "bottle": ["[On the beach|Among the stones|By the tide line] {name} found a green bottle, and in the bottle was a "
               "letter.",
               "The letter said: \"[My ship lies behind the island|I have too many {fruits} and nobody to share them "
               "with|Whoever finds this, come to the old lighthouse]. [Please come soon|Bring bread]. {e_name}.\"",
               "{name} showed it to {f_name}. \"[It may be a joke|It may be very old],\" said {f_name}. \"Or it may "
               "be true,\" said {name}. \"[Let us go and see|We must go].\"",
               "They took [the rowing boat|bread and a lantern] and [set out with the ebb|rowed all morning|went "
               "round the point]. {^it_was_weather}.",
               "And there stood {e_name}, [waving a red cloth|on the rocks|with a kettle on the fire]. \"I "
               "[sent|threw] forty bottles into the sea,\" {e_he} said, \"and you are the first who came.\"",
               "They [ate|talked|laughed] until the tide turned, and then all three went home together."],
    "contest": ["Every autumn there was a contest in {place} for the largest {crop}, and this year {name} meant to win.",
                "{^he} [watered {his} {crop} twice a day|gave it the best compost|talked to it every evening], and it "
                "grew [and grew|like the moon|until it filled the bed].",
                "But {f_name} had {a crop} too, and [nobody knew which was larger|it was very large indeed|it grew "
                "even faster].",
                "The night before the contest, [a storm came|a goat got into the garden|the frost came early], and in "
                "the morning the {crop} of {f_name} was [spoiled|eaten|broken].",
                "{name} [could have been glad|had now won, it seemed]. But {he} saw the face of {f_name} and [was "
                "sorry|felt no joy]. \"[Let us show mine together|You helped me carry the water],\" {he} said. \"It "
                "is ours.\"",
                "So [two names stood on the card|they carried it to the green together], and they won [first prize|a "
                "silver spoon|a new wheelbarrow]. The {crop} became soup for the whole village."],
    "fable": ["{^a animal} and {a bird} lived [in the same orchard|near the same quay|behind the same kitchen].",
              "The {animal} [worked all summer|stored what it found|mended its house], while the {bird} [sang from "
              "morning till night|laughed and sang].",
              '"Why do you [work so hard|never rest]?" asked the {bird}. "Winter will come," said the {animal}. '
              '"[Summer is long|There is time enough]," said the {bird}.',
              "But the [leaves fell|frost came|days grew short], and the {bird} [was cold and hungry|found no more "
              "berries|sat silent on a bare branch].",
              'It knocked at the door of the {animal}. "[Please let me in|I was foolish]," it said. The {animal} '
              '[thought for a moment|looked at the snow] and opened the door.',
              '"[Sing for me|You may stay], and I will share my store," said the {animal}. "[Work is long without a '
              'song|All summer I worked better because you sang]."',
              "So both of them came well through the winter. [{proverb}|Each needs what the other can give.]"],
}
THEMES = {
    "lost": ["a lost {thing}", "{name} and the lost {thing}", "a {child} who loses {a thing}",
             "{a thing} that is lost and found"],
    "storm": ["a storm at sea", "{name} and the storm", "a small boat in bad weather", "a {child} and a boat",
              "the sea"],
    "seed": ["a pip that becomes a tree", "a {child} who plants a tree", "{name} and the little tree", "a tree",
             "waiting"],
    "baking": ["{a cake} that goes wrong", "a {child} who bakes {a cake}", "{name} in the kitchen", "salt and sugar",
               "a birthday"],
    "rescue": ["{a animal} in trouble", "{name} and the {animal}", "a {child} who helps {a animal}", "{a animal}"],
    "wall": ["two neighbours who quarrel", "{name}, {f_name} and a wall", "a quarrel about {fruits}", "neighbours"],
    "market": ["a market day", "{name} at the market", "{a thing} that is traded", "a lucky trade"],
    "thief": ["a thief in the garden", "{a animal} that steals fruit", "{name} and the thief", "a night in the garden"],
    "learn": ["a {child} who wants to learn", "{name} and a patient teacher", "patience", "learning a craft"],
    "bottle": ["a letter in a bottle", "{name} and the green bottle", "a message from the sea",
               "a bottle on the beach"],
    "contest": ["a contest for the largest {crop}", "{name} and the {crop}", "{a crop}", "a village contest"],
    "fable": ["{a animal} and {a bird}", "{a animal} and {a bird} in winter"],
}


def story(s, plot=None, name=None):
    """Returns the scribe that knows the cast, the plot and the text."""
    plot = plot or s.pick(list(_PLOTS))
    c = cast(s, name=name, bird=s.raw("{bird}") if plot == "fable" else None, busy=s.pick(_BUSY))
    if plot == "fable":
        while c.facts["animal"] in WORD_LISTS["bird"]:
            c.facts["animal"] = s.pick(WORD_LISTS["animal"])
    beats = list(_PLOTS[plot])
    if plot != "fable":
        beats.insert(0, s.pick(_OPEN))
        if s.chance(0.35):
            beats.insert(1, s.pick(["{^he} lived with {his} {relation} and {a pet}.",
                                    "{^he} was {old_number} years old and [not afraid of anything|very curious|fond "
                                    "of {fruits}].",
                                    "{^his} best friend was {f_name}, who lived [next door|down the lane|by the "
                                    "bridge].",
                                    "Nobody [worked harder|laughed more|asked more questions] than {name}."]))
            c.facts.update(pet=s.pick(["cat", "dog", "goat", "hen", "tame duck"]),
                           old_number=s.pick(["seven", "eight", "nine", "ten", "eleven", "twelve"]))
        if s.chance(0.75):
            beats.append(s.pick(_CLOSE))
    sentences = [c(b) for b in beats]
    if s.chance(0.6):
        size = s.pick([2, 3])
        blocks = [" ".join(sentences[i:i + size]) for i in range(0, len(sentences), size)]
        text = "\n\n".join(blocks)
    else:
        text = " ".join(sentences)
    return c, plot, text


def chapters(s):
    """Two to four stories about the same hero."""
    name = s.pick(WOMEN + MEN)
    plots = s.some([p for p in _PLOTS if p != "fable"], 2, 4)
    parts = [s.pick([f"Tales of {name}", f"The days of {name}", f"{name}: a little book"])]
    for number, plot in enumerate(plots, 1):
        c, plot, text = story(s, plot, name)
        parts += [f"{number}. {title(c, plot)}", text]
    return "\n\n".join(parts)


def title(c, plot):
    return c({"lost": "The lost {thing}", "storm": "[The storm|{name} and the storm]",
              "seed": "[The pip|The little tree]", "baking": "[The {cake}|Salt and sugar]",
              "rescue": "[{name} and the {animal}|The {animal}]", "wall": "[The wall|Two neighbours]",
              "market": "[Market day|The {thing}]", "thief": "The thief in the garden",
              "learn": "[{name} learns|Patience]", "bottle": "The green bottle", "contest": "The largest {crop}",
              "fable": "The {animal} and the {bird}"}[plot])


_NEWS = ["[The {fruits} are nearly ripe|We have picked the first {fruits}] and [the ladder is out|every basket is "
         "full].",
         "[Yesterday|On {day}] we had {weather}, so we [stayed indoors|worked outside all day|sat by the fire].",
         "[{f_name} has a new boat|{f_name} has bought {a animal}|{f_name} has learned to bake], and [everyone speaks "
         "of it|we laugh about it every day].",
         "I have made {a cake} and [thought of you|it turned out well|nobody left a crumb].",
         "The {animal} [has been in the garden again|sleeps by the stove now|has eaten the lettuces].",
         "[The harbour is full of ships|The {boatname} came in on {day}'s tide], and [the quay is loud from morning "
         "to night|there was tea and sugar in her].",
         "[I have mended the roof|We have painted the gate green|The wall is mended at last], [and it looks well|so "
         "the winter may come].",
         "[The nights are cold now|The days are growing longer], and [the robin sings by the door|the swallows have "
         "come back|the leaves are falling]."]


def family_letter(s, to=None, sender=None):
    c = cast(s)
    if sender:
        c.facts["name"] = sender
    if to:
        c.facts["e_name"] = to
    c.facts["weather"] = s.raw("[{weather_fine}|{weather_bad}]")
    news = [c(n) for n in s.some(_NEWS, 3, 5)]
    half = len(news) // 2
    return "\n\n".join([c("[Dear|My dear|Dear] {e_name},"),
                        c("[Thank you for your letter|I hope this finds you well|It is a long time since I wrote|Your "
                          "letter made me {happy}]. ") + " ".join(news[:half]),
                        " ".join(news[half:]) + " "
                        + c("[When will you visit us?|Come and see us in {month}.|Write soon.|Will you come when the "
                            "{fruits} are ripe?] [I send you a jar of [jam|honey].|The kettle is always on.|Give my "
                            "greetings to {f_name}.|]").strip(),
                        c("[With love|Your friend|Yours|With kind regards],\n{name}")])


def request_letter(s, sender=None, to=None):
    """A short letter that asks for one thing."""
    c = cast(s)
    if sender:
        c.facts["name"] = sender
    if to:
        c.facts["e_name"] = to
    c.facts["want"] = s.pick(["your long ladder", "a graft of your old pear tree", "your recipe for plum jam",
                              "two hands for the harvest", "a place for my boat over the winter",
                              "a few jars", "your advice about my apple tree", "the loan of your handcart"])
    text = c("[I write to ask you for|May I ask you for|I should be very glad of] {want}. [It is needed by "
             "{day}|There is no hurry|The work must be done before the frost]. "
             "[In return I can give you|I will gladly bring you|You shall have] [a basket of {fruits}|a jar of "
             "honey|{a cake}|a day's work].")
    return f"{c('Dear {e_name},')}\n\n{text}\n\n" + c("[Yours|With thanks|With kind regards],\n{name}"), c


def dialogue(s):
    c = cast(s)
    c.facts["job"] = s.pick(["pruning", "baking", "mending nets", "picking {fruits}", "painting the boat",
                             "peeling apples"])
    c.facts["job"] = c.raw("{job}")
    a, b = c.facts["name"], c.facts["f_name"]
    lines = [c("{name} and {f_name} were {job}. {^it_was_weather}."),
             c('"[Are you tired|Shall we rest|How much is left]?" asked {name}.'),
             c('"[Not yet|A little|Only for a moment]," {said} {f_name}. "[Let us finish this first|The day is still '
               'long|We have done more than half]."'),
             c('"[What shall we do tomorrow|What will you do with all these {fruits}|Have you heard from {e_name}]?"'),
             c('"[I do not know yet|We shall see|Nothing is decided]," said {f_name}. "[Perhaps we go down to the '
               'harbour|It depends on the weather|I shall ask {e_name}]."'),
             c('"[I should like that|That is a good idea|Good]," said {name}, [and smiled|and went on with the '
               'work|and wiped {his} hands].'),
             c("[After that they worked in silence.|Then they both laughed.|Soon the work was done, and they had "
               "{drink}.|The {animal} slept through it all.]")]
    return "\n".join(lines) if s.chance(0.7) else " ".join(lines)


def general_note(s):
    c = cast(s)
    kind = s.rng.randrange(4)
    if kind == 0:
        jobs = s.some(["buy flour", "sharpen the saw", "write to {e_name}", "feed the {animal}", "pay the baker",
                       "mend the gate", "fetch the post", "oil the lock",
                       "take the jars to {f_name}", "sweep the yard", "look at the tide table", "water the seedlings",
                       "air the beds", "wash the kettle"], 3, 6)
        return c("[To do|To do on {day}|Do not forget]") + "\n" + "\n".join("- " + c.raw(j) for j in jobs)
    if kind == 1:
        return c("{f_name}, I have gone to [the harbour|the market|the orchard|{e_name}]. [There is|You will find] "
                 "{food} [on the table|in the larder|by the stove]. "
                 "[Please feed the {animal}.|Please close the windows if it rains.|The key is {hidden}.] I shall be "
                 "back [before dark|at six|in the afternoon]. {name}")
    if kind == 2:
        return c("[Lost|Found] [on {day}|near the bridge|on the quay]: {a thing}[, rather old|, with a blue ribbon|, "
                 "of little value but dear to me]. [Please ask for|Please bring it to] {name} {sname}, [the white "
                 "house by the mill|at the inn|behind the bakery].")
    return c("[For sale|To give away|Wanted]: [a ladder|two young pear trees|a rowing boat|twelve jars|a stove|a "
             "basket of {fruits}|a good spade]. [Ask for|Come to] {name} {sname} in {place}[, any evening|, before "
             "noon|, on {day}].")
