"""What is done with a network on both sides: losses, optimisers, batches, and the comparison."""

import os
import subprocess

import numpy
import torch
import torch.nn.functional as F

# Bramble counts in 4-byte floats, PyTorch in 8-byte ones here: so these are Bramble's errors alone. Numbers are
# compared in parts of the greatest of their tensor, or of this share of the greatest of all tensors if that is more.
FLOOR = 1e-2


class Case:
    """A twin with data, a loss and an optimiser. batches: pairs of arrays."""

    def __init__(self, twin, batches, loss=("mean_squared_error", {}), optimiser=("sgd", {}), rate=0.01, threads=2):
        self.twin, self.batches, self.loss, self.optimiser = twin, batches, loss, optimiser
        self.rate, self.threads = rate, threads

    def lines(self):
        kind, options = self.loss
        yield f"loss {kind} {options.get('label_smoothing', 0)} {options.get('delta', 1)}"
        kind, options = self.optimiser
        options = {**({"momentum": 0} if kind in ("sgd", "rmsprop") else {}), **options}
        yield " ".join(["optimiser", kind, *[f"{key}={+value}" for key, value in options.items()]])
        yield f"train {len(self.batches[0][0])} {len(self.batches)} {self.rate} {self.threads}"

    def write(self, prefix):
        self.write_files(prefix, self.twin.numbers.values())

    def write_files(self, prefix, weights):
        with open(prefix + ".txt", "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in self.description())
        with open(prefix + ".in", "wb") as file:
            for numbers in weights:
                file.write(numbers.tobytes())
            for x, target in self.batches:
                file.write(x.astype(numpy.float32).tobytes())
                file.write(target.astype(numpy.uint32 if target.dtype.kind == "i" else numpy.float32).tobytes())

    def description(self):
        return [*self.twin.lines, *self.lines()]

    def compare(self, prefix, tolerances):
        """net_probe's results with PyTorch's: what worst says."""
        check_refused(prefix)
        expected = torch_results(self)
        return worst(read_results(prefix, expected), expected, tolerances)


def random_input(random, shape, classes=None):
    return random.integers(0, classes, shape) if classes else random.standard_normal(shape)


def regression_case(twin, samples=19, steps=2, **how):
    """Any output, with numbers as targets."""
    shape = twin.shapes[twin.input_name], twin.shapes[twin.output_name]
    samples = max(samples, twin.fewest_samples)
    batches = [(random_input(twin.random, (samples, *shape[0]), twin.classes_of_input),
                twin.random.standard_normal((samples, *shape[1]))) for _ in range(steps)]
    return Case(twin, batches, **how)


def class_case(twin, samples, steps=10, **how):
    shape, classes = twin.shapes[twin.input_name], twin.shapes[twin.output_name][-1]
    batches = [(random_input(twin.random, (samples, *shape), twin.classes_of_input),
                twin.random.integers(0, classes, samples)) for _ in range(steps)]
    return Case(twin, batches, **{"loss": ("cross_entropy", {}), **how})


def loss_of(case, y, target):
    kind, options = case.loss
    if kind == "cross_entropy":
        return F.cross_entropy(y, torch.from_numpy(target), label_smoothing=options.get("label_smoothing", 0))
    target = torch.from_numpy(target.astype(numpy.float32)).double().reshape(y.shape)
    if kind == "huber":
        return F.huber_loss(y, target, delta=options.get("delta", 1))
    return {"mean_squared_error": F.mse_loss,
            "binary_cross_entropy": F.binary_cross_entropy_with_logits}[kind](y, target)


def optimiser_of(case, decaying, other):
    kind, options = case.optimiser
    own = {key: value for key, value in options.items() if key in ("momentum", "nesterov", "alpha")}
    if "epsilon" in options:
        own["eps"] = options["epsilon"]
    if kind in ("adam", "adamw"):
        own["betas"] = (options.get("beta1", 0.9), options.get("beta2", 0.999))
    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW,
            "rmsprop": torch.optim.RMSprop}[kind]
    groups = [{"params": decaying, "weight_decay": options.get("weight_decay", 0)},
              {"params": other, "weight_decay": 0.0}]
    return make([group for group in groups if group["params"]], lr=case.rate, **own)


