"""Convolutions of a network alone: our kernels against those of Halide's own autoschedulers."""
import concurrent.futures
import json
import os
import signal
import statistics
import subprocess

from peers import cores_for

SCHEDULERS = ["Mullapudi2016", "Adams2019"]


def compile_one(programs, folder, network, key, scheduler, parallelism, options):
    """FOLDER/KEY.so, or FOLDER/KEY.failed with the reason; whichever is there already stays."""
    library, failed = folder / f"{key}.so", folder / f"{key}.failed"
    if library.exists() or failed.exists():
        return
    done = subprocess.run(
        [programs / "baseline_autoschedule", network, key, scheduler, str(parallelism),
         str(options.compile_seconds), str(options.compile_mib), library],
        env={**os.environ, "HL_BEAM_SIZE": str(options.beam)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode == -signal.SIGALRM:
        failed.write_text(f"took more than {options.compile_seconds} s\n")
    elif done.returncode == 2:
        raise SystemExit(f"run.py: {done.stderr.strip()}")
    elif done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        failed.write_text(f"exit {done.returncode} within {options.compile_mib} MiB: {last}\n")


def compile_all(programs, cache, network, options, say):
    """By every scheduler, for every parallelism it is told; returns the folders by peer's name."""
    listed = subprocess.run([programs / "baseline_layers", network, "--list"],
                            check=True, capture_output=True, text=True)
    keys = [layer["key"] for layer in json.loads(listed.stdout)["layers"]]
    folders, jobs = {}, []
    for scheduler in SCHEDULERS:
        for parallelism in options.parallelism:
            name = f"{scheduler}-p{parallelism}"
            folder = cache / (f"{name}-beam{options.beam}" if scheduler == "Adams2019" else name)
            folder.mkdir(parents=True, exist_ok=True)
            folders[name] = folder
            jobs += [(folder, network, key, scheduler, parallelism) for key in keys]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        running = [pool.submit(compile_one, programs, *job, options) for job in jobs]
        for done, job in enumerate(concurrent.futures.as_completed(running), 1):
            job.result()
            say(f"autoscheduling {done} of {len(jobs)}")
    return folders


def time_once(programs, network, folders, options):
    sources = [word for name, folder in folders.items() for word in ("--from", f"{name}={folder}")]
    done = subprocess.run(
        ["taskset", "-c", str(cores_for(1)[0]), programs / "baseline_layers", network,
         "--rounds", str(options.rounds), "--slice", str(options.layer_slice), *sources,
         *(["--db", str(options.db)] if options.db else [])],
        capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"run.py: baseline_layers: {done.stderr.strip() or done.returncode}")
    return json.loads(done.stdout)["layers"]


def pooled(runs, name):
    """Median and least time over all runs of one candidate, microseconds; None where it has none."""
    found = [peers[name] for peers in runs if "least_us" in peers.get(name, {})]
    if not found:
        return None
    return {"median_us": statistics.median(m for peer in found for m in peer["medians_us"]),
            "least_us": min(peer["least_us"] for peer in found)}


def best_of(results):
    """A scheduler's best parallelism, by medians."""
    there = [(name, r) for name, r in results if r is not None]
    if not there:
        return None
    name, best = min(there, key=lambda item: item[1]["median_us"])
    return {**best, "variant": name}


def summarise(runs):
    """One row per distinct layer from `time_once`'s lists."""
    rows = []
    for layers in zip(*runs):
        peers = [layer["peers"] for layer in layers]
        names = sorted(set().union(*peers))
        row = {k: layers[0][k] for k in ("key", "name", "op", "count", "macs")}
        row["bound_us"] = min(layer["bound_us"] for layer in layers)
        ours = [name for name in names if name.startswith("edgefront")]
        row["peers"] = {name: pooled(peers, name) for name in ours}
        for scheduler in SCHEDULERS:
            row["peers"][scheduler] = best_of(
                [(n, pooled(peers, n)) for n in names if n.startswith(scheduler)])
        row["wrong"] = [n for n in names if any("failure" in p.get(n, {}) for p in peers)]
        rows.append(row)
    return rows
