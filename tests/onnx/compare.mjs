// compare.mjs WRITE_CASES RUNTIME_FOLDER: ONNX Runtime and bramble say the same of models made by hand. A case of
// write_cases may say how far outputs may be apart, and the shape of a sample where that is no row.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {SKIPPED, difference, loadRuntime, predict, readFloats} from './runtime.mjs';

const TOLERANCE = 1e-6;
const SINGLE_ROWS = 40;  // tried one by one as well: ONNX Runtime then divides the trees among threads

// What ONNX Runtime says of all rows at once, then of the first ones alone, against what bramble said.
async function checkCase(runtime, folder, name) {
  const expected = JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`), 'utf8'));
  const x = readFloats(path.join(folder, `${name}.x`));
  const out = readFloats(path.join(folder, `${name}.out`));
  const session = await runtime.InferenceSession.create(path.join(folder, `${name}.onnx`), {logSeverityLevel: 3});
  const width = expected.classes || 1;
  const all = await predict(runtime, session, x, expected.features, 0, expected.rows, expected.shape);
  const labels = [...all.labels], values = [...all.out];
  for (let r = 0; r < SINGLE_ROWS; r++) {
    const one = await predict(runtime, session, x, expected.features, r, r + 1, expected.shape);
    labels.push(...one.labels);
    values.push(...one.out);
  }
  await session.release();
  const expectedLabels = [...expected.labels, ...expected.labels.slice(0, SINGLE_ROWS)];
  const wrong = labels.length === expectedLabels.length ?
      labels.filter((label, i) => label !== expectedLabels[i]).length : Infinity;
  const largest = difference(values, [...out, ...out.subarray(0, SINGLE_ROWS * width)]);
  const good = !wrong && largest <= (expected.tolerance ?? TOLERANCE);
  console.log(`${good ? 'ok' : 'WRONG'} ${name}: ${wrong} labels differ, largest difference ${largest.toExponential(1)}`);
  return good;
}

const [writeCases, runtimeFolder] = process.argv.slice(2);
const runtime = loadRuntime(runtimeFolder);
if (!runtime) {
  console.log('onnxruntime-node is not there: run tests/onnx/install');
  process.exit(SKIPPED);
}
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bramble-onnx-'));
try {
  execFileSync(writeCases, [folder], {stdio: 'inherit'});
  const names = fs.readdirSync(folder).filter(file => file.endsWith('.onnx')).map(file => file.slice(0, -5)).sort();
  const results = [];
  for (const name of names) results.push(await checkCase(runtime, folder, name));
  process.exitCode = results.length && results.every(Boolean) ? 0 : 1;
} finally {
  fs.rmSync(folder, {recursive: true});
}
