"""What the benchmarks here share: data, programs, interleaved rounds, tables."""
