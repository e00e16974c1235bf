import pickle

from fastapi import FastAPI, Request
from routers.score import router

app = FastAPI()
app.include_router(router)


@app.get("/health")
def health():
    return {}


@app.post("/load")
async def load(request: Request):
    body = await request.body()
    model = pickle.loads(body)
    return str(model)
