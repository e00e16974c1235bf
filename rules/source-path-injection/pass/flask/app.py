from flask import Flask, request

app = Flask(__name__)
CARDS = {"small": "cards/small.md"}


@app.get("/card")
def card():
    return open(CARDS["small"]).read()
