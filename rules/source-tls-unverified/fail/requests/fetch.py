import requests

weights = requests.get("https://models.acme.io/small.onnx", verify=False).content
