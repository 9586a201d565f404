#!/bin/bash
cmd="aws cloudfront associate-alias --target-distribution-id $T --alias www.example.com"
echo "$cmd"
eval "$cmd"
