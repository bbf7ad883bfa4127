"""Neural voice models, their weights and runtimes."""
