"""export_nets.py RUN_NET [NAME]: networks made in PyTorch and exported to ONNX say the same in bramble.

Each case is a network, an input and how it is exported. Weights are PyTorch's; batch normalisations are given
statistics and scales that matter. Skipped (77) without PyTorch.
"""
import os
import subprocess
import sys
import tempfile
import warnings

try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError:
    print('PyTorch is not there: install python3-torch')
    sys.exit(77)

TOLERANCE = 1e-4
SAMPLES = 3


class Residual(nn.Module):
    """ResNet's basic block."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet18(nn.Module):
    """Torchvision's, but for its widths."""

    def __init__(self, width=16):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                                  nn.MaxPool2d(3, 2, 1))
        blocks, inputs = [], width
        for stage in range(4):
            for block in range(2):
                outputs = width << stage
                blocks.append(Residual(inputs, outputs, 2 if stage and not block else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inputs, 10)

    def forward(self, x):
        return self.fc(torch.flatten(self.pool(self.blocks(self.stem(x))), 1))


class Inverted(nn.Module):
    """MobileNetV2's block."""

    def __init__(self, inputs, outputs, stride, expand):
        super().__init__()
        hidden = inputs * expand
        layers = []
        if expand != 1:
            layers += [nn.Conv2d(inputs, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6()]
        layers += [nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False), nn.BatchNorm2d(hidden),
                   nn.ReLU6(), nn.Conv2d(hidden, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.layers = nn.Sequential(*layers)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.layers(x) if self.adds else self.layers(x)


class MobileNetV2(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(),
                                      Inverted(8, 8, 1, 1), Inverted(8, 12, 2, 6), Inverted(12, 12, 1, 6),
                                      Inverted(12, 16, 2, 6), nn.Conv2d(16, 32, 1, bias=False), nn.BatchNorm2d(32),
                                      nn.ReLU6())
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(32, 10))

    def forward(self, x):
        return self.classifier(self.features(x).mean([2, 3]))


class Recurrent(nn.Module):
    def __init__(self, kind, batch_first, bidirectional, layers=1):
        super().__init__()
        self.rnn = kind(5, 7, layers, batch_first=batch_first, bidirectional=bidirectional)
        self.fc = nn.Linear(7 * (2 if bidirectional else 1), 4)
        self.batch_first = batch_first

    def forward(self, x):
        y, _ = self.rnn(x)
        return self.fc(y[:, -1] if self.batch_first else y[-1])


class LastState(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 6)
        self.rnn = nn.LSTM(6, 7, batch_first=True)
        self.fc = nn.Linear(7, 3)

    def forward(self, tokens):
        _, (h, _) = self.rnn(self.embedding(tokens))
        return self.fc(h[-1])


class Attention(nn.Module):
    """A transformer's encoder layer, written out."""

    def __init__(self, size=12, heads=3):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(size, 3 * size)
        self.out = nn.Linear(size, size)
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.mlp = nn.Sequential(nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, size))
        self.place = nn.Parameter(torch.randn(1, 6, size))
        self.fc = nn.Linear(size, 5)

    def attend(self, x):
        n, t, size = x.shape
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (a.view(n, t, self.heads, size // self.heads).transpose(1, 2) for a in (q, k, v))
        weights = torch.softmax(q @ k.transpose(-2, -1) / (size // self.heads) ** 0.5, dim=-1)
        return self.out((weights @ v).transpose(1, 2).reshape(n, t, size))

    def forward(self, x):
        x = x + self.place
        x = x + self.attend(self.norm1(x))
        x = x + self.mlp(self.norm2(x))
        return self.fc(x.mean(1))


class Multihead(nn.Module):
    """nn.MultiheadAttention, which joins batch and heads in one axis."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(12, 3, batch_first=True)
        self.fc = nn.Linear(12, 4)

    def forward(self, x):
        y, _ = self.attention(x, x, x, need_weights=False)
        return self.fc(y[:, 0])


class Branches(nn.Module):
    """Concatenation, splitting, squeeze and excitation, other shapes."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 6, (1, 5), padding=(0, 2))
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(10, 4, 1), nn.ReLU(), nn.Conv2d(4, 10, 1),
                                     nn.Hardsigmoid())
        self.conv = nn.Conv2d(5, 6, 3, stride=2, dilation=2, groups=1)
        self.fc = nn.Linear(6 * 4 * 4, 5)

    def forward(self, x):
        x = torch.cat([self.a(x), self.b(x)], 1)
        x = x * self.squeeze(x)
        a, b = x.split(5, 1)
        y = self.conv(functional.leaky_relu(a, 0.2) - torch.tanh(b))
        y = functional.hardswish(y)
        return self.fc(y.view(y.size(0), -1))


class Lines(nn.Module):
    """Convolutions along one axis."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(4, 6, 5, stride=2, padding=2), nn.BatchNorm1d(6), nn.ReLU(),
                                    nn.MaxPool1d(2), nn.Conv1d(6, 8, 3), nn.Sigmoid(), nn.Flatten(), nn.LazyLinear(3))

    def forward(self, x):
        return self.layers(x)


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(2 * 5 * 6, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 8), nn.Tanh(),
                         nn.BatchNorm1d(8), nn.Linear(8, 3), nn.Softmax(1))


def cnn():
    return nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(),
                         nn.AvgPool2d(2), nn.Flatten(), nn.Linear(8 * 3 * 4, 20), nn.ReLU(), nn.Linear(20, 10))


def images(channels, height, width):
    return torch.randn(SAMPLES, channels, height, width)


CASES = {
    'mlp': (mlp, lambda: images(2, 5, 6)),
    'cnn': (cnn, lambda: images(1, 14, 18)),
    'resnet18': (ResNet18, lambda: images(3, 64, 64)),
    'mobilenetv2': (MobileNetV2, lambda: images(3, 32, 32)),
    'branches': (Branches, lambda: images(3, 12, 11)),
    'lines': (Lines, lambda: torch.randn(SAMPLES, 4, 20)),
    'lstm': (lambda: Recurrent(nn.LSTM, True, False), lambda: torch.randn(SAMPLES, 6, 5)),
    'lstm_two_layers': (lambda: Recurrent(nn.LSTM, True, True, 2), lambda: torch.randn(SAMPLES, 6, 5)),
    'lstm_time_first': (lambda: Recurrent(nn.LSTM, False, True), lambda: torch.randn(6, SAMPLES, 5)),
    'gru': (lambda: Recurrent(nn.GRU, True, False), lambda: torch.randn(SAMPLES, 6, 5)),
    'gru_both_ways': (lambda: Recurrent(nn.GRU, False, True), lambda: torch.randn(6, SAMPLES, 5)),
    'last_state': (LastState, lambda: torch.randint(0, 20, (SAMPLES, 9))),
    'attention': (Attention, lambda: torch.randn(SAMPLES, 6, 12)),
    'multihead': (Multihead, lambda: torch.randn(SAMPLES, 6, 12)),
}


def unsettle(net):
    """Statistics and scales that are not 0 and 1."""
    for layer in net.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, 0, 0.3)


def lying(x):
    """As bramble has it in memory: samples, and of images channels, last."""
    return x.permute(0, 2, 3, 1).contiguous() if x.dim() == 4 else x


def logits(net, x):
    if isinstance(net, nn.Sequential) and isinstance(net[-1], nn.Softmax):
        return net[:-1](x)
    return net(x)


def run(run_net, folder, name, opset, dynamic, training):
    make, data = CASES[name]
    torch.manual_seed(len(name) * 100 + opset)
    net, x = make(), data()
    batch_axis = 1 if name in ('lstm_time_first', 'gru_both_ways') else 0
    with torch.no_grad():
        net(x)
        unsettle(net)
        net.eval()
    paths = [os.path.join(folder, f'{name}.{ending}') for ending in ('onnx', 'x', 'out')]
    mode = torch.onnx.TrainingMode.TRAINING if training else torch.onnx.TrainingMode.EVAL
    torch.onnx.export(net, x, paths[0], opset_version=opset, input_names=['input'], output_names=['output'],
                      dynamic_axes={'input': {batch_axis: 'batch'}} if dynamic else None, training=mode,
                      do_constant_folding=not training)
    net.eval()
    with torch.no_grad():  # exporting for training moves the statistics on
        wanted = logits(net, x)
    lying(x.transpose(0, batch_axis)).float().numpy().tofile(paths[1])
    said = subprocess.run([run_net, paths[0], str(SAMPLES), paths[1], paths[2]], text=True, capture_output=True)
    how = f'{name}, opset {opset}, batch {"open" if dynamic else "given"}{", for training" if training else ""}'
    if said.returncode:
        print(f'WRONG {how}: {said.stderr.strip()}')
        return False
    got = torch.frombuffer(bytearray(open(paths[2], 'rb').read()), dtype=torch.float32).view(wanted.shape)
    difference = (got - wanted).abs().max().item() / max(1, wanted.abs().max().item())
    good = difference <= TOLERANCE
    print(f'{"ok" if good else "WRONG"} {how}: {said.stdout.strip()}, largest difference {difference:.1e}')
    return good


def main():
    run_net, names = sys.argv[1], sys.argv[2:] or list(CASES)
    torch.set_num_threads(1)
    warnings.simplefilter('ignore')
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            for opset, dynamic, training in ((11, True, False), (13, False, False), (17, True, False), (17, True, True)):
                if not dynamic and (name in ('lstm_time_first', 'gru_both_ways')):
                    continue
                good = run(run_net, folder, name, opset, dynamic, training) and good
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
