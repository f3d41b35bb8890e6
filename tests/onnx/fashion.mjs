// fashion.mjs BRAMBLE RUNTIME_FOLDER: trains 100 trees on Fashion-MNIST with the program people use; ONNX Runtime and
// bramble must then give the same class to each of the 10,000 test images, and the same probabilities within 1e-6.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import {SKIPPED, difference, loadRuntime, predict} from './runtime.mjs';

const DATA = '/usr/share/datasets/fashion-mnist';
const IMAGES = path.join(DATA, 't10k-images-idx3-ubyte.gz');
const PIXELS = 28 * 28, CLASSES = 10, TOLERANCE = 1e-6, BATCH = 2500, SINGLE_ROWS = 500;

const [bramble, runtimeFolder] = process.argv.slice(2);

function skip(reason) {
  console.log(reason);
  process.exit(SKIPPED);
}

// The test images as rows of floats, read by other means than bramble's.
function readImages() {
  const bytes = zlib.gunzipSync(fs.readFileSync(IMAGES));
  return Float32Array.from(bytes.subarray(16));
}

function readNpy(file) {
  const bytes = fs.readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  if (!bytes.subarray(0, start).toString('latin1').includes("'descr': '<f4', 'fortran_order': False"))
    throw new Error(`${file} is not a row-major array of little-endian float32`);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
}

function runBramble(folder) {
  const file = name => path.join(folder, name);
  const run = (...words) => execFileSync(bramble, words, {stdio: ['ignore', 'ignore', 'inherit']});
  run('train', 'forest', DATA, '--trees', '100', '--out', file('model.onnx'), '--quiet');
  run('predict', file('model.onnx'), DATA, '--split', 'test', '--out', file('classes.csv'));
  run('predict', file('model.onnx'), DATA, '--split', 'test', '--proba', '--out', file('proba.npy'));
  return {model: file('model.onnx'), proba: readNpy(file('proba.npy')),
          labels: fs.readFileSync(file('classes.csv'), 'utf8').trim().split('\n').slice(1)};
}

// What ONNX Runtime says of rows [0, n), so many at a time.
async function runRuntime(runtime, model, images, n, batch) {
  const session = await runtime.InferenceSession.create(model, {logSeverityLevel: 3});
  const labels = [], proba = new Float32Array(n * CLASSES);
  for (let row = 0; row < n; row += batch) {
    const said = await predict(runtime, session, images, PIXELS, row, row + batch);
    labels.push(...said.labels);
    proba.set(said.out, row * CLASSES);
  }
  await session.release();
  return {labels, proba};
}

function compare(name, ours, theirs) {
  const n = theirs.labels.length;
  const wrong = theirs.labels.filter((label, i) => label !== ours.labels[i]).length;
  const largest = difference(theirs.proba, ours.proba.subarray(0, n * CLASSES));
  console.log(`${name}: ${wrong} of ${n} classes differ, largest difference of probabilities ${largest.toExponential(1)}`);
  return wrong === 0 && largest <= TOLERANCE;
}

const runtime = loadRuntime(runtimeFolder);
if (!runtime) skip('onnxruntime-node is not there: run tests/onnx/install');
if (!fs.existsSync(IMAGES)) skip('Fashion-MNIST is not there: install the package dataset-fashion-mnist');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bramble-onnx-'));
try {
  const images = readImages();
  const ours = runBramble(folder);
  if (ours.labels.length !== 10000 || images.length !== 10000 * PIXELS) throw new Error('not 10,000 test images');
  const good = [compare('all at once', ours, await runRuntime(runtime, ours.model, images, 10000, BATCH)),
                compare('one by one', ours, await runRuntime(runtime, ours.model, images, SINGLE_ROWS, 1))];
  process.exitCode = good.every(Boolean) ? 0 : 1;
} finally {
  fs.rmSync(folder, {recursive: true});
}
