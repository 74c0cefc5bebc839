#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains small byte-level BPE tokenizers with Hugging Face `tokenizers` and records what it makes of 2,000 texts.

Writes, beside itself:
  NAME.json    a tokenizer.json
  texts.jsonl  one JSON string a line
  NAME.ids     one line per text: the ids in base 36 ("" for none), without post-processor, special tokens read
  extra.json   for each tokenizer: texts around added tokens with plain and `special` ids and both decodings,
               and id sequences with their decodings
Needs: pip install tokenizers (0.23). Deterministic: everything comes from one seed.
"""
import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
          r"\s*[\r\n]+|\s+(?!\S)|\s+")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")

PHRASES = """The quick brown fox jumps over the lazy dog.|She said: "I can't believe it's not butter!"|We'll see, they've gone; I'd say he's right.
WE'LL SEE, THEY'VE GONE; I'D SAY HE'S RIGHT.|Größe, Straße, Übermut und Käse.|L’été dernier, nous étions à la plage.|El niño comió piñas en la montaña.
Съешь же ещё этих мягких французских булок.|Καλημέρα κόσμε, τι κάνεις;|שלום עולם, מה שלומך?|مرحبا بالعالم، كيف حالك؟|سلام دنیا، حال شما چطور است؟
नमस्ते दुनिया, आप कैसे हैं?|வணக்கம் உலகம்|สวัสดีชาวโลก สบายดีไหม|你好，世界！今天天气很好。|こんにちは世界。カタカナとひらがな。|안녕하세요 세계, 잘 지내세요?
Xin chào thế giới, bạn khỏe không?|Ẹ káàárọ̀ ayé|ሰላም ልዑል|გამარჯობა მსოფლიო|Բարեւ աշխարհ|ᎣᏏᏲ ᎡᎶᎯ|ᐃᓄᒃᑎᑐᑦ|ภาษาไทย ๑๒๓|२०२४ में|١٢٣٤٥ أرقام|Ⅷ ½ ¾ ² ³ ① ㊿
👍🏽 thumbs|👨‍👩‍👧‍👦 family|🏳️‍🌈🇩🇪🇯🇵 flags|❤️‍🔥😀😃🥹|e\u0301 a\u030a o\u0308 combining|Z\u0351\u036b\u0343\u036a\u0302\u036b alg\u0335o|\u202eright to left\u202c|soft\u00adhyphen zero\u200bwidth\u200djoin
def main(argv):\n    return [x ** 2 for x in range(10)]\n|int main() {\n\tstd::printf("%d\\n", 42);\n\treturn 0;\n}\n|SELECT * FROM users WHERE id = 7 AND name LIKE '%x%';
<div class="a">text &amp; more</div>|https://example.org/a/b?c=d&e=f#g|user@example.com, +49 (0)30 123456|$12,345.67 €99,50 ¥1000 £5|3.14159265358979 1e-10 0xFF 1_000_000 2024-01-31T23:59:59Z
C:\\Users\\x\\y.txt|line one\r\nline two\r\n\r\nline four|tab\tseparated\tvalues|  two leading spaces|trailing spaces   |\n\n\nmany newlines\n\n|\u00a0nbsp\u2003em\u2009thin\u3000ideographic\u1680ogham\u180emongolian
--- === *** ___ ... !!! ??? ;;; ((())) [[]] {{}} <<>> //// \\\\\\\\ |#include <vector>|{"key": [1, 2.5, null, true], "k2": {"a": "b"}}|don't can't won't shan't y'all'd've|ſtrange 'ſ kelvin K ﬁ ligature|\x00\x01\x02 control \x1b[31mred\x1b[0m \x7f\x85
a|I|.| |\n|\r|\t|'|é|中|😀|\u0301|ǅ ǈ titlecase|ÀÉÎÕÜ|ʼn|naïve café résumé|Hello,World!How are you?|CamelCaseAndsnake_case_mixed-kebab|ALLCAPS lower Mixed|x=y+z*3/4-5%6^7&8|9~0""".replace("\n", "|").split("|")

def unescape(text):
    for short, real in (("\\r", "\r"), ("\\n", "\n"), ("\\t", "\t")):
        text = text.replace(short, real)
    out, at = "", 0
    while at < len(text):
        if text.startswith("\\u", at):
            out += chr(int(text[at + 2:at + 6], 16))
            at += 6
        elif text.startswith("\\x", at) and len(text) >= at + 4 and text[at + 2] in "018b7":
            out += chr(int(text[at + 2:at + 4], 16))
            at += 4
        else:
            out += text[at]
            at += 1
    return out


