import logging
import os

api_key = os.environ["OPENAI_API_KEY"]
logging.info("using key %s", api_key)
