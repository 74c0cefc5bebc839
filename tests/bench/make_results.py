#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes RESULTS.md from tests/bench/results/*.jsonl.

Each line of a results file is one measurement:
  {"target": "P1", "what": "...", "value": 0.86, "unit": "of read bandwidth", "reference": "...", "mode": "f32, KV f32",
   "command": "...", "machine": "...", "commit": "...", "date": "2026-11-21", "note": "..."}
The newest line of a (target, what) pair wins. A target without a line says "not measured".
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

ROOFLINE = "tests/bench/results/ops/roofline.svg"

TARGETS = [
    ("P1", "single-stream decode against llama.cpp and the bandwidth limit", ">= 1.0x; >= 80 % of bandwidth"),
    ("P2", "prefill of 512 tokens against llama.cpp and the product peak", ">= 1.0x; >= 70 % of peak"),
    ("P3", "8 and 32 streams with different adapters", ">= 4x llama.cpp, >= 10x PEFT one at a time, >= 3x vLLM"),
    ("P4", "throughput kept with 8 distinct adapters", ">= 90 % of the byte floor"),
    ("P5", "2,000 adapters against 5; 10,000 hierarchical models against 1", "<= 3 % loss; >= 90 %"),
    ("P6", "base traffic with 1,000 adapters registered", "<= 1 % loss"),
    ("P7", "time to first token when adapters thrash", "<= 2x hot"),
    ("P8", "fairness between tenants", "2U bound; victim p95 <= 1.5x alone"),
    ("P9", "LoRAM parameter storage", "15.81x / 16.95x, integer-equal"),
    ("P10", "LoRAM training against LoRA on the full model", ">= -42 % memory, >= 1.39x speed"),
    ("P11", "LoRA training tokens/s against PyTorch + PEFT", ">= 1.5x CPU, >= 1.3x GPU"),
    ("P12", "activation memory at 8,192 tokens", ">= 10x less"),
    ("P13", "training rate kept while serving", ">= 85 % light, >= 60 % heavy"),
    ("P14", "GPU decode retention with 32 adapters", ">= 80 % of base"),
    ("P15", "hierarchical tables against computing everything", "<= 1 point; growth <= 25 %"),
    ("P16", "workbench: first paint, idle CPU, dashboard CPU, longest stall", "< 1 s, < 1 %, < 5 % of a core, < 50 ms"),
    ("P17", "import against cp, with hashing", ">= 80 % of cp"),
    ("L1", "logits against transformers on tiny random models", "<= 1e-4, 64 greedy tokens equal"),
    ("L2", "token ids against tokenizers", "equal on 2,000 texts"),
    ("L3", "idle daemon", "< 1 % of a core"),
    ("L4", "sentence embeddings against transformers, published encoder", "cosine > 0.99999"),
    ("S", "a thousand clients of event streams", "nothing lost, mixed up or leaked in 5 minutes"),
    ("F", "libFuzzer over the readers", "10 minutes each, no findings"),
    ("T", "`./dev test` on 2 cores, cold cache", "<= 25 min"),
]


def load():
    newest = {}
    for path in sorted((ROOT / "tests/bench/results").glob("*.jsonl")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                newest[(row["target"], row["what"])] = row
            except (ValueError, KeyError) as cause:
                sys.exit(f"{path}:{number}: {cause!r}")
    return newest


def main():
    newest = load()
    known = {name for name, _, _ in TARGETS}
    if strangers := {target for target, _ in newest if target not in known}:
        sys.exit(f"results name unknown targets: {sorted(strangers)}")
    out = ["# Results", "",
           "Made by `tests/bench/make_results.py` from `tests/bench/results/*.jsonl`. Machines are shared and noisy: ratios",
           "taken in one run are worth more than absolute figures. Every figure names its compute mode.", "",
           "| target | what | aim | measured | reference | mode | machine, commit, date |", "|---|---|---|---|---|---|---|"]
    commands = []
    for name, what, aim in TARGETS:
        rows = [row for (target, _), row in newest.items() if target == name]
        if not rows:
            out.append(f"| {name} | {what} | {aim} | not measured | | | |")
        for index, row in enumerate(rows):
            head = f"{what}: {row['what']}" if index == 0 else row["what"]
            value = row["value"] if isinstance(row["value"], str) else f"{row['value']:.4g}"
            where = f"{row.get('machine', '')}, {row.get('commit', '')}, {row.get('date', '')}"
            note = f" ({row['note']})" if row.get("note") else ""
            out.append(f"| {name} | {head} | {aim if index == 0 else ''} | **{value}** {row.get('unit', '')}{note} | "
                       f"{row.get('reference', '')} | {row.get('mode', '')} | {where} |")
            commands.append(f"- {name}, {row['what']}: `{row.get('command', '')}`")
    if (ROOT / ROOFLINE).exists():
        out += ["", "## Kernels under their roof", "", f"![every product and attention against what the machine gave]({ROOFLINE})",
                "", "`espalierctl bench ops --shape 1b --quick --compute MODE --jsonl`, drawn by `tests/bench/roofline.py`."]
    out += ["", "## Commands", ""] + commands
    (ROOT / "RESULTS.md").write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
