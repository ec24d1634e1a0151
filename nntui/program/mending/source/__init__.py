"""A program as its source: statements, what they could use instead, and changes of them."""
