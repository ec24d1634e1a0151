"""The app: it shows the snapshots that the layers below hand it, and computes nothing."""
