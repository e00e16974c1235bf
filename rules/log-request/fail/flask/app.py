import logging

from flask import Flask, jsonify, request

app = Flask(__name__)
logger = logging.getLogger(__name__)


def describe(data):
    return f"features: {data['features']}"


@app.route("/predict", methods=["POST"])
def predict():
    data = request.get_json()
    logger.info("request %s", describe(data))
    return jsonify({"class": classify(data["features"])})
