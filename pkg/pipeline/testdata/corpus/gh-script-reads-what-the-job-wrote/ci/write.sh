set -e
jq '.DistributionConfig | .Comment = "release"' live.json > next.json
aws cloudfront update-distribution --id E2ABCDEFGH --if-match "$(jq -r .ETag live.json)" --distribution-config file://next.json
