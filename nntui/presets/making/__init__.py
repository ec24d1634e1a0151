"""A first preset for data of one's own: its columns looked at, and the rest chosen sensibly."""
