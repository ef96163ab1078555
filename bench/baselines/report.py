"""What run.py measured, as Markdown."""
import math
import statistics

from autoschedulers import SCHEDULERS


def table(columns, rows):
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def span(values):
    return f"{min(values):.2f} to {max(values):.2f}"


def ratio_text(peer):
    """By medians / by least times, and what single runs say of the former."""
    if peer is None or "ratio" not in peer:
        return "-"
    text = f"{peer['ratio']['median']:.2f} / {peer['ratio']['least']:.2f}"
    runs = peer.get("ratio_by_run", [])
    return f"{text} ({span([run['median'] for run in runs])})" if len(runs) > 1 else text


def time_text(peer, flops, peak_gflops):
    if peer is None:
        return "-"
    percent = 100 * flops / (peer["least_ms"] * 1e-3) / (peak_gflops * 1e9)
    return f"{peer['median_ms']:.2f} / {peer['least_ms']:.2f}, {percent:.0f} %"


def machine_section(machines):
    levels = [level["level"] for level in machines[0]["bandwidth"]]
    rows = [[m["threads"], f"{m['peak_gflops']:.0f}",
             *(f"{l['read_gb_per_s']:.0f} / {l['triad_gb_per_s']:.0f}" for l in m["bandwidth"])]
            for m in machines]
    return ("## The machine\n\nfp32 multiply-adds on registers; GB/s reading / triad.\n\n" +
            table(["threads", "GFLOP/s", *levels], rows))


LABELS = {"edgefront": "Edgefront", "edgefront tuned": "Edgefront tuned",
          "onnxruntime": "ONNX Runtime", "xnnpack": "XNNPACK"}


def peers_of(cells):
    """Every peer but the control, in the order they were started."""
    names = dict.fromkeys(name for cell in cells for name in cell["peers"])
    return [name for name in names if name != "edgefront again"]


def label(name):
    return LABELS.get(name, name)


def network_section(threads, cells, machine):
    names, rows = peers_of(cells), []
    compared = [name for name in names if name != "onnxruntime"]
    for cell in cells:
        peers, limits = cell["peers"], machine["networks"][cell["network"]]
        rows.append([cell["network"],
                     f"{limits['compute_bound_ms']:.2f} / {limits['layers_bound_ms']:.2f}",
                     *(time_text(peers.get(name), 2 * limits["macs"], machine["peak_gflops"])
                       for name in names),
                     *(ratio_text(peers.get(name)) for name in [*compared, "edgefront again"])])
    columns = ["network", "bounds ms", *(f"{label(name)} ms" for name in names),
               *(f"{label(name)}/ORT" for name in compared), "A/A"]
    return f"## Networks, {threads} thread{'s' if threads > 1 else ''}\n\n" + table(columns, rows)


def scaling_section(result):
    """How much faster the most threads are than one, where both were timed."""
    times = {(c["network"], c["threads"]): c["peers"] for c in result["networks"]}
    most = max(threads for _, threads in times)
    networks = [n for n, threads in times if threads == most and (n, 1) in times]
    if most == 1 or not networks:
        return ""

    def speed(network, peer):
        one, many = times[network, 1].get(peer), times[network, most].get(peer)
        return "-" if one is None or many is None else " / ".join(
            f"{one[key] / many[key]:.2f}" for key in ("median_ms", "least_ms"))
    peers = peers_of(result["networks"])
    rows = [[network, *(speed(network, peer) for peer in peers)] for network in networks]
    return (f"## Speed of {most} threads over one (medians / least times)\n\n" +
            table(["network", *map(label, peers)], rows))


def better_of(peers):
    there = [peers[s] for s in SCHEDULERS if peers[s] is not None]
    return min((p["median_us"] for p in there), default=None)


def ours_of(peers):
    """Edgefront's tuned kernel where the layer was tuned, else the default."""
    return peers["edgefront tuned"] if "edgefront tuned" in peers else peers["edgefront"]


