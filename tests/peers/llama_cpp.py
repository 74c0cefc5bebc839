#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our daemon and llama-server on one GGUF file, the same requests, in turns.

    python tests/peers/llama_cpp.py --espalierctl build/release/bin/espalierctl --llama-server BIN/llama-server \
        --gguf FILE --compute bf16

Both servers hold the model; each round asks ours, then theirs, for the same token ids: one prompt of 512 tokens, then
answers of 64 tokens to 1, 8 and 32 prompts of 32 at once (greedy, end of text ignored). Prints a table and one JSON line
per row with the medians and the median of the ratios of neighbours. A round in which other processes took more than 5 %
of the machine is left out (--clean); "clean" says how many were not. Our KV type is f16, as llama.cpp's.
"""
import argparse
import http.client
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

from turns import CLEAN, Ours, call, ids_of, in_turns, print_table


class Theirs:
    def __init__(self, program, gguf, threads, slots):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [program, "-m", gguf, "--host", "127.0.0.1", "--port", str(self.port), "-np", str(slots), "-c", str(slots * 600),
             "-t", str(threads), "-tb", str(threads), "--cache-ram", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        for _ in range(1800):
            try:
                call(self.port, "/health")
                return
            except (OSError, RuntimeError, http.client.HTTPException):
                time.sleep(0.1)
        sys.exit("llama-server did not get ready")

    def generate(self, ids, tokens):
        answer = call(self.port, "/completion", {"prompt": ids, "n_predict": tokens, "ignore_eos": True, "temperature": 0,
                                                 "cache_prompt": False, "return_tokens": True})
        assert len(answer["tokens"]) == tokens

    def end(self):
        self.process.terminate()
        self.process.wait(30)


def timed(server, prompts, tokens):
    threads = [threading.Thread(target=server.generate, args=(ids, tokens)) for ids in prompts]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def measure(espalierctl, llama_server, gguf, compute, threads, rounds, streams, clean=CLEAN):
    """One dict per kind of work, printed as it is ready."""
    gguf = str(pathlib.Path(gguf).resolve())
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        servers = [Ours(espalierctl, gguf, compute, threads, folder), Theirs(llama_server, gguf, threads, max(streams))]
        pids = [os.getpid(), *(server.pid for server in servers)]
        try:
            seed = 0
            for what, count, prompt, answer in [("prefill 512", 1, 512, 1), *((f"{s} streams", s, 32, 64) for s in streams)]:
                def turn(_):
                    nonlocal seed
                    seed += 1
                    prompts = [ids_of(prompt, seed * 1000 + i) for i in range(count)]
                    return [timed(server, prompts, answer) for server in servers]
                row = {"what": what, "gguf": pathlib.Path(gguf).name, "compute": compute, "threads": threads}
                rows.append(in_turns(row, "llama_cpp", pids, rounds, clean, count * (prompt if answer == 1 else answer), turn))
        finally:
            for server in servers:
                server.end()
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--espalierctl", required=True)
    parser.add_argument("--llama-server", required=True)
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--compute", default="bf16")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--streams", default="1,8,32")
    parser.add_argument("--clean", type=float, default=CLEAN)
    args = parser.parse_args()
    rows = measure(args.espalierctl, args.llama_server, args.gguf, args.compute, args.threads, args.rounds,
                   [int(s) for s in args.streams.split(",")], args.clean)
    print_table(rows, "llama_cpp", "tok/s")


if __name__ == "__main__":
    main()
