"""Files to download: ONNX models, model cards, and scripts that repeat a preprocessing or a training."""
