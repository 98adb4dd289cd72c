"""Measures what the functions cost, beside other ways to do the same job: ``make bench``."""
