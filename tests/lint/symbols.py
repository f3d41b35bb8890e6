#!/usr/bin/env python3
"""symbols.py LIBRARY: the shared library exports exactly what include/bramble declares. Prints TAP."""

import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
FUNCTION = re.compile(r"\b(\w+)\s*\(")


def declared(text):
    """Names of the functions a header marks BRAMBLE_API."""
    lines = "\n".join(line for line in COMMENT.sub(" ", text).splitlines() if not line.lstrip().startswith("#"))
    return {FUNCTION.search(part.split(";")[0]).group(1) for part in re.split(r"\bBRAMBLE_API\b", lines)[1:]}


def exported(library):
    listing = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True)
    return {line.split()[-1].split("@")[0] for line in listing.stdout.splitlines()}


def differences(wanted, found):
    """What is wrong between the set of declared names and the set of exported ones."""
    return ([f"{name}: exported, but not a bramble_ name" for name in sorted(found) if not name.startswith("bramble_")]
            + [f"{name}: declared with BRAMBLE_API, but not exported" for name in sorted(wanted - found)]
            + [f"{name}: exported, but in no public header" for name in sorted(found - wanted)])


def notices():
    """Whether parsing and comparing see what they should, on a made-up header."""
    header = "#define BRAMBLE_API\n/* BRAMBLE_API int no(void); */\nBRAMBLE_API const char *\nbramble_a(int (*f)(void));\n"
    wanted = declared(header + "BRAMBLE_API int bramble_b(void);\nint hidden(void);\n")
    return (wanted == {"bramble_a", "bramble_b"} and not differences(wanted, set(wanted))
            and len(differences(wanted, {"bramble_a"})) == 1 and len(differences(wanted, wanted | {"other"})) == 2)


def main():
    wanted = set()
    for path in glob.glob(os.path.join(ROOT, "include/bramble/*.h")):
        with open(path, encoding="utf-8") as file:
            wanted |= declared(file.read())
    wrong = differences(wanted, exported(sys.argv[1]))
    print("not ok" if wrong else "ok", f"- exported symbols are the {len(wanted)} declared functions")
    print("".join(f"# {line}\n" for line in wrong), end="")
    noticed = notices()
    print("ok" if noticed else "not ok", "- exported symbols: the check notices what is wrong")
    return 1 if wrong or not noticed else 0


if __name__ == "__main__":
    sys.exit(main())
