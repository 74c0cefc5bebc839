# SPDX-License-Identifier: GPL-3.0-or-later
"""Harbour: invented ports, boats, cargo and tides, and the texts drawn from them."""

from .scribe import capital, listing, with_article
from .words import NUMBERS

# name: side, known for, sends out, takes in, depth at low water (m)
_PORTS = {
    "Saltmere": ("north", "its long stone quay", ("salt", "herring"), ("timber", "coal"), 3),
    "Gullhaven": ("west", "its lighthouse", ("wool", "cheese"), ("wine", "salt"), 4),
    "Merrow Bay": ("south", "its sandy bar", ("apples", "cider"), ("rope", "iron"), 2),
    "Kelder Point": ("east", "its shipyard", ("timber", "tar"), ("grain", "sailcloth"), 5),
    "Old Staithe": ("east", "its grain stores", ("grain", "flour"), ("coal", "tea"), 3),
    "Thornsea": ("north", "its fish market", ("herring", "oil"), ("salt", "barrels"), 4),
    "Larkwater": ("south", "its quiet river mouth", ("honey", "wool"), ("sugar", "glass"), 2),
    "Drumness": ("north", "its strong tides", ("slate", "coal"), ("flour", "butter"), 6),
    "Penharrow": ("west", "its copper mine", ("copper", "tin"), ("timber", "rope"), 5),
    "Whitcliff": ("south", "its white cliffs", ("chalk", "bricks"), ("tea", "sugar"), 4),
    "Amber Sound": ("east", "its wide roadstead", ("amber", "furs"), ("cloth", "wine"), 7),
    "Fallow Quay": ("west", "its ferry", ("potatoes", "butter"), ("slate", "bricks"), 2),
}

# cargo: packed in, singular pack, stowage
_CARGO = {
    "salt": ("sacks", "keep it dry and away from iron"),
    "herring": ("barrels", "stow the barrels in the cool of the lower hold"),
    "timber": ("stacks", "lash it down with chains"), "coal": ("loads", "spread it level so that it cannot shift"),
    "wool": ("bales", "keep it dry and well aired"), "cheese": ("crates",
            "stow it in the cool, away from fish and oil"),
    "wine": ("casks", "lay the casks with the bung upwards"), "apples": ("boxes", "keep them cool and aired"),
    "cider": ("casks", "lay the casks with the bung upwards"), "rope": ("coils", "keep it dry and off the floor"),
    "iron": ("bars", "stow it low in the middle of the ship"),
    "tar": ("barrels", "keep it far from the stove and from food"),
    "grain": ("sacks", "keep it dry and look for weevils"), "sailcloth": ("rolls", "keep it dry and away from rats"),
    "flour": ("sacks", "keep it dry and away from anything that smells"),
    "tea": ("chests", "keep it dry and away from anything that smells"),
    "oil": ("casks", "keep it far from the stove"), "barrels": ("stacks", "chock them so that they cannot roll"),
    "honey": ("jars", "pack the jars in straw"), "sugar": ("sacks", "keep it dry and off the floor"),
    "glass": ("crates", "set the crates upright in straw"), "slate": ("stacks", "stow it low and wedge it firmly"),
    "butter": ("tubs", "stow it in the coolest part of the hold"),
    "copper": ("bars", "stow it low in the middle of the ship"),
    "tin": ("bars", "stow it low in the middle of the ship"), "chalk": ("loads", "cover it against the rain"),
    "bricks": ("stacks", "stow them low and pack them tightly"),
    "amber": ("small chests", "keep it locked in the cabin"),
    "furs": ("bales", "keep them dry and away from moths"), "cloth": ("bales", "keep it dry and covered"),
    "potatoes": ("sacks", "keep them dark and aired"),
}

