#!/usr/bin/env python3
"""Edgefront against other inference engines and the machine's limits, in one run (see README.md)."""
import argparse
import itertools
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import autoschedulers
import report
from peers import PeerFailed, Worker, cores_for, difference

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NETWORKS = ["mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small",
            "mobilenet_v4_conv_small", "efficientnet_b0"]
PAUSE = 0.02  # seconds: the threads of the one before spin a while before they sleep
TOLERANCE = 1e-4  # of the output's range, as in the tests


def numbers(text):
    return [int(word) for word in text.split(",")]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--build", type=pathlib.Path, default=ROOT / "build/release",
        help="a build with -DEDGEFRONT_BENCH=ON (%(default)s)")
    add("--networks", nargs="+", default=NETWORKS, metavar="NETWORK", help="names or files")
    add("--threads", type=numbers, default=[1, 2], help="numbers, with commas (1,2)")
    add("--db", type=pathlib.Path, help="tuning database: Edgefront's tuned plans are a peer, too")
    add("--runs", type=int, default=3, help="times that all peers start afresh (%(default)s)")
    add("--rounds", type=int, default=8, help="turns of every peer in a run (%(default)s)")
    add("--slice", type=float, default=0.1, help="seconds of a turn (%(default)s)")
    add("--seed", type=int, default=1, help="of weights and inputs (%(default)s)")
    add("--layers-of", default="mobilenet_v2", metavar="NETWORK",
        help="whose convolutions meet Halide's autoschedulers; \"\" for none (%(default)s)")
    add("--layer-slice", type=float, default=2e-3, help="seconds of a layer's turn (%(default)s)")
    add("--parallelism", type=numbers, default=[1, 2, 16],
        help="what autoschedulers are told; the best counts (1,2,16)")
    add("--beam", type=int, default=8, help="HL_BEAM_SIZE of Adams2019 (%(default)s)")
    add("--compile-seconds", type=int, default=60, help="limit of one layer (%(default)s)")
    add("--compile-mib", type=int, default=4096, help="limit of its memory (%(default)s)")
    add("--json", type=pathlib.Path, help="file for everything measured")
    add("-o", "--output", type=pathlib.Path, help="file for the Markdown, instead of stdout")
    return parser.parse_args()


def say(text):
    end = "\r" if sys.stderr.isatty() else "\n"
    print(f"run.py: {text:60}", end=end, file=sys.stderr, flush=True)


class Bench:
    """The programs, the peers that are there, and what was measured so far."""

    def __init__(self, options, scratch):
        self.options, self.scratch = options, scratch
        self.programs = options.build / "bench/baselines"
        self.left_out = {}  # peer: why
        self.disagreements = []
        self.samples = {}  # (network, threads): peer: list over runs of (medians, least times), ms
        self.machine = {}  # threads: the best of all runs
        if not (self.programs / "baseline_edgefront").exists():
            raise SystemExit(f"run.py: no baseline_edgefront in {self.programs}: "
                             "build with -DEDGEFRONT_BENCH=ON, or name the folder with --build")
        self.runtime = self.install_onnx_runtime()
        if not (self.programs / "baseline_xnnpack").exists():
            self.left_out["xnnpack"] = "not found when the build was configured"

    def install_onnx_runtime(self):
        """As the tests do, pinned; None when npm does not reach its registry."""
        folder = self.programs / "onnxruntime"
        done = subprocess.run([ROOT / "tests/onnx/install_runtime.sh", folder],
                              capture_output=True, text=True)
        if done.returncode != 0:
            self.left_out["onnxruntime"] = (done.stdout.strip().splitlines() or ["?"])[-1]
            return None
        return folder

    def commands(self, network, threads):
        """Every peer's command. One more variant of Edgefront is one more entry: its own flags."""
        same = [network, "--threads", threads, "--seed", self.options.seed]
        ours = [self.programs / "baseline_edgefront", *same]
        commands = {"edgefront": ours, "edgefront again": ours}  # the second is the A/A control
        if self.options.db:
            commands["edgefront tuned"] = [*ours, "--db", self.options.db]
        if "onnxruntime" not in self.left_out:
            commands["onnxruntime"] = ["node", HERE / "ort_worker.mjs", self.runtime,
                                       self.model(network), self.input_file(network), threads]
        if "xnnpack" not in self.left_out:
            commands["xnnpack"] = [self.programs / "baseline_xnnpack", *same]
        return commands

    def file_of(self, network, ending):
        return self.scratch / (network.replace("/", "_") + ending)

    def input_file(self, network):
        return self.file_of(network, ".input")

    def model(self, network):
        path = self.file_of(network, ".onnx")
        if not path.exists():
            subprocess.run([self.options.build / "app/edgefront", "export", network, "--seed",
                            str(self.options.seed), "--to", "onnx", "-o", path, "-q"],
                           check=True, stdout=subprocess.DEVNULL)
        return path

    def start(self, name, command, threads):
        worker = Worker(name, command, cores_for(threads))
        try:
            worker.wait_ready()
        except PeerFailed:
            worker.stop()
            raise
        return worker

    def start_all(self, network, threads):
        """The peers that compute what Edgefront computes; Edgefront itself has to be there."""
        workers, expected = [], None
        for name, command in self.commands(network, threads).items():
            try:
                worker = self.start(name, command, threads)
                if expected is None:
                    worker.ask(f"input {self.input_file(network)}")
                output = worker.output(self.scratch / "output")
                expected = expected or output
                off = difference(expected, output)
                if not off <= TOLERANCE:
                    worker.stop()
                    raise PeerFailed(f"{name}: {network} differs by {off:.1e} of the range")
                workers.append(worker)
            except PeerFailed as failure:
                if name == "edgefront tuned":  # the database knows other networks
                    self.left_out[f"{name}, {network}, {threads} threads"] = str(failure)
                    continue
                if name.startswith("edgefront"):
                    raise SystemExit(f"run.py: {failure}")
                self.disagreements.append(str(failure))
        return workers

    def time_network(self, network, threads):
        workers = self.start_all(network, threads)
        order = random.Random(f"{network} {threads}")
        for _ in range(self.options.rounds):
            # In an order of its own each time: nobody always follows the same peer.
            for worker in order.sample(workers, len(workers)):
                time.sleep(PAUSE)
                worker.time(self.options.slice)
        cell = self.samples.setdefault((network, threads), {})
        for worker in workers:
            cell.setdefault(worker.name, []).append((worker.medians, worker.least))
            worker.stop()

    def measure_machine(self, threads):
        cores = ",".join(map(str, cores_for(threads)))
        done = subprocess.run(["taskset", "-c", cores, self.programs / "baseline_machine",
                               str(threads), *self.options.networks],
                              check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)
        before = self.machine.get(threads)
        if before is None or found["peak_gflops"] > before["peak_gflops"]:
            self.machine[threads] = found

    def run_networks(self):
        steps = list(itertools.product(range(self.options.runs), self.options.threads))
        for run, threads in steps:
            self.measure_machine(threads)
            for network in self.options.networks:
                say(f"run {run + 1} of {self.options.runs}: {network}, {threads} threads")
                self.time_network(network, threads)


