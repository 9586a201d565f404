#!/usr/bin/env bash
args=(cloudfront delete-distribution --id "$ID")
args+=(--if-match "$ETAG")
aws "${args[@]}"
