#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes GGUF files that hold a vocabulary and nothing else, one of each kind, as llama.cpp's converters spell them:

  vocabulary-llama.gguf   SentencePiece BPE, of tokenizer/spm_llama
  vocabulary-gpt2.gguf    byte-level BPE, of tokenizer/gpt2
  vocabulary-bert.gguf    WordPiece, of tokenizer/bert_uncased
  vocabulary-t5.gguf      Unigram with a compiled normaliser, of tokenizer/spm_t5

Their ids are those of the golden files there, but for vocabulary-bert.json: {line of texts.jsonl: ids} where a word has
more than the 24 characters at which the golden tokenizer gives up; GGUF files give up at 100. Needs gguf and tokenizers.
"""
import json
import pathlib

import tokenizers
from gguf import GGUFWriter

HERE = pathlib.Path(__file__).resolve().parent
TEXTS = HERE.parent / "tokenizer"
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4


def write(name, kind, tokens, types, scores=None, merges=None, **more):
    # The architecture must have a name; no reader looks for a model in a file without tensors.
    writer = GGUFWriter(HERE / f"vocabulary-{name}.gguf", "llama")
    writer.add_tokenizer_model(kind)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    if scores is not None:
        writer.add_token_scores(scores)
    if merges is not None:
        writer.add_token_merges(merges)
    for call, value in more.items():
        if call == "cls_token_id":  # a key that the package has no name for
            writer.add_uint32("tokenizer.ggml.cls_token_id", value)
        else:
            getattr(writer, call)(value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def pieces(name):
    entries = json.loads((TEXTS / "spm_extra.json").read_text())[name]["pieces"]
    return [list(column) for column in zip(*entries)]


def vocabulary_of(name):
    """Tokens, types and the file of a tokenizer.json."""
    file = json.loads((TEXTS / f"{name}.json").read_text())
    tokens = {id: token for token, id in file["model"]["vocab"].items()}
    types = dict.fromkeys(tokens, NORMAL)
    for added in file["added_tokens"]:
        tokens[added["id"]] = added["content"]
        types[added["id"]] = CONTROL if added["special"] else USER_DEFINED
    order = range(len(tokens))
    return [tokens[id] for id in order], [types[id] for id in order], file


def main():
    tokens, scores, types = pieces("spm_llama")
    write("llama", "llama", tokens, types, scores, add_bos_token_id=1, add_eos_token_id=2, add_unk_token_id=0,
          add_add_bos_token=False, add_add_space_prefix=True)

    tokens, types, file = vocabulary_of("gpt2")
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in file["model"]["merges"]]
    write("gpt2", "gpt2", tokens, types, merges=merges, add_tokenizer_pre="gpt-2")

    tokens, types, file = vocabulary_of("bert_uncased")
    spelled = [token if kind == CONTROL else token[2:] if token.startswith("##") else "\u2581" + token
               for token, kind in zip(tokens, types)]
    write("bert", "bert", spelled, types, cls_token_id=tokens.index("[CLS]"),
          add_sep_token_id=tokens.index("[SEP]"), add_unk_token_id=tokens.index("[UNK]"), add_pad_token_id=tokens.index("[PAD]"))
    file["model"]["max_input_chars_per_word"] = 100
    reference = tokenizers.Tokenizer.from_str(json.dumps(file))
    golden = [[int(id, 36) for id in line.split()] for line in (TEXTS / "bert_uncased.ids").read_text().split("\n")[:-1]]
    texts = [json.loads(line) for line in (TEXTS / "texts.jsonl").read_text().split("\n") if line]
    ids = [reference.encode(text, add_special_tokens=False).ids for text in texts]
    differ = {str(i): ids[i] for i in range(len(ids)) if ids[i] != golden[i]}
    (HERE / "vocabulary-bert.json").write_text(json.dumps(differ, separators=(",", ":")) + "\n")

    tokens, scores, types = pieces("spm_t5")
    write("t5", "t5", tokens, types, scores, add_eos_token_id=1, add_pad_token_id=0, add_unk_token_id=2,
          add_add_bos_token=False, add_add_eos_token=True, add_add_space_prefix=True, add_remove_extra_whitespaces=True,
          add_precompiled_charsmap=(TEXTS / "nmt_nfkc.charsmap").read_bytes())


if __name__ == "__main__":
    main()
