import subprocess

from setuptools import setup
from setuptools.command.install import install


class Fetch(install):
    def run(self):
        subprocess.run(["sh", "fetch-weights.sh"])
        super().run()


setup(name="acme-models", version="1.0", cmdclass={"install": Fetch})
