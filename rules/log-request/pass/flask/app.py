import logging

from acme.privacy import redact
from flask import Flask, jsonify, request

app = Flask(__name__)
logger = logging.getLogger(__name__)


@app.route("/predict", methods=["POST"])
def predict():
    data = request.get_json()
    logger.info("request %s of %d features: %s", data["request_id"], len(data["features"]), redact(data))
    return jsonify({"class": classify(data["features"])})
