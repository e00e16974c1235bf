from flask import Flask, render_template_string, request

app = Flask(__name__)


@app.post("/prompt")
def prompt():
    return render_template_string(request.json["template"])
