// ONNX Runtime as a peer: node ort_worker.mjs RUNTIME MODEL INPUT THREADS
//
// RUNTIME is the folder that has onnxruntime-node, MODEL an exported network, INPUT its input in
// NHWC float32. Answers the requests of worker.h (but for `input`).
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";

const [runtime, model, inputFile, threads] = process.argv.slice(2);
const { InferenceSession, Tensor } = createRequire(path.resolve(runtime, "x"))("onnxruntime-node");

function floats(file) {
    const bytes = fs.readFileSync(file);
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** NHWC to NCHW. */
function planes(values, [, channels, height, width]) {
    const pixels = height * width;
    const result = new Float32Array(values.length);
    for (let p = 0; p < pixels; p++) {
        for (let c = 0; c < channels; c++) result[c * pixels + p] = values[p * channels + c];
    }
    return result;
}

const session = await InferenceSession.create(model, {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
});
const { shape } = session.inputMetadata[0];
const feeds = { image: new Tensor("float32", planes(floats(inputFile), shape), shape) };
const run = () => session.run(feeds);

async function time(seconds) {
    await run(); // wakes threads, fills caches
    const times = [], start = performance.now();
    do {
        const before = performance.now();
        await run();
        times.push(performance.now() - before);
    } while (performance.now() - start < 1e3 * seconds);
    times.sort((a, b) => a - b);
    return {
        median_ms: times[Math.ceil(times.length / 2) - 1], least_ms: times[0], runs: times.length,
    };
}

async function answer(line) {
    const at = line.indexOf(" "), what = line.slice(0, at), argument = line.slice(at + 1);
    if (what === "time") return time(Number(argument));
    if (what === "output") {
        const { data } = (await run()).logits;
        fs.writeFileSync(argument, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        return { elements: data.length };
    }
    throw new Error(`unknown request '${line}'`);
}

const say = (json) => process.stdout.write(`${JSON.stringify(json)}\n`);
say({ ready: true });
for await (const line of readline.createInterface({ input: process.stdin })) say(await answer(line));
