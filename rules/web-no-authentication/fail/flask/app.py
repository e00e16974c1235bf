from flask import Flask, jsonify, request

app = Flask(__name__)


@app.route("/predict", methods=["POST"])
def predict():
    return jsonify({"class": classify(request.get_json()["features"])})
