"""What runs the networks of the voice model: ONNX Runtime on the processor, torch for many voices or on a GPU."""
