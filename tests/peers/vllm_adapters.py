#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers with a different adapter each: our daemon and vLLM's CPU build (in process) on the same model, in turns.

    VLLM_PYTHON tests/peers/vllm_adapters.py --espalierctl build/release/bin/espalierctl --model FOLDER

Run by the interpreter that has vLLM. The work is that of adapters.py: prompts of 32, answers of 64, greedy, end of text
ignored, as many random bf16 adapters of --rank on every projection as streams; KV bf16 on both sides. vLLM keeps all of
them in its slots (max_loras) and never mixes in requests of the base, which it would answer with the wrong weights.
Rounds count as turns.py says; --results FILE appends
a line for make_results.py.
"""
import argparse
import datetime
import json
import os
import pathlib
import tempfile
import time

os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")  # GiB
os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")  # its default leaves a core to the scheduler
os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")  # one process on every core: its fastest way on few cores
os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from vllm import LLM, SamplingParams  # noqa: E402
from vllm.lora.request import LoRARequest  # noqa: E402

from adapter_work import PROMPT, REST, Ours, at_once, write_adapters  # noqa: E402
from turns import CLEAN, commit, ids_of, in_turns, machine, print_table  # noqa: E402

ANSWER = 64


def by_vllm(engine, prompts, adapters):
    sampling = SamplingParams(temperature=0.0, max_tokens=ANSWER, ignore_eos=True)
    answers = engine.generate([{"prompt_token_ids": ids} for ids in prompts], sampling, lora_request=adapters, use_tqdm=False)
    assert all(len(answer.outputs[0].token_ids) == ANSWER for answer in answers)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--espalierctl", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", default="8,32")
    parser.add_argument("--clean", type=float, default=CLEAN)
    parser.add_argument("--results", type=pathlib.Path, help="a line for make_results.py is added at its end")
    args = parser.parse_args()
    streams = [int(s) for s in args.streams.split(",")]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        adapters = write_adapters(args.model, folder / "adapters", max(streams), args.rank)
        ours = Ours(str(pathlib.Path(args.espalierctl).resolve()), pathlib.Path(args.model).resolve(), adapters, "bf16",
                    args.threads, ANSWER, folder, kv="bf16")
        try:
            for count in streams:
                # An engine for each count: it computes for every slot that it has.
                engine = LLM(model=args.model, dtype="bfloat16", seed=0, max_model_len=256, max_num_seqs=count,
                             max_num_batched_tokens=max(2048, count * PROMPT), enable_lora=True, max_loras=count,
                             max_lora_rank=max(8, args.rank))
                named = [LoRARequest(path.name, i + 1, str(path)) for i, path in enumerate(adapters[:count])]

                def turn(number):
                    prompts = [ids_of(PROMPT, number * 1000 + i) for i in range(count)]
                    time.sleep(REST)
                    start = time.perf_counter()
                    at_once(ours, prompts)
                    middle = time.perf_counter()
                    by_vllm(engine, prompts, named)
                    return [middle - start, time.perf_counter() - middle]
                row = {"model": pathlib.Path(args.model).name, "streams": count, "rank": args.rank, "compute": "bf16",
                       "threads": args.threads}
                pids = [os.getpid(), ours.pid]
                rows.append(in_turns(row | {"what": f"{count} streams, {count} adapters"}, "vllm", pids, args.rounds,
                                     args.clean, count * ANSWER, turn))
                del engine
        finally:
            ours.end()
    print_table(rows, "vllm", "tok/s")
    rows = [row for row in rows if "ratio" in row]
    if args.results and rows:
        with args.results.open("a") as out:
            out.write(json.dumps({
                "target": "P3",
                "what": f"{' / '.join(str(row['streams']) for row in rows)} streams, each with its own rank {args.rank} bf16 "
                        f"adapter on all projections, {rows[0]['model']}: over vLLM's CPU build",
                "value": " / ".join(f"{row['ratio']:.2f}" for row in rows), "unit": "times theirs",
                "reference": " / ".join(f"{row['ours']:.0f}" for row in rows) + " tok/s against "
                             + " / ".join(f"{row['vllm']:.0f}" for row in rows),
                "mode": "bf16, KV bf16",
                "command": "VLLM_PYTHON tests/peers/vllm_adapters.py --espalierctl build/release/bin/espalierctl --model FOLDER "
                           f"--rank {args.rank}",
                "note": f"ours over HTTP, theirs in process; clean rounds {' / '.join(str(row['clean']) for row in rows)} of "
                        f"{args.rounds}",
                "machine": machine(), "commit": commit(), "date": datetime.date.today().isoformat()}) + "\n")


if __name__ == "__main__":
    main()
