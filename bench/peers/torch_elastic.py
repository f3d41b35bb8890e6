#!/usr/bin/python3
"""
A step of a training under torchrun, again and again: gradients of 100,000 floats added up over all nodes. Each prints
{"rank": ..., "pid": ..., "step": ..., "world": ...} at most ten times a second; after a restart steps count from the start.
"""

import json
import os
import time

import torch
import torch.distributed as dist


def main():
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    gradients, step, said = torch.ones(100_000), 0, 0.0
    while True:
        dist.all_reduce(gradients)
        gradients /= dist.get_world_size()
        step += 1
        if time.monotonic() - said > 0.1:
            said = time.monotonic()
            print(json.dumps({"rank": dist.get_rank(), "pid": os.getpid(), "step": step,
                              "world": dist.get_world_size()}), flush=True)
        time.sleep(0.02)


main()
