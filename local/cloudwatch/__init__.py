"""The model of CloudWatch: metrics, metric math, alarms, Logs Insights queries and dashboards."""
