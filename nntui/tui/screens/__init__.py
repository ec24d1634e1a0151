"""The library, and the dialogs and pages that open above other screens."""
