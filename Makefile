# Bramble's front door. The README's two commands are `make demo` and `make test`; each installs what it
# needs first (Debian packages, and only those that are missing) and can be repeated from any state.
#
#   make build    the program, build/bramble
#   make demo     build, train a forest on Fashion-MNIST, say what to try next
#   make test     every test there is; STEPS="lint asan" for some of them, STEPS=list to see which there are
#   make bench    peers and Bramble side by side; TABLES="forest_fit memory" for some tables, TABLES=list to see which
#   make quality  how good forests are: bench/quality.tsv anew
#   make lint     the checks of the source alone        make format   put the source in shape
#   make clean    remove build/
#
# JOBS=1 keeps it to one processor.

JOBS ?= $(shell nproc)
STEPS ?=
TABLES ?=
DEMO_TREES ?= 100
C_FILES = git ls-files --cached --others --exclude-standard '*.c' '*.h'

.PHONY: build demo test bench quality lint format clean packages-build packages-demo packages-test packages-bench

build: packages-build
	@scripts/configure build -Dtests=false
	@ninja -C build -j $(JOBS)

demo: packages-demo
	@$(MAKE) --no-print-directory build
	@DEMO_TREES=$(DEMO_TREES) scripts/demo

test: packages-test
	@tests/run --jobs $(JOBS) $(STEPS)

bench: packages-bench
	@$(MAKE) --no-print-directory build
	@bench/run $(TABLES)

quality: packages-bench
	@$(MAKE) --no-print-directory build
	@bench/quality

lint: packages-test
	@tests/run --jobs $(JOBS) lint

format: packages-test
	@$(C_FILES) | xargs clang-format-14 -i

clean:
	rm -rf build

packages-build:
	@scripts/install-packages scripts/packages-build.txt

packages-demo:
	@scripts/install-packages scripts/packages-build.txt scripts/packages-demo.txt

packages-test:
	@scripts/install-packages scripts/packages-build.txt scripts/packages-demo.txt scripts/packages-test.txt

packages-bench:
	@scripts/install-packages scripts/packages-build.txt scripts/packages-demo.txt scripts/packages-bench.txt
