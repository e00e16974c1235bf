from functools import wraps

from flask import Flask, jsonify, request

app = Flask(__name__)


def require_auth(function):
    @wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


@app.post("/predict")
@require_auth
def predict():
    return jsonify({"class": classify(request.get_json()["features"])})
