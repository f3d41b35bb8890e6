"""Bramble's operators as functions of PyTorch, in Bramble's layout (twin.py). Each takes `training` first."""

import torch
import torch.nn.functional as F


def channels_first(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def relu_if(relu, y):
    return torch.relu(y) if relu else y


def gemm(transpose_b, relu):
    def run(_, x, w, b=None):
        y = x @ (w.T if transpose_b else w)
        return relu_if(relu, y if b is None else y + b)
    return run


def matmul_shape(a, b, transpose_b):
    return (*a[:-1], b[-2] if transpose_b else b[-1])


def matmul(transpose_b):
    return lambda _, a, b: a @ (b.transpose(-1, -2) if transpose_b else b)


def window_counts(shape, kernel, stride, pad, dilation, ceil_mode):
    """Windows down and across; one that would begin behind the image and its first padding is left out."""
    counts = []
    for i in range(2):
        room = shape[i] + pad[i] + pad[i + 2] - dilation[i] * (kernel[i] - 1) - 1
        n = (room + (stride[i] - 1 if ceil_mode else 0)) // stride[i] + 1
        counts.append(n - 1 if ceil_mode and (n - 1) * stride[i] >= shape[i] + pad[i] else n)
    return counts


def conv(stride, pad, dilation, group, relu):
    top, left, bottom, right = pad

    def run(_, x, w, b=None):
        x = F.pad(channels_first(x), (left, right, top, bottom))
        y = F.conv2d(x, w.permute(3, 2, 0, 1), b, stride, 0, dilation, group)
        return channels_last(relu_if(relu, y))
    return run


def max_pool(kernel, stride, pad, ceil_mode):
    return lambda _, x: channels_last(F.max_pool2d(channels_first(x), kernel, stride, pad[:2],
                                                   ceil_mode=ceil_mode))


def average_pool(kernel, stride, pad, ceil_mode, count_include_pad):
    return lambda _, x: channels_last(F.avg_pool2d(channels_first(x), kernel, stride, pad[:2], ceil_mode,
                                                   count_include_pad))


def global_average_pool(_, x):
    return x.mean((1, 2), keepdim=True)


def batch_norm(momentum, relu):
    """PyTorch changes the running numbers in place when training."""
    def run(training, x, scale, shift, mean, variance):
        y = F.batch_norm(x.reshape(-1, x.shape[-1]), mean, variance, scale, shift, training, 1 - momentum)
        return relu_if(relu, y.reshape(x.shape))
    return run


def layer_norm(shape):
    return lambda _, x, scale, shift=None: F.layer_norm(x, shape, scale, shift)


def unary(operator, alpha=0.01, beta=0.0, approximate=False):
    functions = {
        "Relu": torch.relu,
        "LeakyRelu": lambda x: F.leaky_relu(x, alpha),
        "Sigmoid": torch.sigmoid,
        "Tanh": torch.tanh,
        "Gelu": lambda x: F.gelu(x, approximate="tanh" if approximate else "none"),
        "HardSwish": F.hardswish,
        "HardSigmoid": lambda x: torch.clamp(alpha * x + beta, 0, 1),
        "Exp": torch.exp,
        "Sqrt": torch.sqrt,
    }
    return lambda _, x: functions[operator](x)


def clip(_, x, low=None, high=None):
    return torch.clamp(x, low, high)


def stretch(x, axes):
    """So many axes of size 1 behind the batch."""
    return x if not axes else x.reshape(x.shape[0], *[1] * axes, *x.shape[1:])


def binary(operator, axes, relu):
    function = {"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div}[operator]
    return lambda _, a, b: relu_if(relu, function(stretch(a, axes[0]), stretch(b, axes[1])))


def reorder(rows, gates, hidden):
    """ONNX's order of gates, iofc or zrh, to PyTorch's, ifgo or rzn."""
    order = [0, 2, 3, 1] if gates == 4 else [1, 0, 2]
    return torch.cat([rows[g * hidden:(g + 1) * hidden] for g in order])


def recurrent_weights(operator, hidden, w, r, b):
    """A direction's four tensors as PyTorch takes them."""
    gates = 4 if operator == "LSTM" else 3
    half = gates * hidden
    if b is None:
        b = torch.zeros(2 * half, dtype=w.dtype)
    return [reorder(part, gates, hidden) for part in (w, r, b[:half], b[half:])]


def states_of(given, directions, x, hidden):
    """D x N x H, as PyTorch has it."""
    if given is None:
        return torch.zeros(directions, x.shape[0], hidden, dtype=x.dtype)
    return given.transpose(0, 1).contiguous()


def recurrent(operator, hidden, reverse=False, bidirectional=False, linear_before_reset=False):
    assert operator == "LSTM" or linear_before_reset, "PyTorch has only this one"

    def run(_, x, w, r, b=None, _lengths=None, h0=None, c0=None):
        directions = 2 if bidirectional else 1
        weights = [tensor for d in range(directions)
                   for tensor in recurrent_weights(operator, hidden, w[d], r[d], None if b is None else b[d])]
        x = x.flip(1) if reverse else x
        h = states_of(h0, directions, x, hidden)
        how = (weights, True, 1, 0.0, False, bidirectional, True)  # bias, layers, dropout, training, ..., batch first
        if operator == "LSTM":
            y, *last = torch._VF.lstm(x, (h, states_of(c0, directions, x, hidden)), *how)
        else:
            y, *last = torch._VF.gru(x, h, *how)
        return [y.flip(1) if reverse else y, *[state.transpose(0, 1) for state in last]]
    return run
