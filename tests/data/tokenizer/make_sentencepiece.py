#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains small SentencePiece models on the texts of make_golden.py and records what `sentencepiece` makes of them.

Writes, beside itself:
  NAME.model       a ModelProto; without its precompiled_charsmap when that is one of the files below
  RULE.charsmap    the compiled normalisation rules that several models share
  NAME.ids         one line per text: the ids in base 36, without bos and eos
  spm_extra.json   for each model: which charsmap it lacks, its pieces (text, score, type), hashes of the
                   decoded texts
Needs: pip install sentencepiece protobuf tokenizers. Deterministic: everything comes from one seed.
"""
import hashlib
import io
import json
import pathlib

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as spm

from make_golden import PHRASES, base36, make_texts, write_lines

HERE = pathlib.Path(__file__).parent
COMMON = {"num_threads": 1, "hard_vocab_limit": False, "character_coverage": 0.98, "minloglevel": 2}
MODELS = {
    # The shape of Llama 2.
    "spm_llama": dict(model_type="bpe", vocab_size=1200, byte_fallback=True, split_digits=True, add_dummy_prefix=True,
                      remove_extra_whitespaces=False, normalization_rule_name="identity",
                      allow_whitespace_only_pieces=True),
    # Gemma's: no prefix, user-defined symbols.
    "spm_gemma": dict(model_type="bpe", vocab_size=1200, byte_fallback=True, split_digits=True, add_dummy_prefix=False,
                      remove_extra_whitespaces=False, normalization_rule_name="identity",
                      allow_whitespace_only_pieces=True,
                      user_defined_symbols=["<start_of_turn>", "\n\n", "\u2581\u2581", "  ", "e\u0301", "ab", "\u4f60\u597d"]),
    # Normalised, spaces folded, runs of unknown characters.
    "spm_bpe": dict(model_type="bpe", vocab_size=900, normalization_rule_name="nmt_nfkc",
                    user_defined_symbols=["<sep>", "ing", "\u2460"]),
    "spm_t5": dict(model_type="unigram", vocab_size=900, normalization_rule_name="nmt_nfkc", unk_id=2, bos_id=-1,
                   eos_id=1, pad_id=0),
    "spm_albert": dict(model_type="unigram", vocab_size=1200, normalization_rule_name="nmt_nfkc_cf", byte_fallback=True,
                       remove_extra_whitespaces=False, user_defined_symbols=["[CLS]", "[SEP]", "the", "caf\u00e9"]),
    "spm_suffix": dict(model_type="unigram", vocab_size=800, normalization_rule_name="nmt_nfkc", unk_id=0,
                       treat_whitespace_as_suffix=True, user_defined_symbols=["<x>"]),
}


def train(options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([p for p in PHRASES if "\0" not in p and p.strip()] * 3), model_writer=model, **COMMON, **options)
    proto = spm.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto


def read_pieces(name):
    """[(text, score, type)] of a model and the id of its unknown piece."""
    proto = spm.ModelProto()
    proto.ParseFromString((HERE / f"{name}.model").read_bytes())
    pieces = [(p.piece, p.score, p.type) for p in proto.pieces]
    return pieces, next(i for i, p in enumerate(pieces) if p[2] == 2)


def main():
    texts = make_texts()
    charsmaps, extra = {}, {}
    for name, options in MODELS.items():
        proto = train(options)
        if name == "spm_bpe":  # pieces that only help on the way
            for piece in proto.pieces[100:400:7]:
                if piece.type == 1:
                    piece.type = 5
        processor = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
        ids = processor.encode(texts)
        write_lines(HERE / f"{name}.ids", [" ".join(map(base36, line)) for line in ids])
        entry = {"charsmap": "", "decoded": [hashlib.sha1(processor.decode(line).encode()).hexdigest()[:8] for line in ids],
                 "pieces": [[p.piece, p.score, p.type] for p in proto.pieces] if name in ("spm_llama", "spm_gemma", "spm_t5") else None}
        rules = options["normalization_rule_name"]
        if proto.normalizer_spec.precompiled_charsmap:
            charsmaps[rules] = proto.normalizer_spec.precompiled_charsmap
            entry["charsmap"] = rules
            proto.normalizer_spec.precompiled_charsmap = b""
        (HERE / f"{name}.model").write_bytes(proto.SerializeToString())
        extra[name] = entry
    for rules, blob in charsmaps.items():
        (HERE / f"{rules}.charsmap").write_bytes(blob)
    text = json.dumps(extra, ensure_ascii=False, separators=(",", ":"))
    (HERE / "spm_extra.json").write_text(text + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
