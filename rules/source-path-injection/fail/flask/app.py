from flask import Flask, request

app = Flask(__name__)


@app.get("/card")
def card():
    return open("cards/" + request.args["model"]).read()
