#!/bin/bash
aws cloudfront get-distribution-config --id "$D" > l.json
jq '.DistributionConfig | .Origins.Items |= map(if .Id == "site" then .OriginPath = "/v2" else . end)' l.json > n.json
aws cloudfront update-distribution --id "$D" --if-match "$(jq -r .ETag l.json)" --distribution-config file://n.json
