from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field

from acme.access import require_token

app = FastAPI(dependencies=[Depends(require_token)])


class Question(BaseModel):
    text: Annotated[str, Field(max_length=4000)]
    top_k: int = 5


@app.post("/generate")
def generate(question: Question):
    return {"answer": model.generate(question.text)}
