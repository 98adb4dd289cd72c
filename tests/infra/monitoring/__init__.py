"""Tests of the monitoring stack and of the CloudWatch that proves it."""
