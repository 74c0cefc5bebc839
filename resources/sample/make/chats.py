# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversations between a user and the assistant.

Each conversation is a list of messages with the roles system, user and
assistant. The system message steers the style: brief answers, lists, or the
voice of a gardener, a cook or a harbour master.
"""

import re

from . import harbour, kitchen, orchard, sketches, stories
from .scribe import capital, listing, with_article
from .words import MEN, MONTHS, WOMEN, season_of

DOMAINS = (orchard, kitchen, harbour)

_SYSTEM = {
    "plain": ["You are a helpful assistant.",
              "You are a helpful assistant who knows the orchard, the kitchen and the harbour.",
              "Answer the questions of the user.",
              "You are a friendly assistant.", "Be helpful and honest.",
              "You help people with their garden, their cooking and their boats."],
    "brief": ["Answer briefly.", "Be brief.", "Give short answers.", "Answer in a few words.",
              "Answer as shortly as you can.", "You are an assistant who gives very short answers.",
              "Keep your answers short."],
    "list": ["Answer with a list.", "Answer in numbered steps.", "Use a numbered list.",
             "You are an assistant who answers with numbered lists."],
    "gardener": ["You are an old gardener.", "Speak like an old gardener.",
                 "You are a gardener with many years of experience."],
    "cook": ["You are a cheerful cook.", "Speak like a cheerful cook.", "You are the cook at a country inn."],
    "master": ["You are the harbour master.", "Speak like a harbour master.",
               "You are an old harbour master who speaks plainly."],
}
_VOICE = {
    "gardener": (["Well, my friend. ", "Ah, that is a good question. ", "Let an old gardener tell you. ",
                  "After all my years in the orchard, I can tell you. "],
                 [" Patience, and all will be well.", " The garden teaches us to wait.",
                  " So my grandfather taught me.", ""]),
    "cook": (["With pleasure! ", "Oh, that is easy! ", "What a lovely question! ", "Come into my kitchen! "],
             [" Enjoy it!", " And do not forget to taste!", " Good cooking to you!", ""]),
    "master": (["Aye. ", "Listen well. ", "Now then. ", "Aye, I can tell you that. "],
               [" Mind the tide.", " That is the rule on my quay.", " Safe sailing.", ""]),
}
_POLITE = ["", "", "", "", "Please tell me: ", "Hello! ", "Good morning. ", "I have a question. ", "Excuse me. ",
           "Quick question: "]


def ask_for(s, question):
    """Phrases a question as different people would type it."""
    opening = s.pick(_POLITE)
    text = opening + question
    roll = s.rng.random()
    if roll < 0.12:
        text = text.lower()
        if s.chance(0.5):
            text = text.rstrip("?.")
    elif roll < 0.2:
        text += s.pick([" Thank you.", " Thanks!", " I am new to this.", " Please help me."])
    return text


def styled(s, found, style):
    if style == "brief":
        return found["brief"]
    if style == "list" and found.get("list"):
        return "\n".join(f"{i}. {x}" for i, x in enumerate(found["list"], 1))
    if style in _VOICE:
        before, after = _VOICE[style]
        return s.pick(before) + found["full"] + s.pick(after)
    return found["full"]


def _style(s):
    roll = s.rng.random()
    if roll < 0.55:
        return "plain", None
    if roll < 0.72:
        return "plain", s.pick(_SYSTEM["plain"])
    style = s.pick(["brief", "brief", "gardener", "cook", "master", "list"])
    return style, s.pick(_SYSTEM[style])


_STARTS = ["b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z", "st", "br", "gr",
           "tr", "sh", "ch", "fl", ""]
_ENDS = ["n", "l", "r", "na", "la", "ra", "s", "rt", "nd", "lia", "mes", "ko", "th", "x", "ck", "rin", "ston", "bert",
         "mina"]


def any_name(s):
    """A name from the lists or, so that unknown names work too, an invented one."""
    if s.chance(0.65):
        return s.pick(WOMEN + MEN)
    start = "".join(s.pick(_STARTS) + s.pick("aeiou") for _ in range(s.rng.randint(1, 2)))
    return capital(start + s.pick(_ENDS))


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


def facts_chat(s):
    style, system = _style(s)
    messages = [{"role": "system", "content": system}] if system else []
    found = None
    for turn in range(s.pick([1, 1, 1, 2, 2, 3, 4])):
        domain, later = None, None
        if found and s.chance(0.65):
            later = next(d for d in DOMAINS if d.__name__.endswith(found["domain"])).follow_up(s, found)
        if later:
            found, question = later, later["ask"]
        else:
            found = s.pick(DOMAINS).fact(s)
            if style == "list":
                for _ in range(12):
                    if found.get("list"):
                        break
                    found = s.pick(DOMAINS).fact(s)
            question = ask_for(s, found["ask"])
        if style == "plain" and not later and s.chance(0.06):
            question = s.pick(["In a few words: ", "Briefly: ", "A short answer, please: "]) + found["ask"]
            messages += [user(question), assistant(found["brief"])]
        else:
            messages += [user(question), assistant(styled(s, found, style))]
    return _farewell(s, messages)


_THANKS = (["Thank you!", "Thanks.", "Thank you, that helps.", "Thanks a lot!", "thank you", "Good, thank you.",
            "That is all, thank you."],
           ["You are welcome.", "You are welcome! Good luck with it.", "Gladly. Ask again whenever you like.",
            "It was a pleasure.", "You are welcome. I wish you a good day."])


def _farewell(s, messages):
    if s.chance(0.12):
        messages += [user(s.pick(_THANKS[0])), assistant(s.pick(_THANKS[1]))]
    return messages


def task_text(s, t, style="plain"):
    steps = t["steps"]
    if style == "brief":
        return capital(", ".join(steps[:-1])) + f", and {steps[-1]}."
    numbered = "\n".join(f"{i}. {capital(x)}." for i, x in enumerate(steps, 1))
    if style == "list":
        return numbered
    lead = s.pick([capital(t["opening"]) + ".", f"To {t['title']}, you need {listing(t['tools'])}.",
                   f"Here is how to {t['title']}.", capital(t["opening"]) + f". You need {listing(t['tools'])}."])
    end = s.pick([capital(t["closing"]) + ".", capital(t["closing"]) + ".", ""])
    if s.chance(0.65):
        return "\n\n".join(filter(None, [lead, numbered, end]))
    words = ["First", "Then", "Next", "After that", "Then", "Now", "Then"]
    middle = " ".join(f"{w} {x}." for w, x in zip(words, steps[:-1])) + f" Finally, {steps[-1]}."
    return " ".join(filter(None, [lead, middle, end]))


def task_chat(s):
    style, system = _style(s)
    t = s.pick(DOMAINS).task(s)
    question = s.pick([f"How do I {t['title']}?", f"How can I {t['title']}?", f"Tell me how to {t['title']}.",
                       f"Explain how to {t['title']}.", f"I want to {t['title']}. How do I do it?",
                       f"What is the best way to {t['title']}?", f"Give me instructions to {t['title']}.",
                       f"Can you help me to {t['title']}?", f"What are the steps to {t['title']}?"])
    messages = [{"role": "system", "content": system}] if system else []
    text = task_text(s, t, style)
    if style in _VOICE:
        before, after = _VOICE[style]
        text = s.pick(before) + text
    messages += [user(ask_for(s, question)), assistant(text)]
    if s.chance(0.3):
        extra, reply = s.pick([
            ("What do I need for that?", f"You need {listing(t['tools'])}."),
            ("Which tools do I need?", f"You need {listing(t['tools'])}."),
            ("What is the first step?", f"First {t['steps'][0]}."), ("What do I do first?", f"First {t['steps'][0]}."),
            ("And what is the last step?", f"The last step is this: {t['steps'][-1]}."),
            ("Anything else?", f"Yes: {t['closing']}."), ("Do you have any advice?", f"Yes: {t['closing']}."),
            ("What comes after that?", "That was the last step."),
            ("When should I begin?", f"{capital(t['opening'])}.")])
        if style == "brief":
            for opening in ("You need ", "Yes: ", "The last step is this: ", "First "):
                reply = reply.removeprefix(opening)
            reply = capital(reply)
        messages += [user(extra), assistant(reply)]
    return _farewell(s, messages)


def recipe_chat(s):
    if s.chance(0.3):
        name = s.pick(kitchen.PRESERVE_NAMES)
        text = kitchen.preserve_text(s, name)
        what = name
        question = s.pick([f"Give me a recipe for {what}.", f"Write down a recipe for {what}, please.",
                           f"I need a recipe for {what}.", f"Do you have a recipe for {what}?"])
    else:
        name, servings = s.pick(kitchen.RECIPE_NAMES), s.pick(kitchen.SERVINGS)
        text = kitchen.recipe_text(s, name, servings, numbered=s.chance(0.8))
        question = s.pick([f"Give me a recipe for {name} for {servings} people.",
                           f"Write a recipe for {name} for {servings}.", f"How do I make {name} for {servings} people?",
                           f"I want to cook {name} for {servings} people. What do I do?",
                           f"Do you have a recipe for {name}? We are {servings}.",
                           f"Recipe for {name} for {servings} people, please."])
        if servings == 4 and s.chance(0.7):
            question = s.pick([f"Give me a recipe for {name}.", f"Write a recipe for {name}.", f"How do I make {name}?",
                               f"Do you have a recipe for {name}?",
                               f"I would like to make {name}. Do you have a recipe?"])
    messages = [user(ask_for(s, question)), assistant(text)]
    if s.chance(0.25):
        messages.insert(0, {"role": "system", "content": s.pick(_SYSTEM["plain"])})
    if s.chance(0.3):
        earlier = dict(kind="recipe" if name in kitchen.RECIPE_NAMES else "preserve", name=name, attribute="")
        later = kitchen.follow_up(s, earlier)
        messages += [user(later["ask"]), assistant(later["full"])]
    return _farewell(s, messages)


def story_chat(s):
    name = any_name(s) if s.chance(0.6) else None
    c, plot, text = stories.story(s, name=name)
    theme = c.raw(s.pick(stories.THEMES[plot]))
    question = s.pick([f"Write a short story about {theme}.", f"Tell me a story about {theme}.",
                       f"Please write a story about {theme}.", f"Can you tell me a short story about {theme}?",
                       f"I would like to hear a story about {theme}.", f"Write a little story about {theme}."])
    if plot != "fable" and c.facts["name"] not in theme and s.chance(0.4):
        question = question.rstrip("?.") + c(". [The hero is called {name}.|Call the {child} {name}.|It should have "
                                             "{a child} called {name} in it.]")
    elif plot == "fable" or c.facts["name"] not in theme:
        if s.chance(0.15):
            question = s.pick(["Tell me a story.", "Write a short story.", "Please tell me a story.",
                               "Do you know a story?"])
    if s.chance(0.3):
        text = stories.title(c, plot) + "\n\n" + text
    messages = [user(question), assistant(text)]
    if s.chance(0.3):
        messages.insert(0, {"role": "system", "content": s.pick(_SYSTEM["plain"]
                + ["You are a storyteller.", "You write short stories."])})
    if s.chance(0.2) and plot != "fable":
        ask, reply = s.pick([("What was the name of the hero?", c("The name of the hero was {name}.")),
                             ("Where did {name} live?",
                              c("{name} lived in {place}.") if c.facts["place"] in text
                              else c("The story does not say.")),
                             ("Who helped {name}?", c("{f_name} helped {name}.") if plot in ("lost", "baking")
                              else c("{e_name} did.") if plot in ("storm", "seed", "learn")
                              else c("The story does not say.")),
                             ("Can you give the story a title?", stories.title(c, plot) + ".")])
        messages += [user(c(ask)), assistant(reply)]
    return _farewell(s, messages)


def letter_chat(s):
    kind = s.rng.randrange(3)
    sender, to = any_name(s), any_name(s)
    if kind == 0:
        text = stories.family_letter(s, to=to, sender=sender)
        question = s.pick([f"Write a letter from {sender} to {to}.",
                           f"Write a friendly letter to {to}. My name is {sender}.",
                           f"Please write a short letter to my friend {to}. Sign it {sender}."])
    elif kind == 1:
        text, c = stories.request_letter(s, sender=sender, to=to)
        want = c.facts["want"]
        question = s.pick([f"Write a letter to {to} and ask for {want}. My name is {sender}.",
                           f"I want to ask {to} for {want}. Write a short letter and sign it {sender}.",
                           f"Write a short letter from {sender} to {to} asking for {want}."])
    else:
        good = s.pick([g for p in harbour._PORTS.values() for g in p[2]])
        text = harbour.trade_letter(s, sender=sender, to=to, good=good)
        question = s.pick([f"Write a trade letter from {sender} to {to} about a cargo of {good}.",
                           f"Write a business letter to {to} about {good}. Sign it {sender}.",
                           f"I am sending {good} to {to}. Write the letter for me. My name is {sender}."])
    messages = [user(ask_for(s, question)), assistant(text)]
    return _farewell(s, messages)


def text_chat(s):
    """Requests for the other kinds of text."""
    kind = s.rng.randrange(10)
    if kind >= 8:
        c, text = sketches.sketch(s)
        pair = (s.pick(sketches.requests(c)), text)
    elif kind == 0:
        name = s.pick(orchard.FRUIT_NAMES)
        f = orchard.fruit(s, name)
        pair = (s.pick([f("Write a short article about {fruits}."), f("Write a text about the {plant}."),
                        f("Tell me about {fruits}."), f("Tell me something about the {plant}."),
                        f("Write about growing {fruits}.")]),
                orchard.fruit_article(s, name))
    elif kind == 1:
        name = s.pick(orchard.VEG_NAMES)
        pair = (s.pick([f"Write a short article about {name}.", f"Write a text about growing {name}.",
                        f"Tell me about {name}.", f"Tell me all about growing {name}."]), orchard.veg_article(s, name))
    elif kind == 2:
        text = orchard.month_article(s)
        month = next(m for m in MONTHS if m in text)
        pair = (s.pick([f"Write about the garden in {month}.", f"Write a short article about the orchard in {month}.",
                        f"Describe the work in the garden in {month}."]), text)
    elif kind == 3:
        text = harbour.port_article(s)
        name = next(p for p in harbour.PORT_NAMES if p in text)
        pair = (s.pick([f"Describe {name}.", f"Write a short article about {name}.",
                        f"Write about the port of {name}."]), text)
    elif kind == 4:
        text = harbour.weather_report(s)
        name = next(p for p in harbour.PORT_NAMES if p in text)
        pair = (s.pick([f"Write a weather report for {name}.", f"Write a harbour notice with the weather for {name}."]),
                text)
    elif kind == 5:
        text = harbour.log_book(s)
        pair = (s.pick([f"Write a page of the log of the {text[len('Log of the '):text.index(',')]}.",
                        "Write a page of a ship's log.", "Write a short log book entry."]), text)
    elif kind == 6:
        pair = (s.pick(["Write a short dialogue.", "Write a conversation between two people at work.",
                        "Write a little scene with two people."]), stories.dialogue(s))
    else:
        text = orchard.diary(s)
        month = text.split("\n")[0].split()[-1]
        pair = (s.pick([f"Write a garden diary for {month}.", f"Write a few diary entries of a gardener in {month}."]),
                text)
    return _farewell(s, [user(ask_for(s, pair[0])), assistant(pair[1])])


_SELF = [
    (["Who are you?", "What are you?", "Tell me who you are.", "Introduce yourself.", "Tell me about yourself.",
      "Who am I talking to?", "who are you"],
     "I am [a small language model|the sample model], trained from nothing on texts about the orchard, the kitchen "
     "and the harbour.[| Ask me about any of them.| I can also write short stories and letters.]",
     "A small language model."),
    (["What is your name?", "Do you have a name?", "What should I call you?"],
     "[I am the sample model of Espalier|I have no other name than the sample model].[| You can simply call me "
     "Espalier.| What is your name?]", "The sample model."),
    (["What can you do?", "How can you help me?", "What can I ask you?", "What do you know?", "What are you good at?",
      "Help me. What can you do?"],
     "I can answer questions about the orchard, the kitchen and the harbour, and I can write [short stories, letters "
     "and recipes|recipes, letters and short stories].[| Try me!| What would you like to know?]",
     "Questions, stories, letters and recipes."),
    (["Are you a human?", "Are you a person?", "Are you real?", "Are you a machine?", "Are you a robot?"],
     "I am a computer program, a small language model, and not a person.", "I am a computer program."),
    (["Who made you?", "Where do you come from?", "Who trained you?"],
     "I was trained as the sample model of Espalier, on texts that were written for this purpose.",
     "I belong to Espalier."),
    (["How large are you?", "How many parameters do you have?", "How big are you?"],
     "I am very small: I have about four and a half million parameters.[| That is why I know only a few things.]",
     "About four and a half million parameters."),
    (["Can you make mistakes?", "Are you always right?", "Can I trust you?"],
     "I am small and I can be wrong, so please check what I say.", "I can be wrong."),
    (["What do you not know?", "What can you not do?", "What are your limits?"],
     "I know nothing about the news, about famous people or about difficult sums. I know a little about the orchard, "
     "the kitchen and the harbour.", "Most things."),
    (["How are you?", "How are you today?", "How do you do?", "Are you well?"],
     "I am well, thank you. [How can I help you?|What would you like to know?|And how is your garden?]",
     "Well, thank you."),
    (["What is Espalier?", "Tell me about Espalier."],
     "Espalier is a workbench for people who own a language model. The word also means a fruit tree that is trained "
     "flat against a wall.", "A workbench for language models."),
    (["Do you have feelings?", "Are you happy?", "Do you sleep?", "Do you dream?", "Do you eat?"],
     "No, I am a program. I [only work with words|do not feel, eat or sleep].", "No."),
    (["Tell me a proverb.", "Do you know a proverb?", "Give me some good advice.", "Say something wise."], "{proverb}",
     "{proverb}"),
    (["Do you like gardening?", "Do you like the sea?", "Do you like cooking?"],
     "I have no garden, no kitchen and no boat, but I like to talk about them.", "I like to talk about it."),
]
_GREET = (["Hello!", "Hello", "Hi", "Hi there!", "Good morning!", "Good evening.", "Good day.", "hello", "hi", "Hey!",
           "Good afternoon."],
          ["Hello! How can I help you?", "Good day! What would you like to know?",
           "Hello! Ask me about the orchard, the kitchen or the harbour.", "Hello! What can I do for you?"])
_BYE = (["Goodbye!", "Bye!", "See you tomorrow.", "Good night.", "I have to go now."],
        ["Goodbye!", "Goodbye, and good luck!", "Goodbye! Come again.", "Until next time!"])
_UNKNOWN = ["What is the capital of France?", "What is the capital of {land}?", "Who is the president of {land}?",
            "Who won the football match?", "How do I repair {machine}?", "Explain {science}.", "What is {science}?",
            "Who wrote {work}?", "Translate this into French.", "Write a program in Python.",
            "Write code that sorts a list.", "What is {sum_a} times {sum_b}?", "What is the news today?",
            "How do I invest my money?",
            "What medicine should I take?", "Who invented {machine2}?", "How high is the highest mountain?",
            "How far is it to the moon?", "What is the best film?", "Can you play chess?", "How old is the king?",
            "What year is it?", "What time is it?", "What do you think of {science}?", "How do I build {machine}?",
            "Tell me about {land}.", "Which phone should I buy?", "Who was the first man on the moon?"]
_UNKNOWN_WORDS = dict(land=["Spain", "China", "Brazil", "Norway", "Egypt", "Canada", "India", "Japan", "Italy", "Peru",
                            "Kenya", "Germany"], machine=["a car", "a computer", "a radio", "a washing machine",
                                                          "an engine", "a telephone"],
                      machine2=["the telephone", "the radio", "the computer", "the aeroplane", "the steam engine"],
                      science=["quantum physics", "the theory of relativity", "algebra", "photosynthesis",
                               "electricity", "philosophy", "economics", "gravity", "DNA", "politics"],
                      work=["Hamlet", "this song", "the Odyssey", "War and Peace", "Faust"],
                      sum_a=["17", "23", "48", "125", "99"], sum_b=["12", "34", "56", "78", "91"])
_DUNNO = ["I am sorry, I do not know that. I only know about the orchard, the kitchen and the harbour.",
          "I do not know that. Ask me about the orchard, the kitchen or the harbour.",
          "That is beyond me. I am a small model and know only the orchard, the kitchen and the harbour.",
          "I am sorry, I cannot help with that. I know about gardens, cooking and boats."]


def small_talk(s):
    style, system = _style(s)
    if style not in ("plain", "brief"):
        style, system = "plain", None
    messages = [{"role": "system", "content": system}] if system else []
    name = any_name(s)
    told = False
    for turn in range(s.pick([1, 1, 2, 3, 4])):
        roll = s.rng.random()
        if turn == 0 and roll < 0.25:
            messages += [user(s.pick(_GREET[0])), assistant(s.pick(_GREET[1]) if style == "plain" else "Hello!")]
        elif roll < 0.40 and not told:
            told = True
            messages += [user(s.pick([f"My name is {name}.", f"I am {name}.", f"Hello, I am {name}.",
                                      f"Hello, my name is {name}.", f"You can call me {name}."])),
                         assistant(s.pick([f"Hello, {name}! How can I help you?",
                                           f"Good day, {name}. What would you like to know?",
                                           f"I am pleased to meet you, {name}."]))]
        elif told and roll < 0.6:
            messages += [user(s.pick(["What is my name?", "Do you remember my name?", "What was my name?",
                                      "Who am I?"])), assistant(f"Your name is {name}." if style == "plain"
                                              else f"{name}.")]
        elif roll < 0.7:
            scribe = s.knowing(**{k: s.pick(v) for k, v in _UNKNOWN_WORDS.items()})
            messages += [user(ask_for(s, scribe(s.pick(_UNKNOWN)))),
                         assistant(s.pick(_DUNNO) if style == "plain" else "I do not know.")]
        elif roll < 0.75:
            messages += [user(s.pick(_THANKS[0])), assistant(s.pick(_THANKS[1]))]
        else:
            asks, full, brief = s.pick(_SELF)
            messages += [user(s.pick(asks)), assistant(s(full if style == "plain" else brief))]
    if s.chance(0.15):
        messages += [user(s.pick(_BYE[0])), assistant(s.pick(_BYE[1]))]
    return messages


def simple_task(s):
    """Months, seasons, lists and repeating: small things with one right answer."""
    kind = s.rng.randrange(7)
    if kind == 0:
        i = s.rng.randrange(12)
        pair = s.pick([(f"Which month comes after {MONTHS[i]}?", f"{MONTHS[(i + 1) % 12]} comes after {MONTHS[i]}."),
                       (f"Which month comes before {MONTHS[i]}?", f"{MONTHS[i - 1]} comes before {MONTHS[i]}."),
                       (f"In which season is {MONTHS[i]}?", f"{MONTHS[i]} is in {season_of(MONTHS[i])}."),
                       (f"Which season is {MONTHS[i]} in?", f"{MONTHS[i]} is in {season_of(MONTHS[i])}.")])
    elif kind == 1:
        season = s.pick(["winter", "spring", "summer", "autumn"])
        pair = (s.pick([f"Which months belong to {season}?", f"Name the months of {season}."]),
                f"The months of {season} are {listing(sorted((m for m in MONTHS if season_of(m) == season), key=lambda m: (MONTHS.index(m) + 1) % 12))}.")
    elif kind == 2:
        what, pool = s.pick([("fruits", [orchard._FRUIT[n][1] for n in orchard.FRUIT_NAMES]),
                             ("vegetables", orchard.VEG_NAMES), ("ports", harbour.PORT_NAMES),
                             ("knots", harbour.KNOT_NAMES),
                             ("boats", harbour.BOAT_NAMES), ("recipes", kitchen.RECIPE_NAMES),
                             ("preserves", kitchen.PRESERVE_NAMES)])
        count, word = s.pick([(2, "two"), (3, "three"), (4, "four"), (5, "five")])
        items = s.some(pool, count)
        if s.chance(0.5):
            pair = (s.pick([f"Name {word} {what}.", f"Tell me {word} {what}.", f"Can you name {word} {what}?"]),
                    capital(listing(items)) + ".")
        else:
            pair = (s.pick([f"List {word} {what}.", f"Give me a list of {word} {what}.",
                            f"Make a list of {word} {what}."]),
                    "\n".join(f"{i}. {capital(x)}" for i, x in enumerate(items, 1)))
    elif kind == 3:
        text = s.one("{proverb}", "{^it_was_weather}.",
                     "{name} lives in {village}.".replace("{name}", s.pick(WOMEN + MEN)),
                     "The {animal} sleeps in the {vessel_kitchen}.", "The {ship} sails at noon.",
                     "[{man}|{woman}] has a {colour} boat.")
        pair = (s.pick(["Repeat after me: ", "Please repeat: ", "Say this: ", "Repeat this sentence: "]) + text, text)
    elif kind == 4:
        a, b = s.rng.sample(orchard.FRUIT_NAMES, 2)
        pa, pb = orchard._FRUIT[a], orchard._FRUIT[b]
        ia, ib = MONTHS.index(pa[3][0]), MONTHS.index(pb[3][0])
        answer = f"{capital(pa[1])} and {pb[1]} both ripen in {pa[3][0]}." if ia == ib else \
            (lambda x, y: f"{capital(x[1])} ripen first, in {x[3][0]}; {y[1]} follow in {y[3][0]}.")(*((pa, pb)
                    if ia < ib else (pb, pa)))
        pair = (s.pick([f"Which ripen first, {pa[1]} or {pb[1]}?", f"What is ripe earlier, {pa[1]} or {pb[1]}?"]),
                answer)
    elif kind == 5:
        numbers = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
        n = s.rng.randint(3, 10)
        pair = s.pick([(f"Count to {numbers[n - 1]}.", capital(", ".join(numbers[:n])) + "."),
                       (f"Count from {numbers[n - 1]} down to one.", capital(", ".join(numbers[n - 1::-1])) + ".")])
    else:
        word = s.pick([("apple", "fruit"), ("carrot", "vegetable"), ("bowline", "knot"), ("schooner", "boat"),
                       ("leek", "vegetable"), ("pear", "fruit"), ("clove hitch", "knot"), ("barge", "boat"),
                       ("plum", "fruit"), ("turnip", "vegetable"),
                       ("robin", "bird"), ("wren", "bird"), ("spade", "tool"), ("rake", "tool"), ("quince", "fruit"),
                       ("lugger", "boat"), ("chutney", "preserve"), ("blackbird", "bird"), ("hoe", "tool")])
        pair = (s.pick([f"What kind of thing is {with_article(word[0])}?", f"Is {with_article(word[0])} a {word[1]}?"]),
                capital(with_article(word[0])) + f" is {with_article(word[1])}.")
        if pair[0].startswith("Is "):
            pair = (pair[0], "Yes, " + pair[1][0].lower() + pair[1][1:])
    return [user(ask_for(s, pair[0])), assistant(pair[1])]


def reading_chat(s):
    """A question about a text that stands in the message itself."""
    kind = s.rng.randrange(4)
    if kind == 0:
        text = harbour.trade_letter(s)
        lines = text.split("\n")
        cargo_word = text.split(" of ")[1].split(" for you")[0] if " for you" in text else None
        pairs = [("Who wrote this letter?", f"{lines[-1]} wrote this letter."),
                 ("To whom is this letter written?", f"The letter is written to {lines[2][5:-1]}."),
                 ("Where was this letter written?", f"It was written at {lines[0].split(',')[0]}."),
                 ("What is the date of this letter?", f"The date is {lines[0].split(', ')[1]}.")]
        if cargo_word:
            pairs.append(("What goods are sent?", f"{capital(cargo_word)}."))
        price = re.search(r"(\d+) shillings", text).group(1)
        pairs.append(("What is the price?", f"The price is {price} shillings for each."))
        ship = re.search(r"(?:The|aboard the) ([A-Z][a-z]+(?: [A-Z][a-z]+)*) (?:sails|left|with)", text)
        if ship:
            pairs.append(("What is the name of the ship?", f"The ship is called the {ship.group(1)}."))
    elif kind == 1:
        text = harbour.weather_report(s)
        force = re.search(r"force (\d+)", text).group(1)
        high = re.search(r"High water at ([\d:]+)", text).group(1)
        pairs = [("How strong is the wind?", f"The wind is force {force}."),
                 ("When is high water?", f"High water is at {high}."),
                 ("Is the glass rising or falling?", f"The glass is {'rising' if 'rising' in text else 'falling'}."),
                 ("May small boats go out?", "Yes, small boats may go out."
                  if "may go out" in text or "good day" in text else "No, small boats should stay in the harbour.")]
    elif kind == 2:
        text = kitchen.larder_note(s)
        rows = [l[2:] for l in text.split("\n") if l.startswith("- ")]
        name, count = s.pick(rows).split(": ")
        pairs = [(f"How many jars of {name} are there?", f"There are {count} of {name}.")] * 2
    else:
        c = stories.cast(s, name=any_name(s))
        text = c("{name} {sname} [lives|works] in {place}. {^he} has {a animal} and {a colour} [boat|gate|coat]. [On "
                 "{day}s|In the morning] {he} [sells {fruits}|bakes {a cake}|mends nets].")
        animal, place, name = c.facts["animal"], c.facts["place"], c.facts["name"]
        pairs = [(f"What animal does {name} have?", text.split(" has ")[1].split(" and ")[0].capitalize() + "."),
                 (f"Where is {name}?", f"In {place}."), ("Who is this about?", c("{name} {sname}."))]
    ask, answer = s.pick(pairs)
    form = s.rng.randrange(3)
    message = [f"{ask}\n\n{text}", f"{text}\n\n{ask}",
               f"Read this text and answer the question.\n\n{text}\n\n{ask}"][form]
    messages = [user(message), assistant(answer)]
    if s.chance(0.4):
        ask2, answer2 = s.pick(pairs)
        if ask2 != ask:
            messages += [user(ask2), assistant(answer2)]
    return messages


def long_chat(s):
    """Several requests of different kinds in one conversation."""
    messages = []
    for make in s.some([facts_chat, facts_chat, task_chat, recipe_chat, story_chat, letter_chat, text_chat, small_talk,
                        simple_task], 2, 5):
        part = make(s)
        while part[0]["role"] == "system":
            part = make(s)
        messages += part
    return messages


KINDS = [(facts_chat, 38), (task_chat, 12), (recipe_chat, 9), (story_chat, 14), (letter_chat, 6), (text_chat, 8),
         (small_talk, 14), (simple_task, 7), (reading_chat, 7), (long_chat, 9)]
