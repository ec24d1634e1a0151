"""The terminal under the app: what is sent to it, and how fast."""
