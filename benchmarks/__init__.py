"""Measurements. `make bench` runs them all, prints their tables and writes `benchmarks/results/`."""
