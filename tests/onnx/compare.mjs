// Runs exported models through ONNX Runtime: node compare.mjs RUNTIME CASES
//
// RUNTIME is the folder that has onnxruntime-node. For every CASES/NAME.KIND.onnx, NAME.in holds an
// input and NAME.out what Edgefront computed from it, both NHWC float32. Fails when a model differs
// from that by more than 1e-4 of the output's range, when the output has no variance, and when
// there is no model at all. What agreed is removed; a failing model stays, with its numbers. Exits
// with 77, for CTest a skipped test, when install_runtime.sh could not reach npm's registry.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [runtime, cases] = process.argv.slice(2);
if (!fs.existsSync(path.join(runtime, "installed-lock.json"))) {
    console.log("SKIPPED: ONNX Runtime is not there, see the test that installs it");
    process.exit(77);
}
const { InferenceSession, Tensor } = createRequire(path.resolve(runtime, "x"))("onnxruntime-node");
const tolerance = 1e-4;

function floats(file) {
    const bytes = fs.readFileSync(file);
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** The same tensor with its axes in another order, `order[i]` becoming axis i. */
function permuted(values, dims, order) {
    const strides = dims.map((_, i) => dims.slice(i + 1).reduce((a, b) => a * b, 1));
    const to = order.map((axis) => dims[axis]);
    const result = new Float32Array(values.length);
    const at = to.map(() => 0);
    for (let i = 0; i < result.length; i++) {
        let from = 0;
        for (let k = 0; k < at.length; k++) from += at[k] * strides[order[k]];
        result[i] = values[from];
        for (let k = at.length - 1; k >= 0 && ++at[k] === to[k]; k--) at[k] = 0;
    }
    return result;
}

/** Largest difference, and what it is a part of. */
function difference(expected, actual) {
    let error = 0, least = Infinity, most = -Infinity, sum = 0;
    for (let i = 0; i < expected.length; i++) {
        const e = Math.abs(actual[i] - expected[i]);
        if (!(e <= error)) error = Number.isFinite(e) ? e : Infinity;
        least = Math.min(least, expected[i]);
        most = Math.max(most, expected[i]);
        sum += expected[i];
    }
    const mean = sum / expected.length;
    let variance = 0;
    for (const v of expected) variance += (v - mean) ** 2 / expected.length;
    return { relative: error / (most - least), variance };
}

/** What is wrong, or nothing. */
async function check(file, base) {
    const session = await InferenceSession.create(file, {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        graphOptimizationLevel: "all",
    });
    try {
        const [input] = session.inputMetadata, [output] = session.outputMetadata;
        if (input.name !== "image" || output.name !== "logits") {
            return { problem: `input ${input.name}, output ${output.name}` };
        }
        const [n, c, h, w] = input.shape;
        const image = permuted(floats(`${base}.in`), [n, h, w, c], [0, 3, 1, 2]);
        const feeds = { image: new Tensor("float32", image, input.shape) };
        const { dims, data } = (await session.run(feeds)).logits;
        const actual = dims.length === 4 ? permuted(data, dims, [0, 2, 3, 1]) : data;
        const expected = floats(`${base}.out`);
        if (actual.length !== expected.length) {
            return { problem: `${actual.length} outputs instead of ${expected.length}` };
        }
        const d = difference(expected, actual);
        const problem = !(d.variance > 0) ? "the output is constant"
            : !(d.relative <= tolerance) ? "it differs" : undefined;
        return { ...d, problem };
    } finally {
        await session.release();
    }
}

let models = 0;
const agreed = new Set(), failed = new Set();
const names = fs.existsSync(cases) ? fs.readdirSync(cases).filter((f) => f.endsWith(".onnx")) : [];
for (const name of names.sort()) {
    const base = path.join(cases, name.replace(/\.[^.]*\.onnx$/, "")), file = path.join(cases, name);
    const result = await check(file, base).catch((e) => ({ problem: e.message }));
    const numbers = result.relative === undefined ? ""
        : `${result.relative.toExponential(2)} of the range, variance ${result.variance.toPrecision(3)}`;
    console.log(`${result.problem ? "FAILED" : "ok"} ${name}: ${numbers} ${result.problem ?? ""}`.trim());
    models++;
    for (const part of [file, `${base}.in`, `${base}.out`]) {
        (result.problem ? failed : agreed).add(part);
    }
}
agreed.forEach((file) => failed.has(file) || fs.rmSync(file));
const failures = [...failed].filter((file) => file.endsWith(".onnx")).length;
console.log(`${models} models, ${failures} failures`);
process.exitCode = models === 0 || failures > 0 ? 1 : 0;
