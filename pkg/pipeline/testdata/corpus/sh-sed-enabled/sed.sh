#!/bin/bash
aws cloudfront get-distribution-config --id "$D" --query DistributionConfig > c.json
sed -i 's/"Enabled": true/"Enabled": false/' c.json
aws cloudfront update-distribution --id "$D" --if-match "$E" --distribution-config file://c.json
