"""Tables: printed for people, and kept as tab-separated values in bench/results."""

import os
import sys
import textwrap

from harness import machine, programs


class Table:
    """Rows of texts under column names."""

    def __init__(self, name, title, columns):
        self.name, self.title, self.columns, self.rows = name, title, columns, []
        self.began = machine.load()
        machine.versions()  # of what is measured, not of what a later commit brings

    def add(self, *cells):
        self.rows.append([cell if isinstance(cell, str) else number(cell) for cell in cells])

    def show(self, notes):
        """Prints the table and its notes."""
        widths = [max(len(row[c]) for row in [self.columns, *self.rows]) for c in range(len(self.columns))]
        print(f"\n{self.title}\n")
        for row in [self.columns, ["-" * width for width in widths], *self.rows]:
            cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
            print("  " + "  ".join(cells).rstrip())
        print("\n" + "".join(f"  {line}\n" for line in [*notes, *self.circumstances()]), end="", flush=True)

    def keep(self, notes):
        """Writes the table to bench/results/NAME.tsv."""
        path = os.path.join(programs.BENCH, "results", self.name + ".tsv")
        command = ["bench/" + os.path.basename(sys.argv[0]), *(os.path.basename(word) for word in sys.argv[1:])]
        head = [self.title, "$ " + " ".join(command), *notes, *self.circumstances()]
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"# {line}\n" for line in head)
            file.writelines("\t".join(row) + "\n" for row in [self.columns, *self.rows])

    def finish(self, remarks, keep=True):
        """Prints the table and keeps it; `remarks` is running text."""
        notes = textwrap.wrap(remarks, 110)
        self.show(notes)
        if keep:
            self.keep(notes)

    def circumstances(self):
        return [machine.description(), machine.versions(),
                f"Load average {self.began:.1f} before and {machine.load():.1f} after, of {os.cpu_count()} processors."]


def number(value):
    """A figure with three digits that mean something, or more before the point; a dash for None."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    if value == 0:
        return "0"
    digits = 0
    while abs(value) * 10 ** digits < 100 and digits < 9:
        digits += 1
    return f"{value:.{digits}f}"


def times(value):
    """A ratio: 12.3x."""
    return "-" if value is None else f"{value:.2f}x" if value < 10 else f"{value:.1f}x"


def span(values):
    """The least and the greatest of the rounds."""
    return f"{number(min(values))}..{number(max(values))}" if values else "-"


def count(n, word):
    """1 tree, 2 trees."""
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def megabytes(n_bytes):
    return "-" if n_bytes is None else f"{n_bytes / 1e6:.0f}"
