from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field

app = FastAPI(dependencies=[Depends(HTTPBearer())])


class Question(BaseModel):
    text: str = Field(max_length=2000)


@app.post("/generate")
def generate(question: Question):
    return {"answer": model.generate(question.text)}
