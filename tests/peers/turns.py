# SPDX-License-Identifier: GPL-3.0-or-later
"""What the comparisons of speed share: our daemon as one side, rounds in turns, and which rounds count."""
import http.client
import json
import os
import pathlib
import statistics
import subprocess

CLEAN = 0.05  # a round in which other processes took more than this share of the machine is left out


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
    """Our daemon with one model, named "peer"; its workspace lies in `folder`."""

    def __init__(self, program, model, compute, threads, folder, kv="f16"):
        options = ["--workspace", str(pathlib.Path(folder) / "workspace"), "--threads", str(threads), "--quiet", "--json"]
        subprocess.run([program, *options, "import", str(model), "--link", "--name", "peer"], check=True,
                       stdout=subprocess.DEVNULL)
        self.process = subprocess.Popen([program, *options, "--compute", compute, "--kv", kv, "serve", "--port", "0",
                                         "--model", "peer"], stdout=subprocess.PIPE, text=True)
        document = json.loads(self.process.stdout.readline())
        self.port = int(document["url"].rsplit(":", 1)[1])
        self.key = pathlib.Path(document["admin_key_file"]).read_text().strip()
        self.pid = document["pid"]

    def generate(self, ids, tokens):
        answer = call(self.port, "/v1/completions", {"model": "peer", "prompt": ids, "max_tokens": tokens, "temperature": 0,
                                                     "ignore_eos": True}, self.key)
        assert answer["usage"]["completion_tokens"] == tokens, answer["usage"]

    def embed(self, texts):
        answer = call(self.port, "/v1/embeddings", {"model": "peer", "input": texts}, self.key)
        return [entry["embedding"] for entry in sorted(answer["data"], key=lambda entry: entry["index"])]

    def end(self):
        self.process.terminate()
        self.process.wait(60)


def ids_of(count, seed):
    state, ids = seed * 2654435761 + 1, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        ids.append(10 + (state >> 33) % 20000)
    return ids


def busy(pids):
    """Processor time of the machine that none of `pids` used, and all of it, in ticks."""
    fields = [int(f) for f in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    own = sum(sum(map(int, pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])) for pid in pids)
    return sum(fields) - fields[3] - fields[4] - own, sum(fields)


def in_turns(row, peer, pids, rounds, clean, amount, turn):
    """`row` with the medians of both sides in `amount` per second and the median of the ratios of neighbours, under
    "ours", `peer` and "ratio". turn(round) does one piece of work on each side and returns the seconds of both; round 0
    warms up."""
    pairs = []
    for number in range(rounds + 1):
        before = busy(pids)
        seconds = turn(number)
        after = busy(pids)
        others = (after[0] - before[0]) / max(1, after[1] - before[1])
        if number > 0 and others <= clean:
            pairs.append([amount / s for s in seconds])
    row = row | {"clean": len(pairs), "rounds": rounds}
    if pairs:
        row |= {"ours": round(statistics.median(p[0] for p in pairs), 1),
                peer: round(statistics.median(p[1] for p in pairs), 1),
                "ratio": round(statistics.median(p[0] / p[1] for p in pairs), 3)}
    print(json.dumps(row), flush=True)
    return row


def print_table(rows, peer, unit):
    print(f"\n{'':26}{'ours ' + unit:>14}{peer:>12}{'ratio':>8}  clean")
    for row in rows:
        print(f"{row['what']:26}{row.get('ours', '-'):>14}{row.get(peer, '-'):>12}{row.get('ratio', '-'):>8}"
              f"  {row['clean']} of {row['rounds']}")


def machine():
    name = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "CPU")
    return f"{name}, {os.cpu_count()} processors"


def commit():
    found = subprocess.run(["git", "-C", pathlib.Path(__file__).parent, "describe", "--always", "--dirty"],
                           capture_output=True, text=True)
    return found.stdout.strip()
