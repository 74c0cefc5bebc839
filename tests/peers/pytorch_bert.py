#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Embeddings of a bert-base shape: our daemon and PyTorch (eager, sdpa), the same token ids, in turns.

    python tests/peers/pytorch_bert.py --espalierctl build/release/bin/espalierctl --compute f32

The model is made here with random weights, stored as f32 or, for --compute bf16, as bf16: PyTorch then computes in bf16
throughout, ours makes its products with weights in bf16 dots and the rest in f32. Texts are whole (no padding), pooled by
the mean and normalised; ours goes over HTTP. Before anything is timed both sides must point the same way. Prints a table
and one JSON line per row; rounds count as turns.py says. Needs torch, transformers and tokenizers.
"""
import argparse
import os
import pathlib
import tempfile
import time

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from turns import CLEAN, Ours, ids_of, in_turns, print_table

WORK = ((1, 128), (8, 128), (32, 128), (1, 512))  # texts, tokens of each
LEAST_COSINE = {"f32": 0.99999, "bf16": 0.999}
REST = 0.3  # seconds; PyTorch's threads spin for a while after they were used


def make_model(folder, dtype):
    disable_progress_bar()
    torch.manual_seed(0)
    config = BertConfig()
    model = BertModel(config).to(dtype).eval()
    model.save_pretrained(folder)
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    words = [*special.values(), *(f"w{i}" for i in range(config.vocab_size - len(special)))]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    return model


def embed(model, texts):
    with torch.inference_mode():
        hidden = model(torch.tensor(texts)).last_hidden_state.float()
    return torch.nn.functional.normalize(hidden.mean(1), dim=1)


def measure(espalierctl, compute, threads, rounds, clean=CLEAN, work=WORK):
    torch.set_num_threads(threads)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        model = make_model(pathlib.Path(folder) / "bert-base", torch.bfloat16 if compute == "bf16" else torch.float32)
        ours = Ours(espalierctl, pathlib.Path(folder) / "bert-base", compute, threads, folder, kv="f32")
        try:
            texts = [ids_of(40, seed) for seed in range(4)]
            cosines = (torch.tensor(ours.embed(texts)) * embed(model, texts)).sum(1)
            assert cosines.min() > LEAST_COSINE[compute], f"not the same embeddings: cosines {cosines.tolist()}"
            for count, length in work:
                def turn(number):
                    texts = [ids_of(length, 1000 * number + i) for i in range(count)]
                    time.sleep(REST)
                    start = time.perf_counter()
                    ours.embed(texts)
                    middle = time.perf_counter()
                    embed(model, texts)
                    return [middle - start, time.perf_counter() - middle]
                row = {"what": f"{count} x {length} tokens", "model": "bert-base", "compute": compute, "threads": threads,
                       "torch": torch.__version__}
                rows.append(in_turns(row, "pytorch", [os.getpid(), ours.pid], rounds, clean, count, turn))
        finally:
            ours.end()
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--espalierctl", required=True)
    parser.add_argument("--compute", default="f32", choices=["f32", "bf16"])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clean", type=float, default=CLEAN)
    parser.add_argument("--quick", action="store_true", help="one short text at a time only")
    args = parser.parse_args()
    rows = measure(str(pathlib.Path(args.espalierctl).resolve()), args.compute, args.threads, args.rounds, args.clean,
                   WORK[:1] if args.quick else WORK)
    print_table(rows, "pytorch", "texts/s")


if __name__ == "__main__":
    main()
