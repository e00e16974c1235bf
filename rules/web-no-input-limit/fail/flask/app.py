from acme.access import login_required
from flask import Flask, jsonify, request

app = Flask(__name__)


@app.post("/predict")
@login_required
def predict():
    return jsonify({"class": classify(request.get_json()["features"])})