# boat: use, crew, masts, draught
_BOATS = {
    "lugger": ("fishing for herring", 5, 2, "two metres"),
    "schooner": ("carrying cargo along the coast", 6, 2, "three metres"),
    "barge": ("carrying bricks and grain in shallow water", 2, 1, "one metre"),
    "cutter": ("carrying the pilot and the mail", 4, 1, "two metres"),
    "dinghy": ("going from ship to shore", 1, 1, "half a metre"),
    "brig": ("carrying timber and coal over the sea", 10, 2, "four metres"),
    "ketch": ("carrying cargo along the coast", 4, 2, "two metres"),
    "smack": ("fishing with a trawl", 4, 1, "two metres"),
    "tug": ("towing ships into the harbour", 4, 0, "three metres"),
    "ferry": ("carrying people across the river", 3, 0, "one metre"),
    "rowing boat": ("setting pots near the shore", 1, 0, "half a metre"),
    "sloop": ("carrying light goods quickly", 3, 1, "two metres"),
}

_WIND = ["calm", "light air", "a light breeze", "a gentle breeze", "a moderate breeze", "a fresh breeze",
         "a strong breeze",
         "a near gale", "a gale", "a strong gale", "a storm", "a violent storm", "a hurricane"]
_SEA = ["the sea is like a mirror", "there are ripples without crests", "there are small wavelets",
        "a few white crests appear",
        "small waves show many white crests", "moderate waves show white horses everywhere",
        "large waves form and spray flies",
        "the sea heaps up and foam is blown in streaks", "waves are high and their crests break into spindrift",
        "high waves roll over and spray hides the view", "the sea is white with foam",
        "ships are hidden in the troughs of the waves",
        "the air is filled with foam and spray"]

_KNOTS = {
    "bowline": ("makes a loop that does not slip", "tying a boat to a ring or a post"),
    "clove hitch": ("holds a line on a post", "hanging fenders on a rail"),
    "reef knot": ("joins two ends of the same line", "tying up a reefed sail"),
    "sheet bend": ("joins two lines of different thickness", "lengthening a line"),
    "figure of eight": ("keeps the end of a line from running out", "stopping a sheet at the block"),
    "rolling hitch": ("grips along another line", "taking the strain off a line"),
    "round turn and two half hitches": ("holds a line under load", "mooring to a ring"),
}
PORT_NAMES, CARGO_NAMES, BOAT_NAMES, KNOT_NAMES = list(_PORTS), list(_CARGO), list(_BOATS), list(_KNOTS)
_PLURAL_CARGO = {"apples", "barrels", "bricks", "furs", "potatoes"}


def port(s, name=None):
    name = name or s.pick(PORT_NAMES)
    side, known, out, into, depth = _PORTS[name]
    return s.knowing(port=name, side=side, known=known, exports=listing(out), imports=listing(into), depth=depth,
                     out_one=out[0], in_one=into[0])


def cargo(s, name=None):
    name = name or s.pick(CARGO_NAMES)
    packed, care = _CARGO[name]
    many = name in _PLURAL_CARGO
    return s.knowing(cargo=name, packed=packed, care=care, are="are" if many else "is", them="them" if many else "it")


def boat(s, name=None):
    name = name or s.pick(BOAT_NAMES)
    use, crew, masts, draught = _BOATS[name]
    return s.knowing(boat=name, use=use, crew=NUMBERS[crew] + (" hands" if crew > 1 else " hand"),
                     masts=("no mast" if not masts else NUMBERS[masts] + (" masts" if masts > 1 else " mast")),
                     draught=draught)


