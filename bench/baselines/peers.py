"""Peers as processes that stay alive and answer line by line (worker.h), so that they take turns."""
import array
import json
import math
import os
import subprocess


class PeerFailed(Exception):
    """A peer that ended, or answered what it should not; the message says which and why."""


class Worker:
    """One peer with one network, pinned to `cores`."""

    def __init__(self, name, command, cores):
        self.name = name
        self.medians, self.least = [], []  # ms, by round
        pinned = ["taskset", "-c", ",".join(map(str, cores))]
        self.process = subprocess.Popen(
            pinned + [str(word) for word in command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            complaint = self.process.stderr.read().strip().splitlines()
            raise PeerFailed(f"{self.name}: {complaint[-1] if complaint else 'ended'}")
        return json.loads(line)

    def wait_ready(self):
        self._answer()

    def ask(self, request):
        try:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer will be its complaint
        return self._answer()

    def time(self, seconds):
        answer = self.ask(f"time {seconds}")
        self.medians.append(answer["median_ms"])
        self.least.append(answer["least_ms"])

    def output(self, path):
        self.ask(f"output {path}")
        return floats(path)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def floats(path):
    with open(path, "rb") as file:
        return array.array("f", file.read())


def difference(expected, actual):
    """Largest difference as a share of the expected values' range."""
    if len(expected) != len(actual) or not all(map(math.isfinite, actual)):
        return math.inf
    worst = max(abs(a - b) for a, b in zip(expected, actual))
    return worst / (max(expected) - min(expected))


def cores_for(threads):
    """The last ones this process may use: the first has most of the system's own work."""
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise SystemExit(f"run.py: {threads} threads, but only {len(allowed)} cores")
    return allowed[-threads:]
