"""A preset as entries to edit: which have an effect, what each may be, and what a change brings."""
