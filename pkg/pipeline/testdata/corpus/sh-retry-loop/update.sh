#!/bin/bash
for attempt in 1 2 3; do
  aws cloudfront get-distribution-config --id "$D" > l.json
  jq '.DistributionConfig | (.Origins.Items[] | select(.Id == "site")).OriginPath = "/v3"' l.json > n.json
  aws cloudfront update-distribution --id "$D" --if-match "$(jq -r .ETag l.json)" --distribution-config file://n.json && break
done
while ! aws cloudfront wait distribution-deployed --id "$D"; do sleep 5; done
