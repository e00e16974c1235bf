#!/bin/sh
docker build -t registry.example.com/scorer:1 scorer
