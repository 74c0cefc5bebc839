#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the sample model from nothing: text, tokenizer, weights, folder.

    python make_sample.py            everything, about an hour on one free CPU core
    python make_sample.py --quick    a very rough model in two minutes, to check the scripts
    python make_sample.py --show 20  prints twenty documents of the corpus
    python make_sample.py --try      answers the example prompts

Needs torch, transformers, tokenizers and safetensors; reads no other data.
"""

import argparse
import dataclasses
import json
import pathlib
import platform
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from make import corpus  # noqa: E402

SEED = 20240917
DOCUMENTS = 90_000
HELD_OUT_CHARACTERS = 12_000
DOMAINS = ("orchard", "kitchen", "harbour")
STAGES = [
    # Short packed rows: the words, the phrases and the facts.
    dict(row_tokens=256, steps=700, peak=4e-3, end=0.73),
    # Whole documents: staying with what a text has said.
    dict(row_tokens=None, steps=334, peak=2.5e-3, slices=1, drills=0.4, slot_weight=4.0,
         copy_heads=(2, 3), pointing=0.5, writing=0.3),
    # The same without help. Even these few steps teach it to choose between names.
    dict(row_tokens=None, steps=20, peak=2e-3, end=0.08, slices=2, slot_weight=1.5, average=True),
]
# A quick run passes this share of the steps and documents.
QUICK_SHARE = 0.06


def show(count):
    for item in corpus.stream(SEED, count):
        if isinstance(item, str):
            print(item)
        else:
            print("\n".join(f"<{m['role']}> {m['content']}" for m in item))
        print("-" * 60)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE, help="where model/, texts/ and the record go")
    parser.add_argument("--work", type=pathlib.Path, default=HERE / "work", help="folder for checkpoints")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="shorten the training so that it ends in this time")
    parser.add_argument("--show", type=int, metavar="N")
    parser.add_argument("--from-checkpoint", action="store_true", help="skip training and export the last checkpoint")
    parser.add_argument("--try", dest="try_out", action="store_true",
                        help="answer prompts.json with the finished model")
    options = parser.parse_args()
    if options.show:
        show(options.show)
        return
    if options.try_out:
        from make.tryout import try_out
        try_out(options.out / "model", HERE / "prompts.json", SEED)
        return

    import tokenizers
    import torch
    from make import tokens, train
    from make.network import Network, Shape

    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint = options.work / "checkpoint.pt"
    share = QUICK_SHARE if options.quick else 1
    stages = [train.Stage(**{**s, "steps": round(s["steps"] * share)}) for s in STAGES]

    held_out = {d: corpus.held_out_text(d, f"{SEED}/held-out", HELD_OUT_CHARACTERS) for d in DOMAINS}
    items = list(corpus.stream(SEED, round(DOCUMENTS * max(share, 0.3)),
                               frozenset(t for texts in held_out.values() for t in texts)))
    shape = Shape()
    tokenizer_file = options.work / "tokenizer.json"
    if options.from_checkpoint:
        tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer_file))
    else:
        tokenizer = tokens.train_tokenizer((tokens.plain(i) for i in items[:40_000]), shape.vocab_size)
        tokenizer.save(str(tokenizer_file))
    if tokenizer.get_vocab_size() != shape.vocab_size:
        raise SystemExit(f"the corpus yields only {tokenizer.get_vocab_size()} tokens")
    documents = tokens.encode(tokenizer, items)
    total = sum(map(len, documents))
    print(f"corpus: {len(items)} documents, {total} tokens, longest {max(map(len, documents))}", flush=True)

    torch.manual_seed(SEED)
    network = Network(shape)
    if options.from_checkpoint:
        saved = torch.load(checkpoint)
        network.load_state_dict(saved["network"])
        curve, seconds = saved["curve"], saved.get("seconds")
    else:
        curve, seconds = train.train(network, documents, stages, SEED, checkpoint, tokens.slot_tokens(tokenizer),
                                     minutes=options.minutes, report=lambda line: print(line, flush=True))
    corpus_facts = {"documents": len(items), "tokens": total,
                    "conversations": sum(not isinstance(i, str) for i in items)}
    finish(options.out, network, tokenizer, held_out, corpus_facts, stages, curve, seconds)


def finish(out, network, tokenizer, held_out, corpus_facts, stages, curve, seconds):
    """Scores the network on the held-out texts and writes everything."""
    import tokenizers
    import torch
    import transformers
    from make import export, tokens, train
    from make.network import Network

    # The record describes the weights as they are stored, in bfloat16.
    stored = Network(network.shape)
    stored.load_state_dict({k: v.bfloat16().float() for k, v in network.state_dict().items()})
    begin, end = (tokenizer.token_to_id(t) for t in (tokens.BEGIN, tokens.END))
    scores = {}
    for domain, texts in held_out.items():
        loss, ppl = train.perplexity(stored, tokenizer, texts, begin, end)
        scores[domain] = {"documents": len(texts), "loss": round(loss, 4), "perplexity": round(ppl, 3)}
    last = {point["stage"]: point["step"] for point in curve}
    record = {
        "seed": SEED,
        "parameters": sum(p.numel() for p in network.parameters()),
        "corpus": corpus_facts,
        "stages": [{**dataclasses.asdict(s), "steps_run": last[n] - last.get(n - 1, 0)} for n,
                   s in enumerate(stages, 1)],
        "steps": curve[-1]["step"],
        "tokens_seen": curve[-1]["tokens"],
        "optimizer": "Muon for layer matrices, AdamW for embedding and norms; cosine decay",
        "seconds": round(seconds) if seconds else None,
        "versions": {"python": platform.python_version(), "torch": torch.__version__,
                     "transformers": transformers.__version__, "tokenizers": tokenizers.__version__},
        "held_out": scores,
        "loss_curve": curve,
    }
    export.write_model(out / "model", network, tokenizer, record)
    export.write_texts(out / "texts", held_out)
    (out / "training_record.json").write_text(export.record_json(record))
    print(json.dumps({k: v for k, v in record.items() if k != "loss_curve"}, indent=2))


if __name__ == "__main__":
    main()
