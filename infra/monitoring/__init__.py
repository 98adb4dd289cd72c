"""Monitoring: alarms, dashboards, saved queries, and the topics that alarms report to."""
