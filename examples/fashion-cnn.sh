#!/bin/sh
# Two convolutions, 20 epochs: 93 %
# on Fashion-MNIST (Debian: dataset-fashion-mnist). Further options go to bramble train net.
exec "${BRAMBLE:-build/bramble}" train net "${DATA:-/usr/share/datasets/fashion-mnist}" \
    --net cnn --epochs 20 --batch-size 128 --learning-rate 0.05 --nesterov --schedule one_cycle --weight-decay 0.0005 --augment flip --seed 1 --out fashion-cnn.onnx "$@"
