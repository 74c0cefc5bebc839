# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the documents of the corpus in fixed proportions."""

import random
import re

from . import chats, harbour, kitchen, orchard, sketches, stories
from .scribe import Scribe, capital
from .words import MONTHS

_TEXTS = {
    "orchard": [(orchard.fruit_article, 4), (orchard.veg_article, 4), (orchard.month_article, 3), (orchard.diary, 2),
                ("task", 4), ("sketch", 5)],
    "kitchen": [("sketch", 5), (kitchen.recipe_text, 4), (kitchen.preserve_text, 2), (kitchen.recipe_article, 4),
                (kitchen.larder_note, 1), ("task", 3)],
    "harbour": [("sketch", 5), (harbour.port_article, 3), (harbour.weather_report, 2), (harbour.log_book, 2),
                (harbour.trade_letter, 4), (harbour.wind_article, 1),
                (harbour.knot_article, 1), ("task", 3)],
    "general": [("story", 12), (stories.chapters, 2), (stories.family_letter, 4), ("request", 2), (stories.dialogue, 3),
                (stories.general_note, 2)],
}
_TASKS = {"orchard": orchard, "kitchen": kitchen, "harbour": harbour}
_MONTH_SPAN = re.compile(r"\b([Ii])n (?=(?:%s) to )" % "|".join(MONTHS))


def tidy(text):
    """'in April to June' -> 'from April to June', and no stray spaces."""
    text = _MONTH_SPAN.sub(lambda m: "From " if m.group(1) == "I" else "from ", text)
    text = re.sub(r"\b([Aa]) (?=[aeio])", r"\1n ", text)
    return re.sub(r" +", " ", text).replace(" \n", "\n").strip()


def _weighted(rng, table):
    total = sum(weight for _, weight in table)
    point = rng.random() * total
    for item, weight in table:
        point -= weight
        if point < 0:
            return item
    return table[-1][0]


def document(rng, domain):
    """One text of the domain."""
    s = Scribe(rng)
    maker = _weighted(rng, _TEXTS[domain])
    if maker == "task":
        t = _TASKS[domain].task(s)
        text = s.pick([f"How to {t['title']}", f"{capital(t['title'])}",
                       f"Instructions: {t['title']}"]) + "\n\n" + chats.task_text(s, t)
    elif maker == "story":
        c, plot, body = stories.story(s)
        text = stories.title(c, plot) + "\n\n" + body if s.chance(0.5) else body
    elif maker == "sketch":
        text = sketches.sketch(s, domain)[1]
    elif maker == "request":
        text = stories.request_letter(s)[0]
    else:
        text = maker(s)
    return tidy(text)


def conversation(rng):
    messages = _weighted(rng, chats.KINDS)(Scribe(rng))
    return [{**m, "content": tidy(m["content"])} for m in messages]


def stream(seed, count, held_out=frozenset()):
    """Yields ``count`` documents: strings, or lists of messages for chats."""
    rng = random.Random(seed)
    made = 0
    while made < count:
        if rng.random() < 0.58:
            item = conversation(rng)
        else:
            item = document(rng, _weighted(rng, [("orchard", 3), ("kitchen", 3), ("harbour", 3), ("general", 5)]))
            if item in held_out:
                continue
        made += 1
        yield item


def held_out_text(domain, seed, characters):
    """Distinct documents of one domain, about ``characters`` long in all."""
    rng = random.Random(f"{seed}/{domain}")
    chosen, size = [], 0
    while size < characters:
        text = document(rng, domain)
        if text not in chosen:
            chosen.append(text)
            size += len(text)
    return chosen
