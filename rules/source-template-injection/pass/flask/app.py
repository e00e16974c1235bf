from flask import Flask, render_template, request

app = Flask(__name__)


@app.post("/prompt")
def prompt():
    return render_template("prompt.html", text=request.json["text"])
