"""What an operator sees and what wakes one: dashboards, alarms, saved queries and the topics they report to."""
