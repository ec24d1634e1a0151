"""The editor of the network panel: its entries, lists of values, and lines to write in."""
