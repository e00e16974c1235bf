import logging

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
logger = logging.getLogger("serving")


class Question(BaseModel):
    text: str


@app.post("/generate")
def generate(question: Question):
    answer = model.generate(question.text)
    logger.info("answer: %s", answer)
    return {"answer": answer}
