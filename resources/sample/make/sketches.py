# SPDX-License-Identifier: GPL-3.0-or-later
"""Descriptive sketches: freely combined sentences about a place and an hour.

These carry most of the variety of the corpus. A sketch keeps its place, hour,
weather and main figure; everything else is combined clause by clause.
"""

import re

from .scribe import capital
from .words import DAYS, MEN, SURNAMES, WOMEN

_PEOPLE = {
    "orchard": ["gardener", "beekeeper", "fruit picker", "basket maker", "shepherd", "schoolteacher", "carter",
                "grafter"],
    "kitchen": ["cook", "baker", "kitchen maid", "innkeeper", "miller", "cheese maker", "guest", "apprentice"],
    "harbour": ["pilot", "fisherman", "net maker", "sailmaker", "harbour master", "ferryman", "merchant",
                "lighthouse keeper"],
}
_PLACES = {
    "orchard": ["the lower orchard", "the walled garden", "the old nursery", "the kitchen garden", "the long meadow",
                "the fruit store", "the potting shed", "the lane behind the orchard"],
    "kitchen": ["the farm kitchen", "the bakery", "the kitchen of the inn", "the cool larder", "the dairy",
                "the scullery", "the cottage kitchen", "the dining room"],
    "harbour": ["the inner harbour", "the fish market", "the stone quay", "the boatyard", "the sail loft",
                "the pilot house", "the beach below the lighthouse", "the ferry landing"],
}
_SPOTS = {
    "orchard": ["under the pear tree", "beside the water butt", "along the south wall", "by the gate",
                "between the rows of currants", "near the beehives", "at the foot of the ladder",
                "behind the compost heap", "among the espaliers"],
    "kitchen": ["by the stove", "at the long table", "under the window", "beside the flour bin", "on the stone step",
                "near the oven", "in front of the dresser", "behind the door", "on the lowest shelf"],
    "harbour": ["at the end of the quay", "beside the crane", "on the wet steps", "among the lobster pots",
                "near the moored barges", "under the lamp", "behind the salt store", "along the sea wall",
                "by the slipway"],
}
_ACTS = {
    "orchard": ["was tying in the new shoots", "carried a basket of [plums|pears|early apples]",
                "sharpened a pruning knife", "was counting the fruit on the upper branches",
                "raked the fallen leaves into a heap",
                "watered the seedlings one by one", "mended a gap in the fence",
                "looked for caterpillars under the leaves", "was pressing the soil firm with one boot",
                "wrote the name of the tree on a label", "shook the branch and listened"],
    "kitchen": ["was kneading a large piece of dough", "stirred the soup with a wooden spoon",
                "peeled [apples|potatoes|onions] into a bowl", "set [six|eight|four] plates on the table",
                "was weighing sugar on the old scales",
                "tasted the sauce and frowned", "wiped the jars and put on the labels",
                "lifted the loaf out of the oven", "cracked eggs into a blue basin", "hung the copper pans in a row",
                "cut the cheese into thin slices"],
    "harbour": ["was mending a brown net", "coiled the wet rope on the deck",
                "unloaded crates of [herring|cheese|glass]", "painted the name on the stern",
                "was counting the sacks in the tally book", "lit the lamp at the pier head",
                "looked out to sea with one hand above the eyes", "sold mackerel from a barrow",
                "was bailing out the dinghy", "called across the water to the ferry", "read the tide table aloud"],
}
_BACKGROUND = {
    "orchard": ["bees hummed in the [clover|blossom|ivy]", "a {bird} sang on the wall",
                "the ladder leaned against the oldest tree", "the smell of cut grass hung in the air",
                "wasps crept over the fallen pears", "a wheelbarrow stood forgotten in the nettles",
                "the branches threw long shadows", "water dripped from the can", "two geese argued over a crust",
                "the wind moved the upper leaves"],
    "kitchen": ["the kettle began to sing", "steam ran down the panes", "a cat slept beside the coal box",
                "the clock ticked above the dresser",
                "the smell of [fresh bread|cinnamon|roast onions] filled the room", "flour lay on everything like snow",
                "a row of jars cooled on the sill", "the fire settled with a sigh", "the lid of the pot rattled",
                "rain tapped at the window"],
    "harbour": ["gulls quarrelled over the scraps", "the ropes creaked with the swell",
                "a bell rang far out in the mist", "the tide slid over the mud", "tar smoked in an iron pot",
                "the mast of a [ketch|schooner|lugger] moved against the sky",
                "barrels rolled along the planks", "small waves slapped the stones",
                "a seal lifted its head near the buoy", "the smell of salt and smoke came over the roofs"],
}
_LOOKS = ["a tall {worker} with [grey|red|dark] hair",
          "a {worker} in [a patched coat|a blue apron|heavy boots|a straw hat]", "an old {worker} whom everyone knew",
          "a young {worker} from {village}", "the {worker}'s [daughter|son|brother|sister]",
          "a stranger with a handcart",
          "a boy of [seven|nine|ten]", "a girl with a [yellow|green|red] scarf"]
_MOOD = ["nobody was in a hurry", "there was still much to do", "the day had hardly begun",
         "everyone spoke a little more softly than usual", "it was the hour at which the work goes best",
         "one could have stayed there for ever", "it might have been any year of the last hundred",
         "the others had already gone home", "the best part of the day was still to come"]
