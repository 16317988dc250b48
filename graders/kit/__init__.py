"""What suites share: comparisons, statistics, sources with a known optimum, counters."""
