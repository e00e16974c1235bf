#!/bin/sh
# Probes every reviewed library in each environment: probe_all.sh PROBES PYTHON...
here=$(dirname "$0")
probes=$1
shift
mkdir -p "$probes"
number=0
for python in "$@"; do
  number=$((number + 1))
  for review in "$here"/reviewed/${ONLY:-*}.toml; do
    name=$(basename "$review" .toml)
    "$python" "$here/probe.py" "$review" >"$probes/$name-$number.json" 2>/dev/null || rm -f "$probes/$name-$number.json"
  done
done
