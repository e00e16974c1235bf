from safetensors.numpy import load_file

weights = load_file("model.safetensors")
