#!/bin/sh
set -e
exec python serve.py
