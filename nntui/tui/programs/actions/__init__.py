"""What can be done with a program: groups of handlers, each for a screen that it is handed."""
