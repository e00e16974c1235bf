#!/bin/sh
python convert.py model.bin
