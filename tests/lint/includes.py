#!/usr/bin/env python3
"""The include law: which room may include which. Reads every #include line; prints TAP."""

import os
import re
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Room -> rooms of src/ whose headers it may include besides its own (docs/architecture.md).
ROOMS = {
    "src/base": [],
    "src/data": ["base"],
    "src/cluster": ["base"],
    "src/forest": ["base", "data"],
    "src/net": ["base", "data"],
    "src/model": ["base", "data", "forest", "net"],
    "src/plan": ["base"],
    "src/train": ["base", "data", "forest", "net", "model", "cluster", "plan"],
    "src/report": ["base"],
    "src/api": ["base", "data", "forest", "net", "model", "cluster", "plan", "train", "report"],
    "include/bramble": [],
    "cli": ["base", "report"],
    "examples": [],
}
# Headers of other projects -> the only places that may include them (docs/dependencies.md).
FOREIGN = {
    "mpi.h": ["src/cluster"],
    "Random123/": ["src/base/rng.c"],
    "xxhash.h": ["src/cluster", "src/data", "src/forest", "src/model", "src/net", "src/train"],
    "zstd.h": ["src/forest", "src/cluster"],
    "zlib.h": ["src/data"],
    "zip.h": ["src/data"],
    "png.h": ["src/data/image_png.c"],
    "jpeglib.h": ["src/data/image_jpeg.c"],
    "jerror.h": ["src/data/image_jpeg.c"],
    "onnx.pb-c.h": ["src/model"],
    "protobuf-c/": ["src/model"],
    "jansson.h": ["cli", "src/data/encoder_json.c", "src/model", "src/cluster", "src/plan", "src/train", "src/report", "src/api"],
    "ini.h": ["src/cluster/cluster_read.c"],
    "sqlite3.h": ["src/report"],
    "cmocka.h": [],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')


def room_of(path):
    """The room a file lies in, or None where the law has nothing to say (tests, fuzz, bench, lab)."""
    return next((room for room in ROOMS if path.startswith(room + "/")), None)


def quoted_allowed(room, name):
    """Whether a file of `room` may include "name" of ours."""
    if ".." in name.split("/"):
        return False
    if "/" not in name or room == "src/" + name.split("/")[0]:
        return room != "include/bramble"
    return any(name == allowed or name.startswith(allowed + "/") for allowed in ROOMS[room])


def foreign_allowed(path, name):
    for header, places in FOREIGN.items():
        if name == header or (header.endswith("/") and name.startswith(header)):
            return any(path == place or path.startswith(place + "/") for place in places)
    return True


def violation(path, line):
    """What is wrong with one line of a file, or None."""
    match, room = INCLUDE.match(line), room_of(path)
    if not match or room is None:
        return None
    system, ours = match.groups()
    if system is None:
        if foreign_allowed(path, ours) and (ours.endswith(".pb-c.h") or quoted_allowed(room, ours)):
            return None
        return f'{room} may not include "{ours}"'
    if system.startswith("bramble/") or foreign_allowed(path, system):
        return None
    return f"{room} may not include <{system}>"


def violations(root):
    """Every broken line below root, as text."""
    found = []
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith((".", "build", "node_modules"))]
        for name in sorted(name for name in files if name.endswith((".c", ".h"))):
            path = os.path.relpath(os.path.join(folder, name), root)
            with open(os.path.join(root, path), encoding="utf-8") as lines:
                for number, line in enumerate(lines, 1):
                    wrong = violation(path, line)
                    if wrong:
                        found.append(f"{path}:{number}: {wrong}")
    return found


def law_is_noticed():
    """Breaks the law in a scratch tree, once in each way, and tells whether every break is seen, and no more."""
    lines = {
        "src/base/a.c": ('#include "base/mem.h"\n#include <Random123/philox.h>\n', '#include "data/table.h"\n'),
        "src/base/rng.c": ("#include <Random123/philox.h>\n", "#include <zlib.h>\n"),
        "src/data/a.c": ('#include "base/mem.h"\n#include <stdio.h>\n', '  #  include "forest/tree.h"\n'),
        "src/forest/a.c": ('#include "data/table.h"\n', '#include "model/model.h"\n'),
        "src/model/a.c": ('#include "forest/tree.h"\n#include "onnx.pb-c.h"\n', '#include "../api/api.h"\n'),
        "src/plan/a.c": ('#include "base/mem.h"\n#include <jansson.h>\n', '#include "net/graph.h"\n'),
        "src/report/a.h": ('#include "base/str.h"\n', '#include "data/table.h"\n'),
        "src/train/a.c": ('#include "cluster/nodes.h"\n', "#include <mpi.h>\n"),
        "src/api/a.c": ('#include "train/farm.h"\n#include "report/metrics.h"\n', "#include <ini.h>\n"),
        "include/bramble/a.h": ("#include <bramble/error.h>\n", '#include "base/mem.h"\n'),
        "cli/a.c": ('#include <bramble/bramble.h>\n#include "report/progress.h"\n', '#include "data/table.h"\n'),
        "tests/a.c": ('#include "data/table.h"\n#include <cmocka.h>\n', ""),
    }
    broken = [path for path, (_, bad) in lines.items() if bad] + ["src/base/a.c"]
    with tempfile.TemporaryDirectory() as root:
        for path, (good, bad) in lines.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(good + bad)
        seen = sorted(line.split(":")[0] for line in violations(root))
    return seen == sorted(broken), seen


def main():
    found = violations(ROOT)
    print("not ok" if found else "ok", "- include law")
    print("".join(f"# {line}\n" for line in found), end="")
    noticed, seen = law_is_noticed()
    print("ok" if noticed else "not ok", "- include law notices what breaks it")
    if not noticed:
        print(f"# broken lines seen in: {seen}")
    return 1 if found or not noticed else 0


if __name__ == "__main__":
    sys.exit(main())
