# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokenizer training and the encoding of documents and conversations."""

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

BEGIN, END, HEADER_START, HEADER_END, TURN_END = SPECIAL = (
    "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")

# The split expression that Llama 3 publishes.
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first %}{{ bos_token }}{% endif %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + "
    "'<|eot_id|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}")


def chat_text(messages):
    """What CHAT_TEMPLATE renders, without the opening token."""
    return "".join(f"{HEADER_START}{m['role']}{HEADER_END}\n\n{m['content']}{TURN_END}" for m in messages)


def plain(item):
    return item if isinstance(item, str) else "\n\n".join(m["content"] for m in item)


def train_tokenizer(texts, vocab_size):
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size - len(SPECIAL), min_frequency=2, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    begin = tokenizer.token_to_id(BEGIN)
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single=f"{BEGIN} $A", pair=f"{BEGIN} $A {BEGIN}:1 $B:1",
                                      special_tokens=[(BEGIN, begin)])])
    return tokenizer


def encode(tokenizer, items):
    """Token lists of whole documents, each with its opening and closing token."""
    texts = [item + END if isinstance(item, str) else chat_text(item) for item in items]
    return [e.ids for e in tokenizer.encode_batch(texts)]


def slot_tokens(tokenizer):
    """Tokens of names, things, crops, animals, places and digits."""
    from . import harbour, kitchen, orchard, stories, words
    slots = [*words.WOMEN, *words.MEN, *words.SURNAMES, *words.SHIPS, *words.VILLAGES, *words.MONTHS, *words.DAYS,
             *words.WORD_LISTS["animal"], *words.WORD_LISTS["bird"], *stories.THINGS, *orchard.FRUIT_NAMES,
             *orchard.VEG_NAMES, *kitchen.RECIPE_NAMES, *kitchen.PRESERVE_NAMES, *harbour.PORT_NAMES,
             *harbour.CARGO_NAMES, *harbour.BOAT_NAMES, *map(str, range(1000))]
    found = set()
    for slot in slots:
        for form in (slot, " " + slot, slot.lower(), " " + slot.lower()):
            ids = tokenizer.encode(form, add_special_tokens=False).ids
            if len(ids) == 1:
                found.update(ids)
    return sorted(found)
