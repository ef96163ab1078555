#!/usr/bin/env python3
"""Kills sweeps: kill_sweeps.py TOOL ROOT [SEED]

Every strategy runs undisturbed, with two threads, and once more while it is killed (SIGKILL) at
random moments and called again. All three must leave the same bytes and nothing else. A kill only
counts when it hits a process at work; too few of them, or too few that find a state to go on from,
are a failure.
"""
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

KILLS_EACH = 3  # times eight strategies: more than twenty
ATTEMPTS_EACH = 15
LEAST_FROM_STATE = 12
RESULT = ["front.csv", "front.json", "run.json"]


def shipped(root, name):
    text = (root / "data" / "spaces" / (name + ".json")).read_text()
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))


def write_spaces(root, folder):
    """One to enumerate, and one that is searched. Both are priced on one CPU, which is quick."""
    small = shipped(root, "tiny")
    small["resolutions"] = list(range(96, 257, 16))
    small["widths"] = [w / 16 for w in range(8, 25)]
    del small["mark"]
    large = shipped(root, "uib_small")
    large["targets"] = ["pixel6-cpu"]
    large["objectives"] = [o for o in large["objectives"] if o.get("target") != "pixel8-edgetpu"]
    for name, space in ("small", small), ("large", large):
        (folder / (name + ".json")).write_text(json.dumps(space))


STRATEGIES = {
    "auto": ["small.json"],
    "exhaustive": ["small.json", "--seed", "2"],
    "exact": ["large.json", "--epsilon", "0.02"],
    "nsga2": ["large.json", "--evaluations", "20000"],
    "evolution": ["large.json", "--evaluations", "15000"],
    "netadapt": ["large.json", "--from", "mobilenet_v4_conv_small@1.25,256", "--toward",
                 "latency_ms:pixel6-cpu", "--step", "0.0005"],
    "local": ["large.json", "--evaluations", "20000"],
    "reward": ["large.json", "--reward-quality", "macs", "--reward-target",
               "latency_ms:pixel6-cpu=1", "--reward-exponent", "-1"],
}


class Runs:
    def __init__(self, tool, folder, rng):
        self.tool, self.folder, self.rng = tool, folder, rng
        self.failures, self.hits, self.from_state = [], 0, 0

    def start(self, strategy, run, threads):
        space, *options = STRATEGIES[strategy]
        return subprocess.Popen(
            [self.tool, "-q", "sweep", space, "--run", run, "--strategy", strategy, "--threads",
             str(threads), *options], cwd=self.folder, stdout=subprocess.DEVNULL)

    def finish(self, process, what):
        if process.wait() != 0:
            self.failures.append(f"{what}: exit code {process.returncode}")

    def compare(self, expected, run):
        names = sorted(os.listdir(self.folder / run))
        if names != RESULT:
            self.failures.append(f"{run} holds {names}, expected {RESULT}")
            return
        for name in RESULT:
            if (self.folder / expected / name).read_bytes() != \
                    (self.folder / run / name).read_bytes():
                self.failures.append(f"{run}/{name} differs from {expected}/{name}")

    def killed(self, strategy, whole, seconds):
        """Kills and resumes until the strategy has its kills; every finished run is compared."""
        hits, kills_of_run, number = 0, 0, 0
        run = f"{strategy}-killed{number}"
        for _ in range(ATTEMPTS_EACH):
            if hits == KILLS_EACH:
                break
            process = self.start(strategy, run, self.rng.choice([1, 2]))
            share = self.rng.uniform(0.05, 0.9) / (1 + kills_of_run / 2)
            try:
                process.wait(timeout=share * seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            if process.wait() == -signal.SIGKILL and \
                    not (self.folder / run / "front.json").exists():
                hits += 1
                kills_of_run += 1
                self.from_state += (self.folder / run / "state.json").exists()
                continue
            if process.returncode not in (0, -signal.SIGKILL):
                self.failures.append(f"{run}: exit code {process.returncode}")
            self.finish(self.start(strategy, run, 1), run)
            self.compare(whole, run)
            number, kills_of_run = number + 1, 0
            run = f"{strategy}-killed{number}"
        self.finish(self.start(strategy, run, 1), run)
        self.compare(whole, run)
        self.hits += hits
        return hits

    def strategy(self, name):
        whole = name + "-whole"
        begin = time.monotonic()
        self.finish(self.start(name, whole, 1), whole)
        seconds = time.monotonic() - begin
        threads = name + "-threads"
        self.finish(self.start(name, threads, 2), threads)
        self.compare(whole, threads)
        hits = self.killed(name, whole, seconds)
        print(f"{name}: {seconds:.2f} s, killed {hits} times")


def main():
    tool, root = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_spaces(root, folder)
        runs = Runs(str(tool), folder, random.Random(seed))
        for strategy in STRATEGIES:
            runs.strategy(strategy)
    wanted = KILLS_EACH * len(STRATEGIES)
    print(f"{runs.hits} of {wanted} kills hit a sweep at work, {runs.from_state} of them one with "
          "a state to go on from")
    if runs.hits < wanted:
        runs.failures.append("too few kills hit a sweep at work")
    if runs.from_state < LEAST_FROM_STATE:
        runs.failures.append(f"fewer than {LEAST_FROM_STATE} kills left a state to go on from")
    for failure in runs.failures:
        print("FAILED:", failure)
    return 1 if runs.failures else 0


if __name__ == "__main__":
    sys.exit(main())
