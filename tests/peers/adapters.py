#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers with a different adapter each: our daemon, PEFT and llama-server on the same model, in turns.

    python tests/peers/adapters.py --espalierctl build/release/bin/espalierctl --model FOLDER \
        [--llama-server BIN/llama-server --gguf FILE] [--streams 8,32] [--compute bf16]

Runs under a Python that has torch, transformers and peft, and gguf for llama-server. FOLDER is the Hugging Face model,
FILE the same one for llama.cpp, whose adapters are written as f32, the faster of its types here. Adapters are random, of
--rank on every projection, bf16. Each round asks, for the same token ids (prompts of 32, answers of --answer, greedy, end of
text ignored), ours between any two of theirs: PEFT in one batch (adapter_names), PEFT one request after the other
(set_adapter), llama-server with an adapter per request, and ours without adapters; beside the last stands the byte floor, what
a step of the base reads over what one of base and adapters does. Prints a table and one JSON line per row with the medians;
"ours_over_it" is the median of the ratios with the run of ours just before. A pair during which other processes took more
than 5 % of the machine is left out; "clean" says how many were not. --results FILE appends lines for make_results.py.
"""
import argparse
import datetime
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time
import warnings

import gguf
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, GenerationConfig
from transformers.utils import logging

from adapter_work import PROMPT, REST, Ours, at_once, bytes_of_step, write_adapters
from llama_cpp import Theirs
from turns import CLEAN, busy, call, commit, ids_of, machine

OUR_BASE = "our base"
GGUF_NAMES = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output",
              "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down"}


def write_gguf(folder, path):
    """The adapter for llama-server. Rows of q and k stay in the order of Hugging Face: other values, the same work."""
    rank = json.loads((folder / "adapter_config.json").read_text())["r"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", rank)
    for name, tensor in load_file(folder / "adapter_model.safetensors").items():
        parts = name.split(".")  # base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight
        layer, module, side = parts[parts.index("layers") + 1], parts[-3], parts[-2].lower()
        writer.add_tensor(f"blk.{layer}.{GGUF_NAMES[module]}.weight.{side}", tensor.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


class Llama(Theirs):
    """llama-server with every adapter loaded and none applied: each request names its own."""

    def __init__(self, program, gguf, adapters, threads, slots, answer, folder):
        self.tokens = answer
        files = [write_gguf(path, folder / f"{path.name}.gguf") for path in adapters]
        wrapper = folder / "llama-server"
        wrapper.write_text("#!/bin/sh\nexec " + str(pathlib.Path(program).resolve()) + ' "$@" --lora-init-without-apply --lora '
                           + ",".join(str(file) for file in files) + "\n")
        wrapper.chmod(0o755)
        super().__init__(str(wrapper), gguf, threads, slots)

    def answer(self, i, ids, adapted):
        got = call(self.port, "/completion", {"prompt": ids, "n_predict": self.tokens, "ignore_eos": True, "temperature": 0,
                                              "cache_prompt": False, "return_tokens": True, "lora": [{"id": i, "scale": 1.0}]})
        assert len(got["tokens"]) == self.tokens


class Peft:
    def __init__(self, model, adapters, answer):
        self.tokens = answer
        for path in adapters:
            if isinstance(model, PeftModel):
                model.load_adapter(path, adapter_name=path.name, autocast_adapter_dtype=False)
            else:
                model = PeftModel.from_pretrained(model, path, adapter_name=path.name, autocast_adapter_dtype=False)
        self.model, self.names = model.eval(), [path.name for path in adapters]
        self.config = GenerationConfig(max_new_tokens=answer, do_sample=False, pad_token_id=0)
        self.config.eos_token_id = None

    def generate(self, prompts, **extra):
        ids = torch.tensor(prompts)
        out = self.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=self.config, **extra)
        assert out.shape[1] == PROMPT + self.tokens

    def mixed(self, prompts):
        self.generate(prompts, adapter_names=self.names[:len(prompts)])

    def one_at_a_time(self, prompts):
        for name, prompt in zip(self.names, prompts):
            self.model.set_adapter(name)
            self.generate([prompt])


def timed(run, prompts):
    time.sleep(REST)
    start = time.perf_counter()
    run(prompts)
    return time.perf_counter() - start


def measure(ours, others, streams, rounds, pids, limit):
    """Pairs of seconds, ours and theirs in turns, by system; the first round warms up. limit: what others may take of the machine."""
    pairs = {name: [] for name in others}
    for round_ in range(rounds + 1):
        for number, (name, run) in enumerate(others.items()):
            prompts = [ids_of(PROMPT, 1000 * (round_ * len(others) + number) + i) for i in range(streams)]
            before = busy(pids)
            pair = timed(ours, prompts), timed(run, prompts)
            after = busy(pids)
            others_share = (after[0] - before[0]) / max(1, after[1] - before[1])
            if round_ > 0 and others_share <= limit:
                pairs[name].append(pair)
    return pairs


def append_results(path, args, rows):
    """One line for each number of streams, as tests/bench/make_results.py reads it."""
    with open(path, "a") as file:
        for streams in sorted({row["streams"] for row in rows}):
            measured = [row for row in rows if row["streams"] == streams and "ours_over_it" in row]
            if not measured:
                continue
            shared = {
                "mode": f"{args.compute}, KV f16",
                "command": "python tests/peers/adapters.py --espalierctl build/release/bin/espalierctl --model FOLDER "
                           "--llama-server BIN/llama-server --gguf FILE "
                           f"--rank {args.rank} --compute {args.compute} --rounds {args.rounds}",
                "note": "" if all(row["clean"] == row["rounds"] for row in measured) else
                        "clean pairs: " + " / ".join(f"{row['clean']} of {row['rounds']}" for row in measured),
                "machine": machine(), "commit": commit(), "date": datetime.date.today().isoformat()}
            row = measured[-1]
            if "floor" in row and streams <= 8:  # more rows than that are bound by arithmetic, not by bytes
                file.write(json.dumps({
                    "target": "P4",
                    "what": f"{streams} streams, {streams} different rank {args.rank} bf16 adapters on all projections, "
                            f"{pathlib.Path(args.model).name}: tokens/s over those of the base alone",
                    "value": f"{row['ours_over_it']:.2f}", "unit": "of base",
                    "reference": f"the byte floor is {row['floor']:.2f}: {row['ours_over_it'] / row['floor']:.2f} of it"} | shared)
                           + "\n")
            file.write(json.dumps({
                "target": "P3",
                "what": f"{streams} streams, {streams} different rank {args.rank} bf16 adapters on all projections, "
                        f"{pathlib.Path(args.model).name}: over {', '.join(row['what'] for row in measured)}",
                "value": " / ".join(f"{row['ours_over_it']:.2f}" for row in measured), "unit": "times theirs",
                "reference": f"{statistics.median(row['ours'] for row in measured):.0f} tok/s against "
                             + " / ".join(f"{row['tokens_per_s']:.0f}" for row in measured)} | shared) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--espalierctl", required=True)
    parser.add_argument("--model", required=True, help="Hugging Face folder")
    parser.add_argument("--llama-server")
    parser.add_argument("--gguf")
    parser.add_argument("--compute", default="bf16")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--streams", default="8,32")
    parser.add_argument("--answer", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", help="append lines for make_results.py to this file")
    parser.add_argument("--quick", action="store_true", help="8 streams, answers of 16, one round, whatever else runs")
    args = parser.parse_args()
    if args.quick:
        args.streams, args.answer, args.rounds = "8", 16, 1
    if args.llama_server and not args.gguf:
        parser.error("--llama-server needs --gguf")
    torch.set_num_threads(args.threads)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.simplefilter("ignore")
    streams = [int(s) for s in args.streams.split(",")]
    rows = []
    with tempfile.TemporaryDirectory() as name, torch.inference_mode():
        folder = pathlib.Path(name)
        base = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.bfloat16)
        base_bytes = bytes_of_step(args.model)
        adapters = write_adapters(args.model, folder / "adapters", max(streams), args.rank)
        adapter_bytes = (adapters[0] / "adapter_model.safetensors").stat().st_size
        peft = Peft(base, adapters, args.answer)
        ours = Ours(args.espalierctl, str(pathlib.Path(args.model).resolve()), adapters, args.compute, args.threads, args.answer, folder)
        llama = None
        try:
            pids = [os.getpid(), ours.process.pid]
            others = {}
            if args.llama_server:
                llama = Llama(args.llama_server, str(pathlib.Path(args.gguf).resolve()), adapters, args.threads, max(streams),
                              args.answer, folder)
                pids.append(llama.pid)
                others["llama.cpp"] = lambda prompts: at_once(llama, prompts)
            others |= {"PEFT mixed": peft.mixed, "PEFT one at a time": peft.one_at_a_time,
                       OUR_BASE: lambda prompts: at_once(ours, prompts, False)}
            limit = 1.0 if args.quick else CLEAN
            for count in streams:
                measured = measure(lambda prompts: at_once(ours, prompts), others, count, args.rounds, pids, limit)
                for what, pairs in measured.items():
                    row = {"bench": "peers_adapters", "streams": count, "rank": args.rank, "compute": args.compute,
                           "threads": args.threads, "answer": args.answer, "what": what, "clean": len(pairs), "rounds": args.rounds}
                    if pairs:
                        tokens = count * args.answer
                        row |= {"ours": round(tokens / statistics.median(a for a, b in pairs), 1),
                                "tokens_per_s": round(tokens / statistics.median(b for a, b in pairs), 1),
                                "ours_over_it": round(statistics.median(b / a for a, b in pairs), 3)}
                        if what == OUR_BASE:
                            row["floor"] = round(base_bytes / (base_bytes + count * adapter_bytes), 3)
                    rows.append(row)
                    print(json.dumps(row), flush=True)
        finally:
            ours.end()
            if llama:
                llama.end()
    if args.results:
        append_results(args.results, args, rows)
    print(f"\n{'streams':>8}  {'':20}{'ours tok/s':>12}{'theirs':>10}{'ratio':>8}  clean")
    for row in rows:
        print(f"{row['streams']:>8}  {row['what']:20}{row.get('ours', '-'):>12}{row.get('tokens_per_s', '-'):>10}"
              f"{row.get('ours_over_it', '-'):>8}  {row['clean']} of {row['rounds']}")


if __name__ == "__main__":
    main()
