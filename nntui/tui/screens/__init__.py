"""The screens: the library, the workbench of one scenario, and what opens above them."""
