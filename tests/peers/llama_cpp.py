#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our daemon and llama-server on one GGUF file, the same requests, in turns.

    python tests/peers/llama_cpp.py --espalierctl build/release/bin/espalierctl --llama-server BIN/llama-server \
        --gguf FILE --compute bf16

Both servers hold the model; each round asks ours, then theirs, for the same token ids: one prompt of 512 tokens, then
answers of 64 tokens to 1, 8 and 32 prompts of 32 at once (greedy, end of text ignored). Prints a table and one JSON line
per row with the medians and the median of the ratios of neighbours. A round in which other processes took more than 5 %
of the machine is left out; "clean" says how many were not. Our KV type is f16, as llama.cpp's.
"""
import argparse
import http.client
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

CLEAN = 0.05


def call(port, path, body=None, key=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = "Bearer " + key
    connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {text[:300]}")
    return json.loads(text)


class Ours:
    name = "espalier"

    def __init__(self, program, gguf, compute, threads, folder):
        options = ["--workspace", str(pathlib.Path(folder) / "workspace"), "--threads", str(threads), "--quiet", "--json"]
        subprocess.run([program, *options, "import", gguf, "--link", "--name", "peer"], check=True, stdout=subprocess.DEVNULL)
        self.process = subprocess.Popen([program, *options, "--compute", compute, "--kv", "f16", "serve", "--port", "0",
                                         "--model", "peer"], stdout=subprocess.PIPE, text=True)
        document = json.loads(self.process.stdout.readline())
        self.port = int(document["url"].rsplit(":", 1)[1])
        self.key = pathlib.Path(document["admin_key_file"]).read_text().strip()
        self.pid = document["pid"]

    def generate(self, ids, tokens):
        answer = call(self.port, "/v1/completions", {"model": "peer", "prompt": ids, "max_tokens": tokens, "temperature": 0,
                                                     "ignore_eos": True}, self.key)
        assert answer["usage"]["completion_tokens"] == tokens, answer["usage"]

    def end(self):
        self.process.terminate()
        self.process.wait(60)


class Theirs:
    name = "llama.cpp"

    def __init__(self, program, gguf, threads, slots):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [program, "-m", gguf, "--host", "127.0.0.1", "--port", str(self.port), "-np", str(slots), "-c", str(slots * 600),
             "-t", str(threads), "-tb", str(threads), "--cache-ram", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        for _ in range(600):
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


def busy(pids):
    """Processor time of the machine that none of `pids` used, and all of it, in ticks."""
    fields = [int(f) for f in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    own = sum(sum(map(int, pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])) for pid in pids)
    return sum(fields) - fields[3] - fields[4] - own, sum(fields)


def ids_of(count, seed):
    state, ids = seed * 2654435761 + 1, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        ids.append(10 + (state >> 33) % 20000)
    return ids


def timed(server, prompts, tokens):
    threads = [threading.Thread(target=server.generate, args=(ids, tokens)) for ids in prompts]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--espalierctl", required=True)
    parser.add_argument("--llama-server", required=True)
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--compute", default="bf16")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--streams", default="1,8,32")
    args = parser.parse_args()
    streams = [int(s) for s in args.streams.split(",")]
    gguf = str(pathlib.Path(args.gguf).resolve())
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        servers = [Ours(args.espalierctl, gguf, args.compute, args.threads, folder),
                   Theirs(args.llama_server, gguf, args.threads, max(streams))]
        pids = [os.getpid(), *(server.pid for server in servers)]
        try:
            seed = 0
            for what, count, prompt, answer in [("prefill 512", 1, 512, 1), *((f"{s} streams", s, 32, 64) for s in streams)]:
                pairs = []
                for round_ in range(args.rounds + 1):  # the first warms up
                    seed += 1
                    prompts = [ids_of(prompt, seed * 1000 + i) for i in range(count)]
                    before = busy(pids)
                    seconds = [timed(server, prompts, answer) for server in servers]
                    after = busy(pids)
                    others = (after[0] - before[0]) / max(1, after[1] - before[1])
                    if round_ > 0 and others <= CLEAN:
                        pairs.append([count * (prompt if answer == 1 else answer) / s for s in seconds])
                row = {"what": what, "gguf": pathlib.Path(gguf).name, "compute": args.compute, "threads": args.threads,
                       "clean": len(pairs), "rounds": args.rounds}
                if pairs:
                    row |= {"ours": round(statistics.median(p[0] for p in pairs), 1),
                            "llama_cpp": round(statistics.median(p[1] for p in pairs), 1),
                            "ratio": round(statistics.median(p[0] / p[1] for p in pairs), 3)}
                rows.append(row)
                print(json.dumps(row), flush=True)
        finally:
            for server in servers:
                server.end()
    print(f"\n{'':14}{'ours tok/s':>12}{'llama.cpp':>12}{'ratio':>8}  clean")
    for row in rows:
        print(f"{row['what']:14}{row.get('ours', '-'):>12}{row.get('llama_cpp', '-'):>12}{row.get('ratio', '-'):>8}"
              f"  {row['clean']} of {row['rounds']}")


if __name__ == "__main__":
    main()
