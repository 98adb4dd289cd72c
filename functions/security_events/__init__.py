"""Publishes security events on EventBridge, from the stream of the users' table."""
