import jwt


def caller(token, key):
    return jwt.decode(token, key, algorithms=["RS256"], audience="models", issuer="https://login.acme.io")
