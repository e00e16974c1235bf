from setuptools import find_packages, setup

setup(name="acme-models", version="1.0", packages=find_packages())