_TASKS = [
    ("moor a boat", "come in slowly and against the tide", ["two long lines", "fenders", "a boat hook"],
     ["hang the fenders over the side", "make the lines ready at bow and stern", "bring the boat slowly alongside",
      "step ashore with the bow line",
      "make it fast to a ring or a bollard", "make the stern line fast in the same way",
      "leave enough slack for the tide"], "look at the lines again when the tide turns"),
    ("tie a bowline", "this knot makes a loop that does not slip", ["a line"],
     ["make a small loop in the standing part", "bring the end up through the loop",
      "pass the end behind the standing part", "bring it down through the loop again", "pull the knot tight"],
     "practise it until you can tie it in the dark"),
    ("anchor a boat", "choose a sheltered place with a bottom of sand or mud", ["an anchor", "a chain", "a lead line"],
     ["measure the depth with the lead line", "bring the bow into the wind and stop", "lower the anchor to the bottom",
      "let out five times the depth in chain", "let the boat drift back until the anchor bites",
      "take a bearing on two marks ashore"],
     "if the bearings change, the anchor is dragging"),
    ("load a cargo", "a well stowed ship is a safe ship", ["a winch", "slings", "a tally book"],
     ["sweep and dry the hold", "put the heavy goods low and in the middle", "stow the light goods on top",
      "fill the gaps so that nothing can shift", "write every piece in the tally book", "close and cover the hatches"],
     "the captain signs the bill when all is aboard"),
    ("read a tide table", "you need the date and the name of the port", ["a tide table", "a clock"],
     ["find the page of your port", "find the line of the day", "read the two times of high water",
      "read the heights beside them", "add one hour if summer time is in use",
      "write the times on a slip for the wheelhouse"],
     "remember that wind can raise or lower the tide"),
    ("mend a net", "do it on a dry day with good light", ["a netting needle", "twine", "a knife"],
     ["spread the net over a rail", "cut the torn meshes clean", "fill the needle with twine",
      "begin at a whole mesh at the top", "work row by row to the bottom", "tie off the last mesh with two knots"],
     "a small hole today is a large hole tomorrow"),
    ("paint a hull", "wait for a dry week in spring", ["a scraper", "sandpaper", "paint", "a wide brush"],
     ["haul the boat above the tide", "scrape off the weed and the old paint", "rub the planks smooth",
      "fill the cracks", "put on a first coat and let it dry", "put on a second coat the next day"],
     "paint below the waterline must be dry before she floats"),
    ("reef a sail", "reef early, before the wind is too strong", ["reef lines"],
     ["bring the boat close to the wind", "ease the sheet", "lower the sail to the reef", "make the front corner fast",
      "pull the back corner down hard", "tie the loose cloth along the boom with reef knots"],
     "shake the reef out when the wind has dropped"),
    ("keep a log book", "write it every four hours", ["a log book", "a pen", "a clock"],
     ["write the date and the hour", "note the course and the speed", "note the wind and the weather",
      "read the glass and write down the pressure", "write down every ship and light that you see", "sign your name"],
     "never rub out a line; strike it through"),
]


def task(s):
    title, opening, tools, steps, closing = s.pick(_TASKS)
    return dict(domain="harbour", title=title, opening=opening, tools=tools, steps=list(steps), closing=closing)


