#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains small tokenizers of every type with Hugging Face `tokenizers` and records what it makes of 2,100 texts.

Writes, beside itself:
  NAME.json    a tokenizer.json
  texts.jsonl  one JSON string a line
  NAME.ids     one line per text: the ids in base 36 ("" for none), without post-processor, special tokens read
  extra.json   for each tokenizer: texts around added tokens with plain and `special` ids and both decodings,
               id sequences with their decodings, and hashes of the decoded texts
  unicode.json ranges of the characters that its normalisers and pre-tokenisers put into a class
Unigram tokenizers take pieces and normalisation rules from the files of make_sentencepiece.py; in their NAME.json the
rules are left out ("precompiled_charsmap": "RULE.charsmap").
Needs: pip install tokenizers (0.23). Deterministic: everything comes from one seed.
"""
import base64
import hashlib
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
    return texts[:2000] + rare_texts(rng)


# Unassigned, private, not characters at all; emoji with tags and joiners; marks on nothing; controls.
RARE = ["\u0378", "\u05ff", "\u2fe0", "\ufdd0", "\ufffe", "\uffff", "\U0001fffe", "\U000e0080", "\U0010ffff",
        "\U000f0000", "\ue123", "\ufffd", "\ufeff", "\u00ad", "\u200b", "\u200e", "\u200f", "\u202a", "\u2066",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "\u00a9\u200d\u00a9",
        "\U0001f468\U0001f3fd\u200d\U0001f680", "1\ufe0f\u20e3", "\u2764\ufe0f", "\u0301\u0301", "\uff41\u0301",
        "\u1100\u1161\u11a8", "\uac00\u11a8", "\u0915\u094d\u0937", "\u0e40\u0e01", "\u0600\u0661", "\u0130", "\u0131",
        "\u1e9e", "\u03a3\u03c2", "\u01c4", "\ufb03", "\u2126", "\u212b", "\u0344", "\u0958", "\u3300", "\u32ff",
        "\U0001d15e", "\u00c5\u0327", "q\u0307\u0323", "\x00", "\x01", "\x0c", "\x1f", "\x7f", "\x80", "\x9f", "\r\n",
        "\u2581", "\u2581\u2581", " \u2581 ", "``", "''", "\u3000", "\u2028", "\u0085"]


def rare_texts(rng):
    words = "abc", "Caf\u00e9", " ", "  ", "\u4e2d\u6587", "12", ".", "x"
    return ["".join(rng.choice(RARE) + rng.choice(words) * rng.randrange(2) for _ in range(rng.randint(1, 7)))
            for _ in range(100)]


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


def qwen2(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    train(tokenizer, 900, [], texts)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False)
                                  for t in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")])
    tokenizer.add_tokens([AddedToken("<tool_call>", normalized=False), AddedToken("<think>", normalized=False)])
    return tokenizer


def metaspace(texts, scheme, split):
    """The Llama form without `legacy`: a pre-tokenizer marks the spaces."""
    tokenizer = sentencepiece(texts)
    tokenizer.normalizer = normalizers.Sequence([])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme=scheme, split=split)
    if split:
        tokenizer.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme=scheme, split=split)
    return tokenizer


def bert(texts, lowercase, **options):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=24))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase, **options)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=lowercase)
    common = [t for t in texts if all(ord(c) < 0x3000 for c in t)]
    trainer = trainers.WordPieceTrainer(vocab_size=900, show_progress=False, limit_alphabet=200,
                                        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.train_from_iterator(common, trainer)
    tokenizer.model.max_input_chars_per_word = 24
    if lowercase:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    else:
        tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def gpt1(texts):
    """Suffixes that end words, as GPT and CLIP have them; runs of unknown characters are one token."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(), normalizers.StripAccents(),
                                                 normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()])
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=["<unk>"], show_progress=False, end_of_word_suffix="</w>",
                                  limit_alphabet=90)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def prefixed(texts):
    """Continuations marked in front; the smaller normalisers and pre-tokenisers."""
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", continuing_subword_prefix="##"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Whitespace(), pre_tokenizers.CharDelimiterSplit("_"), pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.Punctuation(behavior="merged_with_previous")])
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=["[UNK]"], show_progress=False,
                                  continuing_subword_prefix="##", limit_alphabet=150)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("[UNK]", 0), ("[UNK]", 0))
    return tokenizer


