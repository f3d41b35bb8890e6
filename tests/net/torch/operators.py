"""Random cases of every operator, each in a network of its own (twin.py)."""

import numpy

from twin import Twin

CASES_OF_EACH = 40


def whole(net, low, high):
    """A whole number from low to high."""
    return int(net.random.integers(low, high + 1))


def maybe(net):
    return bool(net.random.integers(2))


def made(net, x, *shape, bias=True):
    return net.reshape(net.gemm(x, int(numpy.prod(shape)), bias), *shape)


def hidden(net, *shape, bias=True):
    """Numbers of that shape for each sample, made by a Gemm: its gradient tells of the gradient they get."""
    return made(net, net.input(whole(net, 3, 9)), *shape, bias=bias)


def source(net, *shape):
    """The same, or the input itself, for operators that have weights to tell."""
    return net.input(*shape) if maybe(net) else hidden(net, *shape)


def image(net, channels=None, make=source):
    return make(net, whole(net, 3, 11), whole(net, 3, 11), channels or whole(net, 1, 19))


def gemm(net):
    x = source(net, whole(net, 1, 70))
    return net.gemm(x, whole(net, 1, 70), maybe(net), maybe(net), maybe(net))


def rows_gemm(net):
    x = source(net, whole(net, 1, 7), whole(net, 1, 40))
    return net.matmul(x, net.parameter(net.shapes[x][-1], whole(net, 1, 40)))


def matmul(net):
    """As in attention: two activations with leading axes in common."""
    lead, transpose_b = [whole(net, 1, 4) for _ in range(whole(net, 0, 2))], maybe(net)
    m, n, k = whole(net, 1, 20), whole(net, 1, 20), whole(net, 1, 20)
    x = net.input(whole(net, 3, 9))
    return net.matmul(made(net, x, *lead, m, k), made(net, x, *lead, *((n, k) if transpose_b else (k, n))),
                      transpose_b)


def window(net, shape):
    """A window that fits the image: kernel, stride, pad, dilation."""
    while True:
        kernel = [whole(net, 1, 5) for _ in range(2)]
        dilation = [whole(net, 1, 3) for _ in range(2)]
        pad = [whole(net, 0, (kernel[i % 2] - 1) * dilation[i % 2]) for i in range(4)]
        if all(shape[i] + pad[i] + pad[i + 2] > (kernel[i] - 1) * dilation[i] for i in range(2)):
            return {"kernel": kernel, "stride": [whole(net, 1, 3) for _ in range(2)], "pad": pad,
                    "dilation": dilation}


def conv(net):
    x = image(net)
    return net.conv(x, whole(net, 1, 40), **window(net, net.shapes[x]), bias=maybe(net), relu=maybe(net))


