#!/usr/bin/env python3
"""How bench/baselines pools and compares times: on made-up ones, since no test asserts a time."""
import math
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench/baselines"))
sys.dont_write_bytecode = True
import autoschedulers  # noqa: E402
import peers  # noqa: E402
import report  # noqa: E402
import run  # noqa: E402


class Networks(unittest.TestCase):
    def setUp(self):
        self.cell = run.summarise_cell({
            "edgefront": [([3.0, 1.0], [0.9, 0.8]), ([2.0, 2.0], [0.7, 0.9])],
            "edgefront again": [([2.0, 2.0], [0.7, 0.7]), ([2.0, 2.0], [0.8, 0.7])],
            "onnxruntime": [([4.0, 4.0], [1.4, 2.0]), ([8.0, 8.0], [3.0, 3.0])]})

    def test_medians_and_least_times_are_pooled_over_runs(self):
        ours = self.cell["edgefront"]
        self.assertEqual((ours["median_ms"], ours["least_ms"], ours["rounds"]), (2.0, 0.7, 4))

    def test_ratios_are_to_onnx_runtime_pooled_and_run_by_run(self):
        ours = self.cell["edgefront"]
        self.assertAlmostEqual(ours["ratio"]["median"], 2.0 / 6.0)
        self.assertAlmostEqual(ours["ratio"]["least"], 0.5)
        self.assertEqual([r["median"] for r in ours["ratio_by_run"]], [0.5, 0.25])

    def test_the_control_is_compared_with_edgefront(self):
        self.assertEqual(self.cell["edgefront again"]["reference"], "edgefront")
        self.assertEqual(self.cell["edgefront again"]["ratio"], {"median": 1.0, "least": 1.0})

    def test_nothing_is_compared_with_itself_or_with_a_peer_that_is_not_there(self):
        self.assertNotIn("ratio", self.cell["onnxruntime"])
        alone = run.summarise_cell({"edgefront": [([1.0], [1.0])]})
        self.assertEqual(report.ratio_text(alone["edgefront"]), "-")

    def test_the_share_of_the_peak_is_that_of_the_least_time(self):
        text = report.time_text({"median_ms": 2.0, "least_ms": 1.0}, 5e7, 100)
        self.assertEqual(text, "2.00 / 1.00, 50 %")


    def test_a_further_variant_gets_its_own_columns(self):
        self.cell["edgefront tuned"] = self.cell["edgefront"]
        machine = {"peak_gflops": 100, "networks": {
            "n": {"macs": 10**8, "compute_bound_ms": 1, "layers_bound_ms": 2}}}
        text = report.network_section(1, [{"network": "n", "peers": self.cell}], machine)
        for column in ("Edgefront tuned ms", "Edgefront tuned/ORT", "Edgefront/ORT", "A/A"):
            self.assertIn(f"| {column} |", text)
        self.assertIn("0.33 / 0.50 (0.25 to 0.50)", text)


class Layers(unittest.TestCase):
    @staticmethod
    def layer(ours, **others):
        made = {name.replace("_", "-"): {"medians_us": [us, us + 2], "least_us": us}
                for name, us in {"edgefront": ours, **others}.items()}
        return {"key": "k", "name": "n", "op": "conv2d", "count": 3, "macs": 1, "bound_us": 5.0,
                "peers": made}

    def test_a_scheduler_is_judged_by_its_best_parallelism(self):
        [row] = autoschedulers.summarise(
            [[self.layer(9, Adams2019_p1=40, Adams2019_p2=20)], [self.layer(7, Adams2019_p2=22)]])
        self.assertEqual(row["peers"]["edgefront"], {"median_us": 9.0, "least_us": 7})
        self.assertEqual(row["peers"]["Adams2019"]["variant"], "Adams2019-p2")
        self.assertIsNone(row["peers"]["Mullapudi2016"])
        self.assertEqual(report.better_of(row["peers"]), 22.0)
        self.assertIn("Edgefront sums to 0.03 ms", report.sums([row]))

    def test_a_wrong_kernel_has_no_time_and_is_told(self):
        layer = self.layer(9)
        layer["peers"]["Adams2019-p1"] = {"failure": "differs from the reference", "error": 1.0}
        [row] = autoschedulers.summarise([[layer]])
        self.assertIsNone(row["peers"]["Adams2019"])
        self.assertEqual(row["wrong"], ["Adams2019-p1"])

    def test_a_tuned_kernel_stands_for_edgefront(self):
        layer = self.layer(9, Adams2019_p1=12)
        layer["peers"]["edgefront tuned"] = {"medians_us": [4, 6], "least_us": 4}
        [row] = autoschedulers.summarise([[layer]])
        text = report.layers_section("net", [row])
        self.assertIn("| Edgefront | Edgefront tuned | ", text)
        self.assertIn("| 100 % | 2.60 |", text)
        self.assertIn("Edgefront sums to 0.01 ms", report.sums([row]))

    def test_means_of_ratios_are_geometric(self):
        self.assertAlmostEqual(report.geometric_mean([1, 4]), 2)


class Outputs(unittest.TestCase):
    def test_differences_are_shares_of_the_range(self):
        self.assertAlmostEqual(peers.difference([0.0, 4.0], [1.0, 4.0]), 0.25)

    def test_another_length_or_no_number_agrees_with_nothing(self):
        self.assertEqual(peers.difference([0.0, 4.0], [0.0]), math.inf)
        for wrong in ([math.nan, 4.0], [0.0, math.nan], [0.0, math.inf]):
            self.assertEqual(peers.difference([0.0, 4.0], wrong), math.inf)


if __name__ == "__main__":
    unittest.main()
