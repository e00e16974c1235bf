import uvicorn

uvicorn.run("main:app", host="0.0.0.0", port=8443, ssl_certfile="/tls/tls.crt", ssl_keyfile="/tls/tls.key")
