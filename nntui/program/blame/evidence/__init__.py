"""Evidence: the values of a wrong update, its iterations, and which are true derivatives."""
