#!/bin/sh
# A perceptron of two hidden layers: 90 % and more in about a minute on two cores
# on Fashion-MNIST (Debian: dataset-fashion-mnist). Further options go to bramble train net.
exec "${BRAMBLE:-build/bramble}" train net "${DATA:-/usr/share/datasets/fashion-mnist}" \
    --net mlp --epochs 20 --batch-size 128 --learning-rate 0.05 --schedule cosine --weight-decay 0.0005 --seed 1 --out fashion-mlp.onnx "$@"
