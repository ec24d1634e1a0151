"""What is found about a program, in its own names and with its lines."""
