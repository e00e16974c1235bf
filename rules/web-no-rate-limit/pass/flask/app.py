import hmac
import os

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask import Flask, abort, jsonify, request

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
limiter = Limiter(get_remote_address, app=app, default_limits=["60/minute"])


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
