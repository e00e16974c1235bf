import hmac
import os

from flask import Flask, abort, jsonify, request

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024


@app.before_request
def authenticate():
    if request.path == "/health":
        return
    given = request.headers.get("X-API-Key", "")
    if not hmac.compare_digest(given, os.environ["SERVICE_KEY"]):
        abort(401)


@app.route("/predict", methods=["POST"])
def predict():
    return jsonify({"class": classify(request.get_json()["features"])})


@app.route("/health")
def health():
    return "ok"
