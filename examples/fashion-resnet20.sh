#!/bin/sh
# A residual network of twenty layers, 60 epochs; meant to reach 94.5 %
# on Fashion-MNIST (Debian: dataset-fashion-mnist). Further options go to bramble train net.
exec "${BRAMBLE:-build/bramble}" train net "${DATA:-/usr/share/datasets/fashion-mnist}" \
    --net resnet20 --epochs 60 --batch-size 128 --learning-rate 0.1 --nesterov --schedule one_cycle --weight-decay 0.0005 --augment crop,flip,cutout --seed 1 --out fashion-resnet20.onnx "$@"
