"""Building with meson and counting what `meson test` did."""

import json
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What cmocka prints of each test within a program.
CMOCKA = re.compile(r"^\[ +(OK|SKIPPED) \] (\w+)$", re.MULTILINE)


def run(command, log, env=None):
    """Runs a command from the project's root with all it says in `log`; its exit status."""
    with open(log, "a", encoding="utf-8") as file:
        return subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                              stdout=file, stderr=subprocess.STDOUT, check=False).returncode


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def build(report, folder, log, jobs, options, targets=(), env=None):
    """Configures `folder` and compiles the targets (all by default): one check. Whether that worked."""
    status = run(["scripts/configure", folder, *options], log, env)
    status = status or run(["ninja", "-C", folder, "-j", str(jobs), *targets], log, env)
    if status:
        report.fail("builds without a warning", read(log))
    else:
        report.ok("builds without a warning")
    return status == 0


def test(report, folder, log, jobs, suites=(), env=None, options=(), prefix=()):
    """Runs the meson tests of these suites (all by default), `prefix` before the command; each is one check."""
    results = os.path.join(ROOT, folder, "meson-logs", "testlog.json")
    if os.path.exists(results):
        os.remove(results)
    chosen = [word for suite in suites for word in ("--suite", suite)]
    command = [*prefix, "meson", "test", "-C", folder, "--no-rebuild", "--num-processes", str(jobs)]
    status = run([*command, *options, *chosen], log, env)
    entries = [json.loads(line) for line in read(results).splitlines()]
    for entry in entries:
        count(report, entry)
    if status and all(entry["result"] in ("OK", "SKIP", "EXPECTEDFAIL") for entry in entries):
        report.fail("meson test", read(log))


def count(report, entry):
    name = entry["name"].split(" / ")[-1]
    said = (entry.get("stdout") or "") + (entry.get("stderr") or "")
    if entry["result"] in ("OK", "EXPECTEDFAIL"):
        report.ok(name)
        for word, test_name in CMOCKA.findall(said):
            if word == "OK":
                report.ran.add((name, test_name))
            else:
                report.leave_out(name, test_name, last_words(said, test_name))
    elif entry["result"] == "SKIP":
        report.skip(name, (said.strip().splitlines() or ["no reason given"])[-1])
    else:
        report.fail(f"{entry['name']} ({entry['result'].lower()})", said)


def last_words(said, name):
    """The last thing a skipped cmocka test said, which is its reason."""
    before = said.partition(f"[  SKIPPED ] {name}")[0].partition(f"[ RUN      ] {name}")[2].strip().splitlines()
    return before[-1] if before else "this build leaves it out"
