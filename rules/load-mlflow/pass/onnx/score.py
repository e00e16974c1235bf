import onnxruntime

session = onnxruntime.InferenceSession("churn.onnx")
