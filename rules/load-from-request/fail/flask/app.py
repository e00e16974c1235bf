import joblib
from flask import Flask, request

app = Flask(__name__)


@app.post("/load")
def load():
    return str(joblib.load(request.json["path"]))