def layer_time(peer):
    return "-" if peer is None else f"{peer['median_us']:.1f} / {peer['least_us']:.1f}"


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def layers_section(network, layers):
    rows, ratios = [], []
    variants = [name for name in ("edgefront", "edgefront tuned")
                if any(name in layer["peers"] for layer in layers)]
    for layer in layers:
        peers, better = layer["peers"], better_of(layer["peers"])
        ours = ours_of(peers)
        if ours and better:
            ratios.append(better / ours["median_us"])
        rows.append([layer["name"], layer["key"].split("-bias")[0], layer["count"],
                     *(layer_time(peers.get(name)) for name in variants),
                     *(layer_time(peers[s]) for s in SCHEDULERS),
                     f"{100 * layer['bound_us'] / ours['median_us']:.0f} %" if ours else "wrong",
                     f"{ratios[-1]:.2f}" if ours and better else "-"])
    text = f"## Convolutions of {network}, alone and warm, one thread (us)\n\n"
    text += table(["layer", "key", "times", *map(label, variants), *SCHEDULERS, "% of roofline",
                   f"better of both / {label(variants[-1])}"], rows)
    if ratios:
        shares = [l["bound_us"] / ours_of(l["peers"])["median_us"] for l in layers
                  if l["op"] == "depthwise_conv2d" and ours_of(l["peers"])]
        if shares:
            text += (f"\nDepthwise layers reach {100 * statistics.median(shares):.0f} % of their "
                     "roofline in the median. ")
        text += (f"\nThe better autoscheduler takes {geometric_mean(ratios):.2f} times "
                 f"{label(variants[-1])}'s time in the geometric mean of {len(ratios)} distinct layers, "
                 f"{min(ratios):.2f} at least, by medians. ")
    return text + sums(layers)


def sums(layers):
    """Layer by layer over the whole network, where every candidate has a time."""
    full = [l for l in layers if ours_of(l["peers"]) and better_of(l["peers"])]

    def total(time):
        return sum(l["count"] * time(l) for l in full) * 1e-3
    ours = total(lambda l: ours_of(l["peers"])["median_us"])
    text = f"Layer by layer Edgefront sums to {ours:.2f} ms"
    if full:
        text += f", the better autoscheduler to {total(lambda l: better_of(l['peers'])):.2f} ms"
    for scheduler in SCHEDULERS:
        if full and all(l["peers"][scheduler] for l in full):
            value = total(lambda l: l["peers"][scheduler]["median_us"])
            text += f", {scheduler} to {value:.2f} ms"
    bound = total(lambda l: l["bound_us"])
    return f"{text}; the roofline bounds to {bound:.2f} ms ({len(full)} of {len(layers)} layers).\n"


def markdown(result):
    s = result["settings"]
    parts = [f"# Edgefront and its peers\n\nMeasured: {s['runs']} runs of {s['rounds']} interleaved "
             "rounds, pinned. Times: median of the rounds' medians / least time, share of the "
             "multiply-add peak at the least time. Ratios: by medians / by least times (range of "
             "single runs, by medians). Bounds: multiply-adds at peak / sum of the layers' "
             "rooflines. A/A: Edgefront against itself, the noise.\n"]
    if result["machine"]:
        parts.append(machine_section(result["machine"]))
    for machine in result["machine"]:
        cells = [c for c in result["networks"] if c["threads"] == machine["threads"]]
        parts.append(network_section(machine["threads"], cells, machine))
    if result["networks"]:
        parts.append(scaling_section(result))
    if result["layers"]:
        parts.append(layers_section(result["layers_of"], result["layers"]))
    parts += [f"Left out: {peer} ({why}).\n" for peer, why in result["left_out"].items()]
    parts += [f"Failed: {failure}.\n" for failure in result["failures"]]
    return "\n".join(part for part in parts if part)
