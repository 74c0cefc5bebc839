# SPDX-License-Identifier: GPL-3.0-or-later
"""A small text grammar.

A pattern is plain text with two kinds of marks:

    [one|two|]     one of the alternatives; they may be empty or nested
    {key}          the text stored under ``key``, itself a pattern
    {a key}        the same with "a" or "an" in front
    {^key}         the same with a capital first letter

A key is looked up in the facts of the document first, so that a name or a
month stays the same from the first line to the last, and then in the shared
word lists, where every use draws afresh.
"""

from functools import lru_cache

from .words import WORD_LISTS


@lru_cache(maxsize=None)
def _parse(pattern):
    nodes, end = _parse_sequence(pattern, 0, False)
    if end != len(pattern):
        raise ValueError(f"unbalanced pattern: {pattern!r}")
    return nodes


def _parse_sequence(text, at, nested):
    nodes, literal = [], []

    def flush():
        if literal:
            nodes.append("".join(literal))
            literal.clear()

    while at < len(text):
        char = text[at]
        if char == "[":
            flush()
            branches = []
            at += 1
            while True:
                branch, at = _parse_sequence(text, at, True)
                branches.append(branch)
                if at >= len(text):
                    raise ValueError(f"missing ] in {text!r}")
                at += 1
                if text[at - 1] == "]":
                    break
            nodes.append(("choice", tuple(branches)))
        elif nested and char in "|]":
            break
        elif char == "{":
            flush()
            close = text.index("}", at)
            nodes.append(("key", text[at + 1:close]))
            at = close + 1
        else:
            literal.append(char)
            at += 1
    flush()
    return tuple(nodes), at


def with_article(noun):
    """'pear' -> 'a pear', 'apple' -> 'an apple'."""
    vowel = noun[0].lower() in "aeio" or noun.startswith(("um", "un", "up"))
    if noun.startswith(("one", "uni", "eu")):
        vowel = False
    if noun.startswith(("hour", "honest")):
        vowel = True
    return ("an " if vowel else "a ") + noun


def capital(text):
    """Upper-cases the first letter, stepping over an opening quote."""
    for index, char in enumerate(text):
        if char.isalpha():
            return text[:index] + char.upper() + text[index + 1:]
        if char not in '"\'(':
            break
    return text


def listing(items, word="and"):
    """['a', 'b', 'c'] -> 'a, b and c'."""
    items = list(items)
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + f" {word} " + items[-1]


class Scribe:
    """Expands patterns with one random source and one set of facts."""

    def __init__(self, rng, **facts):
        self.rng = rng
        self.facts = facts

    def knowing(self, **facts):
        """A scribe with the same random source and further facts."""
        return Scribe(self.rng, **{**self.facts, **facts})

    def pick(self, items):
        return items[int(self.rng.random() * len(items))]

    def some(self, items, low, high=None):
        """Between low and high of the items, in random order."""
        items = list(items)
        count = self.rng.randint(low, high if high is not None else low)
        return self.rng.sample(items, min(count, len(items)))

    def chance(self, probability):
        return self.rng.random() < probability

    def raw(self, pattern):
        return self._expand(_parse(pattern))

    def __call__(self, pattern):
        return capital(self.raw(pattern))

    def one(self, *patterns):
        return self(self.pick(patterns))

    def paragraph(self, *patterns):
        """Joins sentences; an empty expansion leaves no gap."""
        return " ".join(filter(None, (self(p) for p in patterns)))

    def maybe(self, probability, pattern):
        return self(pattern) if self.chance(probability) else ""

    def _expand(self, nodes):
        parts = []
        for node in nodes:
            if isinstance(node, str):
                parts.append(node)
            elif node[0] == "choice":
                parts.append(self._expand(self.pick(node[1])))
            else:
                parts.append(self._lookup(node[1]))
        return "".join(parts)

    def _lookup(self, key):
        if key.startswith("^"):
            return capital(self._lookup(key[1:]))
        if key.startswith("a "):
            return with_article(self._lookup(key[2:]))
        value = self.facts.get(key)
        if value is None:
            value = self.pick(WORD_LISTS[key])
        value = str(value)
        if "[" in value or "{" in value:
            return self._expand(_parse(value))
        return value
