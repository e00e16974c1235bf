DEBUG = True
ALLOWED_HOSTS = ["models.acme.io"]
INSTALLED_APPS = ["predictions"]
