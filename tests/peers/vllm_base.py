#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our daemon and vLLM's CPU build (in process, compiled) on one model folder in bf16, the same requests, in turns.

    VLLM_PYTHON tests/peers/vllm_base.py --espalierctl build/release/bin/espalierctl --model FOLDER

Run by the interpreter that has vLLM. Answers of 64 tokens to 1, 8 and 32 prompts of 32 at once, greedy, end of text
ignored. Prints a table and one JSON line per row; rounds count as turns.py says.
"""
import argparse
import os
import pathlib
import tempfile
import threading
import time

os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")  # GiB
os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")  # its default leaves a core to the scheduler
os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")  # one process on every core: its fastest way on few cores
os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from vllm import LLM, SamplingParams  # noqa: E402

from turns import CLEAN, Ours, ids_of, in_turns, print_table  # noqa: E402

PROMPT, ANSWER = 32, 64
REST = 0.3  # seconds; its threads spin for a while after they were used


def by_ours(ours, prompts):
    threads = [threading.Thread(target=ours.generate, args=(ids, ANSWER)) for ids in prompts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def by_vllm(engine, prompts):
    sampling = SamplingParams(temperature=0.0, max_tokens=ANSWER, ignore_eos=True)
    answers = engine.generate([{"prompt_token_ids": ids} for ids in prompts], sampling, use_tqdm=False)
    assert all(len(answer.outputs[0].token_ids) == ANSWER for answer in answers)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--espalierctl", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--streams", default="1,8,32")
    parser.add_argument("--clean", type=float, default=CLEAN)
    args = parser.parse_args()
    streams = [int(s) for s in args.streams.split(",")]
    engine = LLM(model=args.model, dtype="bfloat16", seed=0, max_model_len=256, max_num_seqs=max(streams),
                 max_num_batched_tokens=max(2048, max(streams) * PROMPT))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(str(pathlib.Path(args.espalierctl).resolve()), pathlib.Path(args.model).resolve(), "bf16", args.threads,
                    folder, kv="bf16")
        try:
            for count in streams:
                def turn(number):
                    prompts = [ids_of(PROMPT, number * 1000 + i) for i in range(count)]
                    time.sleep(REST)
                    start = time.perf_counter()
                    by_ours(ours, prompts)
                    middle = time.perf_counter()
                    by_vllm(engine, prompts)
                    return [middle - start, time.perf_counter() - middle]
                row = {"what": f"{count} streams", "model": pathlib.Path(args.model).name, "compute": "bf16",
                       "threads": args.threads}
                rows.append(in_turns(row, "vllm", [os.getpid(), ours.pid], args.rounds, args.clean, count * ANSWER, turn))
        finally:
            ours.end()
    print_table(rows, "vllm", "tok/s")


if __name__ == "__main__":
    main()