_TALK = ['"[It will rain before night|The wind is turning|It will stay dry]," said {who}',
         '"[Mind the step|Close the door|Leave that for tomorrow]," called {who}',
         '"How much do you want for [it|all of them]?" asked {who}',
         '"[I was taught it this way|That is how my mother did it|One learns it slowly]," said {who}',
         '"[Have you seen {other}|Where is {other} today]?" asked {who}',
         '"[Nearly done|One more and we are finished|That is the last of it]," said {who}']
_REPLY = ["[{other}|the {worker2}] only nodded", '"[So they say|I hope so|We shall see]," came the answer',
          "there was a short silence, and then both laughed", "[nobody answered|the answer was lost in the noise]",
          '"[Ask me again in autumn|Not before {weekday}|As you wish]," said {other}']
_HOURS = ["early in the morning", "before sunrise", "at noon", "in the late afternoon", "towards evening", "after dark",
          "in the first hour of light", "just after the rain", "on {a season} morning", "on {a season} evening",
          "on market day", "on a Sunday"]


_OPENINGS = ["{^hour}, {place} was [full of life|almost empty|quiet]; {mood}.",
             "{^back}, and {back}. {^hour}, {mood} {in} {place}.",
             "It was {season} {in} {place}. {^back}; {mood}.", "It was {season} {in} {place}. {^back}, and {back}.",
             "{^hour}, when {back}, {who} {surname} {act} {spot}.", "{who}, the {worker}, {act} {spot}. {^back}.",
             "{who} came to {place} {hour}, and {mood}.",
             "The first thing one noticed {in} {place} was this: {back}, and {back}."]
_MIDDLE = ["{^spot}, {look} {act}.", "{^spot}, {look} {act}, while {back}.", "{who} {act} and {look} {act}.",
           "{who} {act}, for {mood}.",
           "{^look} {act} {spot}, and {back}.",
           "[Sometimes|Now and then|Once] {back}, and {who} [looked up|stopped for a moment|smiled].",
           "{^back}, {back}, and [still|all the while] {look} {act}.",
           "Nothing was out of its place: {back}, {back}, and {spot} {look} {act}.",
           "{who} had been {a worker} for [nine|twelve|twenty|thirty] years and [could do it with closed eyes|still "
           "loved the work|knew every corner].",
           "[Beyond the wall|Outside|Not far away], {back}.", "{^he} {act} {spot}, as {he} did every {weekday}."]
_CLOSINGS = ["{proverb}", "Then {back}, and the day went on.", "By the time the lamps were lit, {mood}.",
             "{^he} [put down the tool|washed {his} hands|closed the door] and went home.",
             "And so the {season} day [ended|passed].",
             "Later, when it was all done, {who} and {other} sat {spot} with {drink}."]
_ONCE = re.compile(r"\{(\^?)(act|back|spot|look|mood)\}")
_PREPOSITION = {"the stone quay": "on", "the beach below the lighthouse": "on", "the ferry landing": "at",
                "the boatyard": "at", "the fish market": "at"}


def sketch(s, domain=None):
    domain = domain or s.pick(list(_PLACES))
    who, other = s.rng.sample(WOMEN + MEN, 2)
    woman = who in WOMEN
    job, other_job = s.some(_PEOPLE[domain], 2)
    place = s.pick(_PLACES[domain])
    c = s.knowing(who=who, other=other, place=place, worker=job, worker2=other_job, he="she" if woman else "he",
                  his="her" if woman else "his", season=s.pick(["spring", "summer", "autumn", "winter"]),
                  weekday=s.pick(DAYS), surname=s.pick(SURNAMES))
    c.facts["in"] = _PREPOSITION.get(place, "in")
    c.facts["hour"] = c.raw(s.pick(_HOURS))
    looks = [x.replace("{worker}", s.pick(_PEOPLE[domain])) for x in _LOOKS]
    left = {"act": _ACTS[domain], "back": _BACKGROUND[domain], "spot": _SPOTS[domain], "look": looks, "mood": _MOOD}
    left = {key: s.some(pool, len(pool)) for key, pool in left.items()}

    def write(pattern):
        """Expands a pattern; no act, spot or background is used twice."""
        def take(match):
            text = c.raw(left[match.group(2)].pop())
            return capital(text) if match.group(1) else text
        return c(_ONCE.sub(take, pattern))

    text = [write(s.pick(_OPENINGS))] + [write(p) for p in s.some(_MIDDLE, 2, 4)]
    if s.chance(0.55):
        text += [c(s.pick(_TALK)) + ".", c(s.pick(_REPLY))]
        text[-1] += "" if text[-1].endswith('"') and text[-1][-2] in ".?!" else "."
    if s.chance(0.7):
        text.append(write(s.pick(_CLOSINGS)))
    half = len(text) // 2 if s.chance(0.35) and len(text) > 4 else len(text)
    return c, "\n\n".join(filter(None, (" ".join(text[:half]), " ".join(text[half:]))))


def requests(c):
    """Ways to ask for this sketch."""
    return [c("Describe {place}."), c("Describe {place} {hour}."), c("Write a description of {place}."),
            c("Write a short scene {in} {place}."), c("Write a scene with {who} {in} {place}."),
            c("What is it like {in} {place} {hour}?")]
