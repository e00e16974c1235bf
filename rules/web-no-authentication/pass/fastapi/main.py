import os
import secrets

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, Field

header = APIKeyHeader(name="X-API-Key")
router = APIRouter()


def verify(key: str = Depends(header)) -> None:
    if not secrets.compare_digest(key, os.environ["SERVICE_KEY"]):
        raise HTTPException(status_code=401)


class Question(BaseModel):
    text: str = Field(max_length=2000)


@router.post("/generate")
def generate(question: Question):
    return {"answer": model.generate(question.text)}


app = FastAPI()
app.include_router(router, dependencies=[Depends(verify)])
