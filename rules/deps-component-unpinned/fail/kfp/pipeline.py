from kfp import dsl


@dsl.component(packages_to_install=["pandas", "scikit-learn>=1.5"])
def train(rows: str) -> str:
    return rows