_GENERAL = [
    (["How often is it high water?", "How many high tides are there in a day?", "How often does the tide come in?"],
     "There are two high waters in a day, [about twelve hours and a half apart|roughly every twelve hours and a half].",
     "Twice a day."),
    (["How long does the tide take to go out?", "How long is it from high water to low water?"],
     "It takes a little more than six hours from high water to low water.", "A little more than six hours."),
    (["What is a spring tide?", "When are spring tides?", "What are spring tides?"],
     "A spring tide has the greatest range. It comes soon after the new moon and the full moon.",
     "The largest tide, after new and full moon."),
    (["What is a neap tide?", "When are neap tides?", "What are neap tides?"],
     "A neap tide has the smallest range. It comes soon after the half moon.",
     "The smallest tide, after the half moon."),
    (["What makes the tide?", "Why are there tides?", "What causes the tides?"],
     "The pull of the moon and the sun makes the tide.[| The moon does the greater part of the work.]",
     "The moon and the sun."),
    (["What is slack water?", "What does slack water mean?"],
     "Slack water is the short time at high or low water when the stream stands still.",
     "The time when the stream stands still."),
    (["What is ebb?", "What is the ebb?", "What does ebb mean?"],
     "The ebb is the falling tide, when the water runs out to sea.", "The falling tide."),
    (["What is the flood?", "What does flood tide mean?"],
     "The flood is the rising tide, when the water runs in from the sea.", "The rising tide."),
    (["What colour is the port light?", "Which light is on the port side?"],
     "The port light is red.[| Port is the left side when you look forward.]", "Red."),
    (["What colour is the starboard light?", "Which light is on the starboard side?"],
     "The starboard light is green.[| Starboard is the right side when you look forward.]", "Green."),
    (["Which side is port?", "Is port left or right?"], "Port is the left side of a ship when you look forward.",
     "The left side."),
    (["Which side is starboard?", "Is starboard left or right?"],
     "Starboard is the right side of a ship when you look forward.", "The right side."),
    (["What is a fathom?", "How deep is a fathom?", "How long is a fathom?"],
     "A fathom is six feet, a little more than 1.8 metres.", "Six feet."),
    (["What is a knot?", "How fast is one knot?", "What does a speed of one knot mean?"],
     "One knot is one sea mile in an hour.[| A sea mile is 1852 metres.]", "One sea mile in an hour."),
    (["What does a falling glass mean?", "The glass is falling. What does it mean?"],
     "A falling glass means that bad weather is coming.[| The faster it falls, the stronger the wind will be.]",
     "Bad weather is coming."),
    (["What does a red sky in the morning mean?", "The sky is red this morning. Will it rain?"],
     "A red sky in the morning is a sign of rain and wind.", "Rain and wind."),
    (["What does a red sky at night mean?", "The sky is red this evening. What will the weather be?"],
     "A red sky at night is a sign of fine weather.", "Fine weather."),
    (["What does a harbour master do?", "What is the work of the harbour master?"],
     "The harbour master gives each ship a berth, collects the dues and keeps order on the quay.",
     "He gives out berths and keeps order."),
    (["What does a pilot do?", "Why does a ship take a pilot?"],
     "A pilot knows the channel and guides ships safely in and out of the harbour.",
     "A pilot guides ships through the channel."),
    (["What is a bill of lading?", "What is a bill of lading for?"],
     "A bill of lading is the paper that lists the cargo of a ship. The captain signs it when the goods are aboard.",
     "The signed list of a ship's cargo."),
    (["What is ballast?", "Why does a ship carry ballast?"],
     "Ballast is weight carried low in an empty ship to keep her steady.", "Weight that keeps a ship steady."),
    (["What is a fender?", "What are fenders for?"],
     "A fender is a soft cushion hung over the side to protect a boat from the quay.",
     "A cushion that protects the side."),
]


def fact(s):
    return s.pick([_general_fact, _general_fact, _port_fact, _cargo_fact, _boat_fact, _wind_fact, _knot_fact])(s)


def _general_fact(s):
    ask, full, brief = s.pick(_GENERAL)
    return dict(domain="harbour", kind="general", name="", attribute="", what="", ask=s.one(*ask), full=s(full),
                brief=brief)


def _port_fact(s, name=None, kind=None):
    p = port(s, name)
    kind = kind or s.pick(["known", "exports", "imports", "where", "depth"])
    ask, full, brief = {
        "known": (["What is {port} known for?", "Tell me about {port}.", "What can you say about {port}?",
                   "Do you know {port}?"],
                  "{port} is a port on the {side} coast, known for {known}. It sends out {exports} and takes in "
                  "{imports}.", "For {known}."),
        "exports": (["What does {port} send out?", "What does {port} export?", "What cargo leaves {port}?",
                     "Which goods come from {port}?"],
                    "{port} sends out {exports}.[| In return it takes in {imports}.]", "{^exports}."),
        "imports": (["What does {port} take in?", "What does {port} import?", "What can I sell at {port}?",
                     "Which goods does {port} need?"],
                    "{port} takes in {imports}.[| It sends out {exports}.]", "{^imports}."),
        "where": (["Where is {port}?", "On which coast is {port}?", "On which coast does {port} lie?"],
                  "{port} lies on the {side} coast.[| It is known for {known}.]", "On the {side} coast."),
        "depth": (["How deep is the water at {port}?", "What depth is there at {port} at low water?",
                   "Is {port} deep?"],
                  "At low water there are {depth} metres at the quay of {port}.[| Deeper ships must wait for the tide.]", "{depth} metres at low water."),
    }[kind]
    return dict(domain="harbour", kind="port", name=p.facts["port"], attribute=kind, what=kind, ask=p.one(*ask),
                full=p(full), brief=p(brief))


