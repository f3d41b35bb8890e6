"""What the tests said: counted, and printed as they go."""

import contextlib
import time
import traceback

TAIL_LINES = 40


class Report:
    def __init__(self):
        self.passed = 0
        self.failures = []
        self.skips = []
        self.left_out = {}  # (program, test) -> reason, for tests a program left out in some step
        self.ran = set()  # ... and those it ran
        self.step_name = ""

    @contextlib.contextmanager
    def step(self, name, description):
        """Prints a heading, and in the end how the checks within went."""
        self.step_name = name
        before = self.passed, len(self.failures), len(self.skips)
        began = time.monotonic()
        print(f"{name}: {description}", flush=True)
        try:
            yield
        except Exception:  # pylint: disable=broad-except
            self.fail("the step itself", traceback.format_exc())
        counts = self.passed - before[0], len(self.failures) - before[1], len(self.skips) - before[2]
        words = [f"{count} {word}" for count, word in zip(counts, ("passed", "failed", "skipped")) if count]
        print(f"    {', '.join(words) or 'nothing to check yet'}; {time.monotonic() - began:.0f} s\n", flush=True)

    def ok(self, _name):
        self.passed += 1

    def skip(self, name, reason):
        self.skips.append(f"{self.step_name}: {name}: {reason}")
        print(f"    skipped  {name}: {reason}", flush=True)

    def leave_out(self, program, test, reason):
        """A test within a program did not run in this step; a skip unless it runs in another."""
        self.left_out.setdefault((program, test), f"{self.step_name}: {program}, {test}: {reason}")

    def fail(self, name, log):
        """`log` is what the check said; its end is shown."""
        self.failures.append(f"{self.step_name}: {name}")
        print(f"    FAILED   {name}", flush=True)
        for line in log.rstrip().splitlines()[-TAIL_LINES:]:
            print(f"        | {line}", flush=True)

    def tap(self, text, name, complete):
        """Counts the lines of a TAP program; `complete` is false when it died, which is a failure of its own."""
        lines = text.splitlines()
        for i, line in enumerate(lines):
            if not line.startswith(("ok ", "not ok ")):
                continue
            title, _, skip = line.partition(" # SKIP ")
            check = title.partition(" - ")[2]
            if skip:
                self.skip(check, skip)
            elif line.startswith("ok "):
                self.ok(check)
            else:
                self.fail(check, comment_after(lines, i))
        if not complete:
            self.fail(name, text)

    def finish(self, seconds, summary_path):
        """Prints what did not pass and the last line; returns the exit status."""
        print(f"{seconds:.0f} s in all.")
        never_ran = [said for test, said in self.left_out.items() if test not in self.ran]
        for skip in self.skips + never_ran:
            print(f"skipped  {skip}")
        for failure in self.failures:
            print(f"FAILED   {failure}")
        line = f"{self.passed} passed, {len(self.failures)} failed"
        with open(summary_path, "w", encoding="utf-8") as file:
            file.write(line + "\n")
        print(line, flush=True)
        return 1 if self.failures or not self.passed else 0


def comment_after(lines, i):
    """The TAP comment lines that follow line i."""
    comment = []
    for line in lines[i + 1:]:
        if not line.startswith("#"):
            break
        comment.append(line[1:].strip(" "))
    return "\n".join(comment)
