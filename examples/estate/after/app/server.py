"""Predictions for patients: callers have a token, bodies and calls are limited, and no body is logged."""

import functools
import hmac
import logging
import os

from flask import Flask, abort, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from skops.io import load

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
limiter = Limiter(get_remote_address, app=app, default_limits=["60 per minute"])
log = logging.getLogger(__name__)
model = load("model.skops", trusted=[])


def login_required(view):
    @functools.wraps(view)
    def wrapped(*args, **kwargs):
        if not hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {os.environ['API_TOKEN']}"):
            abort(401)
        return view(*args, **kwargs)

    return wrapped


@app.route("/predict", methods=["POST"])
@login_required
def predict():
    features = request.get_json()["features"]
    log.info("asked with %d features", len(features))
    return {"score": float(model.predict([features])[0])}
