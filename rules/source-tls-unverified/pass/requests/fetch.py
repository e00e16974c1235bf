import requests

weights = requests.get("https://models.acme.io/small.onnx", verify="/etc/ssl/acme.pem").content