def _cargo_fact(s, name=None, kind=None):
    c = cargo(s, name)
    kind = kind or s.pick(["packed", "care"])
    ask, full, brief = {
        "packed": (["How {are} {cargo} packed?", "In what {are} {cargo} shipped?",
                    "How do I pack {cargo} for a voyage?"],
                   "{^cargo} {are} [packed|shipped] in {packed}.[| When you stow {them}, {care}.]", "In {packed}."),
        "care": (["How do I stow {cargo}?", "How should {cargo} be stowed?",
                  "What must I mind with a cargo of {cargo}?", "We are loading {cargo}. What should we look out for?"],
                 "[When you stow {cargo}|With a cargo of {cargo}], {care}.[| Write every piece in the tally book.| "
                 "Close the hatches well.]", "{^care}."),
    }[kind]
    return dict(domain="harbour", kind="cargo", name=c.facts["cargo"], attribute=kind, what=kind, ask=c.one(*ask),
                full=c(full), brief=c(brief))


def _boat_fact(s, name=None, kind=None):
    b = boat(s, name)
    kind = kind or s.pick(["use", "crew", "masts", "draught", "what"])
    ask, full, brief = {
        "use": (["What is {a boat} used for?", "What is {a boat} good for?", "What does {a boat} do?"],
                "{^a boat} is used for {use}.[| It has {masts}.| It draws {draught}.]", "{^use}."),
        "crew": (["How many hands does {a boat} need?", "How large is the crew of {a boat}?",
                  "How many people sail {a boat}?"], "{^a boat} needs a crew of {crew}.", "{^crew}."),
        "masts": (["How many masts does {a boat} have?", "Does {a boat} have a mast?"], "{^a boat} has {masts}.",
                  "{^masts}."),
        "draught": (["How much water does {a boat} draw?", "What is the draught of {a boat}?",
                     "How deep does {a boat} lie in the water?"], "{^a boat} draws about {draught}.",
                    "About {draught}."),
        "what": (["What is {a boat}?", "Tell me what {a boat} is.", "Describe {a boat}."],
                 "{^a boat} is a boat for {use}. It has {masts}, needs a crew of {crew} and draws about {draught}.",
                 "A boat for {use}."),
    }[kind]
    return dict(domain="harbour", kind="boat", name=b.facts["boat"], attribute=kind, what=kind, ask=b.one(*ask),
                full=b(full), brief=b(brief))


def _wind_fact(s):
    force = s.rng.randrange(13)
    w = s.knowing(force=force, wind=_WIND[force], sea=_SEA[force])
    if s.chance(0.35):
        ask, full, brief = ["Should I sail in force {force}?", "Can I go out in a small boat in force {force}?",
                            "The wind is force {force}. May I sail?"], (
            "Yes, force {force} is {wind}, and a small boat can go out.[| Take a warm coat all the same.]"
                                if force <= 4 else
            "No, force {force} is {wind}. A small boat should stay in the harbour."), "Yes." if force <= 4 else "No."
    else:
        ask, full, brief = ["What does force {force} mean?", "What kind of wind is force {force}?",
                            "How strong is a wind of force {force}?", "What is force {force}?"], \
            "Force {force} is {wind}: {sea}.", "{^wind}."
    return dict(domain="harbour", kind="wind", name="", attribute="", what="", ask=w.one(*ask), full=w(full),
                brief=w(brief))


def _knot_fact(s):
    name = s.pick(KNOT_NAMES)
    does, use = _KNOTS[name]
    k = s.knowing(knot=name, does=does, use=use)
    ask = k.one("What is a {knot} [good|used] for?", "When do I use a {knot}?", "What is a {knot}?",
                "What does a {knot} do?")
    return dict(domain="harbour", kind="knot", name=name, attribute="", what="", ask=ask,
                full=k("A {knot} {does}. It is [good|useful|used] for {use}."), brief=k("For {use}."))


