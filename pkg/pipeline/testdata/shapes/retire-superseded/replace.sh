set -eu
new=$(aws cloudfront create-vpc-origin --vpc-origin-endpoint-config "$CFG" --query VpcOrigin.Id --output text)
until [ "$(aws cloudfront get-vpc-origin --id $new --query VpcOrigin.Status --output text)" = Deployed ]; do sleep 15; done
aws cloudfront get-distribution-config --id "$DIST" > a.json
jq --arg v "$new" '.DistributionConfig | .Origins.Items[0].VpcOriginConfig.VpcOriginId=$v' a.json > b.json
aws cloudfront update-distribution --id "$DIST" --if-match "$(jq -r .ETag a.json)" --distribution-config file://b.json
aws cloudfront delete-vpc-origin --id "$OLD" --if-match "$(aws cloudfront get-vpc-origin --id "$OLD" --query ETag --output text)"
