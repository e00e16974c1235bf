from flask import Flask, request

app = Flask(__name__)
MODELS = {"small": "models/small.onnx"}


@app.post("/load")
def load():
    return str(start(MODELS[request.json["model"]]))