def follow_up(s, earlier):
    table = {
        "port": (_port_fact, {"exports": ["What does it send out?", "And what goods come from there?"],
                              "imports": ["What does it take in?", "And what can I sell there?"],
                              "where": ["Where is it?", "On which coast does it lie?"],
                              "depth": ["How deep is the water there?", "And is it deep?"]}),
        "cargo": (_cargo_fact, {"packed": ["And how do I pack it?", "In what is it shipped?"],
                                "care": ["How do I stow it?", "And what should I mind?"]}),
        "boat": (_boat_fact, {"crew": ["How many hands does it need?", "And how large is the crew?"],
                              "masts": ["How many masts does it have?"],
                              "draught": ["How much water does it draw?", "And how deep does it lie in the water?"],
                              "use": ["What is it used for?", "And what is it good for?"]}),
    }.get(earlier["kind"])
    if not table:
        return None
    make, later = table
    kind = s.pick([k for k in later if k != earlier["attribute"]])
    return {**make(s, earlier["name"], kind), "ask": s.pick(later[kind])}


def _clock(s):
    return f"{s.rng.randint(1, 12)}:{s.rng.choice(['00', '10', '15', '20', '30', '40', '45', '50'])}"


def port_article(s):
    p = port(s)
    b = boat(p)
    text = p.paragraph("{port} lies on the {side} coast and is known for {known}.",
                       "[Ships come here for|It sends out|The quay is always full of] {exports}, and [it takes in|the "
                       "merchants ask for|it needs] {imports}.",
                       "At low water there are {depth} metres at the quay[|, so deeper ships must wait for the tide].")
    text += ["\n\n", " "][s.chance(0.3)] + b.paragraph(
        "[On most days|In the {month} fair|On market days] you can see {a boat} [at the steps|by the quay|in the "
        "basin], a boat for {use}.",
        "[The harbour master|The old pilot|The keeper of the light] has been here for "
        f"{s.rng.randint(8, 40)} years and knows every stone.",
        "[The inn by the steps serves fish stew.|Gulls sit on every roof.|Children fish from the steps.|In the "
        "evening the lamps are lit along the wall.]",
        "[{proverb}|]")
    return p("[{port}|The port of {port}|A visit to {port}]") + "\n\n" + text


def weather_report(s):
    force = s.rng.randint(1, 10)
    later = max(0, min(12, force + s.rng.choice([-2, -1, 1, 2])))
    glass = "falling" if later > force else "rising"
    w = port(s).knowing(wind=_WIND[force], sea=_SEA[force], force=force, later=later, wind2=_WIND[later], glass=glass,
                        dir="[north|south|east|west|north-west|south-west|north-east|south-east]")
    w.facts["dir"] = w.raw("{dir}")
    high = _clock(s)
    return w("[Weather report for {port}|Harbour notice, {port}|{port}, {day} morning]") + "\n\n" + w.paragraph(
        "[Wind from the {dir}|The wind is from the {dir}], force {force}, {wind}; {sea}.", "The glass is {glass}.",
        "Later force {later}, {wind2}.", f"High water at {high}.",
        "[Small boats should stay in the harbour.|Small boats should not go out.]" if max(force, later) > 4
        else "[Small boats may go out.|A good day for small boats.]",
        "[Visibility is good.|Fog is likely towards evening.|Rain at times.|Dry.|]")


