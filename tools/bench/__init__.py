"""Measures the cost of each function beside other implementations of the same job: ``make bench``."""