PHRASES = [unescape(p) for p in PHRASES]
# Assigned since Unicode 10 at the latest, so that no library's table is behind.
BLOCKS = [(0x20, 0x7F), (0x20, 0x7F), (0xA0, 0x17F), (0x180, 0x24F), (0x300, 0x36F), (0x370, 0x373), (0x391, 0x3A1),
          (0x400, 0x45F), (0x5D0, 0x5EA), (0x620, 0x64A), (0x660, 0x669), (0x905, 0x939), (0x966, 0x96F), (0xE01, 0xE3A),
          (0x1100, 0x1112), (0x1E00, 0x1EFF), (0x2000, 0x206F), (0x20A0, 0x20B0), (0x2100, 0x214F), (0x2150, 0x2189),
          (0x2190, 0x21FF), (0x2200, 0x22FF), (0x2460, 0x24FF), (0x2500, 0x257F), (0x2600, 0x26FF), (0x3000, 0x303F),
          (0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x9FA5), (0xAC00, 0xD7A3), (0xE000, 0xE010), (0xFB00, 0xFB06),
          (0xFE00, 0xFE0F), (0xFF01, 0xFF5E), (0x10400, 0x1044F), (0x1D400, 0x1D454), (0x1F1E6, 0x1F1FF),
          (0x1F300, 0x1F5FF), (0x1F600, 0x1F64F), (0x20000, 0x20010), (0x09, 0x0D), (0x00, 0x1F), (0x85, 0x85)]
SPACES = [" ", "  ", "   ", "\n", "\r\n", "\t", "\n\n", " \n ", "\u00a0", "\u3000", "\u2028", "\u200b", "      ", "\r", "\x0b", "\x85"]


def random_text(rng):
    kind = rng.randrange(8)
    if kind <= 2:
        return rng.choice(SPACES + [" "] * 12).join(rng.choice(PHRASES) for _ in range(rng.randint(1, 3)))
    if kind == 3:  # one block
        low, high = rng.choice(BLOCKS)
        return "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 24)))
    if kind == 4:  # all blocks
        return "".join(chr(rng.randint(*rng.choice(BLOCKS))) for _ in range(rng.randint(1, 24)))
    if kind == 5:  # runs
        return "".join(rng.choice([" ", "\n", "\r\n", "a", "ab", "1", "12", "!", "é", "中", "\t", "'s", "😀", "-"])
                       * rng.randint(1, 12) for _ in range(rng.randint(1, 5)))
    if kind == 6:  # digits and punctuation
        return "".join(rng.choice("0123456789.,:;-+*/()[]{}'\"$% \n\t_٣४") for _ in range(rng.randint(1, 40)))
    words = " ".join(PHRASES).split(" ")  # cut words
    pieces = [rng.choice(words) for _ in range(rng.randint(1, 12))]
    return "".join(p[rng.randint(0, len(p)):] + rng.choice(SPACES + [" ", ""]) for p in pieces)


def make_texts():
    rng = random.Random(20240131)
    texts = list(PHRASES) + ["", " " * 300, "a" * 500, "\n" * 100, "ab " * 100, "1" * 100]
    seen = set(texts)
    while len(texts) < 2000:
        text = random_text(rng)
        if len(text.encode()) <= 240 and text not in seen:
            seen.add(text)
            texts.append(text)
    return texts[:2000]


def train(tokenizer, vocab_size, specials, texts, **options):
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=specials, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **options)
    tokenizer.train_from_iterator(texts, trainer)


