"""Makes corpora and trains the voice models from them."""