def share(values, ours, theirs):
    return {"median": statistics.median(values[ours][0]) / statistics.median(values[theirs][0]),
            "least": min(values[ours][1]) / min(values[theirs][1])}


def summarise_cell(by_peer):
    """Pooled times of every peer, and its ratios to its reference, pooled and run by run."""
    flat = {name: ([m for run in runs for m in run[0]], [t for run in runs for t in run[1]])
            for name, runs in by_peer.items()}
    result = {}
    for name, (medians, least) in flat.items():
        row = {"median_ms": statistics.median(medians), "least_ms": min(least),
               "rounds": len(medians), "medians_ms": medians, "least_by_round_ms": least}
        reference = "edgefront" if name == "edgefront again" else "onnxruntime"
        if reference in flat and name != reference:
            row["reference"] = reference
            row["ratio"] = share(flat, name, reference)
            if len(by_peer[name]) == len(by_peer[reference]):
                row["ratio_by_run"] = [share({name: a, reference: b}, name, reference)
                                       for a, b in zip(by_peer[name], by_peer[reference])]
        result[name] = row
    return result


def main():
    options = parse_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(options, pathlib.Path(scratch))
        # Compiling first: nothing else runs while peers are timed.
        folders = {}
        if options.layers_of and (bench.programs / "baseline_autoschedule").exists():
            folders = autoschedulers.compile_all(
                bench.programs, bench.programs / "autoscheduled", options.layers_of, options, say)
        elif options.layers_of:
            bench.left_out["autoschedulers"] = "not found when the build was configured"
        bench.run_networks()
        layer_runs = []
        for run in range(options.runs if options.layers_of else 0):
            say(f"run {run + 1} of {options.runs}: convolutions of {options.layers_of}")
            layer_runs.append(
                autoschedulers.time_once(bench.programs, options.layers_of, folders, options))
    layers = autoschedulers.summarise(layer_runs) if layer_runs else []
    wrong = [f"{layer['name']}: {peer} differs from the reference"
             for layer in layers for peer in layer["wrong"]]
    result = {
        "kind": "measured",
        "settings": {"runs": options.runs, "rounds": options.rounds, "slice_s": options.slice,
                     "seed": options.seed, "beam": options.beam,
                     "parallelism": options.parallelism},
        "machine": list(bench.machine.values()),
        "networks": [{"network": network, "threads": threads, "peers": summarise_cell(cell)}
                     for (network, threads), cell in bench.samples.items()],
        "layers_of": options.layers_of,
        "layers": layers,
        "left_out": bench.left_out,
        "failures": sorted(set(bench.disagreements + wrong)),
    }
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    text = report.markdown(result)
    if options.output:
        options.output.write_text(text)
    else:
        print(text, end="")
    return 1 if result["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
