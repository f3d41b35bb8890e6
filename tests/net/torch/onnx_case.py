"""A PyTorch module that is exported to ONNX and read by Bramble (training.py has the other kind of case)."""

import itertools
import warnings

import numpy
import torch

import training


class OnnxCase(training.Case):
    def __init__(self, seed, module, shape, samples, classes, keeps_names, optimiser, rate, steps=10):
        torch.manual_seed(seed)
        self.module, self.classes, self.keeps_names = module().train(), classes, keeps_names
        random = numpy.random.default_rng(seed)
        batches = [(training.random_input(random, (samples, *shape), classes),
                    random.integers(0, 10, samples)) for _ in range(steps)]
        super().__init__(None, batches, ("cross_entropy", {}), optimiser, rate)
        self.path = None

    def description(self):
        return [f"onnx {self.path}", *self.lines()]

    def tensor(self, x):
        return torch.from_numpy(x) if self.classes else torch.from_numpy(x.astype(numpy.float32))

    def write(self, prefix):
        self.path = prefix + ".onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(self.module, self.tensor(self.batches[0][0]), self.path, opset_version=15,
                              training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False,
                              input_names=["x"], output_names=["y"],
                              dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})
        batches = self.batches
        # Images are channels last in memory.
        self.batches = [(numpy.moveaxis(x, 1, -1) if x.ndim == 4 else x, target) for x, target in batches]
        self.write_files(prefix, [])
        self.batches = batches

    def step(self, module, batch):
        module.zero_grad()
        x = self.tensor(batch[0])
        loss = training.loss_of(self, module(x if self.classes else x.double()), batch[1])
        loss.backward()
        return float(loss)

    def expected(self):
        """As PyTorch has them, under PyTorch's names."""
        results, module = {}, self.module.double()
        start = {name: tensor.clone() for name, tensor in module.state_dict().items()}
        for name, tensor in start.items():
            results["start " + name] = tensor.numpy()
        with torch.no_grad():
            x = self.tensor(self.batches[0][0])
            results["prediction"] = module.eval()(x if self.classes else x.double()).numpy()
        module.train()
        results["loss"] = numpy.array(self.step(module, self.batches[0]))
        for name, parameter in module.named_parameters():
            results["gradient " + name] = parameter.grad.numpy().copy()
        module.load_state_dict(start)
        optimiser = training.optimiser_of(self, list(module.parameters()), [])
        losses = []
        for batch in self.batches:
            losses.append(self.step(module, batch))
            optimiser.step()
        results["losses"] = numpy.array(losses)
        for name, tensor in module.state_dict().items():
            results["parameter " + name] = tensor.numpy()
        return results

    def compare(self, prefix, tolerances):
        """Our weights lie in another order; the one in which they were the same at the start is found."""
        training.check_refused(prefix)
        theirs, values = self.expected(), read_values(prefix)
        numbers, ours, expected = training.Numbers(prefix), {}, {}
        orders = {name: self.order_of(name, numbers.take(shape), theirs) for _, name, shape in values}
        for name in ("prediction", "loss"):
            ours[name] = numbers.take(theirs[name].shape)
        numbers.take(1)  # how many were right
        for kind, name, shape in values:
            if kind == "parameter":
                ours["gradient " + name] = numbers.take(shape)
        ours["losses"] = numbers.take(theirs["losses"].shape)
        for _, name, shape in values:
            ours["parameter " + name] = numbers.take(shape)
        numbers.finish()
        for key in ours:
            order = orders[key.split()[1]] if " " in key else lambda tensor: tensor
            if order:
                expected[key] = order(theirs[key])
        return training.worst(ours, expected, tolerances)

    def order_of(self, name, mine, theirs):
        order = find_order(mine, theirs.get("start " + name))
        if not order and self.keeps_names:
            raise ValueError(f"no weights like those of {name} in PyTorch's")
        return order


def read_values(prefix):
    """(kind, name, shape) of parameters and states, in net_probe's order."""
    with open(prefix + ".values", encoding="utf-8") as file:
        words = [line.split() for line in file]
    return [(line[0], line[1], tuple(int(n) for n in line[2:])) for line in words]


def find_order(mine, theirs):
    """What makes of PyTorch's tensor one that lies as ours does, or None. Weights behind a Flatten of an image
    are in no order of axes; they are found by their numbers, of which no two are the same."""
    if theirs is None or theirs.size != mine.size:
        return None
    flat, theirs = mine.reshape(-1), theirs.astype(numpy.float32)
    for perm in itertools.permutations(range(theirs.ndim)):
        if numpy.array_equal(theirs.transpose(perm).reshape(-1), flat):
            return lambda tensor: tensor.transpose(perm).reshape(mine.shape)
    ranks = numpy.argsort(flat), numpy.argsort(theirs.reshape(-1))
    if not numpy.array_equal(flat[ranks[0]], theirs.reshape(-1)[ranks[1]]) or len(set(flat)) < flat.size:
        return None

    def take(tensor):
        turned = numpy.empty(mine.size)
        turned[ranks[0]] = tensor.reshape(-1)[ranks[1]]
        return turned.reshape(mine.shape)
    return take