def log_book(s):
    ship, start, goal = s.raw("{ship}"), *s.rng.sample(PORT_NAMES, 2)
    load = _PORTS[start][2][0]
    packed = _CARGO[load][0]
    force, lines, hour = s.rng.randint(2, 6), [f"Log of the {ship}, from {start} to {goal}"], s.rng.randint(4, 7)
    direction = s.pick(["north", "south", "east", "west"])
    lines.append(f"{hour:02d}:00 Left {start} with {s.rng.randint(3, 12) * 10} {packed} of {load}. Wind {direction}, force {force}.")
    for _ in range(s.rng.randint(2, 4)):
        hour += s.rng.randint(2, 4)
        force = max(1, min(8, force + s.rng.choice([-1, 0, 1])))
        seen = s.knowing(boat=s.pick(["brig", "schooner", "ketch", "barge"]), n=s.rng.randint(4, 20),
                         other=s.pick(PORT_NAMES))
        lines.append(seen(f"{hour % 24:02d}:00 Wind {direction}, force {force}, {_WIND[force]}. "
                          "[Passed a {boat} under tow.|All well.|Took in a reef.|Shook out a reef.|Sounded {n} "
                          "fathoms.|Saw the light of {other}.|Rain and poor sight.|Fine and clear.]"))
    hour += s.rng.randint(2, 3)
    lines.append(s(f"{hour % 24:02d}:00 Made fast at {goal}. [Cargo dry.|All hands well.|Cargo in good order.|Hatches opened.]"))
    return "\n".join(lines)


def trade_letter(s, sender=None, to=None, good=None):
    here = s.pick([p for p in PORT_NAMES if not good or good in _PORTS[p][2]])
    there = s.pick([p for p in PORT_NAMES if p != here])
    good = good or s.pick(_PORTS[here][2])
    c = cargo(s, good).knowing(here=here, there=there, ship=s.raw("{ship}"),
                               me=sender or s.raw("[{man}|{woman}] {surname}"),
                               you=to or s.raw("[{man}|{woman}] {surname}"),
                               count=s.rng.randint(2, 20) * 5, price=s.rng.randint(2, 30), month=s.raw("{month}"),
                               day=s.rng.randint(1, 28), back=s.pick(_PORTS[there][2]))
    first = c.paragraph(
        "[The {ship} sails from {here} on the next tide|The {ship} left {here} this morning|I have put your goods "
        "aboard the {ship}] with {count} {packed} of {cargo} for you.",
        "[The price is|We agreed on|I ask] {price} shillings for each[|, as last year].",
        "[I have told the captain to {care}|Please see that your men {care}|The mate was told to {care}].")
    later = c.knowing(weekday=s.raw("{day}"), n=s.rng.randint(1, 8) * 5, p=_CARGO[c.facts["back"]][0])
    second = later.paragraph(
        "[If the wind holds|With a fair wind|If all goes well], she will be at {there} [within three days|before "
        "{weekday}|in two tides].",
        "[The weather has been bad and two ships are still overdue.|We had fog for three days.|The sea is calm at "
        "last.|Trade is slow this {month}.|The quay is full and berths are hard to find.]",
        "[Could you send me {n} {p} of {back} in return?|Please send me {n} {p} of {back} in return.|I should be glad "
        "to have {n} {p} of {back} in return.]")
    head = c("{here}, {day} {month}")
    close = c("[Yours truly|With good wishes|Your servant|Yours faithfully],\n{me}")
    return f"{head}\n\nDear {c.facts['you']},\n\n{first}\n\n{second}\n\n{close}"


def wind_article(s):
    low = s.rng.randint(0, 8)
    lines = [s("[How strong is the wind?|The scale of the winds|Reading the wind from the sea]"), "",
             s("[Sailors measure the wind by what it does to the sea.|The sea itself tells how strong the wind is.]")]
    for force in range(low, min(13, low + 4)):
        lines.append(f"Force {force} is {_WIND[force]}: {_SEA[force]}.")
    lines.append(s("[A small boat should stay in the harbour from force 5 upwards.|Reef early, before the wind is too "
                   "strong.|{proverb}]"))
    return "\n".join(lines[:2]) + "\n" + " ".join(lines[2:])


def knot_article(s):
    names = s.some(KNOT_NAMES, 3)
    text = " ".join(f"[The|A] {n} {_KNOTS[n][0]}; it is [good|used] for {_KNOTS[n][1]}." for n in names)
    return s("[Knots|Three useful knots|Knots every hand should know]") + "\n\n" + s(
        "[Nobody needs many knots, but a few must be known well.|A good knot is easy to tie, holds fast and is easy "
        "to undo.] " + text + " [{proverb}|Practise them until your hands know them by heart.]")
