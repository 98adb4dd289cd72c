"""The operators' dashboard: what is on it, as data, and how it becomes CloudWatch's."""
