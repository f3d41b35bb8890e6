// ONNX Runtime as build/onnx has it, and what the tests here do with it.
import {createRequire} from 'node:module';
import fs from 'node:fs';

export const SKIPPED = 77;

// The onnxruntime-node installed in `folder`, or undefined.
export function loadRuntime(folder) {
  if (!fs.existsSync(`${folder}/installed.json`)) return undefined;
  return createRequire(`${folder}/package.json`)('onnxruntime-node');
}

export function readFloats(path) {
  const bytes = fs.readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

// Runs rows [begin, end) of x, or samples of another shape, through a session; arrays of labels (or none) and of probabilities or values.
export async function predict(runtime, session, x, width, begin, end, shape = [width]) {
  const rows = new runtime.Tensor('float32', x.slice(begin * width, end * width), [end - begin, ...shape]);
  const said = await session.run({X: rows});
  return {labels: said.label ? Array.from(said.label.data, String) : [],
          out: (said.probabilities ?? said.variable).data};
}

// Largest difference between two arrays, relative to the largest expected value where that is beyond 1: sums
// in another order differ by what is small beside their terms, not beside a result near 0.
export function difference(a, b) {
  let largest = a.length === b.length ? 0 : Infinity;
  const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  for (let i = 0; i < a.length; i++) {
    const here = Math.abs(a[i] - b[i]) / scale;
    if (!(here <= largest)) largest = here;
  }
  return largest;
}
