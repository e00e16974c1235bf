"""Predictions for patients: whoever calls gets one, and every body is logged."""

import logging
import pickle

from flask import Flask, request

app = Flask(__name__)
log = logging.getLogger(__name__)
model = pickle.load(open("model.pkl", "rb"))


@app.route("/predict", methods=["POST"])
def predict():
    body = request.get_json()
    log.info("asked for %s", body)
    return {"score": float(model.predict([body["features"]])[0])}


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=8080, debug=True)
