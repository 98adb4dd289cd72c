"""The console: web pages on 127.0.0.1 that use the API as an app would, and show the operators' dashboard.

It runs as a child process of the emulator, on a separate origin, so that the API's CORS rules apply. It is never
deployed.
"""
