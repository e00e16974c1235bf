#!/bin/sh
docker build -t registry.example.com/trainer:main trainer
