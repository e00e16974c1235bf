import argparse

from checkpoints import latest


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--resume-from", required=True)
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    latest(options.resume_from)


main()
