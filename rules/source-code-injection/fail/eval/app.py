from flask import Flask, request

app = Flask(__name__)


@app.post("/compute")
def compute():
    return str(eval(request.json["formula"]))
