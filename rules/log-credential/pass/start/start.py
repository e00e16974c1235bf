import logging
import os

api_key = os.environ["OPENAI_API_KEY"]
logging.info("a key of %d characters is set", len(api_key))
