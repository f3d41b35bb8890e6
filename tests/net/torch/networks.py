"""Whole networks (twin.py): what people train, small enough to compare quickly."""

import numpy

from twin import Twin


def mlp(net):
    x = net.input(784)
    for n in (512, 256):
        x = net.gemm(x, n, relu=True)
    return net.gemm(x, 10)


def cnn(net):
    x = net.input(28, 28, 1)
    for n in (32, 64):
        x = net.conv(x, n, pad=(1, 1, 1, 1), relu=True)
        x = net.pool("MaxPool", x, (2, 2), (2, 2))
    x = net.gemm(net.flatten(x), 128, relu=True)
    return net.gemm(x, 10)


def residual_block(net, x, n, stride):
    y = net.conv(x, n, stride=(stride, stride), pad=(1, 1, 1, 1), bias=False)
    y = net.batch_norm(y, relu=True)
    y = net.batch_norm(net.conv(y, n, pad=(1, 1, 1, 1), bias=False))
    if stride > 1 or net.shapes[x][-1] != n:
        x = net.batch_norm(net.conv(x, n, (1, 1), (stride, stride), bias=False))
    return net.binary("Add", y, x, relu=True)


def resnet20(net):
    x = net.input(28, 28, 1)
    x = net.batch_norm(net.conv(x, 16, pad=(1, 1, 1, 1), bias=False), relu=True)
    for n, first_stride in ((16, 1), (32, 2), (64, 2)):
        for i in range(3):
            x = residual_block(net, x, n, 1 if i else first_stride)
    return net.gemm(net.flatten(net.global_average_pool(x)), 10)


def lstm_classifier(net):
    """Two layers, the first in both directions; its last state decides."""
    x = net.input(12, 7)
    x, *_ = net.recurrent("LSTM", x, 20, bidirectional=True)
    _, last, _ = net.recurrent("LSTM", x, 24)
    return net.gemm(net.flatten(last), 10)


def gru_classifier(net):
    """Words, their embeddings, and the mean over all steps."""
    net.classes_of_input = 50
    x = net.embedding(net.input(11), 50, 16)
    x, _ = net.recurrent("GRU", x, 20, linear_before_reset=True)
    x, _ = net.recurrent("GRU", x, 18, reverse=True, linear_before_reset=True)
    return net.gemm(net.flatten(x), 10)


def attention(net, x, heads):
    """Self-attention of x, T x D, as torch.nn.MultiheadAttention has it without masks."""
    steps, width = net.shapes[x]
    joined = net.split(net.dense(x, 3 * width), [width] * 3, 1)
    q, k, v = [net.transpose(net.reshape(part, steps, heads, width // heads), 1, 0, 2) for part in joined]
    scale = net.value("constant", numpy.full(1, (width // heads) ** -0.5))
    scores = net.binary("Mul", net.matmul(q, k, transpose_b=True), scale)
    mixed = net.transpose(net.matmul(net.softmax(scores), v), 1, 0, 2)
    return net.dense(net.reshape(mixed, steps, width), width)


def encoder_layer(net, x, heads, inner):
    """Normalisation first, as most transformers are trained now."""
    x = net.binary("Add", x, attention(net, net.layer_norm(x), heads))
    y = net.unary("Gelu", net.dense(net.layer_norm(x), inner))
    return net.binary("Add", x, net.dense(y, net.shapes[x][-1]))


def attention_block(net):
    return encoder_layer(net, net.input(9, 24), 3, 40)


def transformer(net):
    net.classes_of_input = 40
    x = net.embedding(net.input(10), 40, 32)
    x = net.binary("Add", x, net.parameter(10, 32, fan_in=32, decays=False))
    for _ in range(2):
        x = encoder_layer(net, x, 4, 64)
    return net.gemm(net.flatten(net.layer_norm(x)), 10)


# Name: how it is built, samples, and a seed. Once in some thousand steps a Relu's input, or two numbers in a window
# of MaxPool, are so near to each other that 4-byte floats see them the other way round than 8-byte ones; gradients
# then differ by what that unit has in them. These seeds have no such unit.
CLASSIFIERS = {
    "mlp": (mlp, 37, 0),
    "cnn": (cnn, 21, 1),
    "resnet20": (resnet20, 12, 0),
    "LSTM classifier": (lstm_classifier, 37, 0),
    "GRU classifier": (gru_classifier, 37, 0),
    "transformer encoder": (transformer, 37, 0),
}


def build(name):
    function, samples, seed = CLASSIFIERS[name]
    net = Twin(seed)
    return net.finish(function(net)), samples
