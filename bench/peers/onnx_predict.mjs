// onnx_predict.mjs RUNTIME_FOLDER MODEL ROWS WIDTH REPEATS: loading and predicting with ONNX Runtime on one thread, as
// bench_predict does, from the same file; prints one JSON object. Only probabilities are asked for, which saves it
// handing labels over as texts.
import {loadRuntime, readFloats} from '../../tests/onnx/runtime.mjs';

const [runtimeFolder, model, rowsPath, width, repeats] = process.argv.slice(2);
const ONE_THREAD = {intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', logSeverityLevel: 3};

async function seconds(work) {
  const began = process.hrtime.bigint();
  const done = await work();
  return [Number(process.hrtime.bigint() - began) / 1e9, done];
}

const runtime = loadRuntime(runtimeFolder);
if (!runtime) throw new Error('onnxruntime-node is not there: run tests/onnx/install');
const [loadSeconds, session] = await seconds(() => runtime.InferenceSession.create(model, ONE_THREAD));
const x = readFloats(rowsPath);
const rows = x.length / Number(width);
const input = {X: new runtime.Tensor('float32', x, [rows, Number(width)])};
const predict = () => session.run(input, ['probabilities']);
await predict();
const times = [];
for (let i = 0; i < Number(repeats); i++) times.push((await seconds(predict))[0]);
times.sort((a, b) => a - b);
console.log(JSON.stringify({load_seconds: loadSeconds, predict_seconds: times[Math.floor(times.length / 2)], rows}));
