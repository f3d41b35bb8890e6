#!/usr/bin/env python3
"""The documents: every relative link leads somewhere, every package we install is explained. Prints TAP."""

import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]+)(?:#[^)]*)?\)")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def documents():
    pages = ["README.md", "bench/README.md", "lab/README.md", *glob.glob("docs/**/*.md", root_dir=ROOT, recursive=True)]
    return sorted(pages)


def dead_links(page):
    """Links of a page to files that are not there."""
    folder = os.path.join(ROOT, os.path.dirname(page))
    return [f"{page}: {link}" for link in LINK.findall(read(page)) if not os.path.exists(os.path.join(folder, link))]


def unexplained_packages():
    """Packages of the install lists that docs/dependencies.md does not name."""
    named = set(re.findall(r"[a-z0-9][a-z0-9.+-]*[a-z0-9+]", read("docs/dependencies.md")))
    lines = [line.split("#")[0].split() for path in glob.glob("scripts/packages-*.txt", root_dir=ROOT)
             for line in read(path).splitlines()]
    return sorted({words[0] for words in lines if words and words[0] not in named})


def check(name, wrong):
    print("not ok" if wrong else "ok", f"- {name}")
    print("".join(f"# {line}\n" for line in wrong), end="")
    return not wrong


def main():
    links = check("links in documents", [link for page in documents() for link in dead_links(page)])
    packages = check("packages in docs/dependencies.md", unexplained_packages())
    return 0 if links and packages else 1


if __name__ == "__main__":
    sys.exit(main())