def gpt2(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    train(tokenizer, 1000, ["<|endoftext|>"], texts)
    return tokenizer


def gpt2_prefix(texts):
    """A leading space before every piece, individual digits, NFC, RoBERTa-like borders and words with conditions."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=True)])
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Fuse()])
    train(tokenizer, 900, ["<s>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True, special=True)], texts)
    tokenizer.add_tokens([AddedToken("word", single_word=True), AddedToken("<sep>", rstrip=True, normalized=False),
                          AddedToken("caf\u00e9", normalized=True), AddedToken("  ", normalized=False),
                          AddedToken("sepia"), AddedToken("<both>", lstrip=True, rstrip=True, normalized=True)])
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True),
        processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> $B </s>",
                                      special_tokens=[("<s>", 0), ("</s>", 1)])])
    return tokenizer


LLAMA3_SPECIALS = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
                   "<|eot|>", "<|python_tag|>"]


def llama3(texts, ignore_merges):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    train(tokenizer, 1200, [], texts)
    # Special tokens behind the vocabulary, as published; a non-special one among them.
    tokenizer.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in LLAMA3_SPECIALS])
    tokenizer.add_tokens([AddedToken("<tool_call>", normalized=False)])
    bos = tokenizer.token_to_id("<|begin_of_text|>")
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|> $B",
                                      special_tokens=[("<|begin_of_text|>", bos)])])
    if ignore_merges:  # whole words that no merge reaches, as tiktoken vocabularies have them
        spec = json.loads(tokenizer.to_str())
        low = [m for m in spec["model"]["merges"]][200:]
        spec["model"]["merges"] = spec["model"]["merges"][:200] + low[::2]
        tokenizer = Tokenizer.from_str(json.dumps(spec))
    return tokenizer


def o200k(texts):
    """Case-split words, several Split stages with other behaviours, merges as strings."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"\p{N}{3}(?!\p{N})"), behavior="merged_with_next", invert=False),
        pre_tokenizers.Split("://", behavior="merged_with_previous", invert=False),
        pre_tokenizers.Split(Regex(r"[^\u4e00-\u9fff]+"), behavior="contiguous", invert=True),
        pre_tokenizers.Split(Regex(O200K), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    train(tokenizer, 900, ["<|endoftext|>"], texts)
    return tokenizer


def sentencepiece(texts):
    """The Llama-2 shape: no pre-tokenizer, spaces as U+2581, bytes for what the vocabulary lacks."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    ascii_texts = ["\u2581" + w for t in texts for w in t.split() if w.isascii()]
    trainer = trainers.BpeTrainer(vocab_size=700, show_progress=False, special_tokens=["<unk>", "<s>", "</s>"] +
                                  [f"<0x{b:02X}>" for b in range(256)])
    tokenizer.train_from_iterator(ascii_texts, trainer)
    spec = json.loads(tokenizer.to_str())
    spec["added_tokens"] = spec["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(spec))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def base36(number):
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
        if number == 0:
            return digits


def around_added(tokenizer, texts, rng):
    """Texts with the names of added tokens in all places."""
    names = [t.content for t in tokenizer.get_added_tokens_decoder().values()] + ["cafe\u0301", "password", "word", "<|eot"]
    out = []
    for _ in range(120):
        parts = []
        for _ in range(rng.randint(1, 4)):
            parts.append(rng.choice(names))
            parts.append(rng.choice(["", " ", "  ", "x", "\n", "_", ".", "\u00a0 ", rng.choice(texts)[:20]]))
        out.append("".join(parts) if rng.randrange(2) else " ".join(parts))
    return out


def write_lines(path, lines):
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="\n")


def main():
    texts = make_texts()
    write_lines(HERE / "texts.jsonl", [json.dumps(t, ensure_ascii=False) for t in texts])
    makers = {"gpt2": gpt2, "gpt2_prefix": gpt2_prefix, "llama3": lambda t: llama3(t, False),
              "llama3_ignore_merges": lambda t: llama3(t, True), "o200k": o200k, "sentencepiece": sentencepiece}
    extra = {}
    for name, maker in makers.items():
        tokenizer = maker(texts)
        spec = json.loads(tokenizer.to_str())
        if name == "o200k":
            spec["model"]["merges"] = [" ".join(pair) for pair in spec["model"]["merges"]]
        (HERE / f"{name}.json").write_text(json.dumps(spec, ensure_ascii=False, separators=(",", ":")) + "\n",
                                           encoding="utf-8", newline="\n")
        tokenizer = Tokenizer.from_str(json.dumps(spec))
        ids = [tokenizer.encode(t, add_special_tokens=False).ids for t in texts]
        write_lines(HERE / f"{name}.ids", [" ".join(map(base36, line)) for line in ids])
        rng = random.Random(7)
        cases = []
        for text in around_added(tokenizer, texts, rng):
            plain = tokenizer.encode(text, add_special_tokens=False).ids
            tokenizer.encode_special_tokens = True
            typed = tokenizer.encode(text, add_special_tokens=False).ids
            tokenizer.encode_special_tokens = False
            cases.append({"text": text, "ids": plain, "special": tokenizer.encode(text).ids, "typed": typed,
                          "decoded": tokenizer.decode(plain, skip_special_tokens=False),
                          "skipped": tokenizer.decode(plain, skip_special_tokens=True)})
        sequences = []
        known = sorted(tokenizer.get_vocab(with_added_tokens=True).values())
        for _ in range(120):
            sequence = [rng.choice(known) for _ in range(rng.randint(0, 12))]
            sequences.append({"ids": sequence, "decoded": tokenizer.decode(sequence, skip_special_tokens=False),
                              "skipped": tokenizer.decode(sequence, skip_special_tokens=True)})
        extra[name] = {"cases": cases, "sequences": sequences,
                       "decoded": [tokenizer.decode(line, skip_special_tokens=False) == text
                                   for line, text in zip(ids, texts)].count(True)}
    (HERE / "extra.json").write_text(json.dumps(extra, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8",
                                     newline="\n")


if __name__ == "__main__":
    main()
