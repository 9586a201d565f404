#!/usr/bin/env bash
set -euo pipefail
target=$1
host=$2
aws cloudfront associate-alias \
  --target-distribution-id "$target" \
  --alias "$host"