def input_of(x):
    return torch.from_numpy(x.astype(numpy.float32)).double()


def gradients_of(case, weights, batch):
    x, target = batch
    loss = loss_of(case, case.twin.run(input_of(x), weights, True), target)
    trained = [tensor for tensor in weights.values() if tensor.requires_grad]
    for tensor in trained:
        tensor.grad = None
    loss.backward()
    return float(loss)


def torch_results(case):
    """What net_probe writes: name -> array."""
    twin, results = case.twin, {}
    for kind in ("parameter", "state"):
        for name in twin.kinds:
            if twin.kinds[name] == kind:
                results["start " + name] = twin.numbers[name].astype(float)
    with torch.no_grad():
        results["prediction"] = twin.run(input_of(case.batches[0][0]), twin.weights(), False).numpy()
    weights = twin.weights()
    results["loss"] = numpy.array(gradients_of(case, weights, case.batches[0]))
    names = [name for name, kind in twin.kinds.items() if kind == "parameter"]
    for name in names:
        results["gradient of " + name] = weights[name].grad.numpy().copy()
    weights = twin.weights()
    optimiser = optimiser_of(case, [weights[name] for name in names if twin.decays[name]],
                             [weights[name] for name in names if not twin.decays[name]])
    losses = []
    for batch in case.batches:
        losses.append(gradients_of(case, weights, batch))
        if case.optimiser[1].get("clip_norm"):
            torch.nn.utils.clip_grad_norm_([weights[name] for name in names], case.optimiser[1]["clip_norm"])
        optimiser.step()
    results["losses"] = numpy.array(losses)
    for kind in ("parameter", "state"):
        for name in [name for name in twin.kinds if twin.kinds[name] == kind]:
            results[f"{kind} {name} after"] = weights[name].detach().numpy()
    return results


def check_refused(prefix):
    if os.path.exists(prefix + ".error"):
        with open(prefix + ".error", encoding="utf-8") as file:
            raise ValueError(file.read().strip())


class Numbers:
    """What net_probe wrote, from the beginning on."""

    def __init__(self, prefix):
        self.numbers, self.at = numpy.fromfile(prefix + ".out", numpy.float32).astype(float), 0

    def take(self, shape):
        count = int(numpy.prod(shape))
        self.at += count
        return self.numbers[self.at - count:self.at].reshape(shape)

    def finish(self):
        if self.at != len(self.numbers):
            raise ValueError(f"net_probe wrote {len(self.numbers)} numbers instead of {self.at}")


def read_results(prefix, expected):
    """net_probe's numbers in the shapes of PyTorch's."""
    numbers, results = Numbers(prefix), {}
    for name, want in expected.items():
        results[name] = numbers.take(want.shape)
        if name == "loss":
            numbers.take(1)  # how many were right
    numbers.finish()
    return results


def worst(results, expected, tolerances):
    """The greatest error in parts of what is allowed, and where it is. NaN counts as infinite."""
    greatest = {}
    for name, want in expected.items():
        greatest[name.split()[0]] = max(greatest.get(name.split()[0], 0), float(numpy.abs(want).max(initial=0)))
    found = 0.0, "nothing"
    for name, want in expected.items():
        kind = name.split()[0]
        scale = max(float(numpy.abs(want).max(initial=0)), FLOOR * greatest[kind], 1e-30)
        error = float(numpy.abs(results[name] - want).max(initial=0)) / scale / tolerances[kind]
        if not error <= found[0]:
            found = (error if error == error else float("inf")), name
    return found


def probe(program, prefixes):
    subprocess.run([*program, *prefixes], check=True)
