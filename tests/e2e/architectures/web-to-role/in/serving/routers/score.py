from fastapi import APIRouter

router = APIRouter()


@router.post("/predict")
def predict(x: dict):
    return x
