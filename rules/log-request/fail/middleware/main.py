import logging

from fastapi import FastAPI, Request

app = FastAPI()


@app.middleware("http")
async def log_all(request: Request, call_next):
    body = await request.body()
    logging.info("body: %s headers: %s", body, dict(request.headers))
    return await call_next(request)
