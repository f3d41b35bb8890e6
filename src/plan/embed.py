#!/usr/bin/env python3
"""A text file as a C array: embed.py TEXT SOURCE NAME."""

import sys

source, out, name = sys.argv[1:]
with open(source, "rb") as file:
    data = file.read()
lines = [", ".join(str(byte) for byte in data[i:i + 24]) for i in range(0, len(data), 24)]
with open(out, "w", encoding="ascii") as file:
    file.write(f'#include "plan/{name}.h"\n\nconst char {name}[] = {{\n    ' + ",\n    ".join(lines)
               + f"}};\nconst size_t {name}_length = sizeof {name};\n")
