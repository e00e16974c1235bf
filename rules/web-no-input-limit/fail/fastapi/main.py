from fastapi import Depends, FastAPI
from pydantic import BaseModel

from acme.access import require_token

app = FastAPI(dependencies=[Depends(require_token)])


class Question(BaseModel):
    text: str


@app.post("/generate")
def generate(question: Question):
    return {"answer": model.generate(question.text)}
