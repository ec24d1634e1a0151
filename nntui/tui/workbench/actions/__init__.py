"""The actions of the workbench, a group a module; each is handed the bench it acts on."""