def unigram(model, rules, before, pre_tokenizer, byte_fallback=False):
    """The pieces and rules of a SentencePiece model, as its conversion to tokenizer.json writes them."""
    from make_sentencepiece import read_pieces
    pieces, unknown = read_pieces(model)
    tokenizer = Tokenizer(models.Unigram([(text, score) for text, score, _ in pieces], unknown, byte_fallback))
    charsmap = (HERE / f"{rules}.charsmap").read_bytes()
    tokenizer.normalizer = normalizers.Sequence(before + [normalizers.Precompiled(charsmap),
                                                          normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always")
    tokenizer.add_special_tokens([text for text, _, kind in pieces if kind in (2, 3)])
    tokenizer.add_tokens([AddedToken("<extra_id_0>", rstrip=True), AddedToken("Caf\u00e9", normalized=True)])
    return tokenizer


def t5(_):
    return unigram("spm_t5", "nmt_nfkc", [], pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always"))


def xlm_roberta(_):
    return unigram("spm_t5", "nmt_nfkc", [normalizers.Strip(left=False, right=True)], pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="first")]))


def albert(_):
    before = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(),
              normalizers.StripAccents(), normalizers.Lowercase()]
    return unigram("spm_albert", "nmt_nfkc_cf", before,
                   pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="first", split=False), True)


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


def without_rules(spec):
    """The same with each charsmap replaced by the name of the file that holds it."""
    spec = json.loads(json.dumps(spec))
    for stage in (spec.get("normalizer") or {}).get("normalizers", []):
        if stage["type"] == "Precompiled":
            blob = base64.b64decode(stage["precompiled_charsmap"])
            stage["precompiled_charsmap"] = next(p.name for p in HERE.glob("*.charsmap") if p.read_bytes() == blob)
    return spec


def ranges(belongs):
    out = []
    for code in range(0x110000):
        if 0xD800 <= code < 0xE000 or not belongs(chr(code)):
            continue
        if out and out[-1][1] == code - 1:
            out[-1][1] = code
        else:
            out.append([code, code])
    return out


def classes():
    clean = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    spaced = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=True, strip_accents=False, lowercase=False)
    unaccented = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    nfd, marks, lower = normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()
    space, punctuation = pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()
    return {"other": ranges(lambda c: c not in "\ufffd" and clean.normalize_str(f"a{c}b") == "ab"),
            "ideograph": ranges(lambda c: spaced.normalize_str(c) == f" {c} "),
            "nonspacing": ranges(lambda c: nfd.normalize_str(c) == c and unaccented.normalize_str(c) == ""),
            "combining": ranges(lambda c: marks.normalize_str(c) == ""),
            "space": ranges(lambda c: len(space.pre_tokenize_str(f"a{c}b")) == 2),
            "punctuation": ranges(lambda c: len(punctuation.pre_tokenize_str(f"a{c}b")) == 3),
            "lower": {str(code): lower.normalize_str(chr(code)) for code in range(0x110000)
                      if not 0xD800 <= code < 0xE000 and lower.normalize_str(chr(code)) != chr(code)}}


def main():
    texts = make_texts()
    (HERE / "unicode.json").write_text(json.dumps(classes(), ensure_ascii=False, separators=(",", ":")) + "\n",
                                       encoding="utf-8", newline="\n")
    write_lines(HERE / "texts.jsonl", [json.dumps(t, ensure_ascii=False) for t in texts])
    makers = {"gpt2": gpt2, "gpt2_prefix": gpt2_prefix, "llama3": lambda t: llama3(t, False),
              "llama3_ignore_merges": lambda t: llama3(t, True), "o200k": o200k, "sentencepiece": sentencepiece,
              "qwen2": qwen2, "metaspace_first": lambda t: metaspace(t, "first", False),
              "metaspace_always": lambda t: metaspace(t, "always", True),
              "metaspace_never": lambda t: metaspace(t, "never", True),
              "bert_uncased": lambda t: bert(t, True), "bert_cased": lambda t: bert(t, False),
              "bert_accents": lambda t: bert(t, True, strip_accents=False, handle_chinese_chars=False),
              "bert_plain": lambda t: bert(t, False, strip_accents=True, clean_text=False), "gpt1": gpt1,
              "prefixed": prefixed, "t5": t5, "xlm_roberta": xlm_roberta, "albert": albert}
    extra = {}
    for name, maker in makers.items():
        tokenizer = maker(texts[:2000])
        spec = json.loads(tokenizer.to_str())
        if name == "o200k":
            spec["model"]["merges"] = [" ".join(pair) for pair in spec["model"]["merges"]]
        (HERE / f"{name}.json").write_text(json.dumps(without_rules(spec), ensure_ascii=False, separators=(",", ":")) + "\n",
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
                       "decoded": [hashlib.sha1(tokenizer.decode(line, skip_special_tokens=False).encode()).hexdigest()[:8]
                                   for line in ids]}
    (HERE / "extra.json").write_text(json.dumps(extra, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8",
                                     newline="\n")


if __name__ == "__main__":
    main()
