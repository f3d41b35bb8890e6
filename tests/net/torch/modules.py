"""Networks as people write them for PyTorch, to be exported to ONNX."""

import torch
from torch import nn


def conv_norm(inputs, outputs, kernel, stride=1, groups=1):
    return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs)]


def usual_start(network):
    """As He and others begin, and torchvision."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return network


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.way = nn.Sequential(*conv_norm(inputs, outputs, 3, stride), nn.ReLU(inplace=True),
                                 *conv_norm(outputs, outputs, 3))
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(*conv_norm(inputs, outputs, 1, stride))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.way(x) + self.shortcut(x))


def resnet18(classes=10):
    """He and others, 2015, as it is built for ImageNet: 11.2 million weights."""
    layers = [*conv_norm(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    inputs = 64
    for outputs, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, 1)]
        inputs = outputs
    return usual_start(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes)))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        wide = inputs * expansion
        layers = [*conv_norm(inputs, wide, 1), nn.ReLU6(inplace=True)] if expansion > 1 else []
        self.way = nn.Sequential(*layers, *conv_norm(wide, wide, 3, stride, wide), nn.ReLU6(inplace=True),
                                 *conv_norm(wide, outputs, 1))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.way(x) if self.adds else self.way(x)


def mobilenet_v2(classes=10):
    """Sandler and others, 2018; its dropout is left out, whose random numbers are not PyTorch's."""
    layers, inputs = [*conv_norm(3, 32, 3, 2), nn.ReLU6(inplace=True)], 32
    for expansion, outputs, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                              (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(count):
            layers.append(InvertedResidual(inputs, outputs, 1 if i else stride, expansion))
            inputs = outputs
    layers += [*conv_norm(320, 1280, 1), nn.ReLU6(inplace=True)]
    return usual_start(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, classes)))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(84, 12), nn.ReLU(), nn.Linear(12, 30), nn.Tanh(),
                         nn.Linear(30, 10))


def cnn():
    return nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 20, 3),
                         nn.Hardswish(), nn.MaxPool2d(2), nn.Flatten(), nn.LeakyReLU(0.1), nn.Linear(80, 10))


class Recurrent(nn.Module):
    def __init__(self, kind, inputs, hidden, **options):
        super().__init__()
        self.cells = kind(inputs, hidden, batch_first=True, **options)
        self.head = nn.Linear(hidden * (2 if options.get("bidirectional") else 1), 10)

    def forward(self, x):
        y, _ = self.cells(x)
        return self.head(y[:, -1])


class Encoder(nn.Module):
    def __init__(self, norm_first):
        super().__init__()
        self.words = nn.Embedding(40, 32)
        self.places = nn.Parameter(torch.randn(1, 10, 32) * 0.1)
        layer = nn.TransformerEncoderLayer(32, 4, 64, 0.0, "gelu", batch_first=True, norm_first=norm_first)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.layers(self.words(x) + self.places).mean(1))


SEED = 1  # with which no Relu's input is 0 but for rounding in the first step (networks.py)

# Name: module, a sample's shape, samples, whole numbers below this or None, whether every weight keeps its name, and
# whether it is large.
MODULES = {
    "ResNet-18": (resnet18, (3, 64, 64), 4, None, True, True),
    "MobileNetV2": (mobilenet_v2, (3, 64, 64), 6, None, True, True),
    "MLP": (mlp, (3, 4, 7), 21, None, True, False),
    "CNN": (cnn, (3, 14, 14), 21, None, True, False),
    "LSTM": (lambda: Recurrent(nn.LSTM, 7, 18, bidirectional=True), (9, 7), 21, None, False, False),
    "GRU in two layers": (lambda: Recurrent(nn.GRU, 7, 18, num_layers=2), (9, 7), 21, None, False, False),
    "transformer encoder": (lambda: Encoder(False), (10,), 21, 40, False, False),
    "transformer encoder, normalisation first": (lambda: Encoder(True), (10,), 21, 40, False, False),
}
