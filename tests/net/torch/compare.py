#!/usr/bin/python3
"""Networks of ours against PyTorch's: operators, whole networks, networks read from ONNX files. Prints TAP.

    compare.py [--only WORD] NET_PROBE...       WORD: only checks with that in their names. NET_PROBE: the
                                                program, or a command that runs it (an emulator)
"""

import argparse
import os
import shutil
import sys
import tempfile
import traceback

sys.dont_write_bytecode = True

# Bramble's errors, in parts of the greatest number of a tensor (training.py).
ONE_PASS = {"start": 1e-30, "prediction": 2e-6, "loss": 1e-6, "gradient": 2e-5, "losses": 2e-6,
            "parameter": 2e-6, "state": 2e-6}
# A normalisation divides by a deviation that may be small, and takes out what a bias before it put in.
NORMALISED = {kind: 10 * tolerance for kind, tolerance in ONE_PASS.items()}
# Ten steps carry the first one's errors on; a state is a running mean or variance.
TEN_STEPS = {"start": 1e-30, "prediction": 1e-5, "loss": 2e-6, "gradient": 5e-5, "losses": 2e-5,
             "parameter": 5e-5, "state": 2e-5}
# Deep networks with batch normalisation meet some Relu whose input is 0 but for rounding, and each step makes more of
# the difference: weights of ResNet-20 that differ by 6e-8 of themselves differ by 3e-3 after ten steps, in PyTorch's
# 8-byte floats.
DEEP = {**TEN_STEPS, "losses": 1e-2, "parameter": 1e-2, "state": 1e-2}
DEEP_RATE = 0.01  # of the others'
# MobileNetV2 on few small images most of all: after ten steps PyTorch's losses are 0.02 to 0.2 apart.
DEEPEST = {**DEEP, "gradient": 2e-4, "losses": 0.2, "parameter": 1}


def operator_checks():
    import operators
    import training
    for name, twins in operators.cases():
        kinds = ("mean_squared_error", "huber")
        cases = [training.regression_case(twin, samples=(1, 16, 19, 37)[i % 4], threads=1 + i % 2,
                                          loss=(kinds[i // 2 % 2], {"delta": 0.7}), rate=0.01)
                 for i, twin in enumerate(twins)]
        yield f"{name}, {len(cases)} random cases", cases, NORMALISED if "Normalization" in name else ONE_PASS


def block_checks():
    import networks
    import training
    from twin import Twin
    net = Twin(5)
    net.finish(networks.attention_block(net))
    yield "attention block: outputs and gradients", [training.regression_case(net)], ONE_PASS


# Adam and RMSprop divide a gradient by its size. Where it is nothing but a rounding error their steps are arbitrary:
# hence an epsilon that is large beside such errors.
OPTIMISERS = {
    "SGD": (("sgd", {}), 0.05),
    "SGD with momentum": (("sgd", {"momentum": 0.9, "weight_decay": 5e-4}), 0.02),
    "SGD with Nesterov's": (("sgd", {"momentum": 0.9, "nesterov": True, "clip_norm": 0.5}), 0.02),
    "Adam": (("adam", {"epsilon": 1e-3, "weight_decay": 1e-2}), 0.002),
    "AdamW": (("adamw", {"epsilon": 1e-3, "weight_decay": 0.1, "beta1": 0.8}), 0.002),
    "RMSprop": (("rmsprop", {"epsilon": 1e-3, "alpha": 0.9}), 0.001),
    "RMSprop with momentum": (("rmsprop", {"epsilon": 1e-3, "momentum": 0.9, "weight_decay": 1e-3}), 0.0005),
}


def network_checks():
    import networks
    import training
    for i, name in enumerate(networks.CLASSIFIERS):
        cases, deep = [], name == "resnet20"
        for j, (optimiser, rate) in enumerate(OPTIMISERS.values()):
            if name in ("cnn", "resnet20") and (i + j) % 3:
                continue
            twin, samples = networks.build(name)
            loss = ("cross_entropy", {"label_smoothing": 0.1 * (j % 2)})
            cases.append(training.class_case(twin, samples, loss=loss, optimiser=optimiser, threads=1 + j % 2,
                                             rate=rate * DEEP_RATE if deep else rate))
        yield f"{name}: ten steps with {len(cases)} optimisers", cases, DEEP if deep else TEN_STEPS


def onnx_checks():
    import modules
    from onnx_case import OnnxCase
    for name, (*module, large) in modules.MODULES.items():
        cases, tolerances = [], {"ResNet-18": DEEP, "MobileNetV2": DEEPEST}.get(name, TEN_STEPS)
        for optimiser in ("SGD with momentum",) if large else ("SGD", "Adam"):
            (kind, options), rate = OPTIMISERS[optimiser]
            how = kind, {**options, "weight_decay": 0}
            cases.append(OnnxCase(modules.SEED, *module, how, rate * DEEP_RATE if large else rate))
        yield f"{name} from ONNX: ten steps with {len(cases)} optimisers", cases, tolerances
        if large:  # which says little after ten; one step at the others' rate has nothing to make more of
            (kind, options), rate = OPTIMISERS["SGD with momentum"]
            one = OnnxCase(modules.SEED, *module, (kind, {**options, "weight_decay": 0}), rate, steps=1)
            yield f"{name} from ONNX: one step", [one], {**TEN_STEPS, "gradient": tolerances["gradient"]}


CHECKS = (operator_checks, block_checks, network_checks, onnx_checks)


def check(program, folder, number, cases, tolerances):
    """What is wrong, line by line, and the greatest error in parts of what is allowed."""
    import training
    prefixes = [os.path.join(folder, f"{number}_{i}") for i in range(len(cases))]
    for case, prefix in zip(cases, prefixes):
        case.write(prefix)
    training.probe(program, prefixes)
    wrong, greatest = [], 0.0
    for i, (case, prefix) in enumerate(zip(cases, prefixes)):
        try:
            error, where = case.compare(prefix, tolerances)
        except ValueError as refused:
            wrong.append(f"case {i}: {refused}")
            continue
        greatest = max(greatest, error)
        if error > 1:
            wrong.append(f"case {i}: {where} is off by {error:.3g} times what is allowed")
            wrong += [f"    {line}" for line in case.description()]
    return wrong, greatest


def say(name, wrong, greatest):
    print(f"{'not ok' if wrong else 'ok'} - {name}")
    for line in wrong or [f"greatest error: {greatest:.2g} of what is allowed"]:
        print("# " + line, flush=True)


def run_checks(program, word):
    """Whether all went well."""
    number, good = 0, True
    with tempfile.TemporaryDirectory() as folder:
        for checks in CHECKS:
            for name, cases, tolerances in checks():
                if word not in name:
                    continue
                number += 1
                try:
                    wrong, greatest = check(program, folder, number, cases, tolerances)
                except Exception:  # pylint: disable=broad-except
                    wrong, greatest = traceback.format_exc().splitlines(), 0
                say(name, wrong, greatest)
                good = good and not wrong
    print(f"1..{number}")
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("program", nargs="+", metavar="NET_PROBE")
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError:
        print("1..0 # SKIP python3-torch is not installed")
        return 0
    if not shutil.which(arguments.program[0]):
        print(f"Bail out! There is no program {arguments.program[0]}")
        return 1
    torch.set_num_threads(1)
    return 0 if run_checks(arguments.program, arguments.only) else 1


if __name__ == "__main__":
    sys.exit(main())
