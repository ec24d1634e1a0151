"""What can be said about a network and its training: declared, checked, frozen."""
