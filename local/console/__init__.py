"""The console: web pages on 127.0.0.1 that use the API as an app would, and show the dashboard as operators see it.

A process of the emulator's, on an origin of its own, so that the API's CORS is put to use. Never deployed.
"""
