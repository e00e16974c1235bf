from flask import Flask, request

app = Flask(__name__)


@app.get("/runs")
def runs():
    return str(cursor.execute("SELECT * FROM runs WHERE name = ?", (request.args["name"],)))