def conv_of_networks(net):
    """The shapes that networks are made of: 1 x 1 and 3 x 3, few strides."""
    x = image(net, whole(net, 1, 3) * 16)
    side, stride = (1, 3)[whole(net, 0, 1)], whole(net, 1, 2)
    return net.conv(x, whole(net, 1, 3) * 16, (side, side), (stride, stride), (side // 2,) * 4, bias=maybe(net),
                    relu=maybe(net))


def grouped_conv(net):
    group = whole(net, 2, 5)
    x = image(net, group * whole(net, 1, 6))
    return net.conv(x, group * whole(net, 1, 6), **window(net, net.shapes[x]), group=group, bias=maybe(net))


def depthwise_conv(net):
    x = image(net, whole(net, 1, 40))
    c = net.shapes[x][-1]
    return net.conv(x, c * (whole(net, 1, 2)), **window(net, net.shapes[x]), group=c, bias=maybe(net),
                    relu=maybe(net))


def pool_window(net, shape):
    """PyTorch pads both sides alike, by half a window at most."""
    kernel = [whole(net, 1, min(4, n)) for n in shape[:2]]
    pad = [whole(net, 0, n // 2) for n in kernel]
    return {"kernel": kernel, "stride": [whole(net, 1, 3) for _ in range(2)], "pad": pad + pad,
            "ceil_mode": maybe(net)}


def max_pool(net):
    x = image(net, make=hidden)
    return net.pool("MaxPool", x, **pool_window(net, net.shapes[x]))


def average_pool(net):
    x = image(net, make=hidden)
    return net.pool("AveragePool", x, **pool_window(net, net.shapes[x]), count_include_pad=maybe(net))


def global_average_pool(net):
    return net.global_average_pool(image(net, make=hidden))


def batch_norm(net):
    make = net.input if maybe(net) else lambda *shape: hidden(net, *shape, bias=False)  # it would have no gradient
    x = make(*[whole(net, 1, 11) for _ in range(2)], whole(net, 1, 19)) if maybe(net) else make(whole(net, 1, 40))
    return net.batch_norm(x, maybe(net), net.random.uniform(0.5, 0.95))


def layer_norm(net):
    x = source(net, *[whole(net, 2, 9) for _ in range(whole(net, 1, 3))])
    return net.layer_norm(x, whole(net, 0, len(net.shapes[x]) - 1), maybe(net))


def elementwise(operator, **attributes):
    def build(net):
        x = hidden(net, *[whole(net, 1, 9) for _ in range(whole(net, 1, 4))])
        return net.unary(operator, x, **{key: value(net) for key, value in attributes.items()})
    return build


def clip(net):
    low, high = sorted(net.random.uniform(-1.5, 1.5, 2))
    bounds = ((low, high), (low, None), (None, high))[whole(net, 0, 2)]
    return net.clip(hidden(net, *[whole(net, 1, 9) for _ in range(whole(net, 1, 3))]), *bounds)


def power(net):
    return net.power(net.unary("Tanh", hidden(net, whole(net, 1, 50))), whole(net, 1, 8))


def root(net):
    """Of numbers that are above 0."""
    return net.unary("Sqrt", net.unary("Exp", hidden(net, whole(net, 1, 50))))


def two(operator):
    """Both computed, or one of them a weight; either may have axes of size 1, or fewer, to be stretched."""
    def build(net):
        shape = [whole(net, 1, 9) for _ in range(whole(net, 1, 4))]
        x = net.input(whole(net, 3, 9))
        narrow = [1 if net.random.random() < 0.3 else n for n in shape]
        narrow = narrow[whole(net, 0, len(shape) - 1):] if maybe(net) else narrow
        weight = maybe(net)
        other = net.parameter(*narrow, low=1, high=2) if weight else net.unary("Exp", made(net, x, *narrow))
        one = made(net, x, *shape)
        if operator in ("Sub", "Div") or maybe(net):
            return net.binary(operator, one, other)
        return net.binary(operator, other, one)
    return build


def added_with_relu(net):
    shape = [whole(net, 1, 9) for _ in range(whole(net, 1, 3))]
    x = net.input(whole(net, 3, 9))
    return net.binary("Add", made(net, x, *shape), made(net, x, *shape), relu=True)


def mean(net):
    shape = [whole(net, 1, 6) for _ in range(whole(net, 2, 4))]
    axis = whole(net, 0, len(shape) - 1)
    return net.mean(hidden(net, *shape), axis, whole(net, 1, len(shape) - axis - (axis == 0)))


def softmax(operator):
    def build(net):
        x = hidden(net, *[whole(net, 1, 9) for _ in range(whole(net, 1, 3))])
        return net.softmax(x, whole(net, 0, len(net.shapes[x]) - 1), operator)
    return build


def concat(net):
    shape = [whole(net, 1, 6) for _ in range(whole(net, 1, 4))]
    axis = whole(net, 0, len(shape) - 1)
    x = net.input(whole(net, 3, 9))
    parts = [made(net, x, *shape[:axis], whole(net, 1, 6), *shape[axis + 1:]) for _ in range(whole(net, 2, 4))]
    return net.concat(parts, axis)


def split(net):
    """The parts are put together again in the opposite order, one of them squashed."""
    lengths = [whole(net, 1, 5) for _ in range(whole(net, 2, 4))]
    shape = [whole(net, 1, 6) for _ in range(whole(net, 0, 2))]
    axis = whole(net, 0, len(shape))
    shape.insert(axis, sum(lengths))
    parts = net.split(hidden(net, *shape), lengths, axis)
    return net.concat([net.unary("Tanh", parts[0]), *parts[1:]][::-1], axis)


def transpose(net):
    x = hidden(net, *[whole(net, 1, 7) for _ in range(whole(net, 2, 4))])
    return net.transpose(x, *[int(i) for i in net.random.permutation(len(net.shapes[x]))])


def flatten(net):
    return net.gemm(net.flatten(image(net)), whole(net, 1, 9))


def embedding(net):
    rows = whole(net, 1, 30)
    net.classes_of_input = rows
    return net.embedding(net.input(*[whole(net, 1, 7) for _ in range(whole(net, 1, 2))]), rows, whole(net, 1, 20))


def recurrent(operator):
    def build(net):
        steps, inputs, units = whole(net, 1, 9), whole(net, 1, 20), whole(net, 1, 35)
        way = (("bidirectional", "reverse", None)[whole(net, 0, 2)])
        how = {way: True} if way else {}
        if operator == "GRU":
            how["linear_before_reset"] = True
        x = source(net, steps, inputs)
        states = []
        if maybe(net) and net.shapes[net.input_name] != (steps, inputs):
            directions = 2 if way == "bidirectional" else 1
            states = [made(net, net.input_name, directions, units) for _ in range(2 if operator == "LSTM" else 1)]
        y, *last = net.recurrent(operator, x, units, maybe(net), states, **how)
        which = whole(net, 0, 2)
        if which == 0:
            return y
        parts = [net.flatten(state) for state in last] + ([net.flatten(y)] if which == 2 else [])
        return net.concat(parts, 0) if len(parts) > 1 else parts[0]
    return build


def squash(net):
    return float(net.random.uniform(0.01, 0.9))


OPERATORS = {
    "Gemm": gemm,
    "MatMul with weights": rows_gemm,
    "MatMul": matmul,
    "Conv": conv,
    "Conv, usual shapes": conv_of_networks,
    "Conv in groups": grouped_conv,
    "Conv of each channel": depthwise_conv,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": global_average_pool,
    "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm,
    "Relu": elementwise("Relu"),
    "LeakyRelu": elementwise("LeakyRelu", alpha=squash),
    "Sigmoid": elementwise("Sigmoid"),
    "Tanh": elementwise("Tanh"),
    "Gelu": elementwise("Gelu", approximate=maybe),
    "HardSwish": elementwise("HardSwish"),
    "HardSigmoid": elementwise("HardSigmoid", alpha=squash, beta=squash),
    "Add": two("Add"),
    "Mul": two("Mul"),
    "Sub": two("Sub"),
    "Div": two("Div"),
    "Add with Relu": added_with_relu,
    "Clip": clip,
    "Exp": elementwise("Exp"),
    "Pow": power,
    "Sqrt": root,
    "ReduceMean": mean,
    "Softmax": softmax("Softmax"),
    "LogSoftmax": softmax("LogSoftmax"),
    "Concat": concat,
    "Split": split,
    "Transpose": transpose,
    "Flatten": flatten,
    "Gather": embedding,
    "LSTM": recurrent("LSTM"),
    "GRU": recurrent("GRU"),
}


def cases():
    """Operator's name, and its networks."""
    for number, (name, build) in enumerate(OPERATORS.items()):
        twins = []
        for i in range(CASES_OF_EACH):
            net = Twin(1000 * number + i)
            twins.append(net.finish(build(net)))
        yield name, twins
