"""A small network twice: as net_probe reads it (tests/net/net_probe.h), and as a program for PyTorch.

PyTorch's side has everything in Bramble's layout too: images are N x H x W x C, a convolution's weight is
height x width x C / group x outputs; so weights and gradients can be compared as they are.
"""

import numpy
import torch

import torch_functions as fn


class Twin:
    def __init__(self, seed):
        self.random = numpy.random.default_rng(seed)
        self.lines = []
        self.numbers = {}  # of parameters, states and constants, in the order of their lines
        self.kinds = {}
        self.decays = {}
        self.shapes = {}
        self.program = []  # (function of a dictionary of tensors and of whether this is training)
        self.input_name = self.output_name = None
        self.classes_of_input = None  # whole numbers below this, or real ones
        self.fewest_samples = 1

    # Values ------------------------------------------------------------------------------------------------

    def name(self, stem):
        return f"{stem}{len(self.shapes)}"

    def input(self, *shape):
        self.input_name = self.name("x")
        self.shapes[self.input_name] = shape
        self.line("value", "input", self.input_name, 0, *shape)
        return self.input_name

    def value(self, kind, numbers, decays=False):
        name = self.name(kind[0])
        self.kinds[name], self.decays[name], self.shapes[name] = kind, decays, numbers.shape
        self.numbers[name] = numbers.astype(numpy.float32)
        self.line("value", kind, name, int(decays), *numbers.shape)
        return name

    def parameter(self, *shape, low=-1.0, high=1.0, fan_in=1, decays=True):
        scale = 1 / numpy.sqrt(fan_in)
        return self.value("parameter", self.random.uniform(low, high, shape) * scale, decays)

    def line(self, *words):
        self.lines.append(" ".join(str(word) for word in words))

    def node(self, operator, inputs, shapes, function, **attributes):
        """function: of the tensors of `inputs` (None for what is not given), and `training` where it says so."""
        outputs = []
        for shape in shapes:
            outputs.append(self.name("v"))
            self.shapes[outputs[-1]] = tuple(int(n) for n in shape)
        words = [f"{key}={','.join(str(+n) for n in numpy.ravel(value).tolist())}"
                 for key, value in attributes.items()]
        self.line("node", operator, len(outputs), *outputs, len(inputs), *[x or "-" for x in inputs], *words)
        self.program.append((function, list(inputs), outputs))
        return outputs[0] if len(outputs) == 1 else outputs

    def finish(self, output):
        self.output_name = output
        self.line("output", output)
        return self

    # PyTorch's side ----------------------------------------------------------------------------------------

    def run(self, x, weights, training):
        tensors = {self.input_name: x, None: None, **weights}
        for function, inputs, outputs in self.program:
            results = function(training, *[tensors[name] for name in inputs])
            results = results if isinstance(results, (tuple, list)) else (results,)
            for name, result in zip(outputs, results):
                assert tuple(result.shape[1:]) == self.shapes[name], (name, result.shape, self.shapes[name])
                tensors[name] = result
        return tensors[self.output_name]

    def weights(self):
        tensors = {}
        for name, numbers in self.numbers.items():
            tensors[name] = torch.from_numpy(numbers).double()
            if self.kinds[name] == "parameter":
                tensors[name].requires_grad_(True)
        return tensors

    # Layers ------------------------------------------------------------------------------------------------

    def gemm(self, x, n, bias=True, transpose_b=False, relu=False):
        k = self.shapes[x][-1]
        w = self.parameter(*((n, k) if transpose_b else (k, n)), fan_in=k)
        b = self.parameter(n, fan_in=k, decays=False) if bias else None
        return self.node("Gemm", [x, w] + ([b] if bias else []), [(*self.shapes[x][:-1], n)],
                         fn.gemm(transpose_b, relu), transpose_b=transpose_b, relu=relu)

    def matmul(self, a, b, transpose_b=False):
        shape = fn.matmul_shape(self.shapes[a], self.shapes[b], transpose_b)
        return self.node("MatMul", [a, b], [shape], fn.matmul(transpose_b), transpose_b=transpose_b)

    def dense(self, x, n):
        """For every row of x alike: MatMul with weights, then Add of a bias."""
        w = self.parameter(self.shapes[x][-1], n, fan_in=self.shapes[x][-1])
        return self.binary("Add", self.matmul(x, w), self.parameter(n, fan_in=n, decays=False))

    def conv(self, x, n, kernel=(3, 3), stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1), group=1, bias=True,
             relu=False):
        c = self.shapes[x][-1]
        fan_in = kernel[0] * kernel[1] * c // group
        w = self.parameter(*kernel, c // group, n, fan_in=fan_in)
        b = self.parameter(n, fan_in=fan_in, decays=False) if bias else None
        size = fn.window_counts(self.shapes[x], kernel, stride, pad, dilation, False)
        return self.node("Conv", [x, w] + ([b] if bias else []), [(*size, n)],
                         fn.conv(stride, pad, dilation, group, relu), kernel=kernel, stride=stride, pad=pad,
                         dilation=dilation, group=group, relu=relu)

    def pool(self, operator, x, kernel, stride, pad=(0, 0, 0, 0), ceil_mode=False, count_include_pad=False):
        size = fn.window_counts(self.shapes[x], kernel, stride, pad, (1, 1), ceil_mode)
        function = (fn.max_pool(kernel, stride, pad, ceil_mode) if operator == "MaxPool" else
                    fn.average_pool(kernel, stride, pad, ceil_mode, count_include_pad))
        return self.node(operator, [x], [(*size, self.shapes[x][-1])], function, kernel=kernel, stride=stride,
                         pad=pad, ceil_mode=ceil_mode, count_include_pad=count_include_pad)

    def global_average_pool(self, x):
        c = self.shapes[x][-1]
        return self.node("GlobalAveragePool", [x], [(1, 1, c)], fn.global_average_pool)

    def batch_norm(self, x, relu=False, momentum=0.9):
        c = self.shapes[x][-1]
        self.fewest_samples = 4  # of one number there is no variance, of two next to none
        inputs = [x, self.parameter(c, low=0.5, high=1.5, decays=False), self.parameter(c, decays=False),
                  self.value("state", self.random.uniform(-0.1, 0.1, c)),
                  self.value("state", self.random.uniform(0.5, 1.5, c))]
        return self.node("BatchNormalization", inputs, [self.shapes[x]],
                         fn.batch_norm(momentum, relu), momentum=momentum, relu=relu)

    def layer_norm(self, x, axis=None, bias=True):
        shape = self.shapes[x]
        axis = len(shape) - 1 if axis is None else axis
        inputs = [x, self.parameter(*shape[axis:], low=0.5, high=1.5, decays=False)]
        inputs += [self.parameter(*shape[axis:], decays=False)] if bias else []
        return self.node("LayerNormalization", inputs, [shape], fn.layer_norm(shape[axis:]), axis=axis)

    def unary(self, operator, x, **attributes):
        return self.node(operator, [x], [self.shapes[x]], fn.unary(operator, **attributes), **attributes)

    def binary(self, operator, a, b, relu=False):
        attributes = {"relu": True} if relu else {}
        shape = numpy.broadcast_shapes(self.shapes[a], self.shapes[b])
        return self.node(operator, [a, b], [shape], fn.binary(operator, self.ranks_of(a, b, len(shape)), relu),
                         **attributes)

    def ranks_of(self, a, b, rank):
        """Axes of size 1 that each needs behind the batch; None for weights, which have no batch."""
        return [None if name in self.kinds else rank - len(self.shapes[name]) for name in (a, b)]

    def clip(self, x, low, high):
        bounds = [None if bound is None else self.value("constant", numpy.full((), bound)) for bound in (low, high)]
        while bounds and bounds[-1] is None:
            bounds.pop()
        return self.node("Clip", [x, *bounds], [self.shapes[x]], fn.clip)

    def power(self, x, exponent):
        return self.node("Pow", [x, self.value("constant", numpy.full((), exponent))], [self.shapes[x]],
                         lambda _, t, p: t ** p)

    def mean(self, x, axis, count):
        shape = self.shapes[x]
        axes = [i + 1 for i in range(axis, axis + count)]
        return self.node("ReduceMean", [x], [shape[:axis] + shape[axis + count:]], lambda _, t: t.mean(axes),
                         axis=axis, n_axes=count)

    def softmax(self, x, axis=None, operator="Softmax"):
        axis = len(self.shapes[x]) - 1 if axis is None else axis
        function = {"Softmax": torch.softmax, "LogSoftmax": torch.log_softmax}[operator]
        return self.node(operator, [x], [self.shapes[x]], lambda _, t: function(t, axis + 1), axis=axis)

    def reshape(self, x, *shape):
        return self.node("Reshape", [x], [shape], lambda _, t: t.reshape(t.shape[0], *shape), shape=shape)

    def flatten(self, x):
        return self.node("Flatten", [x], [(int(numpy.prod(self.shapes[x])),)], lambda _, t: t.flatten(1))

    def transpose(self, x, *perm):
        shape = [self.shapes[x][i] for i in perm]
        order = (0, *[i + 1 for i in perm])
        return self.node("Transpose", [x], [shape], lambda _, t: t.permute(order), perm=perm)

    def concat(self, parts, axis):
        shape = list(self.shapes[parts[0]])
        shape[axis] = sum(self.shapes[part][axis] for part in parts)
        return self.node("Concat", parts, [shape], lambda _, *t: torch.cat(t, axis + 1), axis=axis)

    def split(self, x, lengths, axis):
        shapes = [(*self.shapes[x][:axis], n, *self.shapes[x][axis + 1:]) for n in lengths]
        return self.node("Split", [x], shapes, lambda _, t: torch.split(t, lengths, axis + 1), axis=axis,
                         split=lengths)

    def embedding(self, x, rows, n):
        """x: whole numbers."""
        table = self.parameter(rows, n)
        return self.node("Gather", [table, x], [(*self.shapes[x], n)], lambda _, w, t: w[t.long()])

    def recurrent(self, operator, x, hidden, bias=True, states=(), **how):
        """How: reverse, bidirectional, linear_before_reset. Outputs: all steps, last h, and LSTM's last c."""
        steps, inputs = self.shapes[x]
        directions = 2 if how.get("bidirectional") else 1
        rows = (4 if operator == "LSTM" else 3) * hidden
        names = [x, self.parameter(directions, rows, inputs, fan_in=hidden),
                 self.parameter(directions, rows, hidden, fan_in=hidden),
                 self.parameter(directions, 2 * rows, fan_in=hidden, decays=False) if bias else None]
        names += [None, *states] if states else []
        last = [(directions, hidden)] * (2 if operator == "LSTM" else 1)
        return self.node(operator, names, [(steps, directions * hidden), *last],
                         fn.recurrent(operator, hidden, **how), hidden=hidden, **how)
