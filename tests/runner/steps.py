"""The steps of `make test`, in the order they run: each takes the report and how many processes it may use."""

import concurrent.futures
import glob
import os
import platform
import subprocess
import tempfile

import meson
from meson import ROOT

# Not detect_stack_use_after_return: gcc 12 misaligns vectors on the stack it makes for that. The signals are the
# sanitizer's, or cmocka would catch them without a trace.
ASAN = {"ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:"
                        "allocator_may_return_null=1:handle_segv=2:handle_sigbus=2:handle_sigfpe=2",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
TSAN = {"TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1:handle_segv=2:handle_sigbus=2:handle_sigfpe=2"}
FUZZ_SECONDS = 10
FUZZ_MALLOC_MB = 256  # no input a fuzzer makes has reason to ask for more at once
# Rooms whose tests start threads, and rooms whose tests are programs without children (emulation runs these).
THREADED = ("base", "data", "forest", "net-threads", "train-threads", "api")
EMULATED = ("base", "data", "forest", "net", "model", "report", "api")


def path(*parts):
    return os.path.join(ROOT, "build", "test", *parts)


def log(name):
    return path("logs", name)


def folder(name):
    """A step's build folder, from the project's root."""
    return os.path.join("build", "test", name)


def tap(report, name, command):
    """Runs a TAP program."""
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False)
    with open(log(name), "a", encoding="utf-8") as file:
        file.write(done.stdout)
    report.tap(done.stdout, name, done.returncode == 0 or "\nnot ok" in "\n" + done.stdout)


def lint(report, _jobs):
    tap(report, "lint", ["tests/lint/includes.py"])
    tap(report, "lint", ["tests/lint/files.sh"])
    tap(report, "lint", ["tests/lint/docs.py"])


def documents():
    return sorted(glob.glob("docs/**/*.md", root_dir=ROOT, recursive=True))


def release(report, jobs):
    tap(report, "npm", ["tests/onnx/install"])
    if not meson.build(report, folder("release"), log("release"), jobs, ["-Dwerror=true"]):
        return
    tap(report, "symbols", ["tests/lint/symbols.py", folder("release") + "/libbramble.so"])
    meson.test(report, folder("release"), log("release"), jobs)
    tap(report, "docs", ["tests/docs/demo", folder("release")])
    tap(report, "docs", ["tests/docs/run", folder("release"), "README.md", *documents()])


def release_is_built(jobs):
    """Brings the release build up to date without counting it, for steps that are asked for alone."""
    setup = ["scripts/configure", folder("release"), "-Dwerror=true"]
    make = ["ninja", "-C", folder("release"), "-j", str(jobs)]
    return not meson.run(setup, log("release")) and not meson.run(make, log("release"))


def asan(report, jobs):
    tap(report, "npm", ["tests/onnx/install"])
    options = ["-Dwerror=true", "-Dbuildtype=debugoptimized", "-Doptimization=1", "-Db_sanitize=address,undefined",
               "-Db_lundef=false", "-Dfault_injection=true"]
    if meson.build(report, folder("asan"), log("asan"), jobs, options):
        meson.test(report, folder("asan"), log("asan"), jobs, env=ASAN, options=["-t", "4"])


def tsan(report, jobs):
    options = ["-Dbuildtype=debugoptimized", "-Doptimization=1", "-Db_sanitize=thread", "-Db_lundef=false"]
    if meson.build(report, folder("tsan"), log("tsan"), jobs, options):
        meson.test(report, folder("tsan"), log("tsan"), jobs, THREADED, TSAN, ["-t", "8"], fixed_addresses())


def fixed_addresses():
    """ThreadSanitizer of gcc 12 cannot live with the address randomisation of new kernels."""
    works = subprocess.run(["setarch", "-R", "true"], capture_output=True, check=False).returncode == 0
    return ["setarch", "-R"] if works else []


def fuzz(report, jobs):
    names = sorted(os.path.basename(file)[5:-2] for file in glob.glob(os.path.join(ROOT, "fuzz", "fuzz_*.c")))
    options = ["-Dtests=true", "-Dfuzzers=true", "-Dbuildtype=debugoptimized", "-Doptimization=1",
               "-Db_sanitize=address,undefined", "-Db_lundef=false"]
    targets = [f"fuzz/fuzz_{name}" for name in names]
    if not names or not meson.build(report, folder("fuzz"), log("fuzz"), jobs, options, targets, {"CC": "clang-14"}):
        return
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for name, status, said in pool.map(fuzz_one, names):
            if status:
                report.fail(f"fuzz_{name}", said)
            else:
                report.ok(f"fuzz_{name}")


def fuzz_one(name):
    """Fuzzes one target, starting from its corpus; what it finds that is new is thrown away."""
    with tempfile.TemporaryDirectory() as found:
        command = [path("fuzz", "fuzz", f"fuzz_{name}"), f"-max_total_time={FUZZ_SECONDS}", "-timeout=20",
                   "-rss_limit_mb=2048", f"-malloc_limit_mb={FUZZ_MALLOC_MB}", f"-artifact_prefix={path('fuzz', name)}-", found]
        corpus = os.path.join(ROOT, "fuzz", "corpus", name)
        status = meson.run(command + ([corpus] if os.path.isdir(corpus) else []), log(f"fuzz_{name}"), ASAN)
    return name, status, meson.read(log(f"fuzz_{name}"))


def arm64(report, jobs):
    if platform.machine() == "aarch64":
        report.skip("emulated arm64", "this machine is arm64: all other steps test it natively")
        return
    if meson.run(["tests/arm64/sysroot", "build/arm64"], log("sysroot")):
        report.fail("arm64 libraries", meson.read(log("sysroot")))
        return
    options = ["-Dwerror=true", "--cross-file", "build/arm64/cross.ini"]
    if not release_is_built(jobs):
        report.fail("the same models", "the release build it is compared with does not build")
    elif meson.build(report, folder("arm64"), log("arm64"), jobs, options):
        meson.test(report, folder("arm64"), log("arm64"), jobs, EMULATED, options=["-t", "20"])
        tap(report, "same_model", ["tests/arm64/same_model", folder("release"), folder("arm64")])


def lab(report, jobs):
    tap(report, "lab", ["tests/lab/run"])
    if release_is_built(jobs):
        tap(report, "networks", ["tests/lab/networks", os.path.join(folder("release"), "bramble")])
    else:
        report.fail("networks", "the release build it would run does not build")


def slurm(report, jobs):
    if release_is_built(jobs):
        tap(report, "slurm", ["tests/slurm/run", folder("release")])
    else:
        report.fail("bramble in Slurm's jobs", "the release build it would run does not build")


STEPS = {
    "lint": (lint, "include law, formatting, file sizes, documents"),
    "release": (release, "the build people get: all tests, exported symbols, the README's commands"),
    "asan": (asan, "AddressSanitizer and UBSan, every allocation failing in turn: all tests"),
    "tsan": (tsan, "ThreadSanitizer: the tests of rooms that use threads"),
    "fuzz": (fuzz, f"each fuzzer for {FUZZ_SECONDS} s, under AddressSanitizer and UBSan"),
    "arm64": (arm64, "cross-compiled and run under emulation: tests, and the same forests and networks as here"),
    "lab": (lab, "a home cluster on this machine: its limits, MPI across it, what can go wrong with it"),
    "slurm": (slurm, "jobs of a real Slurm: sbatch, salloc and srun on two nodes, without ssh"),
}
