"""A person's own program, unchanged: run under control, checked, and its wrong line named."""
