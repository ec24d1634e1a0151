"""The terminal under the app: what is sent to it, how fast, and how it is left."""
