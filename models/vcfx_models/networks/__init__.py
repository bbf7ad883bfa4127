"""The networks in torch: needed for training, for export and on a GPU; the CPU path does without torch."""
