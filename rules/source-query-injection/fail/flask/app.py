from flask import Flask, request

app = Flask(__name__)


@app.get("/runs")
def runs():
    name = request.args["name"]
    return str(cursor.execute(f"SELECT * FROM runs WHERE name = '{name}'"))
