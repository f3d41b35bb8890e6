"""Networks trained in a lab: how fast, on a node alone and on several together."""

import glob
import json
import subprocess
import time

from harness import datasets, emulated

SETTLE_SECONDS = 6  # after the last node began to work, until its share is known
PATIENCE_SECONDS = 120


def events(lab, home):
    """What the newest run of the head's says of itself."""
    found = []
    for path in glob.glob(f"{lab.lab.folder}/nodes/{lab.head.name}/home/pi/{home}/**/events.jsonl", recursive=True):
        with open(path, encoding="utf-8") as file:
            found += [json.loads(line) for line in file if line.endswith("}\n")]
    return found


def together(lab, names, net, batch, lasting, home, *words):
    """Samples a second on these nodes once all are at work; of a pipeline, through which each sample goes whole."""
    file = lab.write_cluster(names)
    process = lab.start(lab.head.name, ["env", f"BRAMBLE_HOME={home}", "/opt/bramble/bramble", "train", "net", datasets.FASHION, "--net", net,
                                        "--batch-size", str(batch), "--epochs", "1000", "--cluster", file, "--quiet", *words],
                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + PATIENCE_SECONDS
        while {e["node"] for e in events(lab, home) if e["event"] == "working"} < set(names):
            if time.monotonic() > end or process.poll() is not None:
                raise emulated.Late(f"{names} are not at work: {process.stderr.read() if process.poll() is not None else ''}")
            time.sleep(0.5)
        time.sleep(SETTLE_SECONDS)
        since = time.monotonic()
        before = events(lab, home)
        while time.monotonic() < since + lasting + 5:
            time.sleep(0.5)
        told = [e for e in events(lab, home)[len(before):] if e["event"] == "progress"]
    finally:
        process.terminate()
        process.wait()
    first, last = told[0], told[-1]
    whole = max if "pipeline" in words else sum
    trained = [whole(member["samples"] for member in event["members"]) for event in (first, last)]
    return (trained[1] - trained[0]) / (last["seconds"] - first["seconds"])


def alone(lab, name, net, rows, steps):
    """Samples a second of a node that trains by itself."""
    said = lab.run(name, ["/opt/bramble/bramble", "train", "net", datasets.FASHION, "--net", net, "--batch-size", str(rows), "--threads", "1",
                          "--max-samples", str(rows * steps), "--epochs", "1", "--json", "--quiet", "--out", "alone.onnx"])
    return json.loads(said[said.index("{"):])["samples_per_second"]
