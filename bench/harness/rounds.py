"""Measuring side by side: every contender once a round, in fresh processes, and medians over the rounds."""

import statistics
import sys

from harness import programs


class Contender:
    """A program to be measured: its name in the table, its command, and how many trees that grows."""

    def __init__(self, name, command, trees=1, limit=None):
        self.name, self.command, self.trees, self.limit = name, command, trees, limit
        self.outcomes = []  # one a round: what the program printed; None: over its limit

    def run(self):
        """Once more, unless it already took too long."""
        if None not in self.outcomes:
            self.outcomes.append(programs.run(self.command, self.limit))

    def values(self, key="fit_seconds", per_tree=True):
        """One value a round; empty when the program took too long."""
        if None in self.outcomes:
            return []
        return [outcome[key] / (self.trees if per_tree else 1) for outcome in self.outcomes]

    def first(self, key):
        """A value that is the same in every round; None when there is none."""
        return self.outcomes[0].get(key) if self.outcomes and self.outcomes[0] else None

    def peak_bytes(self):
        """The most memory it had in any round."""
        return max((outcome["peak_bytes"] for outcome in self.outcomes if outcome), default=None)


def interleave(contenders, rounds):
    """Runs all of them `rounds` times; each round begins with another one, so that none always follows the same."""
    for number in range(rounds):
        turn = number % len(contenders)
        for contender in contenders[turn:] + contenders[:turn]:
            note(f"round {number + 1} of {rounds}: {contender.name}")
            contender.run()
    note("")


def note(text):
    """Says on a terminal what is going on; the next note replaces it."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def median(values):
    """None when there is nothing."""
    return statistics.median(values) if values else None


def ratio(slow, fast):
    """How many times `slow`'s values are `fast`'s: the median over rounds, so that a slow moment of the machine hits
    both sides of a ratio alike. None when one has no values."""
    return median([a / b for a, b in zip(slow, fast)])
